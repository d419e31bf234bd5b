"""In which encoding a text is written: found out from its bytes."""

import codecs
from collections.abc import Iterator
from pathlib import Path

import charset_normalizer

CHOICES = ("auto", "utf-8", "windows-1251", "utf-16", "koi8-r", "cp866", "mac-cyrillic", "windows-1252")
# What stands for bytes that are no text: half of a surrogate pair, which `safe_values` refuses.
NO_TEXT = "\udcff"
NO_TEXT_MARK = "sitedesk.no_text"

_BLOCK = 1024 * 1024
_SAMPLE = 64 * 1024
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_LIKELY = ["cp1251", "koi8_r", "cp866", "mac_cyrillic", "cp1252"]
# Half of all letters of a Russian text are one of these; read in a wrong encoding, few are.
_FREQUENT = frozenset("оеаинтсрвлк")

codecs.register_error(NO_TEXT_MARK, lambda error: (NO_TEXT, getattr(error, "end", 0)))


def found_out(path: Path) -> str:
    """The encoding of a file as Python calls it: by its mark, else UTF-8 if all of it is, else the likeliest."""
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)
    return marked or _wide(start) or _narrow(path)


def _wide(start: bytes) -> str | None:
    """UTF-16 without a mark: of Latin and Cyrillic letters, every second byte is 0 or 4."""
    pairs = max(len(start) // 2, 1)
    high, low = (sum(start[side::2].count(byte) for byte in (0, 4)) / pairs for side in (1, 0))
    if max(high, low) < 0.6 or b"\0" not in start:
        return None
    return "utf-16-le" if high > low else "utf-16-be"


def _narrow(path: Path) -> str:
    odd = next(_not_utf8(path), None)
    if odd is None:
        return "utf-8"
    sample, good, bad = odd
    # A few broken places in a UTF-8 text are broken places.
    return "utf-8" if good > 20 * bad else _likeliest(sample)


def _not_utf8(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """The block that is not UTF-8, with how many letters of more than one byte it has and how many broken places."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                text = block.decode("utf-8", NO_TEXT_MARK)
                yield block, sum(not one.isascii() for one in text if one != NO_TEXT), text.count(NO_TEXT)
                return
    if decoder.getstate()[0]:
        yield decoder.getstate()[0], 1, 0


def _likeliest(block: bytes) -> str:
    # What is not ASCII tells; a sample from the middle of nothing but markup would not.
    first = next(at for at, byte in enumerate(block) if byte > 127)
    sample = block[max(first - 200, 0) : first + _SAMPLE]
    matches = charset_normalizer.from_bytes(sample, cp_isolation=_LIKELY)
    names = [match.encoding for match in matches] or _LIKELY
    best = max(names, key=lambda name: _share(sample, name))
    if _share(sample, best) >= 0.3:
        return best
    return "cp1252" if "cp1252" in names else best


def _share(sample: bytes, encoding: str) -> float:
    text = sample.decode(encoding, "replace")
    letters = [one for one in text if not one.isascii()]
    return sum(one in _FREQUENT for one in letters) / max(len(letters), 1)

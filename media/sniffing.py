"""What bytes are, told from the bytes: the name that a file came under plays no part."""

import codecs
import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import filetype

HEAD = 65_536
TAIL = 65_536


@dataclass(frozen=True, slots=True)
class Kind:
    """A media type and the extension that goes with it, without the dot."""

    media_type: str
    extension: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The first and the last 64 kB of a file; `text` is the head as text, None where it is binary."""

    head: bytes
    tail: bytes
    text: str | None


def sniff(path: Path) -> Kind:
    """What the file seems to be. Only decoding it proves a picture."""
    sample = take_sample(path)
    return next((kind for each in SNIFFERS if (kind := each(sample))), UNKNOWN)


def take_sample(path: Path) -> Sample:
    with path.open("rb") as file:
        head = file.read(HEAD)
        file.seek(0, io.SEEK_END)
        file.seek(max(0, file.tell() - TAIL), os.SEEK_SET)
        return Sample(head, file.read(TAIL), _as_text(head))


def _as_text(head: bytes) -> str | None:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", errors="replace")
    if _CONTROLS.search(head):
        return None
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        # Without control bytes it is text in one of the old code pages; markup is ASCII in all of them.
        return head.decode("latin-1")


def _picture(sample: Sample) -> Kind | None:
    return next((kind for pattern, kind in PICTURES.items() if re.match(pattern, sample.head, re.DOTALL)), None)


def _executable(sample: Sample) -> Kind | None:
    found = _PROGRAM if sample.text is None else _SCRIPT
    return EXECUTABLE if found.match(sample.head) else None


def _document(sample: Sample) -> Kind | None:
    return next((kind for start, kind in DOCUMENTS.items() if sample.head.startswith(start)), None)


def _text(sample: Sample) -> Kind | None:
    if not sample.head or sample.text is None:
        return None
    return next((kind for pattern, kind in MARKUP.items() if pattern.match(sample.text)), PLAIN)


def _office(sample: Sample) -> Kind | None:
    if not sample.head.startswith(b"PK\x03\x04"):
        return None
    # The names stand in the directory at the end of a zip, whatever the order of the parts in it.
    parts = re.findall(rb"PK\x01\x02.{42}(word|xl|ppt)/", sample.tail, re.DOTALL)
    return OFFICE[parts[0]] if parts else None


def _known(sample: Sample) -> Kind | None:
    guess = filetype.guess(sample.head)
    return Kind(guess.mime, guess.extension) if guess else None


SNIFFERS: tuple[Callable[[Sample], Kind | None], ...] = (_picture, _executable, _document, _text, _office, _known)

PNG = Kind("image/png", "png")
JPEG = Kind("image/jpeg", "jpg")
GIF = Kind("image/gif", "gif")
WEBP = Kind("image/webp", "webp")
AVIF = Kind("image/avif", "avif")
SVG = Kind("image/svg+xml", "svg")
PLAIN = Kind("text/plain", "txt")
UNKNOWN = Kind("application/octet-stream", "bin")
EXECUTABLE = Kind("application/x-executable", "bin")

PICTURES = {
    rb"\x89PNG\r\n\x1a\n": PNG,
    rb"\xff\xd8\xff": JPEG,
    rb"GIF8[79]a": GIF,
    rb"RIFF.{4}WEBP": WEBP,
    rb".{4}ftyp(?:avi[fs]|(?:mif1|msf1).{4}(?:.{4}){0,7}avi[fs])": AVIF,
}
DOCUMENTS = {b"%PDF-": Kind("application/pdf", "pdf"), rb"{\rtf": Kind("application/rtf", "rtf")}

_OOXML = "application/vnd.openxmlformats-officedocument"
OFFICE = {
    b"word": Kind(f"{_OOXML}.wordprocessingml.document", "docx"),
    b"xl": Kind(f"{_OOXML}.spreadsheetml.sheet", "xlsx"),
    b"ppt": Kind(f"{_OOXML}.presentationml.presentation", "pptx"),
}

# Atomic groups: without them a row of comments takes exponential time.
_PROLOGUE = r"\s*+(?>(?><!--.*?-->|<\?.*?\?>|<!DOCTYPE(?!\s+html)[^\[>]*(?:\[.*?\]\s*)?>)\s*+)*+"
_HTML = (
    r"(?:<!DOCTYPE\s+html|<(?:html|head|body|script|iframe|style|title|meta|link|h[1-6]|div|span|font|table|img|form|"
    r"object|embed|video|audio|base|a|b|p|br|ul|ol|i))(?![\w:-])"
)
MARKUP = {
    re.compile(_PROLOGUE + r"<(?:\w+:)?svg(?![\w:-])", re.DOTALL): SVG,
    re.compile(_PROLOGUE + _HTML, re.DOTALL | re.IGNORECASE): Kind("text/html", "html"),
    re.compile(r"\s*<(?:\?xml|!DOCTYPE|!--)", re.IGNORECASE): Kind("application/xml", "xml"),
}

_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SCRIPT = re.compile(rb"(?:\xef\xbb\xbf)?#!\s*/")
# ELF; DOS and Windows; Mach-O, of both widths and byte orders; fat Mach-O and Java classes; WebAssembly; Android.
_PROGRAM = re.compile(rb"\x7fELF|MZ|\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe|\x00asm|dex\n")

"""How a path is written, so that each has one spelling."""

import re
import unicodedata
from urllib.parse import quote, unquote_to_bytes


def normal(path: str) -> str:
    """A path as rules and places name it: with a slash before and none behind, decoded, in Unicode's form C.

    What a path cannot hold as it stands, such as a space or an encoded slash, is percent-encoded. Both `/%D1%87` and
    `/ч` are `/ч`; what is normal stays as it is."""
    if not _PLAIN(path):
        path = unicodedata.normalize("NFC", _PIECES.sub(_normal_piece, path))
    return "/" + path.strip("/")


def before_query(url: str) -> str:
    """What stands before a query string and before what follows '#'."""
    return re.split(r"[?#]", url, maxsplit=1)[0]


_PLAIN = re.compile(r"[A-Za-z0-9/._~-]*").fullmatch
_PIECES = re.compile(r"((?:%[0-9A-Fa-f]{2})+)|[^%]+|%")
# Decoded, these would part the path elsewhere or be taken for a code.
_KEPT_ENCODED = frozenset("%/?#\\ ")
# Browsers encode these, drop them, or read them as something else.
_NEVER_PLAIN = frozenset("%\\ ")


def _normal_piece(piece: re.Match[str]) -> str:
    encoded: str | None = piece[1]
    text = piece[0] if encoded is None else unquote_to_bytes(encoded).decode("utf-8", "surrogateescape")
    kept = _NEVER_PLAIN if encoded is None else _KEPT_ENCODED
    return "".join(_encoded(one) if one in kept or not one.isprintable() else one for one in text)


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")

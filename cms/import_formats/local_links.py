"""Addresses within a folder of pages: which are there, and what each stands for."""

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

# Possessive quantifiers (+ after +), because a page of nothing but backticks must not take minutes.
FENCE = re.compile(
    r"^ {0,3}(`{3,}+(?=[^`\n]*+\n)|~{3,}+(?=[^\n]*+\n)).*?(?:^ {0,3}\1[^\n]*+$|\Z)", re.MULTILINE | re.DOTALL
)
CODE = re.compile(r"(?<!`)(`{1,3})(?!`)[^`\n]++\1(?!`)")
ADDRESSES = re.compile(
    r"\]\([ \t]*(?:<(?P<angled>[^<>\n]{1,2000})>|(?P<bare>[^\s()<>]{1,2000}(?:\([^\s()]{0,200}\)[^\s()]{0,2000})?))"
    r"|^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*<?(?P<defined>[^\s<>]{1,2000})"
    r"""|\b(?:src|href|poster)[ \t]*=[ \t]*["'](?P<attribute>[^"'\n]{1,2000})["']""",
    re.MULTILINE | re.IGNORECASE,
)
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def addresses(markdown: str) -> Iterator[str]:
    """Every address that the text links to or shows, as written, code left out."""
    for found in ADDRESSES.finditer(CODE.sub("", FENCE.sub("", markdown))):
        yield next(part for part in found.groups() if part)


def local_path(origin_file: str, url: str) -> tuple[str, str | None] | None:
    """The path in the folder and the fragment; None for another site or a place in the same page.

    A path that leaves the folder starts with "..". A path that starts with "/" is read from the folder's root.
    """
    url = url.strip()
    if not url or url.startswith(("#", "//", "?")) or SCHEME.match(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = unquote(parts.path)
    if not path or "\0" in path:
        return None
    start = "" if path.startswith("/") else posixpath.dirname(origin_file)
    whole = posixpath.normpath(posixpath.join(start, path.lstrip("/") if not start else path) or ".")
    return whole.lstrip("/"), parts.fragment or None

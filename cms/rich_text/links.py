"""Addresses in a text: which are safe, and which are entries of our own."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from cms.pictures import unsigned
from cms.rich_text.misfits import Misfits

# Asked with a safe address in canonical form: blanks as %20, no fragment on a link.
Resolve: TypeAlias = Callable[[Literal["link", "image"], str], str | None]
# An address's link attributes: {"href": …} or {"entry": …, "fragment"?: …}.
Attrs: TypeAlias = dict[str, str]

LONGEST_HREF = 4_000

_ENTRY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SCHEME = re.compile(r"([^/?#:]*):")
_ALLOWED_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
# Browsers skip these anywhere in an address, which is how "java\nscript:" gets past a naive check.
_SKIPPED = str.maketrans("", "", "\t\n\r")
_EDGES = "".join(map(chr, range(0x21))) + "\x7f\xa0\u2028\u2029\ufeff"
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff\ud800-\udfff]")
_ENCODED = str.maketrans({" ": "%20", '"': "%22", "<": "%3C", ">": "%3E", "`": "%60"})


@lru_cache(maxsize=4096)
def safe_href(href: str) -> str | None:
    """The address in canonical form, or None when following it could run code or is of no known scheme. What opens a
    file to staff is left out of it."""
    href = href.translate(_SKIPPED).strip(_EDGES)
    if len(href) > LONGEST_HREF or _INVISIBLE.search(href):
        return None
    scheme = _SCHEME.match(href)
    if scheme and scheme[1].lower() not in _ALLOWED_SCHEMES:
        return None
    return unsigned(href.translate(_ENCODED))


def entry_id(value: object) -> str | None:
    """The id in its canonical form, or None when it is not the id of an entry (a UUID)."""
    if not isinstance(value, str):
        return None
    value = value.strip().lower()
    return value if _ENTRY.fullmatch(value) else None


class Addresses:
    """Turns the addresses of one text into links and images, asking `resolve` once for each."""

    def __init__(self, misfits: Misfits, resolve: Resolve | None = None) -> None:
        self._misfits = misfits
        self._resolve = resolve
        self._links: dict[str, Attrs | None] = {}
        self._images: dict[str, str | None] = {}
        self._interned: dict[tuple[str, str], Attrs] = {}

    def link(self, address: str) -> Attrs | None:
        """The attributes of a link to the address, or None, with the misfit noted."""
        if address not in self._links:
            self._links[address] = self._read(address)
        attrs = self._links[address]
        if attrs is None and address.strip(_EDGES):
            self._misfits.add("unsafe_link", _cause(address))
        return attrs

    def entry_link(self, entry: str, fragment: str = "") -> Attrs:
        """A link to the entry; equal links are one object, so that neighbours merge by identity."""
        fragment = _INVISIBLE.sub("", fragment).translate(_ENCODED)
        key = (entry, fragment)
        if key not in self._interned:
            self._interned[key] = {"entry": entry, "fragment": fragment} if fragment else {"entry": entry}
        return self._interned[key]

    def outward(self, address: str) -> Attrs | None:
        """A link to the address as it stands, if it is safe; nothing is asked, nothing noted."""
        href = safe_href(address)
        return self.same({"href": href}) if href else None

    def same(self, link: Attrs) -> Attrs:
        """The one object for all links equal to this one."""
        if "entry" in link:
            return self.entry_link(link["entry"], link.get("fragment", ""))
        return self._interned.setdefault(("", link["href"]), link)

    def image(self, address: str) -> str | None:
        """The id of the image that the address names, or None."""
        if address not in self._images:
            self._images[address] = self._image_entry(address)
        return self._images[address]

    def _read(self, address: str) -> Attrs | None:
        if address[:6].lower() == "entry:":
            named, _, fragment = address[6:].partition("#")
            entry = entry_id(named)
            return self.entry_link(entry, fragment) if entry else None
        href = safe_href(address)
        if not href:
            return None
        page, _, fragment = href.partition("#")
        entry = self._ask("link", page) if page else None
        if entry:
            return self.entry_link(entry, fragment)
        return self.outward(href)

    def _image_entry(self, address: str) -> str | None:
        if address[:6].lower() == "entry:":
            return entry_id(address[6:].partition("#")[0])
        href = safe_href(address)
        return self._ask("image", href) if href else None

    def _ask(self, kind: Literal["link", "image"], address: str) -> str | None:
        return entry_id(self._resolve(kind, address)) if self._resolve else None


def file_name(address: str) -> str:
    """The last part of an address's path, for an image that has no text."""
    try:
        path = urlsplit(address).path
    except ValueError:
        path = address
    return unquote(path.rstrip("/").rpartition("/")[2]).strip()


def _cause(address: str) -> str:
    scheme = _SCHEME.match(address.translate(_SKIPPED).strip(_EDGES))
    return f"{scheme[1][:30].strip()}:…" if scheme else address[:40]

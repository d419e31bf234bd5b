"""Contentful's rich text, written as HTML."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from cms.import_formats.html_writing import element, figure, from_markdown, marked
from cms.import_formats.whole_document import members, rows, words

_MARKS = {
    "bold": "strong",
    "italic": "em",
    "underline": "u",
    "code": "code",
    "superscript": "sup",
    "subscript": "sub",
    "strikethrough": "s",
}
_BLOCKS = {
    "paragraph": "p",
    "unordered-list": "ul",
    "ordered-list": "ol",
    "list-item": "li",
    "blockquote": "blockquote",
    "table": "table",
    "table-row": "tr",
    "table-cell": "td",
    "table-header-cell": "th",
    **{f"heading-{level}": f"h{level}" for level in range(1, 7)},
}
# An entry inside an entry inside an entry.
_DEEPEST = 3


@dataclass(frozen=True)
class Shown:
    """A file as a text shows it."""

    url: str
    title: str
    description: str
    is_image: bool


@dataclass(frozen=True)
class Inside:
    """An entry that stands in a text: what it is called, and its fields in the text's locale."""

    label: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Embedded:
    """What a text may refer to, by ids: a file, an entry, and the address of an entry that comes in itself."""

    asset: Callable[[str], Shown | None]
    entry: Callable[[str], Inside | None]
    address: Callable[[str], str]


def html(document: Mapping[str, Any], embedded: Embedded, *, depth: int = 0) -> str:
    """A rich-text document as HTML."""
    return "".join(_node(node, embedded, depth) for node in rows(document.get("content")))


def _node(node: Mapping[str, Any], embedded: Embedded, depth: int) -> str:
    kind = words(node.get("nodeType"))
    if kind == "text":
        text = node.get("value")
        tags = (_MARKS.get(words(mark.get("type")), "") for mark in rows(node.get("marks")))
        return marked(text if isinstance(text, str) else "", filter(None, tags))
    if kind == "hr":
        return "<hr>"
    write = _LINKED.get(kind)
    if write is not None:
        return write(node, embedded, depth)
    inner = html(node, embedded, depth=depth)
    return element(_BLOCKS[kind], inner) if kind in _BLOCKS else inner


def _target(node: Mapping[str, Any]) -> str:
    return words(members(members(members(node.get("data")).get("target")).get("sys")).get("id"))


def _hyperlink(node: Mapping[str, Any], embedded: Embedded, depth: int) -> str:
    address = words(members(node.get("data")).get("uri"))
    return _link(address, html(node, embedded, depth=depth))


def _entry_hyperlink(node: Mapping[str, Any], embedded: Embedded, depth: int) -> str:
    return _link(embedded.address(_target(node)), html(node, embedded, depth=depth))


def _asset_hyperlink(node: Mapping[str, Any], embedded: Embedded, depth: int) -> str:
    shown = embedded.asset(_target(node))
    return _link(shown.url if shown else "", html(node, embedded, depth=depth))


def _link(address: str, inner: str) -> str:
    return element("a", inner, href=address) if address else inner


def _asset_block(node: Mapping[str, Any], embedded: Embedded, depth: int) -> str:
    return _shown(embedded.asset(_target(node)))


def _shown(shown: Shown | None) -> str:
    if shown is None:
        return ""
    if shown.is_image:
        return figure(shown.url, shown.description or shown.title)
    return element("p", element("a", escape(shown.title or shown.url, quote=False), href=shown.url))


def _entry_inline(node: Mapping[str, Any], embedded: Embedded, depth: int) -> str:
    found = embedded.entry(_target(node))
    return _link(embedded.address(_target(node)), escape(found.label, quote=False)) if found else ""


def _entry_block(node: Mapping[str, Any], embedded: Embedded, depth: int) -> str:
    """A link to an entry that comes in itself; of another, its own texts and images."""
    found = embedded.entry(_target(node))
    if found is None:
        return ""
    if embedded.address(_target(node)) or depth >= _DEEPEST:
        return element("p", _entry_inline(node, embedded, depth))
    written = "".join(_field(value, embedded, depth + 1) for value in found.fields.values())
    return written or element("p", escape(found.label, quote=False))


def _field(value: Any, embedded: Embedded, depth: int) -> str:
    if isinstance(value, str) and ("\n" in value or len(value) > 256):
        return from_markdown(value)
    told = members(value)
    if told.get("nodeType") == "document":
        return html(told, embedded, depth=depth)
    link = members(told.get("sys"))
    return _shown(embedded.asset(words(link.get("id")))) if link.get("linkType") == "Asset" else ""


_LINKED: Mapping[str, Callable[[Mapping[str, Any], Embedded, int], str]] = {
    "hyperlink": _hyperlink,
    "entry-hyperlink": _entry_hyperlink,
    "asset-hyperlink": _asset_hyperlink,
    "embedded-asset-block": _asset_block,
    "embedded-entry-block": _entry_block,
    "embedded-entry-inline": _entry_inline,
}

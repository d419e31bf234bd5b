"""Strapi's blocks and the components of its dynamic zones, written as HTML."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from cms.import_formats.html_writing import code, element, figure, from_markdown, marked
from cms.import_formats.row_items import MARKUP
from cms.import_formats.whole_document import members, rows, words

_MARKS = (("code", "code"), ("strikethrough", "s"), ("underline", "u"), ("italic", "em"), ("bold", "strong"))
# Members of components that say how they look, or where they lead.
_NOT_TEXT = frozenset({"__component", "id", "documentId", "url", "slug", "type", "variant", "color", "style", "href"})
_TITLES = frozenset({"title", "heading", "headline"})


def html(blocks: list[Any]) -> str:
    """Blocks or components as HTML. Raises `Refused`."""
    return "".join(_component(one) if "__component" in one else _block(one) for one in rows(blocks))


def _block(node: Mapping[str, Any]) -> str:
    write = _BLOCKS.get(words(node.get("type")))
    return write(node) if write is not None else _children(node)


def _children(node: Mapping[str, Any]) -> str:
    return "".join(map(_block, rows(node.get("children"))))


def _text(node: Mapping[str, Any]) -> str:
    text = node.get("text")
    return marked(text if isinstance(text, str) else "", (tag for name, tag in _MARKS if node.get(name) is True))


def _heading(node: Mapping[str, Any]) -> str:
    level = node.get("level")
    return element(f"h{level}" if level in (1, 2, 3, 4, 5, 6) else "h2", _children(node))


def _list(node: Mapping[str, Any]) -> str:
    # A list inside a list stands beside the members there.
    inner = (
        element("li", _block(child)) if child.get("type") == "list" else _block(child)
        for child in rows(node.get("children"))
    )
    return element("ol" if node.get("format") == "ordered" else "ul", "".join(inner))


def _image(node: Mapping[str, Any]) -> str:
    return _picture(members(node.get("image")))


def _picture(file: Mapping[str, Any]) -> str:
    url, alt, caption = (words(file.get(name)) for name in ("url", "alternativeText", "caption"))
    return figure(url, alt, escape(caption, quote=False)) if url else ""


def _code(node: Mapping[str, Any]) -> str:
    text = "".join(words(child.get("text")) for child in rows(node.get("children")))
    return code(text, words(node.get("language")))


_BLOCKS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "text": _text,
    "paragraph": lambda node: element("p", _children(node)),
    "heading": _heading,
    "list": _list,
    "list-item": lambda node: element("li", _children(node)),
    "quote": lambda node: element("blockquote", element("p", _children(node))),
    "code": _code,
    "image": _image,
    "link": lambda node: element("a", _children(node), href=words(node.get("url"))),
}


def _component(component: Mapping[str, Any]) -> str:
    return "".join(_member(name, value) for name, value in component.items() if name not in _NOT_TEXT)


def _member(name: str, value: Any) -> str:
    if isinstance(value, str) and value.strip():
        if name in _TITLES:
            return element("h2", escape(value, quote=False))
        return value if MARKUP.search(value) else from_markdown(value)
    if isinstance(value, dict):
        return _picture(value) or _component(value)
    inner = rows(value)
    if inner and ("type" in inner[0] and "children" in inner[0]):
        return html(inner)
    return "".join(_picture(one) or _component(one) for one in inner)

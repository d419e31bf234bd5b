"""Ghost's own ways to keep a text: Lexical and Mobiledoc, with the cards that both have, written as HTML."""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any

import orjson

from cms.import_formats.html_writing import code, element, figure, from_markdown, marked
from cms.import_formats.safe_values import Refused, safe
from cms.import_formats.whole_document import members, rows, words

_FORMATS = ((16, "code"), (32, "sub"), (64, "sup"), (4, "s"), (8, "u"), (2, "em"), (1, "strong"))
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# What asks readers to subscribe or pay is no part of the text.
_OF_NO_USE = frozenset({"paywall", "email", "email-cta", "signup", "at-link"})


def lexical(text: str) -> str:
    """A Lexical document as HTML. Raises `Refused`."""
    return _children(members(_parsed(text, "lexical").get("root")))


def mobiledoc(text: str) -> str:
    """A Mobiledoc as HTML. Raises `Refused`."""
    document = _parsed(text, "mobiledoc")
    return "".join(_section(document, section) for section in _lists(document.get("sections")))


def only_markdown(text: str) -> str | None:
    """The Markdown of a Mobiledoc that is nothing but one card of it, as Ghost's first editor wrote them."""
    document = _parsed(text, "mobiledoc")
    sections, cards = _lists(document.get("sections")), _lists(document.get("cards"))
    if len(sections) != 1 or len(cards) != 1 or sections[0][:1] != [10]:
        return None
    name, payload = (*cards[0], None, None)[:2]
    return words(members(payload).get("markdown")) if name in ("markdown", "card-markdown") else None


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return safe(members(orjson.loads(text)))
    except orjson.JSONDecodeError:
        raise Refused("not_json", f"The {name} cannot be read: it is no JSON.", field=name) from None
    except Refused as refused:
        raise Refused(refused.code, refused.reason, field=name) from None


# --- Lexical ---


def _children(node: Mapping[str, Any]) -> str:
    return "".join(map(_node, rows(node.get("children"))))


def _node(node: Mapping[str, Any]) -> str:
    kind = words(node.get("type")).removeprefix("extended-")
    write = _NODES.get(kind)
    if write is not None:
        return write(node)
    return _card(kind, node) + _children(node)


def _text(node: Mapping[str, Any]) -> str:
    bits = node.get("format")
    bits = bits if isinstance(bits, int) else 0
    text = node.get("text")
    return marked(text if isinstance(text, str) else "", (tag for bit, tag in _FORMATS if bits & bit))


def _heading(node: Mapping[str, Any]) -> str:
    tag = words(node.get("tag"))
    return element(tag if tag in _HEADINGS else "h2", _children(node))


def _list(node: Mapping[str, Any]) -> str:
    ordered = node.get("listType") == "number" or node.get("tag") == "ol"
    start = node.get("start") if ordered and node.get("start") != 1 else None
    return element("ol" if ordered else "ul", "".join(_list_members(rows(node.get("children")))), start=start)


def _list_members(children: list[dict[str, Any]]) -> Iterator[str]:
    for child in children:
        inner = rows(child.get("children"))
        # A nested list stands in a member of its own, beside the one that it belongs to.
        yield element("li", _children(child)) if inner or child.get("type") == "listitem" else _node(child)


_NODES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "text": _text,
    "linebreak": lambda node: "<br>",
    "tab": lambda node: " ",
    "paragraph": lambda node: element("p", _children(node)),
    "heading": _heading,
    "quote": lambda node: element("blockquote", element("p", _children(node))),
    "aside": lambda node: element("blockquote", element("p", _children(node))),
    "list": _list,
    "link": lambda node: element("a", _children(node), href=words(node.get("url"))),
    "autolink": lambda node: element("a", _children(node), href=words(node.get("url"))),
}


# --- Mobiledoc ---


def _lists(value: Any) -> list[list[Any]]:
    return [one for one in value if isinstance(one, list)] if isinstance(value, list) else []


def _section(document: Mapping[str, Any], section: list[Any]) -> str:
    kind, *rest = section or [None]
    if kind == 1 and len(rest) >= 2:
        tag = words(rest[0]).lower()
        inner = _markers(document, rest[1])
        return (
            element("blockquote", element("p", inner)) if tag in ("blockquote", "aside") else element(_tag(tag), inner)
        )
    if kind == 2 and rest:
        return figure(words(rest[0]))
    if kind == 3 and len(rest) >= 2:
        items = "".join(element("li", _markers(document, item)) for item in _lists(rest[1]))
        return element("ol" if rest[0] == "ol" else "ul", items)
    return _card_at(document, rest[0]) if kind == 10 and rest else ""


def _tag(tag: str) -> str:
    return tag if tag in _HEADINGS else "p"


def _card_at(document: Mapping[str, Any], number: Any) -> str:
    name, payload = (*(_at(_lists(document.get("cards")), number) or []), None, None)[:2]
    return _card(words(name), members(payload))


def _at(values: list[list[Any]], number: Any) -> list[Any] | None:
    return values[number] if isinstance(number, int) and 0 <= number < len(values) else None


def _markers(document: Mapping[str, Any], markers: Any) -> str:
    written: list[str] = []
    opened: list[str] = []
    for marker in _lists(markers):
        kind, opening, closing, value = (*marker, None, None, None, None)[:4]
        for number in opening if isinstance(opening, list) else ():
            start, tag = _markup(_at(_lists(document.get("markups")), number))
            written.append(start)
            opened.append(tag)
        if kind == 0 and isinstance(value, str):
            written.append(escape(value, quote=False))
        elif kind == 1:
            written.append("<br>")
        for _ in range(min(closing if isinstance(closing, int) else 0, len(opened))):
            written.append(f"</{opened.pop()}>" if opened[-1] else opened.pop())
    return "".join(written) + "".join(f"</{tag}>" for tag in reversed(opened) if tag)


def _markup(markup: list[Any] | None) -> tuple[str, str]:
    """The start of an element, and its tag; nothing where there is no such markup."""
    tag = words(markup[0]).lower() if markup else ""
    if tag == "a":
        attributes = markup[1] if markup and len(markup) > 1 and isinstance(markup[1], list) else []
        pairs = dict(zip(map(str, attributes[::2]), attributes[1::2], strict=False))
        return element("a", "", href=words(pairs.get("href"))).removesuffix("</a>"), "a"
    if tag in ("b", "strong", "i", "em", "code", "s", "u", "sub", "sup", "del"):
        return f"<{tag}>", tag
    return "", ""


# --- cards ---


def _card(kind: str, card: Mapping[str, Any]) -> str:
    """A card as HTML; of one that we do not know, nothing."""
    write = _CARDS.get(kind)
    return write(card) if write is not None else ""


def is_known(kind: str) -> bool:
    """Whether a card of this kind becomes something."""
    return kind in _CARDS or kind in _OF_NO_USE


def _image(card: Mapping[str, Any]) -> str:
    src = words(card.get("src"))
    return figure(src, words(card.get("alt")), words(card.get("caption")), words(card.get("href"))) if src else ""


def _gallery(card: Mapping[str, Any]) -> str:
    caption = words(card.get("caption"))
    return "".join(map(_image, rows(card.get("images")))) + (element("p", caption) if caption else "")


def _bookmark(card: Mapping[str, Any]) -> str:
    told, url = members(card.get("metadata")), words(card.get("url"))
    link = element("a", escape(words(told.get("title")) or url, quote=False), href=url)
    described = words(told.get("description"))
    return element("p", link + (f"<br>{escape(described, quote=False)}" if described else "")) if url else ""


def _embed(card: Mapping[str, Any]) -> str:
    html, url, caption = (words(card.get(name)) for name in ("html", "url", "caption"))
    shown = html or element("p", element("a", escape(url, quote=False), href=url))
    return shown + (element("p", caption) if caption else "")


def _linked(address: str, *names: str) -> Callable[[Mapping[str, Any]], str]:
    def write(card: Mapping[str, Any]) -> str:
        url = words(card.get(address))
        title = next((found for name in names if (found := words(card.get(name)))), url.rpartition("/")[2])
        return element("p", element("a", escape(title, quote=False), href=url)) if url else ""

    return write


def _titled(title: str, *texts: str) -> Callable[[Mapping[str, Any]], str]:
    def write(card: Mapping[str, Any]) -> str:
        headed = element("h3", words(card.get(title))) if words(card.get(title)) else ""
        return headed + "".join(_as_block(words(card.get(name))) for name in texts)

    return write


def _as_block(html: str) -> str:
    return element("p", html) if html and not html.startswith("<p") else html


def _code(card: Mapping[str, Any]) -> str:
    text = card.get("code")
    return code(text if isinstance(text, str) else "", words(card.get("language")))


def _html(card: Mapping[str, Any]) -> str:
    return words(card.get("html"))


def _markdown(card: Mapping[str, Any]) -> str:
    return from_markdown(words(card.get("markdown")))


_CARDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "image": _image,
    "gallery": _gallery,
    "bookmark": _bookmark,
    "embed": _embed,
    "html": _html,
    "card-html": _html,
    "markdown": _markdown,
    "card-markdown": _markdown,
    "code": _code,
    "codeblock": _code,
    "hr": lambda card: "<hr>",
    "horizontalrule": lambda card: "<hr>",
    "callout": lambda card: element("blockquote", _as_block(words(card.get("calloutText")))),
    "toggle": _titled("heading", "content"),
    "header": _titled("heading", "subheading"),
    "product": _titled("productTitle", "productDescription"),
    "call-to-action": _titled("title", "textValue"),
    "button": _linked("buttonUrl", "buttonText"),
    "video": _linked("src", "caption", "fileName"),
    "audio": _linked("src", "title"),
    "file": _linked("src", "fileTitle", "fileName"),
}

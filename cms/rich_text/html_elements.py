"""What each element of HTML becomes: a table of functions by tag name."""

from collections.abc import Callable
from typing import Final, TypeAlias

from selectolax.lexbor import LexborNode

from cms.rich_text.composition import (
    BOLD,
    CODE,
    ITALIC,
    STRIKE,
    SUBSCRIPT,
    SUPERSCRIPT,
    UNDERLINE,
    Composition,
    collapsed,
    without_controls,
)
from cms.rich_text.document import HIGHEST_START, WIDEST_SPAN, Node
from cms.rich_text.embeds import embeddable
from cms.rich_text.html_code import code_block
from cms.rich_text.links import Addresses, Attrs, Resolve, entry_id, file_name
from cms.rich_text.misfits import Misfits

# What remains to be done when an element ends.
Leave: TypeAlias = Callable[["Reading"], None]
Enter: TypeAlias = Callable[["Reading", LexborNode], Leave | None]


class Figure:
    """A <figure> being read: its image, or a caption that came before it."""

    def __init__(self) -> None:
        self.image: Node | None = None
        self.image_left_out = False
        self.caption: str | None = None


class Reading:
    """One text being read: the marks in force and the document so far."""

    def __init__(self, resolve: Resolve | None, *, controls_possible: bool) -> None:
        self.misfits = Misfits()
        self.addresses = Addresses(self.misfits, resolve)
        self.composition = Composition(self.misfits)
        self.bits = 0
        self.link: Attrs | None = None
        self.marks: list[Node] | None = None
        self.outer_marks: list[tuple[int, Attrs | None]] = []
        self.outer_headings: list[int] = []
        self.figures: list[Figure] = []
        self._controls_possible = controls_possible

    def text(self, text: str) -> None:
        self.composition.text(without_controls(text) if self._controls_possible else text, self.marks)

    def mark(self, bits: int, link: Attrs | None = None) -> None:
        """Puts more marks in force until `unmark`; an outer link yields to an inner one."""
        self.outer_marks.append((self.bits, self.link))
        self.bits |= bits
        self.link = link or self.link
        self.marks = self.composition.marks(self.bits, self.link)

    def unmark(self) -> None:
        self.bits, self.link = self.outer_marks.pop()
        self.marks = self.composition.marks(self.bits, self.link)

    def linked_text(self, text: str, address: str) -> None:
        """Text that stands for something that has no place here, linked to where it is."""
        link = self.link or self.addresses.outward(address)
        self.composition.text(text, self.composition.marks(self.bits, link))


def LEAF(reading: Reading) -> None:  # noqa: N802
    """Answered for an element whose children are not to be walked."""


def unknown_element(reading: Reading, node: LexborNode) -> Leave | None:
    """Keeps the text of an element that has no place in a document."""
    tag = node.tag or ""
    reading.misfits.add("element_dropped", tag)
    if tag not in _UNKNOWN_BLOCKS:
        return None
    reading.composition.end_line()
    return _end_line


def _nothing(reading: Reading, node: LexborNode) -> Leave | None:
    return LEAF


def _dropped(reading: Reading, node: LexborNode) -> Leave | None:
    reading.misfits.add("content_dropped", node.tag or "")
    return LEAF


def _transparent(reading: Reading, node: LexborNode) -> Leave | None:
    return None


def _block(reading: Reading, node: LexborNode) -> Leave | None:
    reading.composition.end_line()
    return _end_line


def _end_line(reading: Reading) -> None:
    reading.composition.end_line()


def _marked(bits: int) -> Enter:
    def enter(reading: Reading, node: LexborNode) -> Leave | None:
        reading.mark(bits)
        return Reading.unmark

    return enter


def _heading(level: int) -> Enter:
    def enter(reading: Reading, node: LexborNode) -> Leave | None:
        composition = reading.composition
        composition.end_line()
        reading.outer_headings.append(composition.heading)
        composition.heading = level
        return _end_heading

    return enter


def _end_heading(reading: Reading) -> None:
    reading.composition.end_line()
    reading.composition.heading = reading.outer_headings.pop()


def _container(kind: str) -> Enter:
    def enter(reading: Reading, node: LexborNode) -> Leave | None:
        return _close if reading.composition.open(kind) else _end_line

    return enter


def _close(reading: Reading) -> None:
    reading.composition.close()


def _ordered_list(reading: Reading, node: LexborNode) -> Leave | None:
    start = _whole(node.attributes.get("start"), least=0, most=HIGHEST_START)
    return _close if reading.composition.open("orderedList", {"start": start}) else _end_line


def _cell(kind: str) -> Enter:
    def enter(reading: Reading, node: LexborNode) -> Leave | None:
        attributes = node.attributes
        spans = {name: _whole(attributes.get(name), least=1, most=WIDEST_SPAN) for name in ("colspan", "rowspan")}
        return _close if reading.composition.open(kind, spans) else _end_line

    return enter


def _whole(value: str | None, *, least: int, most: int) -> int:
    """The number that an attribute holds; 1 when it holds none within the limits."""
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 9:
        return 1
    return int(value) if least <= int(value) <= most else 1


def _table(reading: Reading, node: LexborNode) -> Leave | None:
    caption = next((child for child in node.iter() if child.tag == "caption"), None)
    if caption is not None:
        reading.composition.end_line()
        reading.composition.text(_caption_text(reading, caption))
    return _close if reading.composition.open("table") else _end_line


def _term(reading: Reading, node: LexborNode) -> Leave | None:
    reading.composition.end_line()
    reading.mark(BOLD)
    return _end_term


def _end_term(reading: Reading) -> None:
    reading.unmark()
    reading.composition.end_line()


def _break(reading: Reading, node: LexborNode) -> Leave | None:
    reading.composition.hard_break()
    return LEAF


def _rule(reading: Reading, node: LexborNode) -> Leave | None:
    reading.composition.add({"type": "horizontalRule"})
    return LEAF


def _code_block(reading: Reading, node: LexborNode) -> Leave | None:
    reading.composition.add(code_block(node, reading.misfits))
    return LEAF


def _titled(reading: Reading, node: LexborNode) -> Leave | None:
    if node.attributes.get("title"):
        reading.misfits.add("attribute_dropped", f"title of <{node.tag}>")
    return None


def _anchor(reading: Reading, node: LexborNode) -> Leave | None:
    attributes = node.attributes
    if "data-file" in attributes:
        return _file(reading, node)
    address = attributes.get("href") or ""
    if "data-entry" in attributes:
        address = f"entry:{attributes['data-entry']}#{address.partition('#')[2]}"
    if not address:
        return None
    if attributes.get("title"):
        reading.misfits.add("attribute_dropped", "title of <a>")
    reading.mark(0, reading.addresses.link(address))
    return Reading.unmark


def _file(reading: Reading, node: LexborNode) -> Leave | None:
    attributes = node.attributes
    href = attributes.get("href") or ""
    entry = entry_id(attributes["data-file"] or href.removeprefix("entry:"))
    if entry is None:
        reading.misfits.add("unknown_entry", "file")
        return None
    reading.composition.add({"type": "file", "attrs": {"entry": entry, "title": collapsed(node.text())}})
    return LEAF


def _image(reading: Reading, node: LexborNode) -> Leave | None:
    attributes = node.attributes
    source = attributes.get("src") or ""
    if source[:5].lower() == "data:":
        source = attributes.get("data-src") or source  # a placeholder of a page that loads its images late
    alt = collapsed(attributes.get("alt") or "")
    named = attributes.get("data-entry")
    entry = entry_id(named) if named else reading.addresses.image(source)
    if entry is None:
        return _image_left_out(reading, source, alt)
    if reading.link:
        reading.misfits.add("image_link_dropped", reading.link.get("href") or reading.link["entry"])
    caption = collapsed(attributes.get("title") or "") or None
    image = {"type": "image", "attrs": {"entry": entry, "alt": alt, "caption": caption}}
    if reading.figures:
        _join_figure(reading.figures[-1], image)
    reading.composition.add(image)
    return LEAF


def _image_left_out(reading: Reading, source: str, alt: str) -> Leave | None:
    if source[:6].lower() == "entry:":
        reading.misfits.add("unknown_entry", "image")
    else:
        reading.misfits.add("external_image", source)
    inline = source[:5].lower() == "data:"
    reading.linked_text(alt or ("" if inline else collapsed(file_name(source))), "" if inline else source)
    if reading.figures:
        reading.figures[-1].image_left_out = True
    return LEAF


def _join_figure(figure: Figure, image: Node) -> None:
    figure.image = image
    if figure.caption:
        image["attrs"]["caption"], figure.caption = figure.caption, None


def _figure(reading: Reading, node: LexborNode) -> Leave | None:
    reading.composition.end_line()
    reading.figures.append(Figure())
    return _end_figure


def _end_figure(reading: Reading) -> None:
    reading.composition.end_line()
    caption = reading.figures.pop().caption
    if caption:
        reading.composition.text(caption)
        reading.composition.end_line()


def _figure_caption(reading: Reading, node: LexborNode) -> Leave | None:
    figure = reading.figures[-1] if reading.figures else None
    if figure is None or figure.image_left_out or figure.caption:
        return _block(reading, node)
    caption = _caption_text(reading, node)
    if figure.image is None:
        figure.caption = caption
    else:
        _add_caption(figure.image["attrs"], caption)
    return LEAF


def _add_caption(attrs: dict[str, str | None], caption: str) -> None:
    if attrs["caption"] is None:
        attrs["caption"] = caption or None
    elif caption and caption != attrs["caption"]:
        attrs["caption"] = f"{attrs['caption']} {caption}"


def _caption_text(reading: Reading, node: LexborNode) -> str:
    for element in node.traverse():
        if element.tag in _LOST_IN_CAPTIONS:
            reading.misfits.add("formatting_in_caption", element.tag or "")
    return collapsed(node.text())


def _frame(reading: Reading, node: LexborNode) -> Leave | None:
    attributes = node.attributes
    address = (attributes.get("src") or attributes.get("data-src") or "").strip()
    url = embeddable(address)
    if url is not None:
        reading.composition.add({"type": "embed", "attrs": {"url": url}})
        return LEAF
    reading.misfits.add("embed_not_allowed", address[:60])
    reading.composition.end_line()
    reading.linked_text(collapsed(attributes.get("title") or "") or collapsed(address), address)
    reading.composition.end_line()
    return LEAF


_LOST_IN_CAPTIONS = frozenset({"a", "img", "iframe", "script", "style"})
_UNKNOWN_BLOCKS = frozenset(
    {"audio", "canvas", "details", "dialog", "embed", "fieldset", "form", "frameset", "legend", "marquee"}
    | {"object", "optgroup", "option", "select", "summary", "textarea", "video"}
)

ELEMENTS: Final[dict[str, Enter]] = {
    **dict.fromkeys(("p", "div", "section", "article", "main", "header", "footer", "nav", "aside", "address"), _block),
    **dict.fromkeys(("center", "dl", "dd", "hgroup", "search", "html", "body"), _block),
    **dict.fromkeys(("span", "font", "small", "big", "bdi", "bdo", "cite", "data", "dfn", "label"), _transparent),
    **dict.fromkeys(("nobr", "noscript", "picture", "q", "tbody", "tfoot", "thead", "time"), _transparent),
    **dict.fromkeys(("-comment", "", "base", "col", "colgroup", "caption", "link", "meta", "source", "wbr"), _nothing),
    **dict.fromkeys(("script", "style", "template", "head", "title"), _dropped),
    **dict.fromkeys(("b", "strong"), _marked(BOLD)),
    **dict.fromkeys(("i", "em", "var"), _marked(ITALIC)),
    **dict.fromkeys(("s", "del", "strike"), _marked(STRIKE)),
    **dict.fromkeys(("u", "ins"), _marked(UNDERLINE)),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), _marked(CODE)),
    **dict.fromkeys(("pre", "listing", "xmp", "plaintext"), _code_block),
    **dict.fromkeys(("ul", "menu", "dir"), _container("bulletList")),
    **{f"h{level}": _heading(level) for level in range(1, 7)},
    "a": _anchor,
    "abbr": _titled,
    "acronym": _titled,
    "blockquote": _container("blockquote"),
    "br": _break,
    "dt": _term,
    "figcaption": _figure_caption,
    "figure": _figure,
    "hr": _rule,
    "iframe": _frame,
    "img": _image,
    "li": _container("listItem"),
    "ol": _ordered_list,
    "sub": _marked(SUBSCRIPT),
    "sup": _marked(SUPERSCRIPT),
    "table": _table,
    "td": _cell("tableCell"),
    "th": _cell("tableHeader"),
    "tr": _container("tableRow"),
}

"""Reads a document given as JSON, in Tiptap's or prosemirror-basic's names, into the canonical shape."""

from collections.abc import Callable, Iterator
from typing import Any

from cms.rich_text.composition import MARK_BITS, Composition, code_node, collapsed, language_name, without_controls
from cms.rich_text.document import HIGHEST_START, LONGEST_INPUT, MOST_NODES, WIDEST_SPAN, MalformedRichText, Parsed
from cms.rich_text.embeds import embeddable
from cms.rich_text.links import Addresses, Attrs, entry_id, file_name
from cms.rich_text.misfits import Misfits

DEEPEST_INPUT = 100

_SYNONYMS = {
    "bullet_list": "bulletList",
    "code_block": "codeBlock",
    "hard_break": "hardBreak",
    "horizontal_rule": "horizontalRule",
    "list_item": "listItem",
    "ordered_list": "orderedList",
    "table_cell": "tableCell",
    "table_header": "tableHeader",
    "table_row": "tableRow",
}
_MARK_SYNONYMS = {"strong": "bold", "em": "italic", "strikethrough": "strike"}


def from_document(value: object) -> Parsed:
    """Reads {"type": "doc", "content": […]}. Raises MalformedRichText when it is not made of nodes, or too large."""
    if not isinstance(value, dict) or value.get("type") != "doc":
        raise MalformedRichText('A document is an object with "type": "doc"')
    reading = _Reading()
    reading.children(value, 0)
    return Parsed(reading.composition.finished(), reading.misfits.listed())


class _Reading:
    def __init__(self) -> None:
        self.misfits = Misfits()
        self.addresses = Addresses(self.misfits)
        self.composition = Composition(self.misfits)
        self._budget = Budget()
        self._inside_line = 0

    def children(self, node: dict[str, Any], depth: int) -> None:
        for child in _content(node):
            self.node(child, depth + 1)

    def node(self, node: object, depth: int) -> None:
        if not isinstance(node, dict) or not isinstance(node.get("type"), str):
            raise MalformedRichText(f'A node is an object with a "type", not {type(node).__name__}')
        if depth > DEEPEST_INPUT:
            raise MalformedRichText(f"The document is nested deeper than {DEEPEST_INPUT} levels")
        self._budget.spend_node()
        kind: str = node["type"]
        _NODES.get(_SYNONYMS.get(kind, kind), _Reading.unknown)(self, node, depth)

    def text(self, node: dict[str, Any], depth: int) -> None:
        text = self._string(node, "text")
        self.composition.text(without_controls(text), self._marks(node.get("marks")))

    def hard_break(self, node: dict[str, Any], depth: int) -> None:
        self.composition.hard_break()

    def paragraph(self, node: dict[str, Any], depth: int) -> None:
        self._line(node, depth, heading=0)

    def heading(self, node: dict[str, Any], depth: int) -> None:
        self._line(node, depth, heading=whole(_attrs(node).get("level"), least=1, most=6, otherwise=2))

    def container(self, node: dict[str, Any], depth: int) -> None:
        kind = _SYNONYMS.get(node["type"], node["type"])
        opened = self.composition.open(kind, _container_attrs(kind, _attrs(node)))
        outer, self._inside_line = self._inside_line, 0
        self.children(node, depth)
        self._inside_line = outer
        if opened:
            self.composition.close()
        else:
            self.composition.end_line()

    def code_block(self, node: dict[str, Any], depth: int) -> None:
        text = "".join(self._code(node, depth))
        language = _attrs(node).get("language", _attrs(node).get("params"))
        self.composition.add(code_node(text + "\n", language_name(language)))

    def horizontal_rule(self, node: dict[str, Any], depth: int) -> None:
        self.composition.add({"type": "horizontalRule"})

    def image(self, node: dict[str, Any], depth: int) -> None:
        attrs = _attrs(node)
        source = self._string(attrs, "src")
        alt, caption = (collapsed(self._string(attrs, name)) for name in ("alt", "caption"))
        entry = entry_id(attrs.get("entry")) or self.addresses.image(source)
        if entry is not None:
            self.composition.add({"type": "image", "attrs": {"entry": entry, "alt": alt, "caption": caption or None}})
            return
        self.misfits.add("external_image" if source else "unknown_entry", source or "image")
        self._linked_text(" ".join(filter(None, (alt or collapsed(file_name(source)), caption))), source)

    def file(self, node: dict[str, Any], depth: int) -> None:
        attrs = _attrs(node)
        entry, title = entry_id(attrs.get("entry")), collapsed(self._string(attrs, "title"))
        if entry is not None:
            self.composition.add({"type": "file", "attrs": {"entry": entry, "title": title}})
            return
        self.misfits.add("unknown_entry", "file")
        self._linked_text(title, "")

    def embed(self, node: dict[str, Any], depth: int) -> None:
        address = self._string(_attrs(node), "url")
        url = embeddable(address.strip())
        if url is not None:
            self.composition.add({"type": "embed", "attrs": {"url": url}})
            return
        self.misfits.add("embed_not_allowed", address[:60])
        self.composition.end_line()
        self._linked_text(collapsed(address), address)
        self.composition.end_line()

    def unknown(self, node: dict[str, Any], depth: int) -> None:
        self.misfits.add("unknown_node", node["type"])
        if not self._inside_line:
            self.composition.end_line()
        self.composition.text(without_controls(self._string(_attrs(node), "label")))
        self.children(node, depth)
        if not self._inside_line:
            self.composition.end_line()

    def _line(self, node: dict[str, Any], depth: int, *, heading: int) -> None:
        self.composition.end_line()
        outer, self.composition.heading = self.composition.heading, heading
        self._inside_line += 1
        self.children(node, depth)
        self._inside_line -= 1
        self.composition.end_line()
        self.composition.heading = outer

    def _code(self, node: dict[str, Any], depth: int) -> Iterator[str]:
        if depth > DEEPEST_INPUT:
            raise MalformedRichText(f"The document is nested deeper than {DEEPEST_INPUT} levels")
        for child in _content(node):
            if not isinstance(child, dict):
                raise MalformedRichText("A node is an object")
            self._budget.spend_node()
            if child.get("type") in ("hardBreak", "hard_break"):
                yield "\n"
            elif child.get("type") == "text":
                yield self._string(child, "text")
            else:
                self.misfits.add("unknown_node", f"{child.get('type')} in a code block")
                yield from self._code(child, depth + 1)

    def _linked_text(self, text: str, address: str) -> None:
        self.composition.text(text, self.composition.marks(0, self.addresses.outward(address)))

    def _marks(self, marks: object) -> list[dict[str, Any]] | None:
        if not marks:
            return None
        if not isinstance(marks, list):
            raise MalformedRichText("A text's marks are a list")
        bits, link = 0, None
        for mark in marks:
            if not isinstance(mark, dict) or not isinstance(mark.get("type"), str):
                raise MalformedRichText('A mark is an object with a "type"')
            kind: str = mark["type"]
            name = _MARK_SYNONYMS.get(kind, kind)
            if name == "link":
                link = self._link(_attrs(mark)) or link
            elif name in MARK_BITS:
                bits |= MARK_BITS[name]
            else:
                self.misfits.add("unknown_mark", name)
        return self.composition.marks(bits, link)

    def _link(self, attrs: dict[str, Any]) -> Attrs | None:
        entry = entry_id(attrs.get("entry"))
        if entry is not None:
            return self.addresses.entry_link(entry, self._string(attrs, "fragment").removeprefix("#"))
        if attrs.get("entry"):
            self.misfits.add("unknown_entry", "link")
        return self.addresses.link(self._string(attrs, "href"))

    def _string(self, values: dict[str, Any], name: str) -> str:
        value = values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise MalformedRichText(f'"{name}" is text, not {type(value).__name__}')
        self._budget.spend_text(value)
        return value


class Budget:
    """What one document may hold, counted as it is read."""

    def __init__(self) -> None:
        self._nodes = MOST_NODES
        self._characters = LONGEST_INPUT

    def spend_node(self) -> None:
        self._nodes -= 1
        if self._nodes < 0:
            raise MalformedRichText(f"The document has more than {MOST_NODES:,} nodes")

    def spend_text(self, text: str) -> None:
        self._characters -= len(text)
        if self._characters < 0:
            raise MalformedRichText(f"The document is longer than {LONGEST_INPUT:,} characters")


def whole(value: object, *, least: int, most: int, otherwise: int) -> int:
    """The number if it is one within the limits."""
    if not isinstance(value, int) or isinstance(value, bool):
        return otherwise
    return value if least <= value <= most else otherwise


def _attrs(node: dict[str, Any]) -> dict[str, Any]:
    attrs = node.get("attrs")
    if attrs is None:
        return {}
    if not isinstance(attrs, dict):
        raise MalformedRichText('"attrs" is an object')
    return attrs


def _content(node: dict[str, Any]) -> list[object]:
    content = node.get("content")
    if content is None:
        return []
    if not isinstance(content, list):
        raise MalformedRichText('"content" is a list of nodes')
    return content


def _container_attrs(kind: str, attrs: dict[str, Any]) -> dict[str, Any] | None:
    if kind == "orderedList":
        return {"start": whole(attrs.get("start", attrs.get("order")), least=0, most=HIGHEST_START, otherwise=1)}
    if kind in ("tableCell", "tableHeader"):
        return {name: whole(attrs.get(name), least=1, most=WIDEST_SPAN, otherwise=1) for name in ("colspan", "rowspan")}
    return None


_CONTAINERS = ("blockquote", "bulletList", "orderedList", "listItem", "table", "tableRow", "tableCell", "tableHeader")
_NODES: dict[str, Callable[[_Reading, dict[str, Any], int], None]] = {
    **dict.fromkeys(_CONTAINERS, _Reading.container),
    "codeBlock": _Reading.code_block,
    "embed": _Reading.embed,
    "file": _Reading.file,
    "hardBreak": _Reading.hard_break,
    "heading": _Reading.heading,
    "horizontalRule": _Reading.horizontal_rule,
    "image": _Reading.image,
    "paragraph": _Reading.paragraph,
    "text": _Reading.text,
}

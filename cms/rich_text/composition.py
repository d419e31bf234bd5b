"""Puts blocks and text together into the canonical shape, whatever order and company they arrive in."""

import re
from typing import Any

from cms.rich_text.document import DEEPEST_NESTING, MARKS, MOST_NODES, Document, MalformedRichText, Node
from cms.rich_text.links import Attrs
from cms.rich_text.misfits import Misfits

BOLD, ITALIC, STRIKE, UNDERLINE, SUBSCRIPT, SUPERSCRIPT, CODE = (1 << place for place in range(7))
MARK_BITS = dict(zip(MARKS[1:], (1 << place for place in range(7)), strict=True))

_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
_BLANKS = re.compile("[ \t\n\f\r]+")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

# What a container takes as its children, where that is one kind of node only.
_TAKES = {"bulletList": "listItem", "orderedList": "listItem", "table": "tableRow", "tableRow": "tableCell"}
_LISTS = ("bulletList", "orderedList")
_CELLS = ("tableCell", "tableHeader")
# How many levels of their own stand between those and a stranger inside.
_WRAPPERS = {"bulletList": 1, "orderedList": 1, "table": 2, "tableRow": 1}
_HOMES = {"listItem": _LISTS, "tableRow": ("table",), "tableCell": ("tableRow", "table")}
_HOMES["tableHeader"] = _HOMES["tableCell"]


def collapsed(text: str) -> str:
    """The text on one line: no controls, blanks as HTML shows them, none at the ends."""
    return _BLANKS.sub(" ", _CONTROLS.sub("", text)).strip(" ")


def without_controls(text: str) -> str:
    """The text as it can be stored: no control characters but tab and line feed, no lone surrogates."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text).replace("\f", " ")


def code_node(text: str, language: str | None) -> Node:
    """A code block in canonical shape; the line feed that ends the last line belongs to the markup."""
    text = without_controls(text).removesuffix("\n")
    node: Node = {"type": "codeBlock", "attrs": {"language": language}}
    if text:
        node["content"] = [{"type": "text", "text": text}]
    return node


def language_name(value: object) -> str | None:
    """The name in canonical form, or None when it is not the name of a language."""
    return value if isinstance(value, str) and _LANGUAGE.fullmatch(value) else None


class Composition:
    """One document being put together: containers open and close, text and leaves go into the innermost."""

    def __init__(self, misfits: Misfits) -> None:
        self.heading = 0  # the level of the heading that text goes into; 0 is a paragraph
        self._misfits = misfits
        self._document: Document = {"type": "doc", "content": []}
        self._node: Node = self._document
        self._blocks: list[Node] = self._document["content"]
        self._takes: str | None = None
        self._outer: list[tuple[Node, int, int]] = []
        self._depth = 0
        self._nodes = 1
        self._line: list[Node] = []
        self._parts: list[str] = []
        self._marks: list[Node] | None = None
        self._after_blank = True
        self._marks_made: dict[tuple[int, int], list[Node]] = {}

    def finished(self) -> Document:
        """The document, once everything is closed."""
        self.end_line()
        while self._outer:
            self.close()
        if not self._blocks:
            self._blocks.append({"type": "paragraph"})
        return self._document

    def marks(self, bits: int, link: Attrs | None) -> list[Node] | None:
        """The list of marks, the same object for the same marks."""
        if not bits and link is None:
            return None
        # Links are one object for one address, so identity is equality and neighbours merge without comparing.
        key = (bits, id(link))
        made = self._marks_made.get(key)
        if made is None:
            made = [{"type": "link", "attrs": link}] if link is not None else []
            made += [{"type": name} for name, bit in MARK_BITS.items() if bits & bit]
            self._marks_made[key] = made
        return made

    def text(self, text: str, marks: list[Node] | None = None) -> None:
        """Text without control characters, into the open line or a new one."""
        if text == "\n" and self._after_blank:
            return  # between the tags of blocks, so most often of all
        if "\n" in text or "  " in text or "\t" in text or "\r" in text or "\f" in text:
            text = _BLANKS.sub(" ", text)
        if self._after_blank and text[:1] == " ":
            text = text[1:]
        if not text:
            return
        self._after_blank = text[-1] == " "
        if marks is not self._marks:
            if self._parts:
                self._end_run()
            self._marks = marks
        self._parts.append(text)

    def hard_break(self) -> None:
        """A line break inside a line; one at its start says nothing."""
        self._end_run()
        self._drop_trailing_blank()
        if self._line:
            self._line.append({"type": "hardBreak"})
        self._after_blank = True

    def end_line(self) -> None:
        """Ends the open paragraph or heading; an empty one leaves nothing."""
        if self._parts:
            self._end_run()
        elif not self._line:
            return
        line = self._line
        self._after_blank = True
        self._trim_end()
        if not line or not (line[0]["text"].strip() or _is_visible(line)):
            line.clear()
            return
        self._line = []
        self._count(len(line))
        if self.heading:
            self.add({"type": "heading", "attrs": {"level": self.heading}, "content": line})
        else:
            self.add({"type": "paragraph", "content": line})

    def add(self, node: Node) -> None:
        """A finished block, after ending the line."""
        if self._parts or self._line:
            self.end_line()
        self._count(1)
        if self._takes is None:
            self._blocks.append(node)
        else:
            self._add_to_frame(node)

    def open(self, kind: str, attrs: dict[str, Any] | None = None) -> bool:
        """Opens a container; False when it has no place here, and its content goes where it stands."""
        self.end_line()
        homes = _HOMES.get(kind)
        if homes is not None and self._node["type"] not in homes:
            return False
        # A stranger to a list or table will be wrapped when it closes: count those levels now, or the cap is overrun.
        stranger = homes is None and self._takes is not None
        levels = 1 + (_WRAPPERS[self._node["type"]] if stranger else 0)
        if self._depth + levels + _WRAPPERS.get(kind, 0) > DEEPEST_NESTING:
            self._misfits.add("nested_too_deeply", kind)
            return False
        self._outer.append((self._node, self._depth, self.heading))
        self._depth += levels
        self.heading = 0
        self._enter({"type": kind, "attrs": attrs, "content": []} if attrs else {"type": kind, "content": []})
        return True

    def close(self) -> None:
        """Closes the innermost container; one that must not be empty is filled or left out."""
        self.end_line()
        node = self._node
        content = node["content"]
        outer, self._depth, self.heading = self._outer.pop()
        self._enter(outer)
        kind = node["type"]
        if kind == "listItem" and (not content or content[0]["type"] != "paragraph"):
            content.insert(0, {"type": "paragraph"})
        elif kind in _CELLS and not content:
            content.append({"type": "paragraph"})
        if content:
            self.add(node)

    def _enter(self, node: Node) -> None:
        self._node = node
        self._blocks = node["content"]
        self._takes = _TAKES.get(node["type"])

    def _add_to_frame(self, node: Node) -> None:
        """Into a list, a table or a row, which take one kind of node; a stranger is wrapped in it."""
        kind = node["type"]
        frame = self._node["type"]
        if kind == self._takes or (kind == "tableHeader" and frame == "tableRow"):
            self._blocks.append(node)
        elif frame in _LISTS:
            self._add_to_list(node)
        elif frame == "tableRow" or (self._blocks and kind not in _CELLS):
            row = self._node if frame == "tableRow" else self._blocks[-1]
            row["content"].append(_cell(node))
        else:
            self._blocks.append({"type": "tableRow", "content": [_cell(node)]})

    def _add_to_list(self, node: Node) -> None:
        # <ul><li>a</li><ul>…</ul></ul> is how many editors write a nested list.
        if node["type"] in _LISTS and self._blocks:
            self._blocks[-1]["content"].append(node)
            return
        content = [node] if node["type"] == "paragraph" else [{"type": "paragraph"}, node]
        self._blocks.append({"type": "listItem", "content": content})

    def _end_run(self) -> None:
        if not self._parts:
            return
        text = "".join(self._parts)
        self._parts.clear()
        if self._marks is None:
            self._line.append({"type": "text", "text": text})
        else:
            self._line.append({"type": "text", "marks": self._marks, "text": text})

    def _drop_trailing_blank(self) -> None:
        line = self._line
        if line and line[-1].get("text", "")[-1:] == " ":
            line[-1]["text"] = line[-1]["text"][:-1]
            if not line[-1]["text"]:
                line.pop()

    def _trim_end(self) -> None:
        self._drop_trailing_blank()
        while self._line and self._line[-1]["type"] == "hardBreak":
            self._line.pop()

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise MalformedRichText(f"The text has more than {MOST_NODES:,} parts")


def _is_visible(line: list[Node]) -> bool:
    # A lone no-break space is how editors of HTML write an empty paragraph.
    return any(node.get("text", "").strip() for node in line)


def _cell(node: Node) -> Node:
    if node["type"] in _CELLS:
        return node
    return {"type": "tableCell", "attrs": {"colspan": 1, "rowspan": 1}, "content": [node]}

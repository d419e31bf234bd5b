"""Writes the text of one paragraph, heading or cell as Markdown: escapes, emphasis, code, links."""

import re
from typing import Any

from cms.rich_text.document import Node

_SPECIAL = re.compile(r"[\\`*\[\]~]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?]|$)|&(?=#?\w+;)|!(?=\[|$)")
_STRANGE_BLANK = re.compile(r"(?! )[^\S]")
_LINE_START = re.compile(r"[#+=>:|-]|(\d{1,9})(?=[.)])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_BACKTICKS = re.compile("`+")
# What must not stand at the edge of emphasis or next to it.
_DELIMITERS = frozenset("*_~\\")

_EMPHASIS = {"bold": "**", "italic": "*", "strike": "~~"}
_TAGS = {
    "bold": "strong",
    "italic": "em",
    "strike": "s",
    "underline": "u",
    "subscript": "sub",
    "superscript": "sup",
}


def line(content: list[Node], *, line_break: str = "\\\n") -> str:
    """The Markdown of a line's text, marks and breaks."""
    lines: list[str] = []
    run: list[Node] = []
    for node in content:
        if node["type"] == "hardBreak":
            lines.append(_Run(run).written())
            run = []
        else:
            run.append(node)
    lines.append(_Run(run).written())
    return line_break.join(map(_no_other_block, lines))


def without_markup(text: str) -> str:
    """Text escaped so that it is read as it stands, also between quotation marks."""
    return _blanks_kept(_SPECIAL.sub(r"\\\g<0>", text)).replace('"', '\\"')


def entry_address(attrs: dict[str, Any]) -> str:
    """The address by which a link or image names an entry."""
    fragment = attrs.get("fragment")
    return _destination(f"entry:{attrs['entry']}" + (f"#{fragment}" if fragment else ""))


def _no_other_block(text: str) -> str:
    """Keeps the start of a line from being read as a heading, a list, a rule or a table."""
    match = _LINE_START.match(text)
    return _guarded(match) + text[match.end() :] if match else text


def _guarded(match: re.Match[str]) -> str:
    return f"{match[0]}\\" if match[1] else f"\\{match[0]}"


def _blanks_kept(text: str) -> str:
    """Blanks that a reader might trim, as references."""
    return _STRANGE_BLANK.sub(lambda blank: f"&#{ord(blank[0])};" if blank[0] != "\xa0" else "&nbsp;", text)


def _destination(address: str) -> str:
    address = re.sub(r"[\\()]", r"\\\g<0>", address)
    return _blanks_kept(_ENTITY.sub("&amp;", address))


class _Run:
    """Text between two breaks, written piece by piece; `_out` is what stands before."""

    def __init__(self, content: list[Node]) -> None:
        self._content = content
        self._out: list[str] = []
        self._open: list[tuple[Node, str]] = []  # each mark in force and what will close it

    def written(self) -> str:
        for place, node in enumerate(self._content):
            marks = [mark for mark in node.get("marks", ()) if mark["type"] != "code"]
            self._close_to(_shared([mark for mark, _ in self._open], marks))
            for mark in marks[len(self._open) :]:
                self._open_mark(mark, place)
            self._out.append(_text(node))
        self._close_to(0)
        return "".join(self._out)

    def _close_to(self, count: int) -> None:
        while len(self._open) > count:
            self._out.append(self._open.pop()[1])

    def _open_mark(self, mark: Node, place: int) -> None:
        kind = mark["type"]
        if kind == "link":
            opening, closing = "[", f"]({_link_address(mark['attrs'])})"
        elif kind in _EMPHASIS and self._can_emphasise(place, len(self._open)):
            opening = closing = _EMPHASIS[kind]
        else:
            opening, closing = f"<{_TAGS[kind]}>", f"</{_TAGS[kind]}>"
        self._open.append((mark, closing))
        self._out.append(opening)

    def _can_emphasise(self, place: int, depth: int) -> bool:
        """Whether `**` here and at the end of the mark at this depth would be read as its two ends.

        CommonMark's rules, made narrower: plain text right inside both ends, and outside of an end that touches
        punctuation a blank or nothing.
        """
        last = self._last_place(place, depth)
        inner_marks = max(len(_unlike_code(self._content[edge])) for edge in (place, last)) - depth - 1
        first_character, last_character = _text(self._content[place])[0], _text(self._content[last])[-1]
        before = self._out[-1][-1] if self._out else " "
        after = self._after(last, depth)
        return inner_marks == 0 and _is_edge(first_character, before) and _is_edge(last_character, after)

    def _last_place(self, place: int, depth: int) -> int:
        marks = _unlike_code(self._content[place])[: depth + 1]
        last = place
        while last + 1 < len(self._content) and _unlike_code(self._content[last + 1])[: depth + 1] == marks:
            last += 1
        return last

    def _after(self, last: int, depth: int) -> str:
        if last + 1 == len(self._content):
            return " "
        following = self._content[last + 1]
        same_marks = len(_unlike_code(following)) == depth and depth == _shared(
            _unlike_code(self._content[last]), _unlike_code(following)
        )
        return _text(following)[0] if same_marks else "<"


def _is_edge(inside: str, outside: str) -> bool:
    if inside.isspace() or inside in _DELIMITERS or outside in _DELIMITERS:
        return False
    return inside.isalnum() or outside == " "


def _unlike_code(node: Node) -> list[Node]:
    return [mark for mark in node.get("marks", ()) if mark["type"] != "code"]


def _shared(some: list[Node], others: list[Node]) -> int:
    count = 0
    for one, other in zip(some, others, strict=False):
        if one != other:
            break
        count += 1
    return count


def _text(node: Node) -> str:
    if any(mark["type"] == "code" for mark in node.get("marks", ())):
        return _code(node["text"])
    return _blanks_kept(_SPECIAL.sub(r"\\\g<0>", node["text"]))


def _code(text: str) -> str:
    ticks = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    pad = " " if text[0] == "`" or text[-1] == "`" or (text[0] == text[-1] == " " and text.strip(" ")) else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _link_address(attrs: dict[str, Any]) -> str:
    return entry_address(attrs) if "entry" in attrs else _destination(attrs["href"])

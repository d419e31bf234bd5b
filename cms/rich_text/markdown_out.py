"""Writes a document as Markdown that reads back as the same document.

What Markdown cannot say, or cannot say here, is written as the HTML that its reader understands.
"""

import re
from collections.abc import Callable
from itertools import pairwise

from cms.rich_text.document import Document, Node
from cms.rich_text.html_out import quoted, to_editable_html
from cms.rich_text.markdown_lines import entry_address, line, without_markup

_LISTS = ("bulletList", "orderedList")
_NEXT_LINE = re.compile(r"\n(?=[^\n])")


def to_markdown(document: Document) -> str:
    """The document as Markdown (CommonMark, tables, strikethrough), entries as `entry:ID`.

    Expects a document in canonical shape, as `read` makes it.
    """
    text = _blocks(document["content"], nested=False)
    return text + "\n" if text else ""


def _blocks(content: list[Node], *, nested: bool, inside: str = "") -> str:
    parts: list[str] = []
    before: Node | None = None
    other_marker = False
    for node in content:
        kind = node["type"]
        # Two lists in a row are one list to Markdown unless their markers differ, and "- - -" is a rule.
        if before is None:
            other_marker = kind == "bulletList" and inside == "-"
        else:
            other_marker = before["type"] == kind and not other_marker
        if before is not None:
            parts.append("\n" if nested and _can_follow_closely(before, node) else "\n\n")
        if kind in _LISTS:
            parts.append(_list(node, marker=_MARKERS[kind][other_marker]))
        elif kind == "codeBlock":
            parts.append(_code_block(node, nested=nested))
        else:
            parts.append(_BLOCKS[kind](node))
        before = node
    return "".join(parts)


def _can_follow_closely(before: Node, node: Node) -> bool:
    """Whether a list may start on the line after a paragraph without being taken for its text."""
    if "content" not in before or before["type"] != "paragraph" or node["type"] not in _LISTS:
        return False
    first = node["content"][0]["content"][0]
    return "content" in first and (node["type"] == "bulletList" or node["attrs"]["start"] == 1)


def _paragraph(node: Node) -> str:
    return line(node.get("content", []))


def _heading(node: Node) -> str:
    text = line(node["content"], line_break="<br>")
    if text[-1:] == "#" and text[-2:] != "\\#":
        text = text[:-1] + "\\#"  # or it would close the heading
    return f"{'#' * node['attrs']['level']} {text}"


def _blockquote(node: Node) -> str:
    return "> " + _blocks(node["content"], nested=True).replace("\n", "\n> ")


def _list(node: Node, *, marker: str) -> str:
    items = node["content"]
    number = node["attrs"]["start"] if node["type"] == "orderedList" else 0
    markers = [f"{number + place}{marker}" if node["type"] == "orderedList" else marker for place in range(len(items))]
    between = "\n" if all(map(_is_tight, items)) else "\n\n"
    return between.join(_item(item, marker=own) for item, own in zip(items, markers, strict=True))


def _is_tight(item: Node) -> bool:
    content = item["content"]
    return "content" in content[0] and all(_can_follow_closely(*pair) for pair in pairwise(content))


def _item(item: Node, *, marker: str) -> str:
    content = item["content"]
    filled = content if "content" in content[0] else content[1:]
    if not filled:
        return marker
    indent = " " * (len(marker) + 1)
    return f"{marker} " + _NEXT_LINE.sub("\n" + indent, _blocks(filled, nested=True, inside=marker))


def _code_block(node: Node, *, nested: bool) -> str:
    text = "".join(child["text"] for child in node.get("content", ()))
    if nested and "\t" in text:
        return _as_html(node)  # a tab after an indent would be read as the blanks it stands for
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    written = f"{text}\n" if text else ""
    return f"{fence}{node['attrs']['language'] or ''}\n{written}{fence}"


def _table(node: Node) -> str:
    rows = node["content"]
    width = len(rows[0]["content"])
    kinds = ["tableHeader"] + ["tableCell"] * (len(rows) - 1)
    if not all(_is_simple_row(row, width=width, kind=kind) for row, kind in zip(rows, kinds, strict=True)):
        return _as_html(node)
    lines = ["| " + " | ".join(map(_cell, row["content"])) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join(["---"] * width) + " |")
    return "\n".join(lines)


def _is_simple_row(row: Node, *, width: int, kind: str) -> bool:
    plain = {"colspan": 1, "rowspan": 1}
    return len(row["content"]) == width and all(
        cell["type"] == kind
        and cell["attrs"] == plain
        and len(cell["content"]) == 1
        and cell["content"][0]["type"] == "paragraph"
        for cell in row["content"]
    )


def _cell(cell: Node) -> str:
    return line(cell["content"][0].get("content", []), line_break="<br>").replace("|", "\\|")


def _rule(node: Node) -> str:
    return "___"  # unlike --- and ***, no list's marker makes it another thing


def _image(node: Node) -> str:
    attrs = node["attrs"]
    caption = f' "{without_markup(attrs["caption"])}"' if attrs["caption"] else ""
    return f"![{without_markup(attrs['alt'])}]({entry_address(attrs)}{caption})"


def _file(node: Node) -> str:
    attrs = node["attrs"]
    return f"<a data-file={quoted(attrs['entry'])}>{without_markup(attrs['title'])}</a>"


def _embed(node: Node) -> str:
    return f"<iframe src={quoted(node['attrs']['url'])}></iframe>"


def _as_html(node: Node) -> str:
    # On one line: a blank line would end the block, an indent would become part of the code.
    html = to_editable_html({"type": "doc", "content": [node]})
    return html.replace("\n", "&#10;").replace("\t", "&#9;")


_MARKERS = {"bulletList": ("-", "*"), "orderedList": (".", ")")}
_BLOCKS: dict[str, Callable[[Node], str]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "blockquote": _blockquote,
    "table": _table,
    "horizontalRule": _rule,
    "image": _image,
    "file": _file,
    "embed": _embed,
}

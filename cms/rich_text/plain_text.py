"""The words of a document, for search and for showing what changed."""

from cms.rich_text.document import Document, Node


def to_text(document: Document) -> str:
    """The document's text: a line for each block, the cells of a row set apart by tabs."""
    lines: list[str] = []
    _add_lines(document["content"], lines)
    return "\n".join(lines)


def _add_lines(content: list[Node], lines: list[str]) -> None:
    for node in content:
        kind = node["type"]
        if kind in ("paragraph", "heading", "codeBlock"):
            text = _inline(node.get("content", ()))
        elif kind == "tableRow":
            text = "\t".join([_cell(cell) for cell in node["content"]])
        elif "content" in node:
            _add_lines(node["content"], lines)
            continue
        else:
            text = _leaf(node)
        if text:
            lines.append(text)


def _inline(content: list[Node]) -> str:
    return "".join([node["text"] if node["type"] == "text" else "\n" for node in content])


def _cell(cell: Node) -> str:
    lines: list[str] = []
    _add_lines(cell["content"], lines)
    return " ".join(lines).replace("\n", " ")


def _leaf(node: Node) -> str:
    attrs = node.get("attrs", {})
    words = (attrs.get("alt"), attrs.get("caption"), attrs.get("title"))
    return "\n".join([word for word in words if word])

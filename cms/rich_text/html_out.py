"""Renders a document as HTML, every text and attribute escaped, with the entries it refers to left open."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, TypeAlias

from cms.rich_text.document import Document, Node
from cms.rich_text.embeds import embeddable, title_of
from cms.rich_text.links import safe_href

# What the reader of a publication resolves when it is read; JSON turns the tuples into lists.
LinkPiece: TypeAlias = tuple[Literal["link"], str, str | None, str]  # entry, fragment, inner HTML
ImagePiece: TypeAlias = tuple[Literal["image"], str, str, str | None]  # entry, alt, caption
FilePiece: TypeAlias = tuple[Literal["file"], str, str]  # entry, title
Reference: TypeAlias = LinkPiece | ImagePiece | FilePiece
Piece: TypeAlias = str | Reference

SANDBOX = "allow-scripts allow-same-origin allow-popups allow-presentation"

_MARK_TAGS = {
    "bold": ("<strong>", "</strong>"),
    "italic": ("<em>", "</em>"),
    "strike": ("<s>", "</s>"),
    "code": ("<code>", "</code>"),
    "underline": ("<u>", "</u>"),
    "subscript": ("<sub>", "</sub>"),
    "superscript": ("<sup>", "</sup>"),
}
_NO_MARKS: list[Node] = []


@dataclass(frozen=True, slots=True)
class Target:
    """Where an entry is to be found: its URL, an image's size in pixels, an image's own text, and all that is told of
    its file, its texts in other locales (`alts`) among it."""

    url: str
    width: int | None = None
    height: int | None = None
    alt: str | None = None
    file: Mapping[str, Any] | None = None


# The candidates for an image of several sizes.
Srcset = Callable[[Target], str | None]


def to_html(document: Document) -> tuple[Piece, ...]:
    """The document in pieces: finished HTML, and references for `join_html`. Without references it is one string.

    Expects a document in canonical shape, as `read` makes it.
    """
    content = document["content"]
    if len(content) == 1 and content[0] == {"type": "paragraph"}:
        return ("",)
    writer = _Writer()
    writer.blocks(content)
    return writer.pieces()


def join_html(
    pieces: Sequence[Piece | Sequence[str | None]],
    targets: Mapping[str, Target],
    *,
    locale: str | None = None,
    srcset: Srcset | None = None,
) -> str:
    """The finished HTML. A link to a missing target keeps its text; an image or file without one is left out.

    `locale` is the text's own: images without a text of their own here are described in it if they can be."""
    place = _Place(targets, locale, srcset)
    return "".join([piece if isinstance(piece, str) else _JOIN[str(piece[0])](piece, place) for piece in pieces])


def to_editable_html(document: Document) -> str:
    """HTML that reads back as the same document: entries stand at the address `entry:ID`."""
    return join_html(to_html(document), _EVERY_ENTRY)


def escaped(text: str) -> str:
    """Text made safe between tags."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text


def quoted(value: str) -> str:
    """Text made safe as an attribute's value, with its quotation marks."""
    return '"' + escaped(value).replace('"', "&quot;") + '"'


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text is shown: what is around it, its locale, what gives images their sizes."""

    targets: Mapping[str, Target]
    locale: str | None
    srcset: Srcset | None


def _join_link(piece: Sequence[str | None], place: _Place) -> str:
    _, entry, fragment, inner = piece
    target = place.targets.get(entry or "")
    href = _address(target) if target else None
    if not href:
        return inner or ""
    address = f"{href.partition('#')[0]}#{fragment}" if fragment else href
    return f"<a href={quoted(address)}>{inner}</a>"


def _address(target: Target) -> str | None:
    return target.url if target.url.startswith("entry:") else safe_href(target.url)


def _join_image(piece: Sequence[str | None], place: _Place) -> str:
    _, entry, alt, caption = piece
    target = place.targets.get(entry or "")
    if target is None:
        return ""
    size = f' width="{target.width:d}" height="{target.height:d}"' if target.width and target.height else ""
    sizes = _sizes(target, place.srcset)
    text = alt or _alt(target, place.locale)
    image = f'<img src={quoted(target.url)}{sizes}{size} alt={quoted(text)} loading="lazy" decoding="async">'
    return f"<figure>{image}<figcaption>{escaped(caption)}</figcaption></figure>" if caption else image


def _sizes(target: Target, srcset: Srcset | None) -> str:
    candidates = srcset(target) if srcset is not None else None
    if not candidates:
        return ""
    # As wide as it is laid out, for browsers that know `auto`; for others never wider than the picture itself.
    sizes = f"auto, (max-width: {target.width}px) 100vw, {target.width}px"
    return f' srcset={quoted(candidates)} sizes="{sizes}"'


def _alt(target: Target, locale: str | None) -> str:
    alts = (target.file or {}).get("alts") or {}
    said = alts.get(locale)
    # An empty one is said on purpose: here the picture tells nothing.
    return target.alt or "" if said is None else str(said)


def _join_file(piece: Sequence[str | None], place: _Place) -> str:
    _, entry, title = piece
    target = place.targets.get(entry or "")
    href = _address(target) if target else None
    if target is None or entry is None or not href:
        return ""
    return f"<p><a href={quoted(href)} data-file={quoted(entry)}>{escaped(title or target.alt or '')}</a></p>"


_JOIN: dict[str, Callable[[Sequence[str | None], _Place], str]] = {
    "link": _join_link,
    "image": _join_image,
    "file": _join_file,
}


class _Writer:
    def __init__(self) -> None:
        self._out: list[Piece] = []
        self._outside: list[Piece] = []
        self._has_references = False
        self._write = self._out.append

    def pieces(self) -> tuple[Piece, ...]:
        if not self._has_references:
            return ("".join(self._out),)  # type: ignore[arg-type]  # strings only
        merged: list[Piece] = []
        for is_html, run in groupby(self._out, key=_is_html):
            pieces = list(run)
            merged += ["".join(pieces)] if is_html else pieces  # type: ignore[arg-type]  # the key tells
        return tuple(merged)

    def blocks(self, content: list[Node]) -> None:
        for node in content:
            _BLOCKS[node["type"]](self, node)

    def paragraph(self, node: Node) -> None:
        self._write("<p>")
        self._inline(node)
        self._write("</p>")

    def heading(self, node: Node) -> None:
        level = int(node["attrs"]["level"])
        self._write(f"<h{level}>")
        self._inline(node)
        self._write(f"</h{level}>")

    def blockquote(self, node: Node) -> None:
        self._write("<blockquote>")
        self.blocks(node["content"])
        self._write("</blockquote>")

    def bullet_list(self, node: Node) -> None:
        self._write("<ul>")
        self.blocks(node["content"])
        self._write("</ul>")

    def ordered_list(self, node: Node) -> None:
        start = int(node["attrs"]["start"])
        self._write("<ol>" if start == 1 else f'<ol start="{start}">')
        self.blocks(node["content"])
        self._write("</ol>")

    def list_item(self, node: Node) -> None:
        self._write("<li>")
        self._tight(node["content"])
        self._write("</li>")

    def table(self, node: Node) -> None:
        rows = node["content"]
        headed = next((place for place, row in enumerate(rows) if not _is_heading_row(row)), len(rows))
        self._write("<table>")
        if headed:
            self._write("<thead>")
            self.blocks(rows[:headed])
            self._write("</thead>")
        if headed < len(rows):
            self._write("<tbody>")
            self.blocks(rows[headed:])
            self._write("</tbody>")
        self._write("</table>")

    def table_row(self, node: Node) -> None:
        self._write("<tr>")
        self.blocks(node["content"])
        self._write("</tr>")

    def table_cell(self, node: Node) -> None:
        tag = "th" if node["type"] == "tableHeader" else "td"
        colspan, rowspan = node["attrs"]["colspan"], node["attrs"]["rowspan"]
        spans = f' colspan="{int(colspan)}"' if colspan != 1 else ""
        spans += f' rowspan="{int(rowspan)}"' if rowspan != 1 else ""
        self._write(f"<{tag}{spans}>")
        self._tight(node["content"])
        self._write(f"</{tag}>")

    def code_block(self, node: Node) -> None:
        language = node["attrs"]["language"]
        self._write(f"<pre><code class={quoted('language-' + language)}>" if language else "<pre><code>")
        text = "".join([child["text"] for child in node.get("content", ())])
        # Readers of HTML take one line feed at the end for markup.
        self._write(escaped(text) + ("\n</code></pre>" if text[-1:] == "\n" else "</code></pre>"))

    def horizontal_rule(self, node: Node) -> None:
        self._write("<hr>")

    def image(self, node: Node) -> None:
        attrs = node["attrs"]
        self._refer(("image", attrs["entry"], attrs["alt"], attrs["caption"]))

    def file(self, node: Node) -> None:
        self._refer(("file", node["attrs"]["entry"], node["attrs"]["title"]))

    def embed(self, node: Node) -> None:
        url = embeddable(node["attrs"]["url"])
        if url is not None:
            self._write(
                f'<iframe src={quoted(url)} title={quoted(title_of(url))} loading="lazy" sandbox="{SANDBOX}"'
                ' referrerpolicy="strict-origin-when-cross-origin" allowfullscreen></iframe>'
            )

    def _refer(self, reference: Reference) -> None:
        self._has_references = True
        self._write(reference)

    def _tight(self, content: list[Node]) -> None:
        """The blocks of a list item or cell: a paragraph alone, or with only lists after it, needs no tag."""
        first = content[0]
        if first["type"] == "paragraph" and all(node["type"] in ("bulletList", "orderedList") for node in content[1:]):
            self._inline(first)
            self.blocks(content[1:])
        else:
            self.blocks(content if "content" in first or first["type"] != "paragraph" else content[1:])

    def _inline(self, block: Node) -> None:
        write = self._write
        opened = _NO_MARKS
        for node in block.get("content", ()):
            marks = node.get("marks", _NO_MARKS)
            if marks is not opened:
                self._switch(opened, marks)
                write, opened = self._write, marks
            write(escaped(node["text"]) if node["type"] == "text" else "<br>")
        if opened:
            self._switch(opened, _NO_MARKS)

    def _switch(self, opened: list[Node], marks: list[Node]) -> None:
        """Closes and opens tags so that `marks` are in force, leaving open what both have, outermost first."""
        shared = 0
        for old, new in zip(opened, marks, strict=False):
            if old != new:
                break
            shared += 1
        for mark in reversed(opened[shared:]):
            if mark["type"] == "link":
                self._close_link(mark["attrs"])
            else:
                self._write(_MARK_TAGS[mark["type"]][1])
        for mark in marks[shared:]:
            if mark["type"] == "link":
                self._open_link(mark["attrs"])
            else:
                self._write(_MARK_TAGS[mark["type"]][0])

    def _open_link(self, attrs: dict[str, str]) -> None:
        if "entry" in attrs:
            self._outside, self._out = self._out, []
            self._write = self._out.append
        elif href := safe_href(attrs["href"]):
            self._write(f"<a href={quoted(href)}>")

    def _close_link(self, attrs: dict[str, str]) -> None:
        if "entry" in attrs:
            inner = "".join(self._out)  # type: ignore[arg-type]  # a line holds no references but links
            self._out = self._outside
            self._write = self._out.append
            self._refer(("link", attrs["entry"], attrs.get("fragment"), inner))
        elif safe_href(attrs["href"]):
            self._write("</a>")


def _is_heading_row(row: Node) -> bool:
    return all(cell["type"] == "tableHeader" for cell in row["content"])


def _is_html(piece: Piece) -> bool:
    return isinstance(piece, str)


_BLOCKS: dict[str, Callable[[_Writer, Node], None]] = {
    "paragraph": _Writer.paragraph,
    "heading": _Writer.heading,
    "blockquote": _Writer.blockquote,
    "bulletList": _Writer.bullet_list,
    "orderedList": _Writer.ordered_list,
    "listItem": _Writer.list_item,
    "codeBlock": _Writer.code_block,
    "table": _Writer.table,
    "tableRow": _Writer.table_row,
    "tableCell": _Writer.table_cell,
    "tableHeader": _Writer.table_cell,
    "horizontalRule": _Writer.horizontal_rule,
    "image": _Writer.image,
    "file": _Writer.file,
    "embed": _Writer.embed,
}


class _EveryEntry(Mapping[str, Target]):
    """Finds each entry at its own address."""

    def __getitem__(self, entry: str) -> Target:
        return Target(f"entry:{entry}")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_EVERY_ENTRY = _EveryEntry()

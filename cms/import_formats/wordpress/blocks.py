"""Texts of WordPress's block editor: HTML between comments such as <!-- wp:gallery {"columns":2} -->."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Any

import orjson

from cms.import_formats.wordpress.paragraphs import embed, paragraphs
from cms.import_formats.wordpress.shortcodes import player

# More levels are read as if they stood on the last one.
DEEPEST = 60
DEEPEST_REUSE = 4

_DELIMITER = re.compile(
    r"\s+(?P<close>/)?wp:(?P<name>(?:[a-z][a-z0-9_-]*/)?[a-z][a-z0-9_-]*)\s+(?P<values>\{.*\}\s+)?(?P<void>/)?",
    re.DOTALL,
)
# They show nothing of their own, or only space.
_SILENT = frozenset({"spacer", "more", "nextpage", "separator", "page-break", "paragraph", "heading", "freeform"})
_LIST_TAGS = re.compile(r"</?(?:ul|ol|li)\b[^<>]*>", re.IGNORECASE)
_CAPTION = re.compile(r"<figcaption\b[^<>]*>", re.IGNORECASE)
_CAPTION_END = re.compile(r"</figcaption\s*>", re.IGNORECASE)
_DOWNLOAD = re.compile(
    r"<a\b[^<>]*\bwp-block-file__button\b[^<>]*>[^<>]{0,500}</a>|</?object\b[^<>]*>|<embed\b[^<>]*>", re.IGNORECASE
)
_BACKGROUND = re.compile(
    r"background-image\s*:\s*url\(\s*(?:&quot;|&#0?39;|['\"])?([^'\"()<>&]{1,2000})", re.IGNORECASE
)
_PRE = re.compile(r"</?pre\b[^<>]*>", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>\"]{4,2000}")

# The text of a block that is kept once and shown in many posts, by its id.
Reused = Callable[[str], str | None]


@dataclass(slots=True)
class Block:
    """A block that is open: `written` is the HTML within it so far."""

    name: str
    values: Mapping[str, Any]
    written: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Written:
    """A text as HTML, and the names of blocks that only a running WordPress could have filled."""

    html: str
    left_out: tuple[str, ...]


def has_blocks(text: str) -> bool:
    """Whether the block editor wrote it."""
    return "<!-- wp:" in text


def written(text: str, *, reused: Reused, footnotes: str = "") -> Written:
    """The text as HTML. `footnotes`: what WordPress keeps beside a text for its block of that name, as JSON."""
    return _Page(reused, footnotes).written(text, depth=0)


def found(text: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each delimiter as ("open", "close" or "void", name, values), in order."""
    for kind, name, values, _ in _delimiters(text):
        if kind != "text":
            yield kind, name, values


class _Page:
    def __init__(self, reused: Reused, footnotes: str) -> None:
        self._reused = reused
        self._footnotes = footnotes
        self._left_out: dict[str, None] = {}

    def written(self, text: str, *, depth: int) -> Written:
        stack = [Block("", {})]
        for kind, name, values, said in _delimiters(text):
            if kind == "text":
                stack[-1].written.append(said if len(stack) > 1 else paragraphs(said))
            elif kind == "void":
                stack[-1].written.append(self._void(name, values, depth=depth))
            elif kind == "open" and len(stack) <= DEEPEST:
                stack.append(Block(name, values))
            elif kind == "close" and any(block.name == name for block in stack[1:]):
                self._close(stack, name)
        while len(stack) > 1:
            self._close(stack, stack[-1].name)
        return Written("".join(stack[0].written), tuple(sorted(self._left_out)))

    def _close(self, stack: list[Block], name: str) -> None:
        while len(stack) > 1:
            block = stack.pop()
            inner = "".join(block.written)
            write = _WRITTEN.get(block.name)
            if not inner.strip() and block.name not in _SILENT:
                self._left_out[block.name] = None
            stack[-1].written.append(write(block.values, inner) if write else inner)
            if block.name == name:
                return

    def _void(self, name: str, values: Mapping[str, Any], *, depth: int) -> str:
        if name == "block" and depth < DEEPEST_REUSE:
            text = self._reused(str(values.get("ref", "")))
            if text is not None:
                return self.written(text, depth=depth + 1).html if has_blocks(text) else paragraphs(text)
        if name == "footnotes":
            return _footnotes(self._footnotes)
        label, url = values.get("label") or values.get("service"), values.get("url")
        if isinstance(label, str) and isinstance(url, str) and label and url:
            return f'<p><a href="{escape(unescape(url))}">{escape(unescape(label))}</a></p>'
        if name not in _SILENT:
            self._left_out[name] = None
        return ""


def _delimiters(text: str) -> Iterator[tuple[str, str, Mapping[str, Any], str]]:
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        if start > at:
            yield "text", "", {}, text[at:start]
        at = end + 3
        block = _DELIMITER.fullmatch(text, start + 4, end)
        if block:
            kind = "void" if block["void"] else "close" if block["close"] else "open"
            yield kind, _own_name(block["name"]), _values(block["values"]), ""
    if text[at:]:
        yield "text", "", {}, text[at:].replace("<!--", "")


def _own_name(name: str) -> str:
    if name.startswith("core-embed/"):
        return "embed"
    return name.removeprefix("core/")


def _values(written: str | None) -> Mapping[str, Any]:
    try:
        values = orjson.loads(written) if written else {}
    except orjson.JSONDecodeError:
        return {}
    return values if isinstance(values, dict) else {}


# --- what single blocks become ---


def _embed(values: Mapping[str, Any], inner: str) -> str:
    shown, caption = _without_caption(inner)
    url = values.get("url")
    if not isinstance(url, str) or not url:
        address = _ADDRESS.search(shown)
        if address is None:
            return inner
        url = unescape(address[0])
    frame = embed(escape(url))
    if not caption.strip():
        return frame
    if "<iframe" not in frame:
        return f"{frame}<p>{caption}</p>"
    return frame.replace("</figure>", f"<figcaption>{caption}</figcaption></figure>")


def _without_caption(inner: str) -> tuple[str, str]:
    """A figure's HTML without its caption, and what stands in that."""
    start = _CAPTION.search(inner)
    end = _CAPTION_END.search(inner, start.end()) if start else None
    if start is None or end is None:
        return inner, ""
    return inner[: start.start()] + inner[end.end() :], inner[start.end() : end.start()]


def _gallery(values: Mapping[str, Any], inner: str) -> str:
    return _LIST_TAGS.sub("", inner)


def _file(values: Mapping[str, Any], inner: str) -> str:
    return _DOWNLOAD.sub("", inner)


def _verse(values: Mapping[str, Any], inner: str) -> str:
    lines = _PRE.sub("", inner).strip("\n").replace("\n", "<br>")
    return f"<p>{lines}</p>"


def _cover(values: Mapping[str, Any], inner: str) -> str:
    url = values.get("url")
    shown = _BACKGROUND.search(inner)
    if not isinstance(url, str) or not url:
        url = unescape(shown[1]) if shown else ""
    if (
        not url
        or "<img" in inner.partition("wp-block-cover__inner-container")[0]
        or values.get("backgroundType") == "video"
    ):
        return inner
    return f'<figure><img src="{escape(url)}" alt="{escape(str(values.get("alt") or ""))}"></figure>{inner}'


def _freeform(values: Mapping[str, Any], inner: str) -> str:
    return paragraphs(inner)


def _player(values: Mapping[str, Any], inner: str) -> str:
    src = values.get("src")
    return inner if "<" in inner or not isinstance(src, str) else player(src)


def _footnotes(kept: str) -> str:
    try:
        notes = orjson.loads(kept) if kept else []
    except orjson.JSONDecodeError:
        return ""
    said = [note.get("content") for note in notes if isinstance(note, dict)] if isinstance(notes, list) else []
    items = "".join(f"<li>{content}</li>" for content in said if isinstance(content, str))
    return f"<ol>{items}</ol>" if items else ""


_WRITTEN: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    "audio": _player,
    "video": _player,
    "cover": _cover,
    "embed": _embed,
    "file": _file,
    "freeform": _freeform,
    "gallery": _gallery,
    "shortcode": _freeform,
    "verse": _verse,
}

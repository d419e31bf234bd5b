"""Text as WordPress's older editor keeps it: paragraphs are blank lines, line ends are breaks, blocks are HTML."""

import re
from html import escape
from typing import NamedTuple

from cms.import_formats.wordpress.words import names
from cms.rich_text.embeds import embeddable

_BLOCKS = names(
    "address article aside blockquote body caption center col colgroup dd details dir div dl dt embed fieldset "
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main map menu nav object ol p "
    "script section style summary table tbody td textarea tfoot th thead tr ul pre"
)
# What stands in them is taken as it is.
_VERBATIM = frozenset({"pre", "script", "style", "textarea"})
# Their text is one line of its own: no paragraph goes inside.
_LINES = frozenset({"caption", "dt", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "legend", "summary"})
_TOKEN = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]*)[^<>]*>")
_BLANK = re.compile(r"[ \t]*\n[ \t]*\n[ \t\n]*")
_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_EMPTY = re.compile(r"(?:\s|&nbsp;|\xa0|<br\s*/?>)*")
_LONE_ADDRESS = re.compile(r"^[ \t]*(?:<p>[ \t]*)?(https?://[^\s<>\"\[\]]{4,2000})[ \t]*(?:</p>[ \t]*)?$", re.MULTILINE)
_LONE_IN_PARAGRAPH = re.compile(r"<p>\s{0,9}(https?://[^\s<>\"\[\]]{4,2000})\s{0,9}</p>")
# They stand between paragraphs and for line ends until these are told apart; no text has them.
_BETWEEN, _BREAK = "\x00", "\x01"
_SPACE = " \t\n\xa0\x01"


class _Run(NamedTuple):
    """What stands between two block elements: the innermost of those that are open there."""

    inside: str
    pieces: list[str]


def paragraphs(text: str) -> str:
    """HTML in which paragraphs and breaks are elements. A player's address on a line of its own is the player."""
    text = embedded(without_comments(text.replace("\r\n", "\n").replace("\r", "\n")))
    return "".join(_pieces(text))


def without_comments(text: str) -> str:
    """Without HTML comments; one that does not end loses only its opening."""
    if "<!--" not in text:
        return text
    kept = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 2)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    kept.append(text[at:].replace("<!--", ""))
    return "".join(kept)


def embedded(text: str) -> str:
    """Addresses that stand alone on a line as what they embed, where that can be framed; as links otherwise."""
    return _LONE_ADDRESS.sub(lambda found: embed(found[1]), text) if "http" in text else text


def embedded_paragraphs(html: str) -> str:
    """The same for paragraphs that are elements already, and hold an address and nothing else."""
    return _LONE_IN_PARAGRAPH.sub(lambda found: embed(found[1]), html) if "<p>http" in html else html


def embed(url: str) -> str:
    """A frame for what can be framed, a link for all else. `url` is HTML already."""
    plain = url.replace("&amp;", "&").replace("&#038;", "&")
    written = escape(plain)
    if embeddable(plain):
        return f'<figure><iframe src="{written}"></iframe></figure>'
    return f'<p><a href="{written}">{written}</a></p>'


def _pieces(text: str) -> list[str]:
    out: list[str] = []
    open_blocks: list[str] = []
    run: list[str] = []
    at = 0
    while token := _TOKEN.search(text, at):
        run.append(text[at : token.start()])
        at = token.end()
        name = token["name"].lower()
        if name not in _BLOCKS:
            run.append(token[0])
            continue
        out += _shown(_Run(open_blocks[-1] if open_blocks else "", run))
        run = []
        if name in _VERBATIM and not token["close"]:
            end = _end_of(text, name, at)
            out.append(text[token.start() : end])
            at = end
            continue
        out.append(token[0])
        _follow(open_blocks, name, closing=bool(token["close"]))
    run.append(text[at:])
    return out + _shown(_Run(open_blocks[-1] if open_blocks else "", run))


def _end_of(text: str, name: str, at: int) -> int:
    found = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(text, at)
    return found.end() if found else len(text)


def _follow(open_blocks: list[str], name: str, *, closing: bool) -> None:
    if name in ("hr", "col", "embed"):
        return
    if not closing:
        # Only the innermost matters, and no page needs more: broken ones must not make this slow.
        open_blocks.append(name)
        del open_blocks[:-100]
    elif name in open_blocks:
        while open_blocks.pop() != name:
            pass


def _shown(run: _Run) -> list[str]:
    parts = [part.strip(_SPACE) for part in _joined(run.pieces).split(_BETWEEN)]
    parts = [part.replace(_BREAK, "<br>") for part in parts]
    parts = [part for part in parts if part and not _EMPTY.fullmatch(part)]
    if not parts:
        return []
    if run.inside in _LINES:
        return ["<br>".join(parts)]
    if run.inside == "p":
        return ["</p><p>".join(parts)]
    return [f"<p>{part}</p>" for part in parts]


def _joined(pieces: list[str]) -> str:
    """Line ends become breaks, but for those within tags, and those that follow a break."""
    written = []
    after_break = False
    for piece in pieces:
        if _TOKEN.fullmatch(piece):
            written.append(piece)
            after_break = piece[:3].lower() == "<br"
        elif piece:
            broken = _LINE_END.sub(_BREAK, _BLANK.sub(_BETWEEN, piece)) if "\n" in piece else piece
            written.append(broken.removeprefix(_BREAK) if after_break else broken)
            after_break = False
    return "".join(written)

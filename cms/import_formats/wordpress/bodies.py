"""A post's text as HTML that a rich text can take: blocks, shortcodes, bare paragraphs, players, own addresses."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape

from cms.import_formats.players import without_players
from cms.import_formats.wordpress import blocks, shortcodes
from cms.import_formats.wordpress.addresses import candidates, file_key
from cms.import_formats.wordpress.paragraphs import embedded_paragraphs, paragraphs, without_comments
from cms.import_formats.wordpress.shortcodes import Attached, player

_LINKED_IMAGE = re.compile(r"(<a\s[^<>]*>)\s*(<img\s[^<>]*>)\s*</a>", re.IGNORECASE)
_TAG = re.compile(r"<(?:a|img)\s[^<>]*>", re.IGNORECASE)
_ADDRESS = re.compile(r"""(\b(?:src|href)\s*=\s*)(?:"([^"<>]*)"|'([^'<>]*)')""", re.IGNORECASE)
_ANY_ADDRESS = re.compile(r"https?://[^\s\"'<>\[\]()\\]{4,2000}", re.IGNORECASE)
_TITLE = re.compile(r"""\stitle\s*=\s*(?:"[^"<>]*"|'[^'<>]*')""", re.IGNORECASE)
_IMAGE_ID = re.compile(r"\bwp-image-(\d{1,19})\b")


@dataclass(frozen=True, slots=True)
class Around:
    """What a text may ask of the rest of the export.

    `attached`: files for a gallery. `reused`: the text of a block that many posts show. `address`: what an address
    should be called instead, None to leave it. `image`: an attachment's address by its id, where `address` of the image
    is not one of the export's own."""

    attached: Attached
    reused: blocks.Reused
    address: Callable[[str], str | None]
    image: Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Body:
    """`unknown`: names of shortcodes that stay as text. `left_out`: names of blocks that only WordPress can fill."""

    html: str
    unknown: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def read(content: str, around: Around, *, footnotes: str = "") -> Body:
    """The text as visitors of the old site see it."""
    if not content.strip():
        return Body("")
    left_out: tuple[str, ...] = ()
    if blocks.has_blocks(content):
        page = blocks.written(content, reused=around.reused, footnotes=footnotes)
        html, left_out = embedded_paragraphs(shortcodes.expanded(page.html, around.attached)), page.left_out
    else:
        html = paragraphs(shortcodes.expanded(content, around.attached))
    unknown = tuple(shortcodes.unknown(html))
    return Body(_with_own_addresses(without_players(html, player), around).strip(), unknown, left_out)


def addresses(html: str) -> list[str]:
    """Every address that a text links to or shows, plain."""
    return [unescape(found[2] or found[3] or "") for found in _ADDRESS.finditer(html)]


def mentioned(content: str) -> set[str]:
    """Addresses in a text as WordPress keeps it, in shortcodes and styles, too."""
    bare = without_comments(content)
    return {*addresses(bare), *(unescape(found[0]) for found in _ANY_ADDRESS.finditer(bare))}


def _with_own_addresses(html: str, around: Around) -> str:
    html = _LINKED_IMAGE.sub(lambda found: _unlinked(found, around), html)
    return _TAG.sub(lambda tag: _readdressed(tag[0], around), html)


def _unlinked(found: re.Match[str], around: Around) -> str:
    """A picture that links to its own larger self is a picture."""
    link, image = addresses(found[1]), addresses(found[2])
    if not link or not image:
        return found[0]
    key, shown = file_key(around.address(link[0]) or link[0]), file_key(image[0])
    same = key and shown and set(candidates(key)) & set(candidates(shown))
    return found[2] if same else found[0]


def _readdressed(tag: str, around: Around) -> str:
    named = _IMAGE_ID.search(tag) if tag[:4].lower() == "<img" else None

    def call(found: re.Match[str]) -> str:
        url = unescape(found[2] or found[3] or "")
        new = around.image(named[1], url) if named else None
        new = new or around.address(url)
        return f'{found[1]}"{escape(new)}"' if new else found[0]

    # Browsers show a picture's title only to a mouse that rests on it: it is no caption.
    return _ADDRESS.sub(call, _TITLE.sub("", tag) if tag[:4].lower() == "<img" else tag)

"""Players of sound and video: a rich text has none, so a link to what they play stands for them."""

import re
from collections.abc import Callable
from html import escape, unescape
from urllib.parse import unquote

from cms.import_formats.local_links import CODE, FENCE

_PLAYER = re.compile(r"<(?P<name>audio|video)\b(?P<rest>[^<>]*)>", re.IGNORECASE)
_PLAYER_END = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("audio", "video")}
_SOURCE = re.compile(r"""\bsrc\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')""", re.IGNORECASE)
_INDENTED = ("    ", "\t")


def link(url: str, *, label: str = "") -> str:
    """A link that is called as the file is. Both are plain."""
    name = label or unquote(url.partition("?")[0].rstrip("/").rpartition("/")[2]) or url
    return f'<a href="{escape(url)}">{escape(name)}</a>'


def without_players(html: str, player: Callable[[str], str] = link, *, indented: bool = True) -> str:
    """Each player with a source as what `player` makes of that; what is said to those who cannot play it goes.

    `indented`: also those in lines that are indented as code of Markdown is."""
    if not _PLAYER.search(html):
        return html
    kept = []
    at = 0
    tag = _PLAYER.search(html)
    while tag:
        kept.append(html[at : tag.start()])
        # No further than to the next one: a page of nothing but players must not take minutes.
        following = _PLAYER.search(html, tag.end())
        end = _PLAYER_END[tag["name"].lower()].search(html, tag.end(), following.start() if following else len(html))
        source = _SOURCE.search(tag["rest"]) or (_SOURCE.search(html, tag.end(), end.start()) if end else None)
        if source is None or (not indented and _is_indented(html, tag.start())):
            kept.append(tag[0])
            at = tag.end()
        else:
            kept.append(player(unescape(source[1] or source[2] or "")))
            at = end.end() if end else tag.end()
        tag = following
    kept.append(html[at:])
    return "".join(kept)


def _is_indented(text: str, place: int) -> bool:
    return text.startswith(_INDENTED, text.rfind("\n", 0, place) + 1, place)


def linked_in_markdown(text: str) -> str:
    """The same for Markdown, whose code stays as it is."""
    return _beside(FENCE, text, lambda outside: _beside(CODE, outside, _linked))


def _linked(text: str) -> str:
    return without_players(text, indented=False)


def _beside(code: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    changed = []
    at = 0
    for found in code.finditer(text):
        changed += [change(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*changed, change(text[at:])])

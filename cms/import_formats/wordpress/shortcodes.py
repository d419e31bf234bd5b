"""Shortcodes, WordPress's words in square brackets: those that show pictures and players become HTML."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape, unescape

from cms.import_formats import players
from cms.import_formats.wordpress.paragraphs import embed

KNOWN = ("caption", "wp_caption", "gallery", "embed", "audio", "video", "playlist")
_TAG = re.compile(
    r"\[(?P<escaped>\[?)(?P<close>/?)(?P<name>caption|wp_caption|gallery|embed|audio|video|playlist)(?![\w-])"
    r"(?P<attributes>(?:[^\[\]\"']|\"[^\"]*\"|'[^']*')*+)\]"
)
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s'"]+))|"([^"]*)"|'([^']*)'|([^\s'"]+)""")
_OTHER = re.compile(r"\[(?P<close>/?)(?P<name>[A-Za-z][\w-]{0,60})(?P<rest>[ \t][^\[\]<>]{0,2000}|/?)\]")
_SAID = re.compile(r"[\w-]+\s*=\s*[\"'&\w]")
_IMAGE = re.compile(r"(?:<a\s[^<>]*>\s*)?<img\s[^<>]*>(?:\s*</a>)?", re.IGNORECASE)
_CODE = re.compile(r"<(?:pre|code)\b", re.IGNORECASE)
_CODE_END = re.compile(r"</(?:pre|code)\b", re.IGNORECASE)
_SOURCES = ("src", "mp4", "m4v", "webm", "ogv", "flv", "mov", "mp3", "ogg", "m4a", "wav", "flac")


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that a gallery or player shows; texts are plain."""

    url: str
    alt: str = ""
    caption: str = ""
    title: str = ""


# Files by their ids, or those that belong to the post where no ids are given.
Attached = Callable[[tuple[str, ...]], list[Shown]]


def expanded(text: str, attached: Attached) -> str:
    """The text with its known shortcodes as HTML; `[[gallery]]` is a shortcode that is only shown."""
    if "[" not in text:
        return text
    return "".join(_expanded(text, attached))


def unknown(text: str) -> list[str]:
    """Names of shortcodes that mean something only with a plugin, sorted; words in brackets are none."""
    if "[" not in text:
        return []
    found = [match for match in _OTHER.finditer(_without_code(text)) if match["name"] not in KNOWN]
    closed = {match["name"] for match in found if match["close"]}
    return sorted({match["name"] for match in found if match["name"] in closed or _looks_called(match)})


def figure(shown: Shown) -> str:
    """A picture with its caption."""
    caption = f"<figcaption>{escape(shown.caption)}</figcaption>" if shown.caption else ""
    return f'<figure><img src="{escape(shown.url)}" alt="{escape(shown.alt)}">{caption}</figure>'


def player(url: str, *, label: str = "") -> str:
    """A player as what can stand for it in a text: a frame, or a link to the file. Both are plain."""
    if not label:
        framed = embed(escape(url))
        if "<iframe" in framed:
            return framed
    return f"<p>{players.link(url, label=label)}</p>"


def _expanded(text: str, attached: Attached) -> Iterator[str]:
    at = 0
    endless: set[str] = set()
    while tag := _TAG.search(text, at):
        yield text[at : tag.start()]
        at = tag.end()
        if tag["escaped"]:
            at += text.startswith("]", at)
            yield tag[0][1:]
        elif not tag["close"]:
            name = tag["name"]
            closing = -1 if name in endless else text.find(f"[/{name}]", at)
            # [gallery] needs no end, and the end of another is not its own.
            following = _TAG.search(text, at) if closing >= 0 else None
            inner = ""
            if closing < 0:
                endless.add(name)
            elif following is None or following["close"] or following.start() > closing or following["name"] != name:
                inner = text[at:closing]
                at = closing + len(name) + 3
            yield _WRITTEN[name](_attributes(tag["attributes"]), inner, attached)
    yield text[at:]


def _attributes(written: str) -> dict[str, str]:
    """By name; those without a name by their number."""
    said: dict[str, str] = {}
    for number, found in enumerate(_ATTRIBUTE.finditer(unescape(written).replace("\xa0", " "))):
        name = (found[1] or str(number)).lower()
        said[name] = next((part for part in found.groups()[1:] if part is not None), "")
    return said


def _caption(said: Mapping[str, str], inner: str, attached: Attached) -> str:
    image = _IMAGE.search(inner)
    if image is None:
        return expanded(inner, attached) if "[" in inner else inner
    text = inner[: image.start()] + inner[image.end() :]
    caption = " ".join(text.split()) or escape(said.get("caption", ""))
    told = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure>{image[0]}{told}</figure>"


def _gallery(said: Mapping[str, str], inner: str, attached: Attached) -> str:
    ids = said.get("ids") or said.get("include") or ""
    named = tuple(dict.fromkeys(re.findall(r"\d+", ids)))
    left_out = set(re.findall(r"\d+", said.get("exclude", "")))
    return "".join(figure(shown) for shown in attached(named) if shown.url not in left_out) + inner


def _playlist(said: Mapping[str, str], inner: str, attached: Attached) -> str:
    named = tuple(dict.fromkeys(re.findall(r"\d+", said.get("ids", ""))))
    return "".join(player(shown.url, label=shown.title) for shown in attached(named)) + inner if named else inner


def _embed(said: Mapping[str, str], inner: str, attached: Attached) -> str:
    url = unescape(inner).strip() or said.get("src") or said.get("0") or ""
    return embed(escape(url)) if url else ""


def _media(said: Mapping[str, str], inner: str, attached: Attached) -> str:
    url = next((said[name] for name in _SOURCES if said.get(name)), None)
    url = url or next((value for name, value in said.items() if name.isdigit()), "")
    return (player(url) if url else "") + inner


_WRITTEN: Mapping[str, Callable[[Mapping[str, str], str, Attached], str]] = {
    "caption": _caption,
    "wp_caption": _caption,
    "gallery": _gallery,
    "playlist": _playlist,
    "embed": _embed,
    "audio": _media,
    "video": _media,
}


def _looks_called(match: re.Match[str]) -> bool:
    """A word in brackets is often only a word: [sic], [the house]."""
    rest = match["rest"]
    return rest.endswith("/") or bool(_SAID.search(rest)) or (not rest and bool(re.search(r"[_-]\w", match["name"])))


def _without_code(text: str) -> str:
    kept = []
    at = 0
    while opening := _CODE.search(text, at):
        kept.append(text[at : opening.start()])
        closing = _CODE_END.search(text, opening.end())
        if closing is None:
            return "".join(kept)
        at = closing.end()
    kept.append(text[at:])
    return "".join(kept)

"""One element of an export, parsed alone: a post, an author, a term."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from lxml import etree

from cms.import_formats.safe_values import Refused
from cms.import_formats.wordpress.cutting import Element

# Longer texts are refused by the parser itself.
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BROKEN_BYTES = re.compile("[\ud800-\udfff]+")
_CODED_CONTROL = re.compile(r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0*(?:[0-8bcBC]|[eE]|[fF]|1[0-9a-fA-F]));")
_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)(?:(\w{1,32});)?")
_PREFIXES = ("wp", "excerpt", "content", "dc", "wfw", "atom", "itunes", "media", "georss", "geo", "sy", "slash")


@dataclass(frozen=True, slots=True)
class Term:
    """A category, tag or other word that a post is filed under."""

    taxonomy: str
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Post:
    """Anything that WordPress keeps as a post: post, page, attachment, menu item, revision. Texts as written; `parts`
    are its plain elements by name. `broken`: how many pieces of it were no text and were replaced."""

    parts: Mapping[str, str]
    content: str
    excerpt: str
    terms: tuple[Term, ...] = ()
    meta: tuple[tuple[str, str], ...] = ()
    comments: tuple[dict[str, object], ...] = ()
    broken: int = 0
    mended: bool = False

    def part(self, name: str) -> str:
        """A plain element's text without spaces around it, empty when there is none."""
        return self.parts.get(name, "").strip()

    def own(self, key: str) -> str:
        """The first value of a custom field, empty when there is none."""
        return next((value for name, value in self.meta if name == key), "")


@dataclass(frozen=True, slots=True)
class Flat:
    """An author, category, tag or term: its elements' texts by name."""

    kind: str
    parts: Mapping[str, str] = field(default_factory=dict)

    def part(self, *names: str) -> str:
        """The first of the elements that says something."""
        return next((said for name in names if (said := self.parts.get(name, "").strip())), "")


def post(element: Element) -> Post:
    """Raises `Refused` for what is no XML, too large, or cut off."""
    root, broken, mended = _parsed(element)
    parts: dict[str, str] = {}
    texts = {"content": "", "excerpt": ""}
    terms, meta, comments = [], [], []
    for child in root:
        name, space = _name(child)
        if name == "encoded":
            texts["excerpt" if space == "excerpt" else "content"] = _text(child)
        elif name == "category":
            terms.append(Term(child.get("domain") or "category", child.get("nicename") or "", _text(child).strip()))
        elif name == "postmeta":
            meta.append(_pair(child))
        elif name == "comment":
            comments.append(_comment(child))
        elif space in ("", "wp", "dc"):
            parts.setdefault(name, _text(child))
    return Post(parts, texts["content"], texts["excerpt"], tuple(terms), tuple(meta), tuple(comments), broken, mended)


def flat(element: Element) -> Flat:
    """Raises `Refused`."""
    root, _, _ = _parsed(element)
    return Flat(element.kind, {_name(child)[0]: _text(child) for child in root})


def _parsed(element: Element) -> tuple[etree._Element, int, bool]:
    if element.text is None:
        raise Refused("too_large", "The element is larger than 16 million characters.", line=element.line)
    text, broken = _clean(element.text)
    try:
        return _tree(text), broken, False
    except etree.XMLSyntaxError as error:
        first = error
    try:
        return _tree(_mended(text)), broken, True
    except etree.XMLSyntaxError:
        line = element.line + max(0, (first.lineno or 1) - 1)
        said = str(first.msg or "it is cut off").partition(", line ")[0]
        raise Refused("not_xml", f"The XML cannot be read: {said}.", line=line) from None


def _clean(text: str) -> tuple[str, int]:
    """Without what XML cannot hold: broken bytes become �, control characters a space."""
    broken = 0
    if not text.isascii():
        text, broken = _BROKEN_BYTES.subn("\ufffd", text)
    text, controls = _CONTROLS.subn(" ", text)
    text, coded = _CODED_CONTROL.subn(" ", text) if "&#" in text else (text, 0)
    return text, broken + controls + coded


def _tree(text: str) -> etree._Element:
    names = " ".join(f'xmlns:{prefix}="{prefix}"' for prefix in _PREFIXES)
    return etree.fromstring(f"<channel {names}>{text}</channel>".encode(), _PARSER)[0]


def _mended(text: str) -> str:
    """Names of HTML's characters written out, and a bare & as one: what hand-made exports have."""
    return "".join(piece if is_data else _NAMED.sub(_written_out, piece) for piece, is_data in _by_data(text))


def _by_data(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is a CDATA section."""
    at = 0
    while (start := text.find("<![CDATA[", at)) >= 0 and (end := text.find("]]>", start)) >= 0:
        yield text[at:start], False
        yield text[start : end + 3], True
        at = end + 3
    yield text[at:], False


def _written_out(found: re.Match[str]) -> str:
    if not found[1]:
        return "&amp;"
    meant = html.unescape(found[0])
    return meant if meant != found[0] else f"&amp;{found[1]};"


def _name(element: etree._Element) -> tuple[str, str]:
    return _taken_apart(str(element.tag))


@lru_cache(500)
def _taken_apart(tag: str) -> tuple[str, str]:
    """An element's own name, and the prefix that WordPress uses for where it comes from."""
    if not tag.startswith("{"):
        return tag, ""
    space, _, name = tag[1:].partition("}")
    if "wordpress.org/export" in space:
        return name, "excerpt" if "/excerpt" in space else "wp"
    known = {"http://purl.org/rss/1.0/modules/content/": "content", "http://purl.org/dc/elements/1.1/": "dc"}
    return name, known.get(space, space)


def _text(element: etree._Element) -> str:
    if len(element) == 0:
        return element.text or ""
    return "".join(str(piece) for piece in element.itertext())


def _children(element: etree._Element) -> Iterator[tuple[str, str]]:
    return ((_name(child)[0], _text(child)) for child in element)


def _pair(element: etree._Element) -> tuple[str, str]:
    said = dict(_children(element))
    return said.get("meta_key", "").strip(), said.get("meta_value", "")


def _comment(element: etree._Element) -> dict[str, object]:
    """A comment's own words for its parts, without their prefix; empty parts left out."""
    said = {name.removeprefix("comment_").lower(): text for name, text in _children(element) if name != "commentmeta"}
    told: dict[str, object] = {name: text for name, text in said.items() if text.strip()}
    meta = dict(_pair(child) for child in element if _name(child)[0] == "commentmeta")
    return told | ({"meta": meta} if meta else {})

"""The text of a web page without what stands around it, and what its head says of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import lxml.html
from charset_normalizer import from_bytes
from lxml import etree
from lxml.html import HtmlElement
from readability import Document
from readability.readability import Unparseable

from cms.import_formats.players import without_players
from cms.import_formats.safe_values import Refused

ENOUGH_TEXT = 140
# Beyond these the search for the main text takes longer than it is worth, and the whole page is taken.
_MOST_SEARCHED = 1_000_000
_MOST_ELEMENTS = 20_000
_AROUND = (
    *("script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "button", "dialog"),
    *("input", "select", "textarea", "object", "embed", "canvas"),
)
_ROLES_AROUND = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "menu", "menubar"})
_CHARSET = re.compile(
    rb"""<(?:meta\b[^<>]{0,500}?charset|\?xml\b[^<>]{0,200}?encoding)\s*=\s*["']?\s*([\w:.-]{1,40})""", re.IGNORECASE
)
_LIKELY = ["utf_8", "cp1251", "koi8_r", "cp866", "cp1252", "iso8859_5", "mac_cyrillic"]
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# The parser lets them through and refuses them later, also where they are written as numbers.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]"
    r"|&#(?:[xX]0{0,9}(?:[0-8bceBCEfF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[efEF])|0{0,9}(?:[0-8]|1[124-9]|2\d|3[01]))"
    r"(?![0-9a-fA-F]);?"
)
_LAZY = ("data-src", "data-original", "data-lazy-src")
_WITHIN_THE_PAGE = re.compile(r"\s*(?:javascript|data|blob):", re.IGNORECASE)


@dataclass(slots=True)
class WebPage:
    """A page: its main text as HTML, without its own heading. `told`: what its head says, by name, in order."""

    title: str
    body: str
    addresses: list[str]
    told: dict[str, list[str]] = field(default_factory=dict)
    language: str = ""
    canonical: str = ""


def read(data: bytes) -> WebPage:
    """A page from its bytes. Raises `Refused` where it has no text."""
    try:
        return _read(_parsed(decoded(data)))
    except (ValueError, etree.LxmlError) as error:
        raise Refused("bad_markup", f"The page cannot be taken apart: {str(error)[:200]}") from None


def _read(page: HtmlElement) -> WebPage:
    told = dict(_told(page))
    called = [text for title in page.iter("title") if (text := _text(title))]
    canonical, language = _canonical(page), (page.get("lang") or "").strip()
    main = _marked_main(page)
    own = _headings(main) if main is not None else []
    everywhere = _headings(page)
    inside = _cleaned(main) if main is not None else _found_main(page)
    alone = everywhere if len(everywhere) == 1 else []
    likely = [*own[:1], *_likeliest(_headings(page), called), *alone, *told.get("og:title", []), *called, *everywhere]
    title = next(iter(likely), "")
    _drop_heading(inside, title)
    if not _text(inside) and inside.find(".//img") is None:
        raise Refused("no_text", "The page has no text besides its navigation.")
    addresses = list(dict.fromkeys(_addresses(inside)))
    return WebPage(title, without_players(_written(inside)), addresses, told, language, canonical)


def decoded(data: bytes) -> str:
    """The text, by its byte order mark, what the page says, or what it looks like; without control characters."""
    mark = next((encoding for start, encoding in _MARKS.items() if data.startswith(start)), None)
    said = _CHARSET.search(data[:8_192])
    for encoding in filter(None, (mark, said[1].decode("ascii", "replace") if said else None, "utf-8")):
        try:
            return _CONTROL.sub(" ", data.decode(encoding))
        except (LookupError, ValueError):
            continue
    best = from_bytes(data[:65_536], cp_isolation=_LIKELY).best()
    return _CONTROL.sub(" ", data.decode(best.encoding if best else "cp1252", "replace"))


def _parsed(text: str) -> HtmlElement:
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        page = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        raise Refused("no_text", "The page is empty.") from None
    return page


# --- what its head says ---


def _told(page: HtmlElement) -> Iterator[tuple[str, list[str]]]:
    told: dict[str, list[str]] = {}
    for meta in page.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").strip().lower()
        content = " ".join((meta.get("content") or "").split())
        if name and content:
            told.setdefault(name[:100], []).append(content[:2_000])
    for name, value in _marked_up(page):
        told.setdefault(name, []).append(value)
    yield from told.items()


def _marked_up(page: HtmlElement) -> Iterator[tuple[str, str]]:
    """What the text itself marks: dates and the author."""
    for element in page.iter("time", "span", "div", "p", "a", "address"):
        name, value = element.get("itemprop") or "", element.get("datetime") or element.get("content") or ""
        if name in ("datePublished", "dateModified") and (value or element.tag == "time"):
            yield name.lower(), (value or _text(element))[:100]
        elif element.tag == "time" and value and not name:
            yield "time", value[:100]
        elif element.tag == "a" and "author" in (element.get("rel") or "").split() and _text(element):
            yield "rel-author", _text(element)[:200]
    for script in page.iter("script"):
        if script.get("type") == "application/ld+json":
            yield from _from_json(script.text or "")


def _from_json(text: str) -> Iterator[tuple[str, str]]:
    for name in ("datePublished", "dateModified"):
        found = re.search(rf'"{name}"\s{{0,9}}:\s{{0,9}}"([^"]{{4,40}})"', text)
        if found:
            yield name.lower(), found[1]


def _canonical(page: HtmlElement) -> str:
    links = (link for link in page.iter("link") if "canonical" in (link.get("rel") or "").lower().split())
    return next((link.get("href") or "" for link in links), "").strip()


def _headings(element: HtmlElement) -> list[str]:
    return [text for heading in element.iter("h1") if (text := _text(heading))]


def _likeliest(headings: list[str], called: list[str]) -> list[str]:
    """The heading that the page is also called by, else the first."""
    name = " ".join(called)
    by_name = [heading for heading in headings if heading in name]
    return sorted(by_name, key=name.index)[:1] or headings[:1]


# --- the main text ---


def _marked_main(page: HtmlElement) -> HtmlElement | None:
    """What the page itself calls its text, where there is enough of it."""
    articles = [article for article in page.iter("article") if article.getparent() is not None]
    mains = [element for element in page.iter() if _is_main(element)]
    bodies = [element for element in page.iter() if element.get("itemprop") == "articleBody"]
    for found in (bodies, articles, mains):
        if len(found) == 1 and len(_text(found[0])) >= ENOUGH_TEXT:
            return found[0]
    return None


def _is_main(element: HtmlElement) -> bool:
    return bool(element.tag == "main" or element.get("role") == "main")


def _found_main(page: HtmlElement) -> HtmlElement:
    """The text as the kept library finds it; where it finds little, everything but what is around it."""
    whole = _cleaned(_without_head(page))
    if sum(1 for _ in whole.iter()) > _MOST_ELEMENTS:
        return whole
    written = _written(whole)
    if len(written) > _MOST_SEARCHED or len(_text(whole)) < ENOUGH_TEXT:
        return whole
    try:
        found = lxml.html.fromstring(_Document(written).summary(html_partial=True, keep_all_images=True))
    except (Unparseable, etree.LxmlError, ValueError, AssertionError):
        return whole
    return found if len(_text(found)) >= ENOUGH_TEXT else whole


class _Document(Document):  # type: ignore[misc]
    def reverse_tags(self, node: HtmlElement, *names: str) -> Iterator[HtmlElement]:
        """What the library may throw away as not being text: no table that has headings, as layouts have none."""
        found: Iterator[HtmlElement] = super().reverse_tags(node, *names)
        return (one for one in found if one.tag != "table" or one.find(".//th") is None)


# What HTML 5 added is put into the head where a page has no body of its own.
def _without_head(page: HtmlElement) -> HtmlElement:
    for inner in list(page.iter("title", "meta", "link", "base")):
        if inner.getparent() is not None:
            inner.drop_tree()
    for outer in list(page.iter("head", "body")):
        if outer is not page:
            outer.drop_tag()
    return page


def _cleaned(element: HtmlElement) -> HtmlElement:
    """Without navigation, header, footer, forms and scripts, whoever placed them; images that load late are there."""
    for inner in list(element.iter()):
        if inner is not element and _is_around(inner):
            inner.drop_tree()
    for image in element.iter("img"):
        late = next((image.get(name) for name in _LAZY if image.get(name)), None)
        if late and (not image.get("src") or _WITHIN_THE_PAGE.match(image.get("src") or "")):
            image.set("src", late)
    return element


def _is_around(element: HtmlElement) -> bool:
    if not isinstance(element.tag, str) or element.getparent() is None:
        return False
    return (
        element.tag in _AROUND
        or element.get("role") in _ROLES_AROUND
        or "hidden" in element.attrib
        or "display:none" in (element.get("style") or "").replace(" ", "").lower()
    )


def _drop_heading(element: HtmlElement, title: str) -> None:
    for heading in list(element.iter("h1")):
        if _text(heading) == title and heading.getparent() is not None:
            heading.drop_tree()
            return


def _written(element: HtmlElement) -> str:
    """What stands inside the element, as HTML."""
    inner = [lxml.html.tostring(child, encoding="unicode") for child in element]
    return ((element.text or "") + "".join(inner)).strip()


def _text(element: HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())


def _addresses(element: HtmlElement) -> Iterator[str]:
    for inner in element.iter("img", "a", "source", "video", "audio", "iframe"):
        for name in ("src", "href", "poster"):
            value = (inner.get(name) or "").strip()
            if value and not _WITHIN_THE_PAGE.match(value):
                yield value

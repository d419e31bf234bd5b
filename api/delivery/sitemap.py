"""What search engines read: the sitemap, in parts when it is long, and robots.txt."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api import query
from api.answers import public, streamed
from api.delivery.serving import PublicParts, parts_of
from api.delivery.xml_writing import XmlWriter
from api.problems import Problem
from cms import site
from cms.clock import written
from cms.delivery import sitemap
from cms.delivery.live_structure import live_site

router = APIRouter(tags=["delivery"])

_XML = "application/xml"
_TAGS = ("structure", "settings", "type:*")
_EVERYBODY = "User-agent: *\nAllow: /\n"
_NAMESPACES = {
    "xmlns": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "xmlns:xhtml": "http://www.w3.org/1999/xhtml",
}


@router.get("/sitemap.xml", response_class=Response)
def read_sitemap(request: Request) -> Response:
    """All pages that search engines may show; when there are more than 50,000, an index of parts."""
    query.only(request)
    parts = parts_of(request)
    with parts.database.reading() as session:
        base, kept = _asked(session, parts)
        state = sitemap.state(session)
    if state.parts > 1:
        return public(request, _index(base, state.parts), media_type=_XML, **kept)
    return streamed(request, lambda: _urlset(base, _whole(parts)), state=("", base, state), media_type=_XML, **kept)


@router.get("/sitemap-{number}.xml", response_class=Response)
def read_sitemap_part(request: Request, number: str) -> Response:
    """One part of a long sitemap: the sections first, then entries by the thousand, in an order that stays."""
    query.only(request)
    parts = parts_of(request)
    with parts.database.reading() as session:
        base, kept = _asked(session, parts)
        state = sitemap.state(session)
        part = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
        if state.parts == 1 or not 1 <= part <= state.parts:
            raise Problem(404, "not_found", "The sitemap has no such part.")
        start = sitemap.start_of(session, part - 1) if part > 1 else None

    def body() -> Iterator[bytes]:
        return _urlset(base, _section_pages(parts) if start is None else _entry_pages(parts, start))

    return streamed(request, body, state=(part, base, state), media_type=_XML, **kept)


@router.get("/robots.txt", response_class=Response)
def read_robots(request: Request) -> Response:
    """What robots may visit, from the settings; everything, unless they say otherwise."""
    query.only(request)
    parts = parts_of(request)
    with parts.database.reading() as session:
        base, kept = _asked(session, parts)
        said = site.settings(session).robots_txt or _EVERYBODY
    lines = said.splitlines()
    if not any(line.strip().lower().startswith("sitemap:") for line in lines):
        lines += ["", f"Sitemap: {base}/sitemap.xml"]
    return public(request, ("\n".join(lines) + "\n").encode(), media_type="text/plain; charset=utf-8", **kept)


def _asked(session: Session, parts: PublicParts) -> tuple[str, dict[str, Any]]:
    """The site's address, and how long an answer may be kept."""
    kept = {"tags": _TAGS, "now": parts.clock(), "next_change": live_site(session).next_change}
    return site.settings(session).url or parts.base, kept


# --- writing; a session for each thousand, so that a slow reader holds none ---


def _index(base: str, parts: int) -> bytes:
    writer = XmlWriter()
    with writer.element("sitemapindex", {"xmlns": _NAMESPACES["xmlns"]}):
        for number in range(1, parts + 1):
            with writer.element("sitemap"):
                writer.text("loc", f"{base}/sitemap-{number}.xml")
    return writer.taken()


def _whole(parts: PublicParts) -> Iterator[list[sitemap.Location]]:
    yield from _section_pages(parts)
    yield from _entry_pages(parts, "")


def _section_pages(parts: PublicParts) -> Iterator[list[sitemap.Location]]:
    with parts.database.reading() as session:
        found = sitemap.sections(session)
    yield found


def _entry_pages(parts: PublicParts, start: str) -> Iterator[list[sitemap.Location]]:
    after: str | None = start
    left = sitemap.MOST_IN_PART
    while after is not None and left > 0:
        with parts.database.reading() as session:
            found, after, seen = sitemap.entries(session, after=after, limit=min(sitemap.AT_ONCE, left))
        left -= seen
        yield found


def _urlset(base: str, pages: Iterable[list[sitemap.Location]]) -> Iterator[bytes]:
    writer = XmlWriter()
    with writer.element("urlset", _NAMESPACES):
        for page in pages:
            for location in page:
                _write(writer, base, location)
            yield writer.taken()
    yield writer.taken()


def _write(writer: XmlWriter, base: str, location: sitemap.Location) -> None:
    with writer.element("url"):
        writer.text("loc", f"{base}{location.path}")
        writer.text("lastmod", written(location.changed) if location.changed else None)
        for locale, path in location.alternates:
            alternate = {"rel": "alternate", "hreflang": locale, "href": f"{base}{path}"}
            writer.empty("xhtml:link", alternate)

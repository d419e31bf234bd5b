"""Players and maps that may stand in a text: whose they are, and the address that can be framed."""

import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit, urlunsplit

LONGEST_URL = 2_000


class _Site(NamedTuple):
    title: str
    hosts: frozenset[str]
    path: re.Pattern[str]


def _site(title: str, hosts: str, path: str) -> _Site:
    return _Site(title, frozenset(hosts.split()), re.compile(path))


ALLOWED = (
    _site("YouTube", "www.youtube.com www.youtube-nocookie.com", r"/embed/[\w-]+"),
    _site("Vimeo", "player.vimeo.com", r"/video/\d+"),
    _site("Rutube", "rutube.ru", r"/play/embed/\w+/?"),
    _site("VK Video", "vk.com vkvideo.ru", r"/video_ext\.php"),
    _site("OpenStreetMap", "www.openstreetmap.org", r"/export/embed\.html"),
    _site("Google Maps", "www.google.com www.google.ru", r"/maps(/d)?/(embed|u/\d+/embed).*"),
    _site("Yandex Maps", "yandex.ru yandex.com", r"/map-widget/v1/?[\w/-]*"),
)

# Addresses people copy from the browser, and the framed address they stand for.
_SAME_HOST = {
    "youtube.com": "www.youtube.com",
    "m.youtube.com": "www.youtube.com",
    "youtube-nocookie.com": "www.youtube-nocookie.com",
    "www.vimeo.com": "vimeo.com",
    "www.rutube.ru": "rutube.ru",
    "m.vk.com": "vk.com",
    "www.vk.com": "vk.com",
    "openstreetmap.org": "www.openstreetmap.org",
    "www.yandex.ru": "yandex.ru",
}
_PAGES = (
    ("youtu.be", re.compile(r"/([\w-]{6,20})/?"), "https://www.youtube.com/embed/{}"),
    ("www.youtube.com", re.compile(r"/(?:shorts|live|v)/([\w-]{6,20})/?"), "https://www.youtube.com/embed/{}"),
    ("vimeo.com", re.compile(r"/(\d+)/?"), "https://player.vimeo.com/video/{}"),
    ("rutube.ru", re.compile(r"/video/(\w+)/?"), "https://rutube.ru/play/embed/{}"),
)
_UNFIT = re.compile(r"[^\x21-\x7e]|[\"'<>\\`{}|^]")


def embeddable(url: str) -> str | None:
    """The address to frame, with https, or None when the site is not on the list."""
    url = "https:" + url if url.startswith("//") else url
    if len(url) > LONGEST_URL or _UNFIT.search(url):
        return None
    try:
        scheme, host, path, query, _ = urlsplit(url)
    except ValueError:
        return None
    if scheme.lower() not in ("http", "https"):
        return None
    host = _SAME_HOST.get(host.lower(), host.lower())
    framed = _page_framed(host, path, query) or urlunsplit(("https", host, path, query, ""))
    return framed if _provider(framed) else None


def title_of(url: str) -> str:
    """What the framed address shows, for the frame's accessible name."""
    site = _provider(url)
    return site.title if site else ""


def _page_framed(host: str, path: str, query: str) -> str | None:
    if host == "www.youtube.com" and path == "/watch":
        video = parse_qs(query).get("v", [""])[0]
        return f"https://www.youtube.com/embed/{video}" if re.fullmatch(r"[\w-]{6,20}", video) else None
    for page_host, pattern, framed in _PAGES:
        if page_host == host and (match := pattern.fullmatch(path)):
            return framed.format(match[1])
    return None


def _provider(url: str) -> _Site | None:
    scheme, host, path, _, _ = urlsplit(url)
    if scheme != "https":
        return None
    return next((site for site in ALLOWED if host in site.hosts and site.path.fullmatch(path)), None)

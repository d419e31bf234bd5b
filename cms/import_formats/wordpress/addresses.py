"""Addresses of the old site: which are its own, what file each names, and how one path is always spelled."""

import posixpath
import re
from collections.abc import Iterable
from urllib.parse import parse_qs, unquote, urlsplit

from cms.import_formats.item import Target
from cms.import_formats.wordpress.words import names
from cms.paths import normal

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UPLOADS = re.compile(r"/wp-content/(?:uploads|blogs\.dir/\d+/files)/(.+)|/files/(\d{4}/.+)")
_WORDPRESS_COM = re.compile(r"([a-z0-9-]+)\.(?:files\.)?wordpress\.com")
# WordPress.com's own network of copies: https://i0.wp.com/example.org/wp-content/…
_COPIES = re.compile(r"i[0-9]\.wp\.com")
_SIZE = re.compile(r"-\d{1,5}x\d{1,5}(?=\.[A-Za-z0-9]{1,5}$)")
_ENLARGED = re.compile(r"-(?:scaled|rotated)(?=\.[A-Za-z0-9]{1,5}$)")
_FILES = names(
    ".jpg .jpeg .jpe .png .gif .webp .avif .svg .bmp .ico .tif .tiff .heic .pdf .doc .docx .odt .rtf .xls .xlsx .ods "
    ".csv .ppt .pptx .odp .zip .rar .7z .gz .tar .mp3 .m4a .ogg .oga .wav .flac .mp4 .m4v .mov .webm .ogv .avi .wmv "
    ".txt .epub .key .psd"
)
_BY_NUMBER = ("p", "page_id", "attachment_id")


class Addresses:
    """What is known of a site by the addresses that its exports give for it."""

    def __init__(self, urls: Iterable[str]) -> None:
        self.hosts: set[str] = set()
        self._homes: set[str] = {"/"}
        # Where the site's front page is: the root, or a folder with a slash at its end.
        self.home = "/"
        for url in urls:
            self._learn(url)

    def _learn(self, url: str) -> None:
        host, path = _host_and_path(url)
        if host and host not in ("wordpress.com", "wordpress.org"):
            self.hosts.add(host)
            self._homes.add(spelled(path).rstrip("/") or "/")
            self.home = f"{spelled(path).rstrip('/')}/"

    def local(self, url: str) -> str | None:
        """The path and query of an address of this site, from the root; None for another site's and for no address."""
        url = url.strip()
        if not url or url.startswith("#") or (_SCHEME.match(url) and not url[:5].lower().startswith("http")):
            return None
        host, path = _host_and_path(url)
        if host is None:
            return None
        if host and host not in self.hosts:
            return None
        return path if path.startswith("/") else f"/{path}"

    def is_home(self, local: str) -> bool:
        """Whether it is the front page."""
        path, _, query = local.partition("?")
        return not query and (spelled(path).rstrip("/") or "/") in self._homes

    def target(self, url: str) -> Target | None:
        """The post or file that an address stands for; None for another site and for the front page."""
        local = self.local(url)
        if local is None or self.is_home(local):
            return None
        fragment = url.partition("#")[2] or None
        key = file_key(url)
        if key:
            first, *others = candidates(key)
            return Target("asset", first, fragment, tuple(others))
        if not f"{local.partition('?')[0]}/".startswith(self.home):
            return None
        first, *others = _spellings(local)
        return Target("item", first, fragment, tuple(others))


def spelled(path: str) -> str:
    """A path as it is kept: decoded, with a slash at the end if it had one; what follows ? stays as it is."""
    path, mark, query = path.partition("?")
    kept = normal(path)
    return f"{kept}{'/' if path.endswith('/') and kept != '/' else ''}{mark}{query}"


def file_key(url: str) -> str | None:
    """What a file is called in all its addresses: its path among the uploads, or on the site; None for a page's."""
    host, path = _host_and_path(url)
    if host is None:
        return None
    path = unquote(path.partition("?")[0])
    if "\0" in path:
        return None
    uploaded = _UPLOADS.search(path)
    if uploaded:
        return posixpath.normpath(uploaded[1] or uploaded[2])
    if _is_file(path):
        return posixpath.normpath(path.lstrip("/")) or None
    return None


def candidates(key: str) -> list[str]:
    """The file, and the originals that it may be a smaller copy of."""
    whole = _SIZE.sub("", key)
    stem, suffix = posixpath.splitext(whole)
    return list(dict.fromkeys((key, whole, f"{stem}-scaled{suffix}", _ENLARGED.sub("", whole))))


def number_of(local: str) -> str | None:
    """The id of a post in an address such as /?p=12."""
    query = local.partition("?")[2]
    if not query or len(query) > 2_000:
        return None
    said = parse_qs(query, max_num_fields=100) if query.count("&") < 100 else {}
    return next((said[name][0] for name in _BY_NUMBER if name in said and said[name][0].isdecimal()), None)


def _is_file(path: str) -> bool:
    return posixpath.splitext(path)[1].lower() in _FILES


def _spellings(local: str) -> list[str]:
    """An address as an item may have been called: by its id, and by its path with and without what may stand behind."""
    path, _, query = local.partition("?")
    kept = spelled(path)
    bare = kept.rstrip("/") or "/"
    number = number_of(local)
    whole = [f"{kept}?{query}"] if query and not number else []
    named = [number] if number else []
    paths = [] if bare == "/" and query else [f"{bare}/", bare] if bare != "/" else ["/"]
    return list(dict.fromkeys([*named, *whole, *paths])) or [f"{kept}?{query}"]


def _host_and_path(url: str) -> tuple[str | None, str]:
    """Host (empty for an address on the same site, None for what is no address) and path with query."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None, ""
    host = parts.netloc.rpartition("@")[2].lower().partition(":")[0].removeprefix("www.")
    path = parts.path
    if _COPIES.fullmatch(host):
        host, _, path = path.lstrip("/").partition("/")
        host = host.lower().removeprefix("www.")
        return host, f"/{path}"
    named = _WORDPRESS_COM.fullmatch(host)
    if named and host.endswith(".files.wordpress.com"):
        host, path = f"{named[1]}.wordpress.com", f"/wp-content/uploads{path}"
    return host, f"{path}?{parts.query}" if parts.query else path

"""A Ghost export: one JSON document with posts, pages, tags and users; its files in `content/images` beside it."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from cms.import_formats import ghost_texts
from cms.import_formats.item import Asset, Author, Format, Item, Link, Options, Origin, Problem, Target
from cms.import_formats.known_values import author, locale, title
from cms.import_formats.safe_values import Refused, safe
from cms.import_formats.whole_document import (
    document_in,
    inside,
    key_of,
    members,
    moment,
    opened,
    read_document,
    rows,
    words,
)

HOME = "__GHOST_URL__"
PERMALINKS = ("/{slug}/", "/{year}/{month}/{slug}/", "/{year}/{month}/{day}/{slug}/", "/{primary_tag}/{slug}/")
_FILES = re.compile(r"/?content/(?:images|media|files)/")
# Ghost makes smaller copies under addresses of their own.
_SIZES = re.compile(r"(/content/images/)size/w\d+(?:h\d+)?/(?:format/\w+/)?")
_IN_TEXTS = re.compile(r"""(?:src|href|poster)\s*=\s*["']([^"'\s]{1,2000})["']|\]\(([^()\s]{1,2000})\)""")
_TAKEN = frozenset(
    [
        "id",
        "uuid",
        "title",
        "slug",
        "html",
        "lexical",
        "mobiledoc",
        "markdown",
        "plaintext",
        "feature_image",
        "image",
        "status",
        "type",
        "page",
        "locale",
        "language",
        "custom_excerpt",
        "author_id",
        "created_at",
        "updated_at",
        "published_at",
        "created_by",
        "updated_by",
        "published_by",
        "comment_id",
    ]
)
_PUBLIC = ("", "public")


def read(source: Path, options: Options) -> "GhostExport":
    """Opens a file, or a folder that has one in it. Raises `SourceUnreadable`."""
    return GhostExport(source, opened(source, _looks_right, kind="Ghost export"), options)


class GhostExport:
    """Posts and pages in the order of the export. What is only for members comes as a draft, with a warning."""

    links_inside = True

    def __init__(self, source: Path, document: Path, options: Options) -> None:
        self._root = source if source.is_dir() else source.parent
        self._document = document
        self._file = document.name
        self._options = options
        self._site = options.choices.get("site_url", "").rstrip("/")

    @cached_property
    def _data(self) -> Mapping[str, Any]:
        document = members(read_document(self._document))
        inner = rows(document.get("db"))
        return members(members(inner[0] if inner else document).get("data"))

    @cached_property
    def _posts(self) -> list[dict[str, Any]]:
        return rows(self._data.get("posts"))

    @cached_property
    def _tags(self) -> dict[str, list[dict[str, Any]]]:
        return _joined(self._data, "posts_tags", ("post_id", "tag_id"), to="tags")

    @cached_property
    def _authors(self) -> dict[str, list[dict[str, Any]]]:
        return _joined(self._data, "posts_authors", ("post_id", "author_id"), to="users")

    @cached_property
    def _users(self) -> dict[str, dict[str, Any]]:
        return {words(user.get("id")): user for user in rows(self._data.get("users"))}

    @cached_property
    def _meta(self) -> dict[str, dict[str, Any]]:
        return {words(row.get("post_id")): row for row in rows(self._data.get("posts_meta"))}

    def items(self) -> Iterator[Item | Problem]:
        """One for each post or page; one that only members may read is followed by a warning."""
        seen: set[str] = set()
        for post in self._posts:
            external_id = words(post.get("id"))[:500] or None
            try:
                item = self._item(post, seen)
            except Refused as refused:
                yield Problem(
                    self._file, None, refused.field, refused.code, refused.reason, external_id=_printable(external_id)
                )
            else:
                seen.add(item.external_id)
                yield item
            if _is_restricted(post):
                said = "Only members could read this in Ghost: it comes as a draft."
                yield Problem(
                    self._file, None, "visibility", "members_only", said, warning=True,
                    external_id=_printable(external_id),
                )  # fmt: skip

    def count(self) -> int:
        """The posts and pages."""
        return len(self._posts)

    def people(self) -> Iterator[Author]:
        """Everyone who wrote in Ghost."""
        for user in self._users.values():
            person = _person(user)
            if person is not None:
                yield person

    def assets(self) -> Iterator[Asset]:
        """The files that posts show or link to, each once."""
        seen = set()
        for post in self._posts:
            for external_id, fields in self._files_of(post):
                if external_id in seen:
                    continue
                seen.add(external_id)
                found = self.asset(external_id)
                if found is not None:
                    yield Asset(found.external_id, found.path, found.url, fields)

    def asset(self, external_id: str) -> Asset | None:
        """A file by its path below the site, or by its address."""
        if external_id.startswith(("http://", "https://")):
            return Asset(external_id, None, external_id)
        path = self._path(external_id)
        url = f"{self._site}/{external_id}" if self._site else None
        return Asset(external_id, path, url) if path or url else None

    def target(self, origin_file: str, url: str) -> Target | Problem | None:
        """A file below `content`, or a post at its old path."""
        address, _, fragment = self._local(url).partition("#")
        if not address.startswith("/") or address.startswith("//") or address == "/":
            return None
        if _FILES.match(address):
            return self._file_target(origin_file, address)
        path = address.partition("?")[0]
        return Target("item", path.rstrip("/") + "/", fragment or None, (path.rstrip("/"),))

    def _file_target(self, origin_file: str, address: str) -> Target | Problem:
        external_id = _file_id(address)
        if self.asset(external_id) is not None:
            return Target("asset", external_id)
        said = (
            f"The file {external_id[:200]!r} is not beside the export. Send the folder content/images with it, or "
            "choose site_url, so that files are fetched from there."
        )
        return Problem(origin_file, None, "body", "missing_target", said, warning=True)

    def _path(self, external_id: str) -> Path | None:
        for start in (external_id, f"content/{external_id}"):
            found = inside(self._root, start) or inside(self._document.parent, start)
            if found is not None:
                return found
        return None

    def _local(self, url: str) -> str:
        """An address on the site itself as a path from its root."""
        url = url.strip().replace(HOME, "", 1)
        if (self._site and url.startswith((self._site + "/", self._site + "#"))) or url == self._site:
            url = url[len(self._site) :]
        return _SIZES.sub(r"\1", url)

    def _files_of(self, post: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
        cover = self._cover_id(post)
        if cover:
            meta = self._meta.get(words(post.get("id")), {})
            told = {"alt": meta.get("feature_image_alt"), "caption": meta.get("feature_image_caption")}
            yield cover, {name: words(value) for name, value in told.items() if words(value)}
        try:
            body = self._body(post)
        except Refused:
            return
        for found in _IN_TEXTS.finditer(body["value"] if body else ""):
            address = self._local(found[1] or found[2])
            if address.startswith("/content/") and _FILES.match(address):
                yield _file_id(address), {}

    def _cover_id(self, post: Mapping[str, Any]) -> str:
        address = self._local(words(post.get("feature_image")) or words(post.get("image")))
        if address.startswith(("http://", "https://")):
            return address
        return _file_id(address) if _FILES.match(address) else ""

    def _item(self, post: dict[str, Any], seen: set[str]) -> Item:
        post = safe(post)
        external_id = key_of(post.get("id"), "id", seen)
        cover = self._cover_id(post)
        fields: dict[str, Any] = {
            "title": title(post.get("title") or "") or "(Untitled)",
            "summary": words(post.get("custom_excerpt")),
            "body": self._body(post),
            "topics": [tag for tag in self._tag_names(external_id) if not tag.startswith("#")],
            "cover": Link("asset", cover) if cover and self.asset(cover) else None,
        }
        published = moment(post, "published_at")
        return Item(
            origin=Origin(self._file),
            external_id=external_id,
            fields={name: value for name, value in fields.items() if value},
            locale=self._locale(post),
            slug=words(post.get("slug")) or None,
            byline=self._byline(post),
            first_published_at=published,
            draft=post.get("status") != "published" or _is_restricted(post),
            source_fields=self._rest(post),
            type="page" if _is_page(post) else None,
            created_at=moment(post, "created_at"),
            changed_at=moment(post, "updated_at"),
            old_paths=self._old_paths(post),
        )

    def _locale(self, post: Mapping[str, Any]) -> str | None:
        return locale(post["locale"]) if words(post.get("locale")) else self._options.locale

    def _body(self, post: Mapping[str, Any]) -> dict[str, str] | None:
        kind, text = self._text(post)
        return {"format": kind, "value": text.replace(HOME, self._site)} if text.strip() else None

    def _text(self, post: Mapping[str, Any]) -> tuple[str, str]:
        html, lexical, mobiledoc = (words(post.get(name)) for name in ("html", "lexical", "mobiledoc"))
        if html:
            return "html", html
        if lexical:
            return "html", ghost_texts.lexical(lexical)
        if mobiledoc:
            alone = ghost_texts.only_markdown(mobiledoc)
            return ("html", ghost_texts.mobiledoc(mobiledoc)) if alone is None else ("markdown", alone)
        return "markdown", words(post.get("markdown"))

    def _tag_names(self, external_id: str) -> list[str]:
        names = (words(tag.get("name")) for tag in self._tags.get(external_id, ()))
        return list(dict.fromkeys(filter(None, names)))

    def _byline(self, post: Mapping[str, Any]) -> tuple[Author, ...]:
        written = self._authors.get(words(post.get("id"))) or [self._users.get(words(post.get("author_id")), {})]
        people = (_person(user) for user in written)
        return tuple(person for person in people if person is not None)

    def _rest(self, post: Mapping[str, Any]) -> dict[str, Any]:
        external_id = words(post.get("id"))
        meta = {name: value for name, value in self._meta.get(external_id, {}).items() if name not in ("id", "post_id")}
        rest = {name: value for name, value in {**safe(meta), **post}.items() if name not in _TAKEN and _says(value)}
        internal = [tag for tag in self._tag_names(external_id) if tag.startswith("#")]
        return rest | ({"internal_tags": internal} if internal else {})

    def _old_paths(self, post: Mapping[str, Any]) -> tuple[str, ...]:
        slug = words(post.get("slug"))
        if not slug or post.get("status") != "published":
            return ()
        pattern = "/{slug}/" if _is_page(post) else self._options.choices.get("permalinks", PERMALINKS[0])
        published = moment(post, "published_at")
        tags = [words(tag.get("slug")) for tag in self._tags.get(words(post.get("id")), ())]
        parts = {"slug": slug, "primary_tag": tags[0] if tags else "all"}
        for name, value in (("year", "%Y"), ("month", "%m"), ("day", "%d")):
            parts[name] = published.strftime(value) if published else ""
        path = re.sub(r"\{(\w+)\}", lambda named: parts.get(named[1], ""), pattern)
        return (path,) if "//" not in path else ()


def _joined(data: Mapping[str, Any], name: str, ids: tuple[str, str], *, to: str) -> dict[str, list[dict[str, Any]]]:
    """What each post is joined with by a table of pairs, in the order of the pairs."""
    others = {words(row.get("id")): row for row in rows(data.get(to))}
    found: dict[str, list[dict[str, Any]]] = {}
    for pair in sorted(rows(data.get(name)), key=_order):
        other = others.get(words(pair.get(ids[1])))
        if other is not None:
            found.setdefault(words(pair.get(ids[0])), []).append(other)
    return found


def _order(pair: Mapping[str, Any]) -> int:
    order = pair.get("sort_order")
    return order if isinstance(order, int) else 0


def _person(user: Mapping[str, Any]) -> Author | None:
    told = {"name": user.get("name"), "email": user.get("email"), "url": user.get("website")}
    try:
        known = safe({name: words(value) for name, value in told.items()})
        return author(known, key=words(user.get("slug")) or words(user.get("id")) or None) if known["name"] else None
    except Refused:
        return None


def _file_id(address: str) -> str:
    return address.partition("?")[0].partition("#")[0].lstrip("/")[:500]


def _is_page(post: Mapping[str, Any]) -> bool:
    return post.get("type") == "page" or post.get("page") in (1, True)


def _is_restricted(post: Mapping[str, Any]) -> bool:
    return words(post.get("visibility")) not in _PUBLIC


def _says(value: Any) -> bool:
    return value not in (None, "", [], {}, False, 0, "public")


def _printable(text: str | None) -> str | None:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "") if text else None


def _looks_right(start: bytes) -> bool:
    if not start.startswith(b"{"):
        return False
    wrapped = re.match(rb'\{\s*"db"\s*:\s*\[\s*\{', start) is not None
    return (wrapped and (b'"data"' in start or b'"meta"' in start)) or (
        re.match(rb'\{\s*"(meta|data)"\s*:', start) is not None and b'"posts"' in start and b'"slug"' in start
    )


def _recognise(source: Path) -> int:
    return 95 if source.exists() and document_in(source, _looks_right) else 0


FORMAT = Format(
    "A Ghost export",
    read,
    _recognise,
    choices={"permalinks": PERMALINKS, "site_url": ()},
)

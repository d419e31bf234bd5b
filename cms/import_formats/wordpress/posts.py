"""A post of an export as an item, with what could not come as it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from cms.import_formats.folder import slug_of
from cms.import_formats.item import LONGEST_EXTERNAL_ID, Author, Item, Link, Options, Origin, Past, Problem
from cms.import_formats.known_values import LONGEST_TITLE, MOST_TOPICS
from cms.import_formats.safe_values import Refused, safe
from cms.import_formats.wordpress import bodies, serialized
from cms.import_formats.wordpress.addresses import file_key, number_of, spelled
from cms.import_formats.wordpress.bodies import Around, Body
from cms.import_formats.wordpress.elements import Post, Term
from cms.import_formats.wordpress.shortcodes import Shown
from cms.import_formats.wordpress.survey import Attachment, Survey, external_id
from cms.import_formats.wordpress.words import instant, names, plain
from cms.section_tree import MAX_SLUG

TYPES = {"post": "article", "page": "page"}
DEEPEST_SECTION = 10
_UNCATEGORIZED = frozenset({"uncategorized", "bez-rubriki", "без-рубрики"})
# Notes that WordPress makes for itself, and what comes in by another way.
_HOUSEKEEPING = names(
    "_edit_last _edit_lock _pingme _encloseme _thumbnail_id _wp_old_slug _wp_old_date _publicize_pending footnotes "
    "_wp_trash_meta_status _wp_trash_meta_time _wp_desired_post_slug"
)
_FOR_SEARCH = {
    "_yoast_wpseo_title": "title",
    "_yoast_wpseo_metadesc": "description",
    "_aioseo_title": "title",
    "_aioseo_description": "description",
    "rank_math_title": "title",
    "rank_math_description": "description",
}
_TAKEN = ("title", "content:encoded", "excerpt:encoded", "_thumbnail_id", "category")
_TAKEN_FOR = ("title", "body", "summary", "cover", "topics")


@dataclass(frozen=True, slots=True)
class Warned:
    """What a reader of the report should know of a post."""

    field: str | None
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Filed:
    """Where a post belongs by its categories: a section, and the rest as topics."""

    section: tuple[str, ...]
    section_names: tuple[str, ...]
    topics: tuple[str, ...]


class Posts:
    """Makes items of posts, one after another. `survey` knows the rest of the export."""

    def __init__(self, survey: Survey, options: Options) -> None:
        self._survey = survey
        self._options = options
        self._with_sections = options.choices.get("categories") == "sections"

    def item(self, post: Post, origin: Origin, *, id: str) -> tuple[Item, tuple[Problem, ...]]:
        """The item that is called `id`, and its warnings. Raises `Refused`."""
        if not id or len(id) > LONGEST_EXTERNAL_ID:
            raise Refused("missing", "A post needs an id or an address that says which it is.", field="wp:post_id")
        body = self._body(post, post.content)
        title = self._title(post, body)
        filed = self._filed(post)
        source_fields = self._source_fields(post)
        cover = self._survey.attachment(post.own("_thumbnail_id").strip())
        fields = {
            "title": title,
            "summary": plain(post.excerpt),
            "body": {"format": "html", "value": body.html} if body.html else None,
            "cover": Link("asset", cover.key) if cover else None,
            "topics": list(filed.topics[:MOST_TOPICS]),
            "seo": _seo(source_fields),
        }
        fields |= _mapped_fields(source_fields, self._options)
        namesakes = self._survey.namesakes(id)
        published = instant(post.part("post_date_gmt"), post.part("pubDate"), post.part("post_date"))
        item = Item(
            origin=origin,
            external_id=id,
            fields={name: value for name, value in fields.items() if value},
            locale=self._options.locale,
            section=filed.section,
            section_names=filed.section_names,
            slug=_slug(post, namesakes=namesakes),
            byline=self._byline(post),
            first_published_at=None if _is_unscheduled(post) else published,
            draft=_is_draft(post),
            source_fields=source_fields,
            type=TYPES.get(post.part("post_type") or "post"),
            created_at=instant(post.part("post_date_gmt"), post.part("post_date"), post.part("pubDate")),
            changed_at=instant(post.part("post_modified_gmt"), post.part("post_modified")),
            old_paths=self._old_paths(post, is_named=id == post.part("post_id")),
            history=tuple(self._history(post, body, title)),
            mapped=dict(zip(_TAKEN, _TAKEN_FOR, strict=True)) | _used(self._options, post),
        )
        warned = [*_warnings(post, body, published), *self._warnings(post, cover, filed)]
        if namesakes:
            said = f"An earlier post or page has its slug: it is called {item.slug} here."
            warned.append(Warned("wp:post_name", "slug_changed", said))
        return item, tuple(
            Problem(origin.file, origin.line, one.field, one.code, one.reason, warning=True, external_id=id)
            for one in warned
        )

    # --- the text ---

    def _body(self, post: Post, content: str) -> Body:
        survey = self._survey

        def attached(ids: tuple[str, ...]) -> list[Shown]:
            found = [survey.attachment(id) for id in ids] if ids else survey.attached_to(post.part("post_id"))
            return [one.shown() for one in found if one is not None]

        around = Around(attached, survey.reused, self._own_address, self._own_image)
        return bodies.read(content, around, footnotes=post.own("footnotes"))

    def _own_address(self, url: str) -> str | None:
        """A file's own address for that of its page, and for a copy of it on another host."""
        addresses = self._survey.addresses
        local = addresses.local(url)
        if local is None:
            key = file_key(url) if url.startswith("http") else None
            found = self._survey.attachment_called(key) if key else None
            host = min(addresses.hosts, default=None)
            same = found is not None and _host(found.url) == _host(url)
            return f"https://{host}/wp-content/uploads/{found.key}" if found and same and host else None
        page = self._survey.attachment_at(local)
        return page.url if page else None

    def _own_image(self, id: str, url: str) -> str | None:
        key = file_key(url)
        if key and self._survey.attachment_called(key):
            return None
        found = self._survey.attachment(id)
        return found.url if found and self._survey.addresses.local(found.url) is not None else None

    def _title(self, post: Post, body: Body) -> str:
        title = plain(post.part("title"))
        if len(title) > LONGEST_TITLE:
            raise Refused("too_long", f"A title has at most {LONGEST_TITLE} characters.", field="title")
        words = unquote(post.part("post_name")).replace("-", " ").strip()
        return (
            title or words[:1].upper() + words[1:200] or _shortened(plain(body.html)) or f"({external_id(post)[:200]})"
        )

    def _history(self, post: Post, body: Body, title: str) -> Iterator[Past]:
        """Earlier states, without the one that is the post as it is now."""
        rows = self._survey.revisions(post.part("post_id")) if post.part("post_id") else []
        if rows and rows[-1][2:] == (post.part("title"), post.content, post.excerpt):
            rows = rows[:-1]
        for at, login, said, content, excerpt in rows:
            past = self._body(post, content)
            fields = {"title": plain(said) or title, "summary": plain(excerpt)}
            whole = fields | ({"body": {"format": "html", "value": past.html}} if past.html else {})
            author = self._author(login) if login else None
            yield Past({name: value for name, value in whole.items() if value}, at=instant(at), by=author)

    # --- where it stands and whose it is ---

    def _byline(self, post: Post) -> tuple[Author, ...]:
        """Those whom a plugin for several authors names, or the one whom WordPress does."""
        named = [term for term in post.terms if term.taxonomy == "author"]
        logins = [(term.slug.removeprefix("cap-"), term.name) for term in named]
        found = [self._author(login, name) for login, name in logins or [(post.part("creator"), "")] if login]
        return tuple({author.key: author for author in found}.values())

    def _author(self, login: str, name: str = "") -> Author:
        login = login.strip(" <>") or login
        return self._survey.authors.get(login) or Author(login[:200], plain(name)[:200] or login[:200])

    def _filed(self, post: Post) -> Filed:
        categories = [term for term in post.terms if term.taxonomy == "category"]
        tags = [term for term in post.terms if term.taxonomy == "post_tag"]
        section: tuple[tuple[str, str], ...] = self._ancestors(post.part("post_parent"), post.part("post_type"))
        if self._with_sections and not section and (chief := self._chief(post, categories)):
            section = self._branch(chief)
            categories = [term for term in categories if term is not chief]
        names = (plain(term.name) or unquote(term.slug) for term in (*categories, *tags))
        topics = tuple(dict.fromkeys(name for name in names if name))
        return Filed(tuple(slug for slug, _ in section), tuple(name for _, name in section), topics)

    def _ancestors(self, id: str, type: str) -> tuple[tuple[str, str], ...]:
        """Slugs and titles of the pages above a page, from the root."""
        above: list[tuple[str, str]] = []
        seen = set()
        while id not in ("", "0") and id not in seen and len(above) < DEEPEST_SECTION:
            seen.add(id)
            page = self._survey.page(id)
            if page is None or page.type != type or type == "post":
                break
            above.append((slug_of(unquote(page.name) or page.title), page.title or unquote(page.name)))
            id = page.parent
        return tuple(reversed(above))

    def _chief(self, post: Post, categories: list[Term]) -> Term | None:
        """The category that a plugin calls the first, or else the first that says something."""
        primary = self._survey.category_ids.get(post.own("_yoast_wpseo_primary_category").strip())
        telling = [term for term in categories if unquote(term.slug) not in _UNCATEGORIZED]
        return next((term for term in telling if term.slug == primary), telling[0] if telling else None)

    def _branch(self, term: Term) -> tuple[tuple[str, str], ...]:
        branch: list[tuple[str, str]] = []
        slug = term.slug
        while slug and slug not in [one for one, _ in branch] and len(branch) < DEEPEST_SECTION:
            name, parent = self._survey.categories.get(slug, (plain(term.name), ""))
            branch.append((slug, name))
            slug = parent
        return tuple((slug_of(unquote(one)), name or one) for one, name in reversed(branch))

    def _old_paths(self, post: Post, *, is_named: bool) -> tuple[str, ...]:
        """Where it stood: by its address, by its number, under earlier slugs, and by its guid where nothing else is."""
        addresses, id = self._survey.addresses, post.part("post_id")
        link = addresses.local(post.part("link"))
        found = [spelled(link)] if link else []
        if link and "?" not in link and post.part("post_name"):
            folder = spelled(link).rstrip("/").rpartition("/")[0]
            slugs = [value.strip() for key, value in post.meta if key == "_wp_old_slug"]
            found += [spelled(f"{folder}/{slug}/") for slug in slugs if slug and "/" not in slug]
        if id.isdecimal() and is_named:
            found.append(f"{addresses.home}?{'page_id' if post.part('post_type') == 'page' else 'p'}={id}")
        guid = addresses.local(post.part("guid"))
        # The number in a guid may be that of another post by now, and its path another's address.
        if guid and self._survey.page(number_of(guid) or "") is None and self._survey.post_at(guid) is None:
            found.append(spelled(guid))
        once = {path.rstrip("/"): path for path in reversed(found)}
        return tuple(path for path in reversed(once.values()) if not addresses.is_home(path) and len(path) <= 1_000)

    # --- the rest ---

    def _source_fields(self, post: Post) -> dict[str, Any]:
        """Custom fields under their own names, and what WordPress knows that has no field here."""
        own: dict[str, Any] = {}
        if post.part("post_type") not in ("", *TYPES):
            own["post_type"] = post.part("post_type")
        if post.part("status") not in ("", "publish", "draft"):
            own["status"] = post.part("status")
        if post.part("is_sticky") == "1":
            own["sticky"] = True
        own |= _other_terms(post)
        if post.comments:
            own["comments"] = list(post.comments)
        kept: dict[str, Any] = {}
        for key, value in post.meta:
            if key and value.strip() and key not in _HOUSEKEEPING and not key.startswith("_oembed_"):
                _put(kept, f"postmeta.{key}" if key in own else key, serialized.read(value))
        kept = {key: value for key, value in kept.items() if (key, value) != ("_wp_page_template", "default")}
        return safe(kept | own)

    def _warnings(self, post: Post, cover: Attachment | None, filed: Filed) -> Iterator[Warned]:
        thumbnail = post.own("_thumbnail_id").strip()
        if cover is None and thumbnail not in ("", "0", "-1"):
            said = f"The featured image {thumbnail[:40]} is not in the export: add the file that has it."
            yield Warned("cover", "missing_cover", said)
        if len(filed.topics) > MOST_TOPICS:
            yield Warned("topics", "too_many_topics", f"The first {MOST_TOPICS} of its topics are kept.")


def _warnings(post: Post, body: Body, published: datetime | None) -> Iterator[Warned]:
    if post.part("post_password"):
        yield Warned(None, "password", "It was behind a password, which is not kept: it stays a draft.")
    if post.part("status") == "private":
        yield Warned(None, "private", "It was private: it stays a draft.")
    if post.part("status") == "future":
        yield Warned(None, "scheduled", "It was to be published later: it stays a draft with its date. Plan it anew.")
    if not plain(post.part("title")):
        yield Warned("title", "no_title", "It has no title: its slug or its first words stand for one.")
    if published is None and not _is_draft(post):
        yield Warned(None, "no_date", "It has no date that can be read: it is published under the import's own.")
    if body.unknown:
        said = f"Shortcodes of plugins stay as text: {_listed(body.unknown)}."
        yield Warned("body", "unknown_shortcode", said)
    if body.left_out:
        said = f"Blocks that WordPress fills when a page is shown are left out: {_listed(body.left_out)}."
        yield Warned("body", "block_left_out", said)
    if post.broken:
        yield Warned(None, "bad_characters", f"{post.broken} characters that are no text were replaced.")
    if post.mended:
        yield Warned(None, "mended_xml", "Its XML has characters that should be coded: it was read as it was meant.")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:20]) + (" and others" if len(names) > 20 else "")


def _is_draft(post: Post) -> bool:
    return post.part("status") not in ("publish", "") or bool(post.part("post_password"))


def _is_unscheduled(post: Post) -> bool:
    """Whether it never was out and has no day on which it shall be."""
    return post.part("status") in ("draft", "pending")


def _slug(post: Post, *, namesakes: int) -> str | None:
    """Its own, with a number behind where posts before it have the same: WordPress tells posts from pages by more."""
    name = unquote(post.part("post_name"))
    if not name:
        return None
    return f"{slug_of(name)[: MAX_SLUG - 7]}-{namesakes + 1}" if namesakes else slug_of(name)


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80].rpartition(' ')[0] or text[:80]}…"


def _other_terms(post: Post) -> dict[str, Any]:
    """Words of other taxonomies, each list under the taxonomy's name."""
    found: dict[str, Any] = {}
    for term in post.terms:
        if term.taxonomy == "post_format":
            found["post_format"] = term.slug.removeprefix("post-format-")
        elif term.taxonomy not in ("category", "post_tag", "author", "nav_menu"):
            found.setdefault(term.taxonomy, []).append(plain(term.name) or term.slug)
    return found


def _put(kept: dict[str, Any], key: str, value: Any) -> None:
    """A field that is there several times is a list."""
    if key not in kept:
        kept[key] = value
    elif isinstance(kept[key], _Several):
        kept[key].append(value)
    else:
        kept[key] = _Several([kept[key], value])


class _Several(list[Any]):
    """Values of fields of one name; a list that is one value is a plain list."""


def _mapped_fields(source_fields: dict[str, Any], options: Options) -> dict[str, Any]:
    """Custom fields that staff take for fields; they are taken out of the rest."""
    taken = {name: field for name, field in options.mapping.items() if field and name in source_fields}
    return {field: source_fields.pop(name) for name, field in taken.items()}


def _seo(source_fields: dict[str, Any]) -> dict[str, str]:
    """What a plugin tells search engines, taken out of the rest; not what it makes up anew for each page."""
    found: dict[str, str] = {}
    for key, name in _FOR_SEARCH.items():
        said = source_fields.get(key)
        if isinstance(said, str) and "%%" not in said and name not in found:
            found[name] = plain(source_fields.pop(key))
    return found


def _used(options: Options, post: Post) -> dict[str, str]:
    return {key: options.mapping[key] for key, _ in post.meta if options.mapping.get(key)}


def _host(url: str) -> str:
    return url.partition("//")[2].partition("/")[0].lower()

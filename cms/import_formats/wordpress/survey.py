"""The first look at all files of an export: what posts must know of one another, kept in a file that nobody sees."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any, NamedTuple

from cms.import_formats.item import LONGEST_EXTERNAL_ID, Author, Problem
from cms.import_formats.safe_values import Refused
from cms.import_formats.wordpress import elements
from cms.import_formats.wordpress.addresses import Addresses, candidates, file_key, spelled
from cms.import_formats.wordpress.bodies import mentioned
from cms.import_formats.wordpress.cutting import Element
from cms.import_formats.wordpress.elements import Flat, Post
from cms.import_formats.wordpress.shortcodes import Shown
from cms.import_formats.wordpress.words import names, plain

# What WordPress and its plugins keep for themselves.
INTERNAL = names(
    "revision oembed_cache custom_css customize_changeset user_request wp_block wp_template wp_template_part "
    "wp_global_styles wp_font_family wp_font_face acf-field acf-field-group scheduled-action wpcf7_contact_form "
    "feedback jp_pay_order jp_pay_product amp_validated_url wp-types-group"
)
GONE = frozenset({"trash", "auto-draft", "inherit"})
MOST_TROUBLES = 1_000
MOST_REVISIONS = 500

_SCHEMA = """
CREATE TABLE posts (id TEXT PRIMARY KEY, file INTEGER, number INTEGER, type TEXT, title TEXT, name TEXT, parent TEXT,
    path TEXT, guid TEXT);
CREATE UNIQUE INDEX posts_place ON posts (file, number);
CREATE INDEX posts_path ON posts (path);
CREATE INDEX posts_name ON posts (name);
CREATE TABLE attachments (id TEXT PRIMARY KEY, key TEXT, url TEXT, title TEXT, alt TEXT, caption TEXT, description TEXT,
    parent TEXT, place INTEGER, path TEXT);
CREATE INDEX attachments_key ON attachments (key);
CREATE INDEX attachments_parent ON attachments (parent);
CREATE INDEX attachments_path ON attachments (path);
CREATE TABLE shown (key TEXT PRIMARY KEY, url TEXT);
CREATE TABLE menu_items (menu TEXT, title TEXT, id TEXT, parent TEXT, place INTEGER, said TEXT);
CREATE TABLE navigations (id TEXT PRIMARY KEY, title TEXT, content TEXT, file TEXT, line INTEGER);
CREATE TABLE reused (id TEXT PRIMARY KEY, content TEXT);
CREATE TABLE revisions (parent TEXT, at TEXT, author TEXT, title TEXT, content TEXT, excerpt TEXT);
CREATE INDEX revisions_parent ON revisions (parent);
"""


class Page(NamedTuple):
    """A post that others may stand below."""

    type: str
    title: str
    name: str
    parent: str


class Attachment(NamedTuple):
    """A file of the media library; texts are plain."""

    key: str
    url: str
    title: str
    alt: str
    caption: str
    description: str

    def shown(self) -> Shown:
        """As a gallery shows it."""
        return Shown(self.url, self.alt, self.caption, self.title)


@dataclass(slots=True)
class Survey:
    """What is known after the first look. `left_out` counts what does not come in, by what it is."""

    addresses: Addresses
    authors: dict[str, Author] = field(default_factory=dict)
    categories: dict[str, tuple[str, str]] = field(default_factory=dict)
    category_ids: dict[str, str] = field(default_factory=dict)
    menus: dict[str, str] = field(default_factory=dict)
    menu_files: dict[str, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    troubles: list[Problem] = field(default_factory=list)
    rows: int = 0
    _kept: sqlite3.Connection = field(default_factory=lambda: _opened())

    def add(self, element: Element, *, file: int, name: str) -> None:
        """Take note of one element. What cannot be read is told when its turn comes."""
        try:
            if element.kind == "item":
                self._add_post(elements.post(element), element, file=file, name=name)
            else:
                self._add_flat(elements.flat(element))
        except Refused as refused:
            if element.kind == "item":
                self.rows += 1
            elif len(self.troubles) < MOST_TROUBLES:
                told = f"{element.kind.removeprefix('wp:').capitalize()}: {refused.reason}"
                self.troubles.append(Problem(name, refused.line, None, refused.code, told, warning=True))

    # --- what posts ask ---

    def id_at(self, file: int, number: int) -> str | None:
        """What the post at a place of the files is called; None when an earlier one is the same post."""
        found = self._one("SELECT id FROM posts WHERE file = ? AND number = ?", file, number)
        return str(found[0]) if found else None

    def namesakes(self, id: str) -> int:
        """How many earlier posts below the same page have the slug of this one."""
        found = self._one(
            "SELECT count(*) FROM posts AS own JOIN posts AS other"
            " ON other.name = own.name AND other.parent = own.parent AND other.rowid < own.rowid"
            " WHERE own.id = ? AND own.name <> ''",
            id,
        )
        return int(found[0]) if found else 0

    def page(self, id: str) -> Page | None:
        """The post of that id."""
        found = self._one("SELECT type, title, name, parent FROM posts WHERE id = ?", id)
        return Page(*found) if found else None

    def post_at(self, path: str) -> str | None:
        """The id of the post that stands at a path."""
        found = self._one("SELECT id FROM posts WHERE path = ?", _place(path))
        return str(found[0]) if found else None

    def attachment(self, id: str) -> Attachment | None:
        """The file of that id."""
        return self._attachment("id = ?", id)

    def attachment_at(self, path: str) -> Attachment | None:
        """The file whose own page is at that path."""
        return self._attachment("path = ?", _place(path))

    def attachment_called(self, key: str) -> Attachment | None:
        """The file, or the original of a smaller copy."""
        return next((found for name in candidates(key) if (found := self._attachment("key = ?", name))), None)

    def attached_to(self, parent: str) -> list[Attachment]:
        """The files that were uploaded for a post, in their order."""
        query = (
            "SELECT key, url, title, alt, caption, description FROM attachments WHERE parent = ? ORDER BY place, rowid"
        )
        return [Attachment(*row) for row in self._kept.execute(query, (parent,))]

    def reused(self, id: str) -> str | None:
        """The text of a block that many posts show."""
        found = self._one("SELECT content FROM reused WHERE id = ?", id)
        return str(found[0]) if found else None

    def revisions(self, parent: str) -> list[tuple[str, str, str, str, str]]:
        """When, by whom, title, content, excerpt: earlier states of a post, the newest of them at the end."""
        query = (
            "SELECT at, author, title, content, excerpt FROM revisions WHERE parent = ? ORDER BY at DESC, rowid DESC"
        )
        return self._kept.execute(query, (parent,)).fetchmany(MOST_REVISIONS)[::-1]

    # --- what is read as a whole ---

    def files(self) -> Iterator[tuple[str, str, Attachment | None]]:
        """Key and address of every file, attachments first; each key once."""
        query = "SELECT key, url, title, alt, caption, description FROM attachments GROUP BY key ORDER BY min(rowid)"
        for row in self._kept.execute(query):
            yield row[0], row[1], Attachment(*row)
        for key, url in self._kept.execute("SELECT key, url FROM shown ORDER BY rowid"):
            if self.attachment_called(key) is None:
                yield key, url, None

    def file(self, key: str) -> tuple[str, str, Attachment | None] | None:
        """The same of one key."""
        found = self._attachment("key = ?", key)
        if found:
            return key, found.url, found
        shown = self._one("SELECT url FROM shown WHERE key = ?", key)
        return (key, str(shown[0]), None) if shown else None

    def menu_items(self, menu: str) -> list[tuple[str, str, dict[str, str]]]:
        """Id, parent's id and parts of a menu's items, in their order."""
        query = "SELECT id, parent, said FROM menu_items WHERE menu = ? ORDER BY place, rowid"
        return [(row[0], row[1], json.loads(row[2])) for row in self._kept.execute(query, (menu,))]

    def navigations(self) -> list[tuple[str, str, str, str, int]]:
        """Id, title, text, file and line of the menus that the block editor made."""
        return list(self._kept.execute("SELECT id, title, content, file, line FROM navigations ORDER BY rowid"))

    def close_entries(self) -> None:
        """What is known only at the end: revisions of posts that are not there are left out."""
        missing = "SELECT count(*) FROM revisions WHERE parent NOT IN (SELECT id FROM posts)"
        count = self._kept.execute(missing).fetchone()[0]
        if count:
            self.left_out["revision"] += count

    # --- taking note ---

    def _add_flat(self, flat: Flat) -> None:
        if flat.kind == "wp:author":
            self._add_author(flat)
        elif flat.kind == "wp:category":
            self._add_category(flat, slug="category_nicename", name="cat_name", parent="category_parent")
        elif flat.kind == "wp:term" and flat.part("term_taxonomy") == "category":
            self._add_category(flat, slug="term_slug", name="term_name", parent="term_parent")
        elif flat.kind == "wp:term" and flat.part("term_taxonomy") == "nav_menu":
            self.menus.setdefault(flat.part("term_slug"), plain(flat.part("term_name", "term_slug")))

    def _add_author(self, flat: Flat) -> None:
        login = flat.part("author_login")
        full = f"{flat.part('author_first_name')} {flat.part('author_last_name')}".strip()
        name = plain(flat.part("author_display_name") or full or login)
        if login and login not in self.authors:
            self.authors[login] = Author(login, name or login, flat.part("author_email") or None)

    def _add_category(self, flat: Flat, *, slug: str, name: str, parent: str) -> None:
        called = flat.part(slug)
        if called:
            self.categories.setdefault(called, (plain(flat.part(name)) or called, flat.part(parent)))
            self.category_ids.setdefault(flat.part("term_id"), called)

    def _add_post(self, post: Post, element: Element, *, file: int, name: str) -> None:
        type, id = post.part("post_type") or "post", external_id(post)
        note = _NOTES.get(type)
        if note is not None:
            note(self, post, element, name)
        elif type in INTERNAL or post.part("status") in GONE:
            self.left_out[type if type in INTERNAL else f"{type} ({post.part('status')})"] += 1
        else:
            self.rows += 1
            path = self.addresses.local(post.part("link"))
            known = (file, element.number, type, plain(post.part("title")), post.part("post_name"))
            where = (post.part("post_parent") or "0", _place(path), post.part("guid"))
            self._keep("posts", (self._own_id(id, post.part("guid")), *known, *where))
            self._note_files(post.content)

    def _own_id(self, id: str, guid: str) -> str:
        """Two sites may have the same number for different posts: the second is called by its guid."""
        first = self._one("SELECT guid FROM posts WHERE id = ?", id)
        return guid if first and guid and first[0] != guid else id

    def _note_files(self, content: str) -> None:
        for url in sorted(mentioned(content)):
            key = file_key(url) if self.addresses.local(url) is not None else None
            if key and len(key) <= LONGEST_EXTERNAL_ID:
                self._keep("shown", (key, _whole(url, self.addresses)))

    def _add_attachment(self, post: Post, element: Element, name: str) -> None:
        url = post.part("attachment_url") or post.part("guid")
        key = file_key(url)
        if key is None or len(key) > LONGEST_EXTERNAL_ID or post.part("status") == "trash":
            self.left_out["attachment without a file" if key is None else "attachment (trash)"] += 1
            return
        path = self.addresses.local(post.part("link"))
        texts = (plain(post.part("title")), plain(post.own("_wp_attachment_image_alt")), plain(post.excerpt))
        place = int(order) if (order := post.part("menu_order")).isdecimal() and len(order) < 10 else 0
        about = (plain(post.content), post.part("post_parent"), place, _place(path))
        self._keep("attachments", (post.part("post_id") or url, key, url.partition("?")[0], *texts, *about))

    def _add_menu_item(self, post: Post, element: Element, name: str) -> None:
        menu = next((term for term in post.terms if term.taxonomy == "nav_menu"), None)
        if menu is None or post.part("status") in ("trash", "draft"):
            self.left_out["menu item without a menu"] += 1
            return
        self.menus.setdefault(menu.slug, plain(menu.name) or menu.slug)
        self.menu_files.setdefault(menu.slug, name)
        said = {key.removeprefix("_menu_item_"): value for key, value in post.meta if key.startswith("_menu_item_")}
        said["title"] = plain(post.part("title"))
        place = int(order) if (order := post.part("menu_order")).isdecimal() and len(order) < 10 else 0
        parent = said.get("menu_item_parent", "").strip()
        self._keep("menu_items", (menu.slug, menu.name, post.part("post_id"), parent, place, json.dumps(said)))

    def _add_navigation(self, post: Post, element: Element, name: str) -> None:
        if post.part("status") == "publish":
            said = (post.part("post_id"), plain(post.part("title")), post.content, name, element.line)
            self._keep("navigations", said)

    def _add_reused(self, post: Post, element: Element, name: str) -> None:
        self._keep("reused", (post.part("post_id"), post.content))

    def _add_revision(self, post: Post, element: Element, name: str) -> None:
        if "autosave" in post.part("post_name"):
            self.left_out["revision"] += 1
            return
        at = post.part("post_date_gmt") or post.part("post_date")
        texts = (post.part("title"), post.content, post.excerpt)
        self._keep("revisions", (post.part("post_parent"), at, post.part("creator"), *texts))

    def _keep(self, table: str, values: Sequence[Any]) -> None:
        marks = ", ".join("?" * len(values))
        self._kept.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", values)  # noqa: S608 - our own names

    def _attachment(self, condition: str, value: str) -> Attachment | None:
        query = f"SELECT key, url, title, alt, caption, description FROM attachments WHERE {condition}"  # noqa: S608
        found = self._one(query, value) if value else None
        return Attachment(*found) if found else None

    def _one(self, query: str, *values: str | int) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self._kept.execute(query, values).fetchone()
        return found


_NOTES = {
    "attachment": Survey._add_attachment,
    "nav_menu_item": Survey._add_menu_item,
    "wp_navigation": Survey._add_navigation,
    "wp_block": Survey._add_reused,
    "revision": Survey._add_revision,
}


def external_id(post: Post) -> str:
    """What the site calls a post: its number, or where it stands if it has none."""
    return unescape(post.part("post_id") or post.part("guid") or post.part("link"))


def _place(local: str | None) -> str:
    return spelled(local).rstrip("/") if local else ""


def _whole(url: str, addresses: Addresses) -> str:
    """An address that can be fetched, without what asks for a smaller copy."""
    url = url.strip().partition("#")[0].partition("?")[0]
    if url.startswith("//"):
        return f"https:{url}"
    if url.lower().startswith("http"):
        return url
    host = min(addresses.hosts, default="")
    return f"https://{host}{addresses.local(url) or ''}"


def _opened() -> sqlite3.Connection:
    # A database without a name lies in a file of its own that goes with the connection; most of it stays in memory.
    connection = sqlite3.connect("", check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.executescript(_SCHEMA)
    connection.execute("BEGIN")
    return connection

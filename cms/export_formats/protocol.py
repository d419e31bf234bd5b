"""What every export format is given, and what it yields.

A format is one file with `FORMAT = ExportFormat(…)`, and one line in `cms/export_formats/__init__.py`. Its `open` makes
a `Writer` for one job. The writer is asked for `start()`, then for `entry(one)` for each entry in the order of ids,
then for `end()`; each yields pieces:

- `bytes` are appended to the one growing file (CSV, WXR, JSON lines);
- `Made(path, content)` is a file of its own, and `Kept(path, sha256)` the bytes of an image or file, copied from the
  store. Both are for formats with `folder=True`, whose files become a zip at the end (Markdown).

**A writer keeps nothing between two entries.** A job that was stopped goes on in another process with a new writer,
whose `start()` is not asked again: what came before is on the disk already. What an entry needs to know of others it
asks of the `Site`. The same entries give the same bytes: no clocks, no chance, keys in a fixed order. A `Made` or
`Kept` of the same path may come twice and is then written once; a path is relative, with `/` between, without `..`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from cms.content_types import ContentType


@dataclass(frozen=True, slots=True)
class Made:
    """A file that the format writes, whole."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A file whose bytes are in the media store."""

    path: str
    sha256: str


Piece = bytes | Made | Kept


@dataclass(frozen=True, slots=True)
class ExportedPerson:
    """A person in a byline, or an owner. The email is not for the public."""

    id: str
    name: str
    email: str | None
    department: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """Bytes that an entry holds: its `file`, in an image or file entry. `name` is what the uploader called it."""

    sha256: str
    name: str
    media_type: str
    size: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class ExportedRevision:
    """One revision whole. Persons are ids; `fields` as stored, rich text as documents (`cms.rich_text` writes them)."""

    number: int
    locale: str
    section: str | None
    slug: str | None
    owner_id: str | None
    byline: tuple[str, ...]
    fields: Mapping[str, Any]
    saved_at: datetime
    begun_at: datetime
    autosave: bool
    folds: int
    restored_from: int | None
    type_revision: int | None
    actor_kind: str
    actor_id: str
    actor_name: str
    on_behalf_of: str | None
    request: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Exported:
    """One entry with the content that the job asks for: its newest revision, or the published one.

    `path`: where it stands, as `/section/slug`, None for what has no page; `url` the same with the site's own address,
    where that is known. `section_path` and `section_names`: slugs and names from the root. `state`: draft, published,
    changed, scheduled, unpublished or trashed. `is_live`: `fields` are what visitors see now.
    `fields`: as stored, without what is null at the top; rich text is a document, written by `texts.html` and
    `texts.markdown`, with addresses in place of ids. References are ids: `Site.destination` says what they are.
    `files`: the bytes that `fields` hold. `old_paths`: paths that lead to it by redirect, sorted.
    `translations`: ids of the others by locale. `source`: (name, external id). `schedule`: publish_at, unpublish_at,
    zone, revision, where something is planned.
    """

    id: str
    type: str
    content_type: ContentType
    locale: str
    title: str
    state: str
    is_live: bool
    slug: str | None
    path: str | None
    url: str | None
    section: str | None
    section_path: tuple[str, ...]
    section_names: tuple[str, ...]
    revision: int
    newest_revision: int
    published_revision: int | None
    fields: Mapping[str, Any]
    byline: tuple[ExportedPerson, ...]
    owner: ExportedPerson | None
    created_at: datetime
    changed_at: datetime
    first_published_at: datetime | None
    published_at: datetime | None
    trashed_at: datetime | None
    source: tuple[str, str] | None
    translations: Mapping[str, str]
    schedule: Mapping[str, Any] | None
    old_paths: tuple[str, ...]
    files: tuple[ExportedFile, ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """What an id in a text or field stands for. `file`: what an image or file entry holds."""

    id: str
    type: str
    locale: str
    title: str
    path: str | None
    url: str | None
    fields: Mapping[str, Any]
    file: ExportedFile | None


class Site(Protocol):
    """What a writer may ask of the site. All of it is of one instant, where the database allows it.

    `url`: the address of the site for visitors, without a slash at its end; `media_url`: where `/media/<sha256>/<name>`
    answers, likewise; both None where they are not known."""

    session: Session
    name: str | None
    url: str | None
    media_url: str | None
    default_locale: str
    locales: tuple[str, ...]

    def destination(self, id: str) -> Destination | None:
        """The entry of that id, None when there is none or it lies in the trash. Remembered for a while."""

    def revisions(self, id: str) -> Iterator[ExportedRevision]:
        """All revisions of an entry, from the first to the newest, one at a time."""

    def file_address(self, file: ExportedFile) -> str:
        """Where the bytes of a file answer: a whole address if the server's own is known, otherwise a path."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """`choices`: what the format lets staff choose, complete: every name has a value. `total`: how many entries come;
    `everything`: no filter leaves any out."""

    choices: Mapping[str, str] = field(default_factory=dict)
    total: int = 0
    everything: bool = False


class Writer(Protocol):
    """Writes one export; see the module."""

    def start(self) -> Iterator[Piece]:
        """What comes before all entries: a heading row, an opening element, people."""

    def entry(self, one: Exported) -> Iterator[Piece]:
        """One entry. What a format has no place for yields nothing."""

    def end(self) -> Iterator[Piece]:
        """What comes after them: a closing element."""


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A kind of export. `suffix` and `media_type` are those of its one file, or of the zip.

    `folder`: it yields files, which become a zip; `bytes` are appended to the zip's `main` file, then.
    `choices`: what staff may choose, by name, with the values allowed; the first is usual. `types`: those that it can
    hold, usually exported; none: all. `whole`: it tells what only administrators may see."""

    label: str
    suffix: str
    media_type: str
    open: Callable[[Site, ExportOptions], Writer]
    folder: bool = False
    main: str = "main"
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    types: tuple[str, ...] = ()
    whole: bool = False

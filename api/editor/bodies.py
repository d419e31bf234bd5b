"""What the Editor API takes, as models that refuse every key they do not name."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
)

from api.editor.upload_lines import LINES

Line = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(max_length=2_000)]
Locale = Annotated[str, StringConstraints(min_length=1, max_length=35)]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=250)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
FolderName = Annotated[str, StringConstraints(min_length=1, max_length=LINES["folder"])]


def _id_of(value: object) -> object:
    # What a GET gave may be sent back: a person comes as an object there.
    return value.get("id") if isinstance(value, dict) and isinstance(value.get("id"), str) else value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


def _spelt_out(value: object) -> object:
    # Pydantic would take a number as seconds since 1970.
    if not isinstance(value, str):
        raise ValueError("is not an instant: write it as 2026-11-30T10:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_spelt_out), AfterValidator(_in_utc)]
RevisionNumber = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
PersonId = Annotated[Id, BeforeValidator(_id_of)]
Byline = Annotated[list[PersonId], Field(max_length=100)]


class Body(BaseModel):
    """What all bodies have in common."""

    model_config = ConfigDict(extra="forbid")


class SourceBody(Body):
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    external_id: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class ContentBody(Body):
    """The content that creating and patching have in common."""

    section: Id | None = None
    slug: Slug | None = None
    owner: PersonId | None = None
    byline: Byline | None = None
    note: Note | None = None


class EntryBody(ContentBody):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "news",
                    "locale": "ru",
                    "fields": {
                        "title": "Часы работы в январе",
                        "summary": "Офис открыт с 9 января.",
                        "body": {"format": "markdown", "value": "Офис **закрыт** до 8 января."},
                        "topics": ["офис"],
                    },
                    "note": "По просьбе отдела кадров",
                }
            ]
        }
    )

    type: Id
    locale: Locale
    fields: dict[str, Any]
    source: SourceBody | None = None
    translation_of: Id | None = None


class EntryPatch(ContentBody):
    model_config = ConfigDict(json_schema_extra={"examples": [{"fields": {"title": "Часы работы в январе и феврале"}}]})

    locale: Locale = ""
    fields: dict[str, Any] = {}


class SourcedBody(ContentBody):
    """What a script brings under its own id."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "article",
                    "locale": "en",
                    "slug": "vertical-centring",
                    "fields": {
                        "title": "Vertical centring",
                        "body": {"format": "html", "value": "<p>Use <code>align-content</code>.</p>"},
                    },
                }
            ]
        }
    )

    type: Id
    locale: Locale
    fields: dict[str, Any]


class PublicationBody(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Approved by HR"}]})

    revision: RevisionNumber | None = None
    note: Note | None = None


class AnswerBody(Body):
    """What a path answers after its entry was taken down."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"answer": "gone", "explanation": "The event is over."}]})

    answer: Literal["not_found", "gone", "redirect"] = "not_found"
    to: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None = None
    explanation: Note | None = None
    note: Note | None = None


class ScheduleBody(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"publish_at": "2099-01-09T06:00:00Z", "zone": "Europe/Moscow"}]}
    )

    publish_at: Moment | None = None
    unpublish_at: Moment | None = None
    zone: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "UTC"
    revision: RevisionNumber | None = None
    answer: AnswerBody = AnswerBody()
    note: Note | None = None


class NoteBody(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Asked for by HR"}]})

    note: Note | None = None


class SessionBody(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "admin@example.org", "password": "correct horse battery"}]}
    )

    email: Annotated[str, StringConstraints(min_length=1, max_length=320)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]


class UserBody(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"role": "editor", "password": "correct horse battery staple"}]}
    )

    role: Line
    password: Annotated[str, StringConstraints(min_length=1, max_length=1_000)] | None = None


class PersonBody(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Павел Иванов", "department": "HR"}]})

    name: Line
    email: EmailStr | None = None
    department: Line | None = None
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=1_000)] | None = None


class PersonPatch(PersonBody):
    model_config = ConfigDict(json_schema_extra={"examples": [{"department": "Press service"}]})

    name: Line = ""


class PasswordBody(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"current": "correct horse battery", "new": "a longer and better one"}],
        }
    )

    current: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    new: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]


class KeyBody(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "nightly import", "role": "publisher", "scopes": ["create", "publish"]}]
        }
    )

    name: Line
    role: Line
    scopes: Annotated[list[Line], Field(max_length=50)] | None = None
    expires_at: Moment | None = None


class StructurePlan(Body):
    """Operations that are only looked at; `revision` is the one of the tree that they are meant for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"operations": [{"op": "add", "parent": None, "slug": "careers", "name": "Careers"}]}]
        }
    )

    operations: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1_000)]
    revision: RevisionNumber | None = None


class StructureChanges(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "operations": [
                        {"op": "add", "parent": None, "slug": "careers", "name": {"ru": "Карьера", "en": "Careers"}}
                    ]
                }
            ]
        }
    )

    operations: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1_000)]
    note: Note | None = None


class TypeBody(Body):
    """A content type whole. What a GET gave may be sent back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "label": {"ru": "Вакансия", "en": "Vacancy"},
                    "fields": [
                        {"name": "title", "kind": "text", "required": True},
                        {"name": "salary", "kind": "number", "label": {"ru": "Оклад"}, "limits": {"min": 0}},
                        {"name": "level", "kind": "choice", "choices": ["junior", "middle", "senior"]},
                        {"name": "duties", "kind": "rich_text", "help": "What the day looks like"},
                        {"name": "contact", "kind": "email", "public": False},
                    ],
                }
            ]
        }
    )

    name: Line | None = None
    label: dict[str, str] | str | None = None
    routable: bool | None = None
    single: Literal[False] = False
    revision: RevisionNumber | None = None
    fields: Annotated[list[dict[str, Any]], Field(max_length=1_000)]
    # It follows from the fields.
    json_schema: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    confirm: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)] | None = None
    note: Note | None = None


def _target_of(value: object) -> object:
    # What a GET gave may be sent back: a target comes as an object there, with one of these.
    if isinstance(value, dict) and value.keys() <= {"entry", "section", "url", "path"}:
        return value.get("entry") or value.get("section") or value.get("url")
    return value


RedirectTarget = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None, BeforeValidator(_target_of)
]
RedirectPath = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
RedirectStatus = Literal[301, 302, 307, 308, 410]


class RedirectContent(Body):
    """What making a redirect and turning a missing path into one have in common. `to`: an entry's id, a section's id,
    a path on this site, or an address on a host that the settings allow."""

    to: RedirectTarget = None
    status: RedirectStatus = 301
    prefix: bool = False
    locale: Locale | None = None
    explanation: Note | None = None
    note: Note | None = None


class RedirectBody(RedirectContent):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"path": "/about.html", "to": "/company"},
                {"path": "/action-2019", "status": 410, "prefix": True, "explanation": "The campaign is over."},
            ]
        }
    )

    path: RedirectPath


class RedirectPatch(RedirectContent):
    model_config = ConfigDict(json_schema_extra={"examples": [{"explanation": "The department was renamed."}]})

    path: RedirectPath = ""


class MissingPathRedirect(RedirectContent):
    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "/company"}]})


class MissingPathPatch(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "ignored"}]})

    state: Literal["open", "ignored"]
    note: Note | None = None


_Url = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
_Names = Annotated[
    dict[Annotated[str, StringConstraints(max_length=500)], Annotated[str, StringConstraints(max_length=500)]],
    Field(max_length=500),
]


class StandingImportOptions(Body):
    """What each import of it is told; what is left out or null is as usual."""

    type: Id | None = None
    locale: Locale | None = None
    publish: bool | None = None
    on_conflict: Literal["list", "overwrite", "draft"] | None = None
    mapping: _Names | None = None
    choices: _Names | None = None
    section: Id | None = None
    fetch: bool | None = None
    format: Id | None = None


class StandingImportBody(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "press-agency",
                    "url": "https://news.example/feed.xml",
                    "minutes": 60,
                    "options": {"type": "news", "publish": True, "fetch": True},
                    "note": "Asked for by the press service",
                }
            ]
        }
    )

    source: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    url: _Url
    minutes: Annotated[int, Field(ge=5, le=43_200, strict=True)] = 60
    paused: bool = False
    options: StandingImportOptions = StandingImportOptions()
    note: Note | None = None


class StandingImportPatch(StandingImportBody):
    model_config = ConfigDict(json_schema_extra={"examples": [{"minutes": 30, "options": {"publish": False}}]})

    source: Annotated[str, StringConstraints(min_length=1, max_length=200)] = ""
    url: _Url = ""


class ExportFilter(Body):
    """Which entries are exported; what is left out leaves nothing out. Sections count with all below them.
    `content`: newest (drafts, too) or published (what visitors see)."""

    types: Annotated[list[Id], Field(max_length=1_000)] = []
    sections: Annotated[list[Id], Field(max_length=1_000)] = []
    locales: Annotated[list[Locale], Field(max_length=1_000)] = []
    states: Annotated[list[Id], Field(max_length=1_000)] = []
    ids: Annotated[list[Id], Field(max_length=1_000)] = []
    changed_since: Annotated[str, StringConstraints(max_length=40)] | None = None
    content: Literal["newest", "published"] = "newest"


class ExportBody(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"format": "jsonl", "note": "Before the move"},
                {"format": "static", "filter": {"types": ["news"], "content": "published"}},
            ]
        }
    )

    format: Id
    filter: ExportFilter = ExportFilter()
    options: Annotated[dict[Id, Id], Field(max_length=20)] = {}
    note: Note | None = None


_Alt = Annotated[str, StringConstraints(max_length=LINES["alt"])]


class FromUrlBody(Body):
    """A file on another host, and what is said of it: as the lines of an upload."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "url": "https://images.example/office.jpg",
                    "title": "Офис зимой",
                    "alt": "Вход в офис под снегом",
                    "alts": {"en": "The office entrance under snow"},
                    "folder": "press/2026",
                }
            ]
        }
    )

    url: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    title: Line | None = None
    alt: _Alt | None = None
    alts: Annotated[dict[str, _Alt], Field(max_length=50)] | None = None
    locale: Locale | None = None
    caption: Annotated[str, StringConstraints(max_length=LINES["caption"])] | None = None
    credit: Annotated[str, StringConstraints(max_length=LINES["credit"])] | None = None
    licence: Annotated[str, StringConstraints(max_length=LINES["licence"])] | None = None
    folder: FolderName | None = None
    topics: Annotated[list[str], Field(max_length=200)] | None = None
    rights_until: Annotated[str, StringConstraints(max_length=LINES["rights_until"])] | None = None
    note: Note | None = None


class FolderMove(Body):
    """Which folder of images and files becomes which, with all that is below it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"from": "press/2025", "to": "archive/press/2025"}]})

    from_: FolderName = Field(alias="from")
    to: FolderName
    note: Note | None = None


class StopBody(Body):
    """Which counters, by their ids; all, unless some are named."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Strangers have changed the script"}]})

    counters: Annotated[list[Id], Field(min_length=1, max_length=200)] | None = None
    note: Note | None = None


class ImportPatch(Body):
    """Options of an import that has not run; null goes back to what is usual."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"publish": True, "mapping": {"headline": "title", "teaser": "summary"}}]}
    )

    source: Annotated[str, StringConstraints(max_length=200)] = ""
    type: Id | None = None
    locale: Locale | None = None
    publish: bool | None = None
    on_conflict: Literal["list", "overwrite", "draft"] | None = None
    mapping: dict[str, str] | None = None
    choices: dict[str, str] | None = None
    section: Id | None = None
    fetch: bool | None = None
    format: Id | None = None
    note: Note | None = None


class DecisionBody(Body):
    """What becomes of an entry that a person has changed since the last import."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"decision": "keep"}]})

    decision: Literal["keep", "overwrite", "draft"]
    note: Note | None = None


class DecisionsBody(DecisionBody):
    """The same for several rows; for all that are undecided, unless some are named."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"decision": "overwrite", "note": "As agreed"}]})

    rows: Annotated[list[Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]], Field(max_length=500)] | None = None

"""What the Editor API takes, as models that refuse every key they do not name."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, EmailStr, Field, StringConstraints

Line = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(max_length=2_000)]
Locale = Annotated[str, StringConstraints(min_length=1, max_length=35)]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=250)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


def _id_of(value: object) -> object:
    # What a GET gave may be sent back: a person comes as an object there.
    return value.get("id") if isinstance(value, dict) and isinstance(value.get("id"), str) else value


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
    byline: Byline = []
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

    type: Id
    locale: Locale
    fields: dict[str, Any]


class PublicationBody(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Approved by HR"}]})

    revision: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
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

    publish_at: AwareDatetime | None = None
    unpublish_at: AwareDatetime | None = None
    zone: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "UTC"
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    answer: AnswerBody = AnswerBody()
    note: Note | None = None


class NoteBody(Body):
    note: Note | None = None


class SessionBody(Body):
    email: Annotated[str, StringConstraints(min_length=1, max_length=320)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]


class UserBody(Body):
    role: Line
    password: Annotated[str, StringConstraints(min_length=1, max_length=1_000)] | None = None


class PersonBody(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Павел Иванов", "department": "HR"}]})

    name: Line
    email: EmailStr | None = None
    department: Line | None = None
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=1_000)] | None = None


class PersonPatch(PersonBody):
    name: Line = ""


class PasswordBody(Body):
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
    expires_at: AwareDatetime | None = None


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

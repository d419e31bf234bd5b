"""What of a revision goes into its publication: the public fields, rich text as pieces of HTML, the SEO texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cms import content, rich_text, section_tree
from cms.content import SECTION, Reference
from cms.content_types import ContentType, Field, leaves


@dataclass(frozen=True)
class Rendered:
    """`fields`: public values, rich text as documents; `rendered`: the same with pieces; `references`: what they
    point at."""

    fields: dict[str, Any]
    rendered: dict[str, Any]
    references: tuple[Reference, ...]
    searched: dict[str, Any]
    compared: dict[str, Any]
    file: dict[str, Any] | None
    seo: dict[str, Any]

    def columns(self) -> dict[str, Any]:
        """What a publication keeps of it."""
        return {
            "seo": self.seo,
            "fields": self.fields,
            "rendered": self.rendered,
            "searched": self.searched,
            "compared": self.compared,
            "targets": list(dict.fromkeys(target for _, target, of in self.references if of != (SECTION,))),
            "file": self.file,
            "upload": self.file and self.file["sha256"],
        }


def render(content_type: ContentType, fields: Mapping[str, Any]) -> Rendered:
    """The public copy of a revision's fields. An allow-list: only fields that their type calls public."""
    public = _public(content_type.fields, fields)
    uploads = (value for field, _, value in leaves(content_type.fields, public, at="") if field.kind == "upload")
    upload = next(uploads, None)
    return Rendered(
        fields=public,
        rendered=_with_pieces(content_type.fields, public),
        references=tuple(content.references(content_type, public)),
        searched=content.searched(content_type, public, public=True),
        compared=content.compared(content_type, public),
        file=upload and {**upload, **{name: public.get(name) for name in ("alt", "alts", "focal_point")}},
        seo=_seo(public),
    )


def _public(fields: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: _public_value(field, values.get(field.name)) for field in fields if field.public}


def _public_value(field: Field, value: Any) -> Any:
    if field.kind == "sections":
        return section_tree.public(value or ())
    if value is None or field.kind not in ("group", "groups"):
        return value
    if field.kind == "group":
        return _public(field.fields, value)
    return [_public(field.fields, item) for item in value]


def _with_pieces(fields: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: _pieces(field, values.get(field.name)) for field in fields if field.public}


def _pieces(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.kind == "rich_text":
        return list(rich_text.to_html(value))
    if field.kind == "group":
        return _with_pieces(field.fields, value)
    if field.kind == "groups":
        return [_with_pieces(field.fields, item) for item in value]
    return value


def _seo(public: Mapping[str, Any]) -> dict[str, Any]:
    """What the entry says itself; what stands in for the rest is found when it is read."""
    own = public.get("seo") or {}
    return {name: own.get(name) for name in ("title", "description", "canonical", "robots", "image", "noindex")}

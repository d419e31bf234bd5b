"""A publication as front ends get it: references that are live, rich text in the form that was asked for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cms import rich_text, site
from cms.clock import written
from cms.content_types import ContentType, Field
from cms.custom_types import site_types
from cms.delivery import seo
from cms.delivery.publications import Around, around, several
from cms.errors import BadQuery
from cms.pictures import Pictures, whole
from cms.rich_text import Target
from cms.section_tree import SectionTree
from cms.site import Settings
from cms.tables.publications import Publication

DEEPEST_INCLUDE = 2


@dataclass(frozen=True)
class Shape:
    """How entries are wanted: the form of rich text, which fields (None: all), and what to send along; `pictures`
    gives files their addresses."""

    rich_text: str = "html"
    fields: frozenset[str] | None = None
    include: tuple[tuple[str, ...], ...] = ()
    pictures: Pictures = whole

    @property
    def documents(self) -> bool:
        """Whether the stored documents are needed, or the finished pieces will do."""
        return self.rich_text != "html"


def present(
    session: Session, publications: Sequence[Publication], *, tree: SectionTree, shape: Shape
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The entries, and what was included of others, by id."""
    surroundings = _surroundings(session, publications, tree)
    types = {one.type: site_types.find(session, one.type) for one in publications}
    entries = [_entry(one, surroundings, of=types[one.type], shape=shape) for one in publications]
    included: dict[str, Any] = {}
    paths = shape.include
    level: Sequence[Publication] = publications
    while paths:
        wanted = {
            id for one in level for path in paths for id in _named(one, types[one.type], path[0]) if id not in included
        }
        included |= _persons(level, paths)
        level = several(session, wanted, documents=shape.documents)
        surroundings = _surroundings(session, level, tree)
        plain = Shape(shape.rich_text, pictures=shape.pictures)
        types |= {one.type: site_types.find(session, one.type) for one in level}
        included |= {one.entry_id: _entry(one, surroundings, of=types[one.type], shape=plain) for one in level}
        paths = tuple(path[1:] for path in paths if len(path) > 1)
    return entries, included


def read_include(
    text: str, types: Iterable[ContentType], *, deeper_types: Iterable[ContentType]
) -> tuple[tuple[str, ...], ...]:
    """`cover,related.cover` as paths of public reference fields. Raises `BadQuery`."""
    paths = tuple(tuple(path.split(".")) for path in text.split(",") if path)
    offered, deeper = _references_of(types), _references_of(deeper_types)
    for path in paths:
        if len(path) > DEEPEST_INCLUDE:
            raise BadQuery("include", "too_deep", f"An include goes {DEEPEST_INCLUDE} levels deep at most.")
        if path[0] not in offered | {"byline"} or any(step not in deeper for step in path[1:]):
            said = f"'{'.'.join(path)[:100]}' cannot be included. There are: {', '.join(sorted(offered | {'byline'}))}."
            raise BadQuery("include", "unknown_include", said)
    return paths


def _references_of(types: Iterable[ContentType]) -> frozenset[str]:
    return frozenset(field.name for one in types for field in one.fields if field.public and _is_reference(field))


# Always sent; naming them among `fields` is no mistake.
_OUTER = frozenset({"id", "type", "locale", "translations", "path", "slug", "section", "revision"}) | {
    "first_published_at",
    "published_at",
    "byline",
    "seo",
}


def read_fields(text: str, types: Iterable[ContentType]) -> frozenset[str]:
    """`title,cover` as names of public fields. Raises `BadQuery`."""
    names = frozenset(name for name in text.split(",") if name)
    offered = {field.name for one in types for field in one.fields if field.public}
    for name in sorted(names - offered - _OUTER):
        said = f"There is no field '{name[:100]}'. There are: {', '.join(sorted(offered))}."
        raise BadQuery("fields", "unknown_field", said)
    return names


def _is_reference(field: Field) -> bool:
    return field.kind in ("reference", "references")


def _named(publication: Publication, of: ContentType, name: str) -> list[str]:
    field = of.field(name)
    if field is None or not field.public or not _is_reference(field):
        return []
    value = publication.rendered.get(name)
    return [value] if isinstance(value, str) else value or []


def _persons(publications: Iterable[Publication], paths: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    if ("byline",) not in paths:
        return {}
    return {person["id"]: person for one in publications for person in one.byline}


@dataclass(frozen=True)
class _Surroundings:
    """What entries need of all that is around them."""

    tree: SectionTree
    settings: Settings
    others: Around


def _surroundings(session: Session, publications: Sequence[Publication], tree: SectionTree) -> _Surroundings:
    settings = site.settings(session)
    images = seo.default_images((one.section for one in publications), tree=tree, settings=settings)
    return _Surroundings(tree, settings, around(session, publications, tree=tree, besides=images))


def _entry(one: Publication, surroundings: _Surroundings, *, of: ContentType, shape: Shape) -> dict[str, Any]:
    tree, settings, others = surroundings.tree, surroundings.settings, surroundings.others
    translations = others.translations.get(one.translation_group, {})
    path = one.slug and tree.path(one.section, locale=one.locale, slug=one.slug)
    return {
        "id": one.entry_id,
        "type": one.type,
        "locale": one.locale,
        "translations": {locale: id for locale, id in translations.items() if id != one.entry_id},
        "path": path,
        "slug": one.slug,
        "section": one.section,
        "revision": one.revision,
        "first_published_at": written(one.first_published_at),
        "published_at": written(one.published_at),
        "byline": one.byline,
        "seo": seo.of_entry(one, path=path, tree=tree, settings=settings, live=others.live),
        "fields": _fields(one, of, surroundings, shape),
    }


def _fields(one: Publication, of: ContentType, surroundings: _Surroundings, shape: Shape) -> dict[str, Any]:
    values = one.fields if shape.documents else one.rendered
    showing = _Showing(one, surroundings, shape)
    chosen = tuple(
        field for field in of.fields if field.public and (shape.fields is None or field.name in shape.fields)
    )
    return showing.group(chosen, values)


@dataclass(frozen=True)
class _Showing:
    """One publication's values as they are shown."""

    one: Publication
    surroundings: _Surroundings
    shape: Shape

    def group(self, fields: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, Any]:
        return {field.name: self.value(field, values.get(field.name)) for field in fields if field.public}

    def value(self, field: Field, value: Any) -> Any:
        show = _SHOWN.get(field.kind)
        return value if value is None or show is None else show(self, field, value)

    def words(self, _field: Field, value: Any) -> Any:
        if self.shape.documents:
            return FORMATS[self.shape.rich_text](value)
        targets = self.surroundings.others.targets
        return rich_text.join_html(value, targets, locale=self.one.locale, srcset=self.srcset)

    def srcset(self, target: Target) -> str | None:
        # Here, when the image is shown: most of what is referred to is not.
        return None if target.file is None else self.shape.pictures(target.file)["srcset"]

    def reference(self, _field: Field, value: str) -> str | None:
        return value if value in self.surroundings.others.live else None

    def references(self, _field: Field, value: list[str]) -> list[str]:
        return [one for one in value if one in self.surroundings.others.live]

    def section(self, _field: Field, value: str) -> str | None:
        return value if value in self.surroundings.tree else None

    def menu_items(self, field: Field, value: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                **item,
                "entry": item.get("entry") and self.reference(field, item["entry"]),
                "section": item.get("section") and self.section(field, item["section"]),
                "items": self.menu_items(field, item.get("items") or []),
            }
            for item in value
        ]

    def upload(self, _field: Field, value: Mapping[str, Any]) -> dict[str, Any]:
        # What the publication tells of its file has the focal point, too.
        file = {"alt": None, **value, **(self.one.file or {})}
        shown = {name: file.get(name) for name in _FILE}
        return {**shown, **self.shape.pictures(file, self.surroundings.settings.presets)}

    def inner(self, field: Field, value: Mapping[str, Any]) -> dict[str, Any]:
        return self.group(field.fields, value)

    def items(self, field: Field, value: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [self.group(field.fields, item) for item in value]


# Publications from before pictures were looked at so closely do not have all of it.
_FILE = (
    *("sha256", "name", "media_type", "size", "width", "height"),
    *("alt", "alts", "focal_point", "placeholder", "color", "frames", "pages"),
)

_SHOWN: Mapping[str, Callable[[_Showing, Field, Any], Any]] = {
    "rich_text": _Showing.words,
    "reference": _Showing.reference,
    "references": _Showing.references,
    "upload": _Showing.upload,
    "section": _Showing.section,
    "menu_items": _Showing.menu_items,
    "group": _Showing.inner,
    "groups": _Showing.items,
}


FORMATS: Mapping[str, Callable[[Any], Any]] = {
    "doc": lambda document: document,
    "markdown": rich_text.to_markdown,
    "text": rich_text.to_text,
}

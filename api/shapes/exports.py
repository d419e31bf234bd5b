"""Exports."""

from typing import Literal

from api.shapes.shape import Shape


class ExportFilter(Shape):
    """Which entries; an empty list leaves nothing out. Sections count with all below them."""

    types: list[str]
    sections: list[str]
    locales: list[str]
    states: list[str]
    ids: list[str]
    changed_since: str | None
    content: Literal["newest", "published"]


class ExportActor(Shape):
    kind: str
    id: str
    name: str


class Export(Shape):
    """An export. `done` of `total` entries; `file`: where it is to be had when it is completed, until `kept_until`;
    `failure`: why it failed, or what is missing in it."""

    id: str
    format: str
    filter: ExportFilter
    options: dict[str, str]
    state: Literal["running", "completed", "failed", "cancelled"]
    done: int
    total: int | None
    file: str | None
    size: int | None
    sha256: str | None
    failure: str | None
    by: ExportActor
    created_at: str
    finished_at: str | None
    kept_until: str | None


class ExportFormat(Shape):
    """A format. `choices`: what may be chosen by name, the usual value first; `whole`: it tells what administrators
    alone may see."""

    name: str
    label: str
    media_type: str
    suffix: str
    choices: dict[str, list[str]]
    whole: bool

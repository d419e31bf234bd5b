"""Standing imports."""

from typing import Literal

from api.shapes.shape import Shape


class StandingImportOptions(Shape):
    """What its imports are told; null: as usual."""

    type: str | None
    locale: str | None
    publish: bool | None
    on_conflict: Literal["list", "overwrite", "draft"] | None
    mapping: dict[str, str] | None
    choices: dict[str, str] | None
    section: str | None
    fetch: bool | None
    format: str


class StandingImportActor(Shape):
    kind: str
    id: str
    name: str


class StandingImport(Shape):
    """A feed that is asked again and again. `failures`: how many one after another; `failure`: why the last went
    wrong; `job`: its last import; `by`: in whose name it acts."""

    id: str
    source: str
    url: str
    minutes: int
    paused: bool
    options: StandingImportOptions
    next_at: str
    asked_at: str | None
    failures: int
    failure: str | None
    job: str | None
    created_at: str
    by: StandingImportActor

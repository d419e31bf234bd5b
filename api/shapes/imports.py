"""Import jobs, and what became of their rows."""

from typing import Any, Literal

from api.shapes.people import Attribution
from api.shapes.shape import Shape

State = Literal[
    "analysing",
    "ready",
    "running",
    "paused",
    "completed",
    "completed_with_errors",
    "failed",
    "cancelled",
    "rolled_back",
]
Phase = Literal["analysis", "dry_run", "import", "rollback"]


class ImportFormat(Shape):
    """A kind of source. `choices`: what can be chosen, with the values allowed (none named: any); the first is usual.
    `mappable`: its names are the source's own, and a mapping tells what they mean."""

    name: str
    label: str
    mappable: bool
    choices: dict[str, list[str]]


class Progress(Shape):
    """How far a job is: `done` of `total` rows of its phase. `counts` by outcome; those of files begin with `files_`,
    those of redirects with `redirects_`."""

    state: State
    phase: Phase
    done: int
    total: int | None
    counts: dict[str, Any]
    failure: str | None


class Import(Progress):
    """An import job. `analysis`: what was found in the source; `dry_run`: what would be done with it. `path`: the name
    of what was read on the server's machine, null for uploads; `standing`: the standing import that made it."""

    id: str
    source: str
    format: str | None
    path: str | None
    standing: str | None
    options: dict[str, Any]
    at_once: bool
    analysis: dict[str, Any] | None
    dry_run: dict[str, Any] | None
    created: Attribution
    started_at: str | None
    finished_at: str | None


class RowWarning(Shape):
    pointer: str
    code: str
    message: str


class ImportRow(Shape):
    """What became of a row, or would (`dry`). `before` and `after`: the entry's revisions; `live_before`: the one that
    was published. `rolled_back`: `undone`, or a code; `left_because`: the same in words."""

    number: int
    dry: bool
    kind: Literal["entry", "file", "structure", "redirect"]
    outcome: Literal["made", "changed", "same", "conflict", "refused"]
    external_id: str | None
    entry: str | None
    before: int | None
    after: int | None
    live_before: int | None
    file: str
    line: int | None
    pointer: str | None
    code: str | None
    reason: str | None
    warnings: list[RowWarning]
    diff: list[Any] | None
    decision: Literal["keep", "overwrite", "draft"] | None
    rolled_back: str | None
    left_because: str | None


class Undecided(Shape):
    number: int
    code: str
    message: str


class Decided(Shape):
    """How many conflicts were decided, those that could not be, and how many are left to decide."""

    decided: int
    refused: list[Undecided]
    remaining: int

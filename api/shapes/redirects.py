"""Redirects and missing paths."""

from typing import Literal

from api.shapes.shape import Shape


class RedirectTarget(Shape):
    """Where a redirect leads: to one of the first three. `path`: the path or address that it leads to now."""

    entry: str | None
    section: str | None
    url: str | None
    path: str | None


class Redirect(Shape):
    """A redirect as staff see it. `about`: what stood here and was taken away; `shadowed`: something is live here."""

    id: str
    locale: str | None
    path: str
    prefix: bool
    status: int
    to: RedirectTarget
    explanation: str | None
    source: Literal["automatic", "manual", "import"]
    about: str | None
    hits: int
    last_hit_at: str | None
    created_at: str
    changed_at: str
    shadowed: bool


class RefusedRow(Shape):
    line: int
    code: str
    message: str


class ImportedRedirects(Shape):
    """What became of the rows of a file."""

    total: int
    made: int
    changed: int
    same: int
    refused: list[RefusedRow]


class Guess(Shape):
    entry: str | None
    section: str | None
    title: str
    path: str
    reason: Literal["old slug", "similar slug", "search"]
    score: float


class MissingPath(Shape):
    """A path that visitors did not find. `guesses`: null where they were not asked for."""

    id: str
    path: str
    locale: str | None
    hits: int
    first_at: str
    last_at: str
    referrer: str | None
    state: Literal["open", "ignored", "redirected"]
    redirect: str | None
    guesses: list[Guess] | None


class HeldRedirect(Shape):
    """A redirect as front ends hold it."""

    id: str
    locale: str | None
    path: str
    prefix: bool
    status: int
    to: str | None
    explanation: str | None
    updated_at: str


class Taken(Shape):
    accepted: int
    ignored: int


class TakenBeacons(Shape):
    missing_paths: Taken
    banners: Taken

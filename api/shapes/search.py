"""Hits and suggestions."""

from api.shapes.shape import Shape


class Marked(Shape):
    """A text and the ranges in it that matched, counted in code points."""

    text: str
    ranges: list[tuple[int, int]]


class Snippet(Marked):
    field: str


class Card(Shape):
    id: str
    type: str
    locale: str
    path: str | None
    published_at: str | None


class StaffCard(Card):
    state: str


class Hit(Shape):
    entry: Card
    score: float
    title: Marked
    snippets: list[Snippet]


class StaffHit(Shape):
    entry: StaffCard
    score: float
    title: Marked
    snippets: list[Snippet]


class Suggestion(Shape):
    text: str

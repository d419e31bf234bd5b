"""Counters, their providers and reports."""

from typing import Any, Literal

from api.shapes.people import Attribution
from api.shapes.shape import Shape


class CounterScript(Shape):
    """One script: an address, or the text that stands inline."""

    src: str | None
    inline: str | None
    attributes: dict[str, str]


class CounterData(Shape):
    counter_id: str | None
    options: dict[str, Any]


class PublicCounter(Shape):
    """A counter that a page loads once its category has consent. `csp`: sources by directive."""

    id: str
    revision: int
    title: str
    provider: str
    category: Literal["necessary", "functional", "analytics", "marketing"]
    position: Literal["head", "body_start", "body_end"]
    code: str
    scripts: list[CounterScript]
    noscript: str | None
    data: CounterData
    csp: dict[str, list[str]]
    consent: list[str]


class Provider(Shape):
    """A provider of counters: what its ids look like, and the JSON Schema of what a counter is set to."""

    name: str
    title: str
    id_pattern: str | None
    id_example: str | None
    options: dict[str, Any]
    position: str
    category: str
    consent: list[str]
    consent_mode: bool


class StoppedCounter(Shape):
    counter: str
    stopped: Attribution


class Stopped(Shape):
    """What is switched off: all counters since some instant, or some."""

    all: Attribution | None
    counters: list[StoppedCounter]


class Reason(Shape):
    code: str
    message: str


class ReportedCounter(Shape):
    id: str
    title: str
    locale: str
    provider: str
    category: str | None
    position: str | None
    consent: list[str]
    scope: str


class CounterPages(ReportedCounter):
    """A live counter: why no page loads it now, how many entries and how many sections' own pages do."""

    at_rest: list[Reason]
    pages: int
    sections: int


class CounterAtPath(ReportedCounter):
    loads: bool
    why: list[Reason]


class SectionCounters(Shape):
    """A section, or the root: what its own page loads, and how many of the entries in it load what."""

    section: str | None
    path: str | None
    name: str | None
    pages: int
    counters: list[str]
    entries: dict[str, int]


class CounterReport(Shape):
    """`complete`: no page was left out because there are too many to look at one by one."""

    environment: str
    pages: int
    complete: bool
    counters: list[CounterPages]
    sections: list[SectionCounters]


class PathReport(Shape):
    path: str
    locale: str
    environment: str
    type: str | None
    counters: list[CounterAtPath]

"""What can go wrong in the domain, as facts. `api` gives each its status and its words for HTTP."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class Refusal(Exception):
    """The domain says no. Subclasses carry the facts that the caller needs to act."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one value: where (JSON pointer), what (a stable code), and in words."""

    pointer: str
    code: str
    message: str


@dataclass(eq=False)
class InvalidContent(Refusal):
    """Values that do not fit their content type, or that point at nothing."""

    faults: list[Fault]

    def __str__(self) -> str:
        return "; ".join(f"{fault.pointer}: {fault.message}" for fault in self.faults)


@dataclass(eq=False)
class NotFound(Refusal):
    """There is no such thing, or the actor may not know of it."""

    what: str
    id: str


@dataclass(eq=False)
class Forbidden(Refusal):
    """The actor's role or the key's scopes do not allow this."""

    action: str
    type: str


@dataclass(eq=False)
class SecondPersonNeeded(Refusal):
    """Who wrote it does not make it live. `savers`: who did; `may`: some who could, by name."""

    id: str
    savers: list[str]
    may: list[str]

    def __str__(self) -> str:
        return f"It was saved by {', '.join(self.savers)}: another person publishes it."


@dataclass(eq=False)
class StaleRevision(Refusal):
    """The write was made against a revision that is no longer the newest."""

    expected: int
    current: int
    actor_name: str
    on_behalf_of: str | None
    saved_at: datetime
    folds: int = 0
    changed: list[str] = field(default_factory=list)


@dataclass(eq=False)
class AddressTaken(Refusal):
    """Another entry has this slug in this section and locale."""

    slug: str
    section: str | None
    locale: str
    entry_id: str


@dataclass(eq=False)
class RuleExists(Refusal):
    """There is a redirect for this path in this locale (None: in every one)."""

    path: str
    locale: str | None
    id: str


@dataclass(eq=False)
class InUse(Refusal):
    """Others refer to it. `usages` are pairs of entry id and JSON pointer; `total` counts them all. `confirmable`: it
    is done all the same for who says that they know how many."""

    id: str
    usages: list[tuple[str, str]]
    total: int
    confirmable: bool = False


@dataclass(eq=False)
class BytesGone(Refusal):
    """A sweep removed the bytes of this file just as they came in again: they must be sent once more."""

    sha256: str


@dataclass(eq=False)
class WrongState(Refusal):
    """The thing is not in a state in which this can be done; `reason` says which and what to do."""

    code: str
    reason: str


@dataclass(eq=False)
class NotConfirmed(Refusal):
    """What is asked for loses values. `report` tells what, and how many entries the confirmation must name."""

    report: Any


@dataclass(eq=False)
class BadQuery(Refusal):
    """A list was asked for with a parameter, field, operator, value or cursor that is not offered."""

    parameter: str
    code: str
    message: str

"""Who did it, for whom, for which request, and when: explicit on every write, never ambient."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Actor:
    """The signed-in person, the API key or the system that acts. `scopes` narrows a key's role (None: all of it)."""

    kind: str  # "person", "key" or "system"
    id: str
    name: str
    role: str
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class By:
    """One write's attribution. `on_behalf_of` is a person's id; rights are the actor's own, never that person's.

    `dated`: when a source says that it was written there. Revisions and entries then carry that date; events never."""

    actor: Actor
    at: datetime
    on_behalf_of: str | None = None
    request: int | None = None
    note: str | None = None
    dated: datetime | None = None

    @property
    def written_at(self) -> datetime:
        """When the content was written: here and now, or in the source."""
        return self.dated or self.at


SCHEDULER = Actor(kind="system", id="scheduler", name="Scheduler", role="administrator")
COMMAND_LINE = Actor(kind="system", id="command-line", name="Command line", role="administrator")

"""Plans that come with the entries of another site's export."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from cms import showing_times
from cms.errors import Fault, InvalidContent
from cms.export_formats.sitedesk import columns_of
from cms.redirects import AnswerKind
from cms.tables.publications import Schedule
from cms.transfers.rows import row_of

HELD = "held after an import: its instant has passed. Confirm it by setting it anew, or cancel it"
_ANSWER = frozenset({"kind", "to", "explanation"})


def read(said: Mapping[str, Any], entry_id: str) -> Schedule:
    """A plan as an entry's line tells it. Raises `InvalidContent`."""
    planned: Schedule = row_of(Schedule, said, entry_id=entry_id)
    faults = list(showing_times.zone_faults(planned.zone, at="/schedule/zone"))
    if not _is_answer(planned.answer):
        faults.append(Fault("/schedule/answer", "bad_value", "An answer has a kind that we know, to, and explanation."))
    if faults:
        raise InvalidContent(faults)
    return planned


def _is_answer(said: Mapping[str, Any]) -> bool:
    texts = all(value is None or isinstance(value, str) for value in said.values())
    return texts and said.keys() == _ANSWER and said["kind"] in get_args(AnswerKind)


def hold_if_passed(planned: Schedule, *, now: datetime) -> None:
    """Nobody who planned it there expects it here, now: a person looks at it first."""
    instants = (planned.publish_at, planned.unpublish_at)
    if planned.failure is None and any(at is not None and at <= now for at in instants):
        planned.failure = HELD


def are_equal(one: Schedule, other: Schedule) -> bool:
    """Whether both say the same. What has become of a plan is each site's own."""
    left_out = frozenset({"failure"})
    return columns_of(one, left_out) == columns_of(other, left_out)

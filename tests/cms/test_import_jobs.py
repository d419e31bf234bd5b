"""Steps of a job: each from the states in which it makes sense, and what to do instead from the others."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.errors import InvalidContent, NotFound, WrongState
from cms.identity import new_id
from cms.imports import attempts as import_attempts
from cms.imports import jobs as import_jobs
from cms.imports.attempts import LostJob
from cms.imports.jobs import Asked, Step
from cms.tables.events import Event
from cms.tables.jobs import ImportJob, ImportRow
from tests.cast import Colleague


def a_job(
    session: Session, olga: Colleague, *, state: str = "analysing", phase: str = "analysis", **given: Any
) -> ImportJob:
    asked = Asked(given.pop("source", "portal"), **given)
    job = import_jobs.create(session, asked, id=new_id(), folder="f", path="/x", at_once=False, by=olga.by())
    job.state, job.phase = state, phase
    session.flush()
    return job


def codes(refused: pytest.ExceptionInfo[InvalidContent]) -> set[tuple[str, str]]:
    return {(fault.pointer, fault.code) for fault in refused.value.faults}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, ("/source", "bad_source")),
        ({"source": "a\0"}, ("/source", "bad_source")),
        ({"source": "s", "type": "poem"}, ("/type", "unknown_type")),
        ({"source": "s", "type": "menu"}, ("/type", "not_imported")),
        ({"source": "s", "type": 7}, ("/type", "not_text")),
        ({"source": "s", "locale": "tlh"}, ("/locale", "unknown_locale")),
        ({"source": "s", "publish": "yes"}, ("/publish", "not_a_boolean")),
        ({"source": "s", "on_conflict": "fight"}, ("/on_conflict", "unknown_choice")),
        ({"source": "s", "mapping": ["a"]}, ("/mapping", "not_an_object")),
        ({"source": "s", "mapping": {"a": 1}}, ("/mapping", "not_text")),
        ({"source": "s", "mapping": {"a/b": "nonsense"}}, ("/mapping/a~1b", "unknown_meaning")),
        ({"source": "s", "format": "papyrus"}, ("/format", "unknown_format")),
        ({"source": "s", "section": "nowhere"}, ("/section", "unknown_section")),
        ({"source": "s", "format": "jsonl", "choices": {"a": "b"}}, ("/choices/a", "unknown_choice")),
        ({"source": "s", "colour": "red"}, ("/colour", "unknown_option")),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(
    session: Session, given: dict[str, Any], fault: tuple[str, str]
) -> None:
    with pytest.raises(InvalidContent) as refused:
        import_jobs.read_asked(session, given)
    assert codes(refused) == {fault}


def test_options_are_kept_with_the_job_and_read_back(session: Session, olga: Colleague) -> None:
    asked = import_jobs.read_asked(session, {"source": "s", "publish": True, "mapping": {"h1": "title"}, "type": None})
    job = import_jobs.create(session, asked, id=new_id(), folder="f", path=None, at_once=False, by=olga.by())
    session.flush()
    assert import_jobs.asked_of(job) == asked
    assert (job.state, job.phase) == ("analysing", "analysis")


ALLOWED: list[tuple[Step, str, str, str]] = [
    ("dry_run", "ready", "analysis", "running"),
    ("run", "ready", "dry_run", "running"),
    ("pause", "running", "import", "paused"),
    ("pause", "analysing", "analysis", "paused"),
    ("resume", "paused", "import", "running"),
    ("resume", "failed", "analysis", "analysing"),
    ("cancel", "running", "import", "cancelled"),
    ("cancel", "ready", "analysis", "cancelled"),
    ("rollback", "completed", "import", "running"),
    ("rollback", "cancelled", "import", "running"),
]


@pytest.mark.parametrize(("step", "state", "phase", "then"), ALLOWED, ids=str)
def test_a_step_changes_the_state(
    session: Session, olga: Colleague, step: Step, state: str, phase: str, then: str
) -> None:
    job = a_job(session, olga, state=state, phase=phase)
    before = job.attempt
    import_jobs.order(session, job, step, by=olga.by())
    assert job.state == then
    assert job.attempt > before
    told = session.scalars(select(Event).order_by(Event.number.desc())).first()
    assert told is not None
    assert told.kind.startswith("import.")
    assert told.details["job"] == job.id


@pytest.mark.parametrize(
    ("step", "state", "phase", "code"),
    [
        ("run", "analysing", "analysis", "cannot_run"),
        ("run", "completed", "import", "cannot_run"),
        ("pause", "ready", "analysis", "cannot_pause"),
        ("resume", "completed", "import", "cannot_resume"),
        ("cancel", "rolled_back", "rollback", "cannot_cancel"),
        ("rollback", "running", "import", "cannot_rollback"),
        ("rollback", "cancelled", "analysis", "nothing_to_undo"),
    ],
    ids=str,
)
def test_a_step_out_of_turn_is_refused(
    session: Session, olga: Colleague, step: Step, state: str, phase: str, code: str
) -> None:
    job = a_job(session, olga, state=state, phase=phase)
    with pytest.raises(WrongState) as refused:
        import_jobs.order(session, job, step, by=olga.by())
    assert refused.value.code == code


@pytest.mark.parametrize(("step", "state", "phase"), [("run", "ready", "analysis"), ("resume", "paused", "import")])
def test_a_source_that_another_job_is_running_is_busy(
    session: Session, olga: Colleague, step: Step, state: str, phase: str
) -> None:
    running = a_job(session, olga, state="running", phase="import")
    waiting = a_job(session, olga, state=state, phase=phase)
    with pytest.raises(WrongState) as refused:
        import_jobs.order(session, waiting, step, by=olga.by())
    assert refused.value.code == "source_busy"
    assert running.id in refused.value.reason
    other = a_job(session, olga, state=state, phase=phase, source="another")
    import_jobs.order(session, other, step, by=olga.by())


def test_other_options_send_it_back_to_be_analysed(session: Session, olga: Colleague) -> None:
    job = a_job(session, olga, state="ready", phase="dry_run")
    session.add(ImportRow(job_id=job.id, dry=True, number=1, kind="entry", outcome="made", file="x"))
    session.flush()
    import_jobs.change(session, job, {"publish": True, "mapping": {"h1": "title"}}, by=olga.by())
    assert (job.state, job.phase, job.options["publish"]) == ("analysing", "analysis", True)
    assert session.get(ImportRow, (job.id, True, 1), populate_existing=True) is None


def test_what_has_run_keeps_its_options(session: Session, olga: Colleague) -> None:
    job = a_job(session, olga, state="completed", phase="import")
    with pytest.raises(WrongState) as refused:
        import_jobs.change(session, job, {"publish": True}, by=olga.by())
    assert refused.value.code == "has_run"


def test_a_job_is_forgotten_when_nobody_works_on_it(session: Session, olga: Colleague) -> None:
    job = a_job(session, olga, state="running", phase="import")
    with pytest.raises(WrongState):
        import_jobs.remove(session, job, by=olga.by())
    import_jobs.order(session, job, "cancel", by=olga.by())
    import_jobs.remove(session, job, by=olga.by())
    session.flush()
    with pytest.raises(NotFound):
        import_jobs.find(session, job.id)


def test_who_was_overtaken_can_write_nothing(session: Session, olga: Colleague) -> None:
    job = a_job(session, olga, state="running", phase="import")
    taken = [import_attempts.take_up(session, job.id) for _ in range(2)]
    assert taken[0] is not None
    assert taken[1] is not None
    import_attempts.keep(session, taken[1][1], done=7)
    with pytest.raises(LostJob):
        import_attempts.keep(session, taken[0][1], done=8)
    import_jobs.order(session, job, "pause", by=olga.by())
    with pytest.raises(LostJob):
        import_attempts.keep(session, taken[1][1], done=9)
    assert import_attempts.take_up(session, job.id) is None


def test_only_jobs_of_the_data_folder_that_are_at_work_wait(session: Session, olga: Colleague) -> None:
    ready = a_job(session, olga, state="ready")
    waiting = a_job(session, olga, source="another")
    assert import_attempts.next_waiting(session, "f", besides=[]) == waiting.id
    assert import_attempts.next_waiting(session, "f", besides=[waiting.id]) is None
    assert import_attempts.next_waiting(session, "elsewhere", besides=[ready.id]) is None

"""Import jobs: what is asked for, and the steps that staff order: dry run, run, pause, resume, cancel, roll back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cms import events, site, structure
from cms.attribution import By
from cms.custom_types import site_types
from cms.errors import Fault, InvalidContent, NotFound, WrongState
from cms.import_formats import FORMATS
from cms.import_formats.known_fields import MEANINGS
from cms.pointers import json_pointer
from cms.tables.attributed import attribution
from cms.tables.jobs import ImportJob, ImportRow

OnConflict = Literal["list", "overwrite", "draft"]
Step = Literal["dry_run", "run", "pause", "resume", "cancel", "rollback"]

LONGEST_SOURCE = 200
MOST_NAMES = 500
LONGEST_NAME = 500
# A job's own type: they hold more than a row of text can tell, or are one per site.
NOT_IMPORTED = frozenset({"image", "file", "menu", "structure", "settings"})
# States in which a process is to work on a job.
AT_WORK = ("analysing", "running")


@dataclass(frozen=True)
class Asked:
    """What an import is told to do. `type`: of rows that name none; `locale`: of rows that name none (None: the
    site's); `section`: the id of the section below which everything comes to stand; `fetch`: files from the network;
    `format` None: found out; `on_conflict`: what becomes of entries that a person has changed since. The rest as in
    `import_formats.Options`."""

    source: str
    type: str = "article"
    locale: str | None = None
    publish: bool = False
    on_conflict: OnConflict = "list"
    mapping: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)
    section: str | None = None
    fetch: bool = False
    format: str | None = None

    def told(self) -> dict[str, Any]:
        """As JSON; `asked_of` reads it."""
        return {**asdict(self), "mapping": dict(self.mapping), "choices": dict(self.choices)}


def read_asked(session: Session, given: Mapping[str, Any]) -> Asked:
    """What a caller asks for, checked. Raises `InvalidContent` with a pointer for each fault."""
    faults = [
        Fault(f"/{name}", "unknown_option", f"An import has the options: {', '.join(_CHECKS)}.")
        for name in sorted(given.keys() - _CHECKS.keys())
    ]
    said = {name: value for name, value in given.items() if value is not None and name in _CHECKS}
    for name in ("source", *sorted(said.keys() - {"source"})):
        faults += _CHECKS[name](session, f"/{name}", said.get(name))
    if not faults and "choices" in said:
        faults = _choice_faults(said["choices"], FORMATS.get(said.get("format") or ""))
    if faults:
        raise InvalidContent(faults)
    return Asked(**said)


def asked_of(job: ImportJob) -> Asked:
    """What a job was told to do."""
    known = {name: value for name, value in job.options.items() if name in Asked.__dataclass_fields__}
    return Asked(**{"source": job.source, **known})


def create(
    session: Session, asked: Asked, *, id: str, folder: str, path: str | None, at_once: bool, by: By
) -> ImportJob:
    """A new job, to be analysed. `folder`: the data folder that it lies in; `path`: where the source lies, None for
    what was uploaded into the job's own folder; `at_once`: the import follows the analysis. Raises `WrongState`."""
    if at_once:
        _refuse_busy(session, asked.source)
    job = ImportJob(
        id=id,
        folder=folder,
        source=asked.source,
        format=asked.format,
        path=path,
        options=asked.told(),
        state="analysing",
        phase="analysis",
        at_once=at_once,
        attempt=0,
        done=0,
        checkpoint={},
        counts={},
        created_at=by.at,
        **attribution(by),
    )
    session.add(job)
    session.flush()
    events.record(session, "import.created", by=by, job=id, source=asked.source)
    return job


def find(session: Session, id: str) -> ImportJob:
    """The job of that id. Raises `NotFound`."""
    job = session.get(ImportJob, id)
    if job is None:
        raise NotFound("import", id)
    return job


def order(session: Session, job: ImportJob, step: Step, *, by: By) -> None:
    """Let a job go on, or stop. Whoever works on it finds out with the next batch. Raises `WrongState` with what to
    do instead."""
    if job.state not in _FROM[step]:
        raise WrongState(f"cannot_{step}", f"The import is {_said(job)}. {_INSTEAD[step]}")
    if step == "rollback" and job.phase not in ("import", "rollback"):
        raise WrongState("nothing_to_undo", "The import has written nothing yet. Cancel it instead.")
    if step in ("dry_run", "run", "resume", "rollback") and not (step == "resume" and job.phase == "analysis"):
        _refuse_busy(session, job.source, but=job.id)
    _ORDERS[step](session, job)
    if step in ("dry_run", "run", "rollback"):
        job.started_at, job.finished_at = by.at, None
    if step == "cancel":
        job.finished_at = by.at
    # Whoever had taken it up has lost it.
    job.attempt += 1
    session.flush()
    events.record(session, _EVENTS[step], by=by, job=job.id, source=job.source, phase=job.phase)


def change(session: Session, job: ImportJob, patch: Mapping[str, Any], *, by: By) -> None:
    """Other options for a job that has not begun to write: it is analysed anew. A member of None goes back to what is
    usual. Raises `InvalidContent`, `WrongState`."""
    if job.phase in ("import", "rollback") or job.state == "cancelled":
        said = "Its options can be changed until it runs. Make a new import."
        raise WrongState("has_run", f"The import is {_said(job)}. {said}")
    asked = read_asked(session, {**job.options, **patch})
    job.options = asked.told()
    job.source = asked.source
    job.format = asked.format
    _begin_analysis(session, job)
    job.attempt += 1
    session.flush()
    events.record(session, "import.changed", by=by, job=job.id, source=job.source, changed=sorted(patch))


def remove(session: Session, job: ImportJob, *, by: By) -> None:
    """Forget a job and the results of its rows; what it brought stays. Its folder is the caller's to remove. Raises
    `WrongState` while it is worked on."""
    if job.state in AT_WORK:
        raise WrongState("at_work", f"The import is {_said(job)}. Cancel it first.")
    session.execute(delete(ImportRow).where(ImportRow.job_id == job.id))
    session.delete(job)
    events.record(session, "import.removed", by=by, job=job.id, source=job.source)


# --- the steps ---


def _begin_analysis(session: Session, job: ImportJob) -> None:
    _forget_rows(session, job, dry=True)
    job.state, job.phase = "analysing", "analysis"
    job.done, job.total, job.checkpoint, job.counts = 0, None, {}, {}
    job.analysis = job.dry_run = job.failure = None


def _begin_dry_run(session: Session, job: ImportJob) -> None:
    _forget_rows(session, job, dry=True)
    job.dry_run = None
    _begin(job, "dry_run")


def _begin_import(session: Session, job: ImportJob) -> None:
    _forget_rows(session, job, dry=False)
    _begin(job, "import")


def _begin_rollback(_session: Session, job: ImportJob) -> None:
    job.state, job.phase, job.failure = "running", "rollback", None
    job.done, job.checkpoint = 0, {}


def _begin(job: ImportJob, phase: str) -> None:
    job.state, job.phase, job.failure = "running", phase, None
    job.done, job.checkpoint, job.counts = 0, {}, {}


def _forget_rows(session: Session, job: ImportJob, *, dry: bool) -> None:
    session.execute(delete(ImportRow).where(ImportRow.job_id == job.id, ImportRow.dry.is_(dry)))


def _pause(_session: Session, job: ImportJob) -> None:
    job.state = "paused"


def _resume(_session: Session, job: ImportJob) -> None:
    job.state = "analysing" if job.phase == "analysis" else "running"
    job.failure = job.finished_at = None


def _cancel(_session: Session, job: ImportJob) -> None:
    job.state = "cancelled"


_ORDERS = {
    "dry_run": _begin_dry_run,
    "run": _begin_import,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "rollback": _begin_rollback,
}
_FROM: Mapping[str, tuple[str, ...]] = {
    "dry_run": ("ready",),
    "run": ("ready",),
    "pause": AT_WORK,
    "resume": ("paused", "failed"),
    "cancel": (*AT_WORK, "ready", "paused", "failed"),
    "rollback": ("completed", "completed_with_errors", "cancelled", "paused", "failed"),
}
_INSTEAD: Mapping[str, str] = {
    "dry_run": "A dry run can be made when it is ready.",
    "run": "It can be run when it is ready; to bring the source once more, make a new import.",
    "pause": "Only what is at work can be paused.",
    "resume": "Only what is paused or has failed can be resumed.",
    "cancel": "There is nothing left to cancel; what came in can be rolled back.",
    "rollback": "It can be rolled back when it is completed, cancelled, paused or failed.",
}
_EVENTS: Mapping[str, str] = {
    "dry_run": "import.dry_run_started",
    "run": "import.started",
    "pause": "import.paused",
    "resume": "import.resumed",
    "cancel": "import.cancelled",
    "rollback": "import.rollback_started",
}


def running_job(session: Session, source: str, *, but: str = "") -> str | None:
    """The id of the job that works on a source just now."""
    wanted = select(ImportJob.id).where(ImportJob.source == source, ImportJob.state == "running", ImportJob.id != but)
    return session.scalar(wanted)


def _refuse_busy(session: Session, source: str, *, but: str = "") -> None:
    busy = running_job(session, source, but=but)
    if busy is not None:
        said = f"The import {busy} is running from the source '{source}'. Wait until it has ended, or pause it."
        raise WrongState("source_busy", said)


def _said(job: ImportJob) -> str:
    return f"{job.state.replace('_', ' ')} ({job.phase.replace('_', ' ')})"


# --- what may be asked for ---


def _source_faults(_session: Session, at: str, value: Any) -> list[Fault]:
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= LONGEST_SOURCE:
        return []
    return [Fault(at, "bad_source", f"A source is called by 1 to {LONGEST_SOURCE} readable characters.")]


def _type_faults(session: Session, at: str, value: Any) -> list[Fault]:
    if not isinstance(value, str):
        return [Fault(at, "not_text", "Give the name of a content type.")]
    try:
        name = site_types.find(session, value).name
    except NotFound:
        known = ", ".join(one for one in site_types.all_of(session) if one not in NOT_IMPORTED)
        return [Fault(at, "unknown_type", f"There is no such content type. These can be imported: {known}.")]
    if name in NOT_IMPORTED:
        said = "Texts are imported as news, article, page, or a type that staff made."
        return [Fault(at, "not_imported", said)]
    return []


def _locale_faults(session: Session, at: str, value: Any) -> list[Fault]:
    known = site.locales(session).all
    if value in known:
        return []
    return [Fault(at, "unknown_locale", f"The site has no such locale. It has: {', '.join(known)}.")]


def _flag_faults(_session: Session, at: str, value: Any) -> list[Fault]:
    return [] if isinstance(value, bool) else [Fault(at, "not_a_boolean", "Say true or false.")]


def _conflict_faults(_session: Session, at: str, value: Any) -> list[Fault]:
    known = get_args(OnConflict)
    return [] if value in known else [Fault(at, "unknown_choice", f"One of: {', '.join(known)}.")]


def _format_faults(_session: Session, at: str, value: Any) -> list[Fault]:
    if isinstance(value, str) and value in FORMATS:
        return []
    return [Fault(at, "unknown_format", f"The formats are: {', '.join(FORMATS)}. Leave it out to have it found.")]


def _section_faults(session: Session, at: str, value: Any) -> list[Fault]:
    if isinstance(value, str) and structure.newest_tree(session).section(value) is not None:
        return []
    return [Fault(at, "unknown_section", "There is no such section in the site structure.")]


def _names_faults(_session: Session, at: str, value: Any) -> list[Fault]:
    if not isinstance(value, Mapping) or len(value) > MOST_NAMES:
        return [Fault(at, "not_an_object", f"An object of at most {MOST_NAMES} names, each with a text.")]
    return [
        Fault(at, "not_text", f"Names and values are texts of at most {LONGEST_NAME} characters.")
        for name, given in value.items()
        if not (_is_name(name) and _is_name(given))
    ][:1]


def _mapping_faults(session: Session, at: str, value: Any) -> list[Fault]:
    if faults := _names_faults(session, at, value):
        return faults
    fields = {field.name for one in site_types.all_of(session).values() for field in one.fields}
    said = f"Say what it means ({', '.join(MEANINGS)}), or name a field of the type; nothing: it is only kept."
    return [
        Fault(f"{at}{json_pointer([name])}", "unknown_meaning", said)
        for name, use in value.items()
        if use and use not in MEANINGS and use.partition(".")[0] not in fields
    ]


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NAME and (not value or value.isprintable())


def _choice_faults(choices: Mapping[str, str], format: Any) -> list[Fault]:
    if format is None:
        return []
    return [
        Fault(f"/choices/{name}", "unknown_choice", _said_choice(name, format.choices))
        for name, value in choices.items()
        if not _is_offered(format.choices.get(name), value)
    ]


def _is_offered(offered: tuple[str, ...] | None, value: str) -> bool:
    return offered is not None and (not offered or value in offered)


def _said_choice(name: str, offered: Mapping[str, tuple[str, ...]]) -> str:
    if name in offered:
        return f"One of: {', '.join(offered[name])}."
    return f"This format lets you choose: {', '.join(offered) or 'nothing'}."


_CHECKS: Mapping[str, Any] = {
    "source": _source_faults,
    "type": _type_faults,
    "locale": _locale_faults,
    "publish": _flag_faults,
    "on_conflict": _conflict_faults,
    "mapping": _mapping_faults,
    "choices": _names_faults,
    "section": _section_faults,
    "fetch": _flag_faults,
    "format": _format_faults,
}

"""An import job whose rows tests bring by hand, as the engine does: the entry, its row, and what the row remembers."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from cms import bringing, finding, publishing, redirect_rules, saving, structure
from cms.attribution import By
from cms.identity import new_id
from cms.imports import jobs as import_jobs
from cms.redirect_rules import Rule
from cms.saving import Draft, Source
from cms.section_tree import copied
from cms.snapshots import revision_of
from cms.tables.entries import Entry
from cms.tables.jobs import ImportJob, ImportRow
from tests.cast import Colleague

SOURCE = "portal"
NOTE = "import from portal"


@dataclass
class Job:
    """A job that has run, or is about to."""

    session: Session
    who: Colleague
    job: ImportJob
    rows: list[ImportRow] = field(default_factory=list)

    @property
    def by(self) -> By:
        return self.who.by(note=NOTE)

    def bring(
        self, external_id: str, *, publish: bool = False, coming: frozenset[str] = frozenset(), **given: Any
    ) -> Entry:
        """Bring one row, and note what became of it. `id`: of the entry, if it shall be a certain one."""
        known = finding.counterpart(self.session, SOURCE, external_id)
        before, live = (known.revision, known.published_revision) if known is not None else (None, None)
        outer = {name: given.pop(name) for name in ("section", "slug") if name in given}
        made_as = given.pop("id", None)
        draft = Draft(locale="ru", **outer, coming=coming, fields={"title": external_id, **given})
        source = Source(SOURCE, external_id, digest=repr(sorted(given.items())))
        if known is None:
            entry = saving.create(self.session, "news", draft, by=self.by, source=source, entry_id=made_as).entry
            outcome = "made"
        else:
            brought = bringing.bring_one(self.session, "news", draft, source=source, by=self.by)
            entry, outcome = brought.saved.entry, brought.outcome
        self.session.flush()
        if publish:
            publishing.publish(self.session, entry, by=self.by)
        self.row("entry", outcome, entry.id, external_id, before=before, after=entry.revision, live_before=live)
        return entry

    def bring_sections(self, *slugs: str) -> list[str]:
        """Sections below the root, live."""
        entry = structure.entry(self.session)
        before, live = entry.revision, entry.published_revision
        tree = copied(revision_of(self.session, entry).fields.get("sections") or [])
        made = [{"id": new_id(), "slug": slug, "name": {"*": slug.title()}, "children": []} for slug in slugs]
        saving.save(self.session, entry, {"fields": {"sections": tree + made}}, expected=before, by=self.by)
        publishing.publish(self.session, entry, by=self.by)
        self.row("structure", "changed", entry.id, None, before=before, after=entry.revision, live_before=live)
        return [str(one["id"]) for one in made]

    def bring_redirect(self, path: str, to: str) -> str:
        """A rule for an old path."""
        rule = Rule(path=path, to=to)
        kept = redirect_rules.create(self.session, rule, by=self.by, source="import")
        self.row("redirect", "made", kept.redirect.id, path)
        return kept.redirect.id

    def row(self, kind: str, outcome: str, entry_id: str | None, external_id: str | None, **more: Any) -> ImportRow:
        """Note what became of a row."""
        row = ImportRow(
            job_id=self.job.id,
            dry=False,
            number=len(self.rows) + 1,
            kind=kind,
            outcome=outcome,
            entry_id=entry_id,
            external_id=external_id,
            **{"file": "portal.jsonl", "line": len(self.rows) + 1, **more},
        )
        self.session.add(row)
        self.rows.append(row)
        self.session.flush()
        return row


def a_job(session: Session, who: Colleague, **options: Any) -> Job:
    """A job that has come to its end; its rows are brought afterwards."""
    asked = import_jobs.read_asked(session, {"source": SOURCE, "type": "news", **options})
    job = import_jobs.create(session, asked, id=new_id(), folder="f", path=None, at_once=False, by=who.by(note=NOTE))
    job.state, job.phase = "completed", "import"
    session.flush()
    return Job(session, who, job)

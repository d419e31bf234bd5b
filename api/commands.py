"""The commands that write: each works wherever the data folder is held, in its own process or in the server.

A command tells what it does as dicts: `{"line": …}` for people, `{"output": …}` for scripts, and
`{"progress": n, "of": m, "doing": …}`.
"""

import queue
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from api import background, sweeping
from api.export_commands import export_site, remove_export, tell_digest
from api.import_commands import go_on, import_source, list_jobs, tell_job
from api.indexing import Follower
from api.parts import Parts
from cms import people, redirect_files, sign_in
from cms.attribution import COMMAND_LINE, By
from cms.errors import Fault, InvalidContent
from cms.tables.entries import Entry
from cms.tables.people import ApiKey, Person, User

Told = Iterator[dict[str, Any]]


def _by(parts: Parts) -> By:
    return By(COMMAND_LINE, parts.clock())


def add_user(parts: Parts, *, email: str, name: str, role: str, password: str) -> Told:
    """Make a person who can sign in, or let one that is known by the email do so."""
    with parts.database.writing() as session:
        by = _by(parts)
        person = session.scalar(select(Person).where(Person.email == email.strip().lower()))
        if person is None:
            person = people.add(session, name=name, email=email, by=by)
            session.flush()
        people.make_user(session, person, role=role, password=password, by=by)
    yield {"line": f"{email} can sign in as {role}."}
    yield {"output": person.id}


def set_password(parts: Parts, *, email: str, password: str) -> Told:
    """Give a user another password; their sessions end."""
    with parts.database.writing() as session:
        people.set_password(session, _user(session, email), password, by=_by(parts))
    yield {"line": f"{email} has a new password and is signed out everywhere."}


def set_role(parts: Parts, *, email: str, role: str) -> Told:
    """Give a user another role; their sessions end."""
    with parts.database.writing() as session:
        people.set_role(session, _user(session, email), role, by=_by(parts))
    yield {"line": f"{email} is {role} now and is signed out everywhere."}


def _user(session: Any, email: str) -> User:
    user: User | None = session.scalar(
        select(User).join(Person, Person.id == User.person_id).where(Person.email == email.strip().lower())
    )
    if user is None:
        raise InvalidContent([Fault("--email", "unknown_user", f"Nobody signs in as {email}.")])
    return user


def create_key(
    parts: Parts, *, name: str, role: str, scopes: list[str] | None = None, expires_at: str | None = None
) -> Told:
    """Make an API key. Its token is told once, as output."""
    expires = _instant(expires_at) if expires_at else None
    with parts.database.writing() as session:
        key, token = sign_in.make_key(session, name=name, role=role, scopes=scopes, expires_at=expires, by=_by(parts))
    yield {"line": f"Key {key.id} ({role}). It is shown once:"}
    yield {"output": token}


def _instant(written: str) -> datetime:
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise InvalidContent([Fault("--expires-at", "bad_date", "Write it with its zone: 2027-01-01T00:00:00Z.")])
    return instant


def revoke_key(parts: Parts, *, id: str) -> Told:
    """End a key at once."""
    with parts.database.writing() as session:
        key: ApiKey = sign_in.revoke_key(session, id, by=_by(parts))
    yield {"line": f"Key {key.id} ({key.name}) is revoked."}


def reindex(parts: Parts) -> Told:
    """Make both search indexes anew; searches go on with the old ones meanwhile."""
    with parts.database.reading() as session:
        total = session.scalar(select(func.count()).select_from(Entry)) or 0
    for follower in parts.followers:
        yield {"line": f"Rebuilding the {follower.name} index…"}
        yield from _rebuilding(follower, total)
    background.catch_up(parts)
    yield {"line": f"Both indexes are rebuilt: {total} entries."}


def _rebuilding(follower: Follower, total: int) -> Told:
    """Rebuild in a thread, so that its progress can be told meanwhile."""
    counts: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(follower.rebuild, counts.put)
        work.add_done_callback(lambda _work: counts.put(None))
        done = 0
        while (count := counts.get()) is not None:
            done += count
            yield {"progress": done, "of": max(total, done), "doing": follower.name}
        work.result()


def import_redirects(parts: Parts, *, path: str, strict: bool = False, dry_run: bool = False) -> Told:
    """Make and change redirects from a CSV file on this machine."""
    with Path(path).open("rb") as file:
        content = file.read(redirect_files.LARGEST_FILE + 1)
    if len(content) > redirect_files.LARGEST_FILE:
        said = f"The file is larger than {redirect_files.LARGEST_FILE} bytes: import it in parts."
        raise InvalidContent([Fault(path, "too_long", said)])
    text = redirect_files.text_of(content)
    opened = parts.database.reading if dry_run else parts.database.writing
    with opened() as session:
        outcome = redirect_files.bring(session, text, by=_by(parts), strict=strict, dry_run=dry_run)
    for one in outcome.refused:
        yield {"line": f"{path}:{one.line}: {one.message} [{one.code}]"}
    counts = f"made {outcome.made}, changed {outcome.changed}, same {outcome.same}, refused {len(outcome.refused)}"
    yield {"line": f"{'dry run, nothing was written: ' if dry_run else ''}{counts}"}
    yield {"report": asdict(outcome)}


def export_redirects(parts: Parts) -> Told:
    """Tell all redirects as CSV."""
    for piece in redirect_files.all_of(parts.database):
        yield {"output": piece.removesuffix("\n")}


def sweep_media(parts: Parts, *, dry_run: bool = False) -> Told:
    """Remove files that no revision holds, and bytes that are no file's; neither younger than a day."""
    swept = sweeping.look(parts) if dry_run else sweeping.sweep(parts, by=_by(parts))
    for one in swept.shown:
        yield {"line": f"{one['sha256']} {one['uploaded_at']} {one['size']} bytes {one['name']}"}
    counts = f"files {swept.files} ({swept.bytes} bytes), stray bytes of {swept.strays} ({swept.stray_bytes} bytes)"
    yield {"line": f"{'dry run, nothing was removed: ' if dry_run else 'removed: '}{counts}"}
    yield {"report": swept.told()}


COMMANDS: Mapping[str, Callable[..., Told]] = {
    "add-user": add_user,
    "set-password": set_password,
    "set-role": set_role,
    "create-key": create_key,
    "revoke-key": revoke_key,
    "reindex": reindex,
    "import": import_source,
    "import-step": go_on,
    "import-show": tell_job,
    "import-list": list_jobs,
    "import-redirects": import_redirects,
    "export-redirects": export_redirects,
    "export": export_site,
    "export-remove": remove_export,
    "digest": tell_digest,
    "sweep-media": sweep_media,
}

"""Taking a backup: the database first, then the media that it knows, the manifest last."""

import shutil
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from api.backups import keeping, manifest
from api.backups.checking import verify
from api.backups.keeping import BEGUN, Rules
from api.backups.kinds import KINDS, kind_of
from api.backups.manifest import FORMAT, Content, Manifest, backup_name, media_place, packed, sitedesk_version
from api.backups.media_copies import Sender, Sent
from api.backups.refusal import BackupRefused
from api.backups.survey import KnownFile, Survey
from api.backups.targets import Target, open_target
from api.backups.transfer import content_of
from api.settings import Settings
from cms import migrating
from cms.clock import Clock
from media.stores import open_store

SECRET = "secret"  # noqa: S105 - a file's name


def take(settings: Settings, given: str, *, verified: bool, rules: Rules, clock: Clock) -> Iterator[dict[str, Any]]:
    """Back the site up into a target, while its server runs or not. Tells the backup's name as output, when it is
    there, and reports how many files were `lost`: known to revisions, and not in the media store.

    Raises `BackupRefused`, `Unreachable`, OSError."""
    target = open_target(given, make=True)
    with target.working() as scratch:
        for name in keeping.sweep_leftovers(target, now=clock()):
            yield {"line": f"{name} was cut off and never became a backup: removed."}
        made, sent = yield from _make(settings, target, scratch, clock=clock)
        if verified:
            yield from verify(settings.database, target, made, scratch)
        lost = [one.sha256 for one in made.lost if one.held]
        for sha256 in lost[:20]:
            yield {"line": f"LOST {sha256}: a revision holds this file, and the media store has not its bytes"}
        yield {"line": _told(made, sent)}
        yield {"output": made.name}
        if not lost:
            yield from keeping.tidy(target, rules, now=clock())
    yield {"report": {"lost": len(lost)}}


def _told(made: Manifest, sent: Sent) -> str:
    entries = made.tables["entries"].rows
    media = f"{len(made.media)} files of media, {sent.files} of them new ({sent.bytes} bytes)"
    return f"Backup {made.name} is complete: {entries} entries, events up to {made.event}, {media}."


def _make(
    settings: Settings, target: Target, scratch: Path, *, clock: Clock
) -> Generator[dict[str, Any], None, tuple[Manifest, Sent]]:
    kind = kind_of(settings.database)
    size = KINDS[kind].size(settings.database)
    # The copy, and the same packed, which may be no smaller.
    _refuse_if_full(target, scratch, 2 * size)
    instant = _free_instant(target, clock())
    name = backup_name(instant)
    folder = f"{manifest.FOLDER}/{name}"
    _put(target, f"{folder}/{BEGUN}", scratch, b"")
    yield {"line": f"Copying the database ({size} bytes)…"}
    copy, content, found = KINDS[kind].copy(settings.database, scratch)
    if not migrating.is_known(found.migration):
        raise BackupRefused("the database was written by a newer Sitedesk: back it up with that version")
    files = {KINDS[kind].file: content_of(copy)}
    target.put(f"{folder}/{KINDS[kind].file}", copy)
    files |= _put_secret(settings, target, folder, scratch)
    sent = yield from _send_media(settings, target, scratch, found.files)
    made = _manifest(found, sent, name=name, kind=kind, instant=instant, database=content, files=files)
    _put(target, f"{folder}/{manifest.NAME}", scratch, packed(made))
    target.remove([f"{folder}/{BEGUN}"])
    return made, sent


def _manifest(found: Survey, sent: Sent, **known: Any) -> Manifest:
    return Manifest(
        format=FORMAT,
        sitedesk=sitedesk_version(),
        migration=found.migration,
        event=found.event,
        tables=found.tables,
        media=sent.media,
        lost=sent.lost,
        **known,
    )


def _free_instant(target: Target, now: datetime) -> datetime:
    whole, unfinished = manifest.names(target.sizes(manifest.FOLDER))
    instant = now
    while backup_name(instant) in (*whole, *unfinished):
        instant += timedelta(seconds=1)
    return instant


def _put_secret(settings: Settings, target: Target, folder: str, scratch: Path) -> dict[str, Content]:
    path = settings.folder / SECRET
    if not path.is_file():
        return {}
    return {SECRET: _put(target, f"{folder}/{SECRET}", scratch, path.read_bytes())}


def _send_media(
    settings: Settings, target: Target, scratch: Path, files: list[KnownFile]
) -> Generator[dict[str, Any], None, Sent]:
    there = target.sizes("media")
    missing = sum(one.size for one in files if there.get(media_place(one.sha256)) != one.size)
    _refuse_if_full(target, scratch, missing)
    earlier, _ = keeping.read_all(target)
    known = {medium.key: medium for one in earlier[-1:] for medium in one.media if "/" in medium.key}
    sender = Sender(open_store(settings.media), target, scratch, there, known)
    return (yield from sender.send(files))


def _put(target: Target, name: str, scratch: Path, content: bytes) -> Content:
    path = scratch / "content"
    path.touch(mode=0o600)
    path.write_bytes(content)
    told = content_of(path)
    target.put(name, path)
    path.unlink(missing_ok=True)
    return told


def _refuse_if_full(target: Target, scratch: Path, needed: int) -> None:
    free = target.free()
    room = shutil.disk_usage(scratch).free if free is None else free
    if room < needed:
        raise BackupRefused(f"{needed} bytes are needed and {room} are free: make room, or give another target")

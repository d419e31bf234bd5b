"""Whether what lies in a target can be restored: every size, every hash, and the database brought back on trial."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from api.backups import keeping, manifest, postgresql_copies, sqlite_copies
from api.backups.kinds import KINDS
from api.backups.manifest import Content, Manifest
from api.backups.refusal import BackupRefused
from api.backups.targets import Target, open_target
from api.backups.transfer import fault, fetch


def check(given: str) -> Iterator[dict[str, Any]]:
    """Read every byte of every backup, each once, and tell what is wrong. Reports how many `backups` and `faults`.

    Raises `BackupRefused`, `Unreachable`, OSError."""
    target = open_target(given, make=False)
    whole, faults = keeping.read_all(target)
    for said in faults:
        yield {"line": f"FAULT {said}"}
    for name in manifest.names(target.sizes(manifest.FOLDER))[1]:
        yield {"line": f"note  {name} has no manifest: it was cut off, or is under way"}
    wanted: dict[str, Content] = {}
    for one in whole:
        wanted |= one.contents()
    broken = yield from _damaged(target, wanted)
    for one in whole:
        missed = [place for place in one.contents() if place in broken]
        said = f"FAULT {one.name}: {broken[missed[0]]} ({len(missed)} in all)" if missed else f"good  {one.name}"
        yield {"line": said}
    yield {"report": {"backups": len(whole), "faults": len(faults) + len(broken)}}


def _damaged(target: Target, wanted: dict[str, Content]) -> Generator[dict[str, Any], None, dict[str, str]]:
    broken: dict[str, str] = {}
    for number, (place, content) in enumerate(sorted(wanted.items()), 1):
        said = fault(target, place, content)
        if said is not None:
            broken[place] = said
        yield {"progress": number, "of": len(wanted), "doing": "checking"}
    return broken


def verify(url: str, target: Target, made: Manifest, scratch: Path) -> Iterator[dict[str, Any]]:
    """Restore a backup on trial: its database in the scratch folder, or in a scratch database beside the one at `url`;
    all other bytes are read and compared. Raises `BackupRefused` for a backup that cannot be trusted."""
    yield {"line": f"Verifying {made.name}…"}
    contents = made.contents()
    place = made.place(KINDS[made.kind].file)
    copy = scratch / "verified"
    fetch(target, place, contents.pop(place), copy)
    if made.kind == "sqlite":
        sqlite_copies.unpack(copy, made, scratch / "verified.db")
        (scratch / "verified.db").unlink()
    else:
        with postgresql_copies.scratch_database(url) as trial:
            postgresql_copies.load(trial, copy, made, whole=True)
    copy.unlink()
    broken = yield from _damaged(target, contents)
    if broken:
        raise BackupRefused(f"the backup {made.name} is damaged: {next(iter(broken.values()))}")
    yield {"line": f"{made.name} was restored on trial: every table, every file is as it was."}

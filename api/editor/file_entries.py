"""The entry of a file that was taken in: the one that holds these bytes already, or a new one."""

from dataclasses import dataclass
from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import Response

from api.access import Desk, reading
from api.editor.replies import entry_reply
from api.editor.upload_lines import Lines
from cms import content, files, site
from cms.built_in_types import BUILT_IN
from cms.errors import Fault, InvalidContent
from cms.files import Received
from cms.tables.entries import Entry


@dataclass(frozen=True)
class Settled:
    """An entry, whether it was made for this file, and what its uploader should know."""

    entry: Entry
    made: bool
    warnings: tuple[Fault, ...]

    def reply(self, desk: Desk) -> Response:
        """201 for a new entry, 200 for a known one."""
        return entry_reply(desk, self.entry, warnings=self.warnings, status=201 if self.made else 200)


def refuse_who_may_not_upload(request: Request) -> None:
    """Before a byte of a body is taken in: strangers cannot fill the disk. Raises `Forbidden`."""
    with reading(request) as desk:
        desk.permit("create", type="file")
        desk.permit("create", type="image")


def check(desk: Desk, lines: Lines) -> None:
    """Look at what is said of a file before its bytes come. Raises `InvalidContent`."""
    if lines.locale is not None and lines.locale not in (known := site.locales(desk.session).all):
        said = f"The site has no such locale. It has: {', '.join(known)}."
        raise InvalidContent([Fault("/locale", "unknown_locale", said)])
    content.read(BUILT_IN["image"], {"title": lines.title or "-", "alt": lines.alt, **lines.others})


def settle(desk: Desk, received: Received, lines: Lines, *, at: str = "/file") -> Settled:
    """Find or make the entry of a file. Raises `Forbidden`, `InvalidContent`."""
    desk.permit("create", type=received.kind)
    known = files.holder_of(desk.session, received.sha256)
    stored = files.keep(desk.session, received, by=desk.by, is_there=desk.is_stored)
    if known is not None and desk.may("read", entry=known):
        told = Fault(at, "known_file", "These bytes were uploaded before: this is their entry.")
        return Settled(known, made=False, warnings=(told,))
    alike = tuple(
        Fault(at, "near_duplicate", f"It looks much like '{entry.title}', which is here already: entry {entry.id}.")
        for entry in files.alike(desk.session, received)
        if desk.may("read", entry=entry)
    )
    made = files.make_entry(
        desk.session,
        stored,
        title=lines.title or PurePath(received.name).stem,
        alt=lines.alt,
        locale=lines.locale or site.locales(desk.session).default,
        others=lines.others,
        by=desk.by,
    )
    return Settled(made.entry, made=True, warnings=(*made.warnings, *alike))

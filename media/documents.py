"""What documents say: their text for the search, their pages, a picture of the first. Read in child processes with
limits; a document that cannot be read is kept all the same, without a text."""

import io
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from media.quarantine import Quarantine
from media.refusals import RefusedMedia
from media.sniffing import OFFICE, PLAIN

READER = Path(__file__).with_name("document_reader.py")
# Longer documents are shown and found by their names alone.
MOST_BYTES = 100 << 20
SECONDS = 20


@dataclass(frozen=True, slots=True)
class Told:
    """All None where it is not known."""

    pages: int | None = None
    text: str | None = field(default=None, repr=False)
    picture: bytes | None = field(default=None, repr=False)


def read(path: Path, media_type: str, *, filename: str) -> Told:
    """What a document says, by its media type; `Told()` for what has no words, or none that can be got at."""
    task = TASKS.get(media_type)
    if task is None or path.stat().st_size > MOST_BYTES:
        return Told()
    markup = PurePosixPath(filename.lower()).suffix
    picture = io.BytesIO()
    try:
        answer = _quarantine.ask(task, path, into=picture, markup=markup)
        return Told(answer.whole("pages"), answer.text("text"), picture.getvalue() or None)
    except RefusedMedia:
        return Told()


def close() -> None:
    """End the child processes."""
    _quarantine.close()


_OPEN = "application/vnd.oasis.opendocument"
TASKS = {
    "application/pdf": "pdf",
    **{kind.media_type: "office" for kind in OFFICE.values()},
    **{f"{_OPEN}.{name}": "opendocument" for name in ("text", "spreadsheet", "presentation")},
    PLAIN.media_type: "plain",
    "text/csv": "plain",
    "text/html": "html",
}

# One child: documents are few, and one that reads them holds 100 MB.
_quarantine = Quarantine(program=READER, children=1, seconds=SECONDS, tasks=100)

"""What an upload is, and whether it may be kept."""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from media import documents
from media.copying import copy_pieces
from media.quarantine import Answer, Quarantine
from media.refusals import NotAnImage, RefusedMedia, Unreadable
from media.serving import INLINE, serving
from media.sniffing import AVIF, EXECUTABLE, GIF, JPEG, PNG, SVG, WEBP, Kind, sniff


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the bytes are. Width and height are in pixels, as shown; None for files and for an SVG without a size.

    Of pictures: `fingerprint`, a difference hash of 64 bits in 16 hexadecimal digits, near in Hamming distance for what
    looks alike; `placeholder`, a ThumbHash in base64; `color`, the dominant one as #rrggbb; `frames`. Of documents:
    `pages`; `text`, what they say, at most 500,000 characters; `picture`, the first page as a WebP.
    `clean`: a file beside the inspected one that shows the same without metadata (EXIF, GPS, XMP, comments) or, of an
    SVG, without scripts: what the public gets in its place, to be stored under `<sha256>/clean`. None where there was
    nothing to take out. Whoever asks owns that file; in a store's `incoming`, it is swept if it is left there.
    """

    kind: Literal["image", "file"]
    media_type: str
    extension: str
    width: int | None = None
    height: int | None = None
    fingerprint: str | None = None
    placeholder: str | None = None
    color: str | None = None
    frames: int | None = None
    pages: int | None = None
    text: str | None = field(default=None, repr=False)
    picture: bytes | None = field(default=None, repr=False)
    clean: Path | None = None

    @property
    def inline(self) -> bool:
        """Whether a browser may open it from the site's own address."""
        return serving(self.media_type).disposition == "inline"


def inspect(path: Path, *, filename: str, folder: Path | None = None) -> Inspected:
    """Tell what a file is from its content; pictures are decoded whole. `folder`: where a clean form is put, beside
    the file if None. Raises `RefusedMedia`."""
    if not path.stat().st_size:
        raise RefusedMedia("empty", "The file is empty.")
    kind = sniff(path)
    if kind == SVG or kind.media_type in INLINE:
        return _picture(path, "svg" if kind == SVG else "picture", folder or path.parent)
    if kind.media_type in CAMERA_ONLY:
        # Besides, its metadata could not be taken out: it would tell visitors where it was taken.
        raise RefusedMedia("not_for_the_web", "Browsers do not show HEIC pictures: save it as a JPEG and send that.")
    if kind.media_type in PROGRAMS:
        raise RefusedMedia("executable", "The file is a program or a script.")
    if PurePosixPath(filename.lower()).suffix in IMAGE_NAMES:
        raise NotAnImage(filename, kind.media_type)
    told = documents.read(path, kind.media_type, filename=filename)
    return Inspected("file", kind.media_type, kind.extension, pages=told.pages, text=told.text, picture=told.picture)


def close_inspection() -> None:
    """End the child processes. They start again by themselves when they are needed."""
    _quarantine.close()
    documents.close()


def _picture(path: Path, task: Literal["picture", "svg"], folder: Path) -> Inspected:
    with _clean_form(folder / f"{path.name.removesuffix('.part')}.clean.part") as (clean, file):
        answer = _quarantine.ask(task, path, into=file)
        found = _told(answer)
        file.flush()
        if task == "svg":
            changed = clean.read_bytes() != path.read_bytes()
        else:
            changed = file.tell() > 0 or copy_pieces(path, file, answer.facts.get("pieces"))
        if not changed:
            file.seek(0)
            file.truncate()
        return replace(found, clean=clean if changed else None)


@contextmanager
def _clean_form(clean: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A file that stays when something was written and nothing went wrong."""
    kept = False
    try:
        with clean.open("w+b") as file:
            yield clean, file
            kept = file.tell() > 0
    finally:
        if not kept:
            clean.unlink(missing_ok=True)


def _told(answer: Answer) -> Inspected:
    kind = FORMATS.get(answer.text("format") or "")
    if kind is None:
        raise Unreadable("the decoder gave no sensible answer")
    width, height = answer.size() or (None, None)
    return Inspected(
        "image",
        kind.media_type,
        kind.extension,
        width,
        height,
        fingerprint=answer.text("fingerprint"),
        placeholder=answer.text("placeholder"),
        color=answer.text("color"),
        frames=answer.whole("frames"),
    )


# The names of what the decoder gives back.
FORMATS: dict[str, Kind] = {"PNG": PNG, "JPEG": JPEG, "GIF": GIF, "WEBP": WEBP, "AVIF": AVIF, "SVG": SVG}
IMAGE_NAMES = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".webp", ".avif", ".svg"})
CAMERA_ONLY = frozenset({"image/heic", "image/heif"})
PROGRAMS = frozenset({EXECUTABLE.media_type, "application/x-msdownload", "application/wasm"})

_quarantine = Quarantine()
atexit.register(close_inspection)

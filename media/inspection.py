"""What an upload is, and whether it may be kept."""

import atexit
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from media.quarantine import Quarantine
from media.refusals import NotAnImage, RefusedMedia
from media.serving import INLINE, serving
from media.sniffing import AVIF, EXECUTABLE, GIF, JPEG, PNG, SVG, WEBP, Kind, sniff


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the bytes are. Width and height are in pixels, as shown; None for files and for an SVG without a size."""

    kind: Literal["image", "file"]
    media_type: str
    extension: str
    width: int | None = None
    height: int | None = None

    @property
    def inline(self) -> bool:
        """Whether a browser may open it from the site's own address."""
        return serving(self.media_type).disposition == "inline"


def inspect(path: Path, *, filename: str) -> Inspected:
    """Tell what a file is from its content; pictures are decoded whole. Raises `RefusedMedia`."""
    if not path.stat().st_size:
        raise RefusedMedia("empty", "The file is empty.")
    kind = sniff(path)
    if kind == SVG:
        return _image(SVG, _quarantine.decode("svg", path).size)
    if kind.media_type in INLINE:
        picture = _quarantine.decode("picture", path)
        return _image(FORMATS[picture.format], picture.size)
    if kind.media_type in PROGRAMS:
        raise RefusedMedia("executable", "The file is a program or a script.")
    if PurePosixPath(filename.lower()).suffix in IMAGE_NAMES:
        raise NotAnImage(filename, kind.media_type)
    return Inspected("file", kind.media_type, kind.extension)


def close_inspection() -> None:
    """End the child processes. They start again by themselves when they are needed."""
    _quarantine.close()


def _image(kind: Kind, size: tuple[int, int] | None) -> Inspected:
    width, height = size or (None, None)
    return Inspected("image", kind.media_type, kind.extension, width, height)


# The names of what the decoder gives back.
FORMATS = {"PNG": PNG, "JPEG": JPEG, "GIF": GIF, "WEBP": WEBP, "AVIF": AVIF}
IMAGE_NAMES = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".webp", ".avif", ".svg"})
PROGRAMS = frozenset({EXECUTABLE.media_type, "application/x-msdownload", "application/wasm"})

_quarantine = Quarantine()
atexit.register(close_inspection)

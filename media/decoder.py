"""The program of the child process: decodes one file after another, under limits that it cannot lift.

It runs as a script, so it imports nothing of ours. It is told a task and a path, and answers with facts or a refusal.
"""

import json
import math
import re
import resource
import sys
import time
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from PIL import AvifImagePlugin, Image, UnidentifiedImageError

MAX_PIXELS = 40_000_000
MAX_FRAMES = 500
MAX_MOVING_PIXELS = 400_000_000
MAX_SVG_BYTES = 10_000_000
MAX_MEMORY = 3 << 29
CPU_SECONDS = 15
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")
# These say how many frames they have; the frames of a GIF have to be walked through.
DECLARED = ("PNG", "WEBP", "AVIF")
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)

Answer = dict[str, Any]


class RefusedError(Exception):
    """Code and reason of a refusal."""


def main() -> None:
    _limit()
    with Connection(int(sys.argv[1])) as parent:
        parent.send_bytes(b"ready")
        # The parent is gone, or wants no more of us.
        with suppress(EOFError, ConnectionResetError, BrokenPipeError):
            while True:
                task, path = json.loads(parent.recv_bytes())
                _allow_cpu()
                parent.send_bytes(json.dumps(answer(task, path)).encode())


def answer(task: str, path: str) -> Answer:
    """The facts of a file, or `refused` with `code` and `reason`."""
    try:
        return TASKS[task](Path(path))
    except RefusedError as refusal:
        code, reason = refusal.args
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        code, reason = "too_many_pixels", f"it has more than {MAX_PIXELS:,} pixels"
    except MemoryError:
        code, reason = "too_many_pixels", "it takes too much memory to decode"
    except Exception as error:  # noqa: BLE001 - the edge of a process: a decoder fed with anything raises anything
        code, reason = "unreadable", _reason(error)
    return {"refused": code, "reason": reason}


def read_picture(path: Path) -> Answer:
    """Format, and the size as shown, turned as EXIF says. Decodes every frame: only that finds a file cut short."""
    with Image.open(path, formats=FORMATS) as picture:
        _refuse_bombs(picture, getattr(picture, "n_frames", 1) if picture.format in DECLARED else 1)
        _decode_all(picture)
        width, height = picture.size
        size = [height, width] if _orientation(picture) in TURNED else [width, height]
        return {"format": "JPEG" if picture.format == "MPO" else picture.format, "size": size}


def read_svg(path: Path) -> Answer:
    """The size from the root element's width and height, else its viewBox, else None."""
    if path.stat().st_size > MAX_SVG_BYTES:
        _refuse("too_large", f"an SVG may have {MAX_SVG_BYTES:,} bytes")
    roots: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def keep_first(name: str, attributes: dict[str, str]) -> None:
        roots.append((name, attributes))
        parser.StartElementHandler = None

    parser.StartElementHandler = keep_first
    parser.EntityDeclHandler = _refuse_entity
    with path.open("rb") as file:
        parser.ParseFile(file)
    name, attributes = roots[0]
    if name.rpartition(" ")[2] != "svg":
        _refuse("unreadable", f"its root element is {name[:80]}")
    return {"format": "SVG", "size": _svg_size(attributes)}


TASKS = {"picture": read_picture, "svg": read_svg}


def _refuse(code: str, reason: str) -> NoReturn:
    raise RefusedError(code, reason)


def _refuse_entity(*_: object) -> NoReturn:
    _refuse("unreadable", "it declares XML entities")


def _refuse_bombs(picture: Image.Image, frames: int) -> None:
    if frames > MAX_FRAMES:
        _refuse("too_many_frames", f"it has more than {MAX_FRAMES} frames")
    if picture.width * picture.height * frames > MAX_MOVING_PIXELS:
        _refuse("too_many_frames", f"its frames have more than {MAX_MOVING_PIXELS:,} pixels together")


def _decode_all(picture: Image.Image) -> None:
    picture.load()
    # A camera's MPO is a JPEG with more pictures behind it, which browsers do not show.
    if picture.format == "MPO":
        return
    for frame in range(1, MAX_FRAMES + 1):
        try:
            picture.seek(frame)
        except EOFError:
            return
        _refuse_bombs(picture, frame + 1)
        picture.load()


def _orientation(picture: Image.Image) -> int:
    # Broken EXIF does not keep a browser from showing the picture, so it does not keep us from taking it.
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - as above
        return 1


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no decoder knows it"
    return re.sub(r"\s+", " ", str(error))[:160] or type(error).__name__


def _svg_size(attributes: dict[str, str]) -> list[int] | None:
    written = [_pixels(attributes.get(side, "")) for side in ("width", "height")]
    boxed = [_pixels(each) for each in re.split(r"[\s,]+", attributes.get("viewBox", "").strip())[2:4]]
    for sides in (written, boxed):
        if len(sides) == 2 and all(sides):
            return [side for side in sides if side]
    return None


def _pixels(length: str) -> int | None:
    plain = re.fullmatch(r"\s*(\d{1,6}(?:\.\d{0,9})?|\.\d{1,9})(?:px)?\s*", length, re.ASCII)
    return max(1, math.floor(float(plain[1]) + 0.5)) if plain and float(plain[1]) else None


def _limit() -> None:
    warnings.simplefilter("ignore")
    # Checked before anything is decoded, and again for every frame.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    # Every thread reserves address space of its own.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    for what, most in LIMITS.items():
        # macOS knows the address-space limit and refuses to set it.
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


LIMITS = {resource.RLIMIT_AS: MAX_MEMORY, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: 32}


def _allow_cpu() -> None:
    # The limit counts from the start of the process: every task moves it on.
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + CPU_SECONDS, hard))


if __name__ == "__main__":
    main()

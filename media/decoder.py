"""The program of the child process for pictures: tells what they are, and makes other forms of them."""

import math
import re
import warnings
from pathlib import Path
from xml.parsers import expat

import py_svg_hush
from PIL import AvifImagePlugin, Image, UnidentifiedImageError

from media import anatomy, child, looks, shrinking
from media.child import Facts, Options, refuse

MAX_PIXELS = 40_000_000
MAX_FRAMES = 500
MAX_MOVING_PIXELS = 400_000_000
MAX_SVG_BYTES = 10_000_000
MAX_SVG_DEPTH = 200
MAX_SVG_ELEMENTS = 300_000
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")
# These say how many frames they have; the frames of a GIF have to be walked through.
DECLARED = ("PNG", "WEBP", "AVIF")


def read_picture(path: Path, _: Options) -> tuple[Facts, bytes]:
    """Format, size as shown, looks, and what a clean copy is made of. Decodes every frame: only that finds a file cut
    short."""
    with path.open("rb") as file, Image.open(file, formats=FORMATS) as picture:
        name = "JPEG" if picture.format == "MPO" else str(picture.format)
        found = anatomy.dissect(path, name, most_frames=MAX_FRAMES)
        frames = getattr(picture, "n_frames", 1) if picture.format in DECLARED else found.frames
        _refuse_bombs(picture, frames)
        picture.load()
        orientation = shrinking.orientation(picture)
        facts = {"format": name, "frames": frames, "size": shrinking.shown_size(picture, orientation)}
        # The first frame's: the next ones are painted over it.
        facts |= looks.facts(shrinking.turned(looks.thumbnail(picture), orientation))
        # AVIF says in the container itself how to turn it, and browsers heed that.
        turn = orientation != 1 and frames == 1 and name != "AVIF"
        content = shrinking.upright(picture, orientation, lossless=found.lossless) if turn else b""
        _decode_rest(picture)
    return facts | {"pieces": None if turn else found.pieces}, content


def read_svg(path: Path, _: Options) -> tuple[Facts, bytes]:
    """The size from the root element's width and height, else its viewBox, else None; the drawing without scripts."""
    if path.stat().st_size > MAX_SVG_BYTES:
        refuse("too_large", f"an SVG may have {MAX_SVG_BYTES:,} bytes")
    content = path.read_bytes()
    name, attributes = _root(content)
    if name.rpartition(" ")[2] != "svg":
        refuse("unreadable", f"its root element is {name[:80]}")
    return {"format": "SVG", "size": _svg_size(attributes)}, sanitised(content)


def sanitised(content: bytes) -> bytes:
    """An SVG without scripts, event handlers, foreign elements and addresses of other hosts."""
    return bytes(py_svg_hush.filter_svg(content, {"image": ["png", "jpeg", "gif", "webp"]}))


def render(path: Path, options: Options) -> tuple[Facts, bytes]:
    """A rendition: `spec` and `format` as media.renditions writes them."""
    with Image.open(path, formats=FORMATS) as picture:
        _refuse_bombs(picture, 1)
        return shrinking.render(picture, str(options["spec"]), str(options["format"]))


TASKS: dict[str, child.Task] = {"picture": read_picture, "svg": read_svg, "render": render}


def explain(error: Exception) -> tuple[str, str]:
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return "too_many_pixels", f"it has more than {MAX_PIXELS:,} pixels"
    return "unreadable", "no decoder knows it" if isinstance(error, UnidentifiedImageError) else child.reason_of(error)


def _root(content: bytes) -> tuple[str, dict[str, str]]:
    """Name and attributes of the root element, of a drawing that the sanitiser can be given: its time grows with the
    square of the depth."""
    root: tuple[str, dict[str, str]] = ("", {})
    elements = depth = 0
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal root, elements, depth
        root = root if elements else (name, attributes)
        elements, depth = elements + 1, depth + 1
        if depth > MAX_SVG_DEPTH or elements > MAX_SVG_ELEMENTS:
            refuse("too_large", f"it has more than {MAX_SVG_ELEMENTS:,} elements, or one in another {depth} deep")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.EntityDeclHandler = _refuse_entity
    parser.Parse(content, True)
    return root


def _refuse_entity(*_: object) -> None:
    refuse("unreadable", "it declares XML entities")


def _refuse_bombs(picture: Image.Image, frames: int) -> None:
    if frames > MAX_FRAMES:
        refuse("too_many_frames", f"it has more than {MAX_FRAMES} frames")
    if picture.width * picture.height * frames > MAX_MOVING_PIXELS:
        refuse("too_many_frames", f"its frames have more than {MAX_MOVING_PIXELS:,} pixels together")


def _decode_rest(picture: Image.Image) -> None:
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


def main() -> None:
    warnings.simplefilter("ignore")
    # Checked before anything is decoded, and again for every frame.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    # Every thread reserves address space of its own.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    child.serve(TASKS, explain)


if __name__ == "__main__":
    main()

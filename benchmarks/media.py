"""How long pictures take to be inspected, rendered and refused: `python -m benchmarks.media`."""

import hashlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from benchmarks.figures import Figure, table
from media.inspection import close_inspection, inspect
from media.refusals import RefusedMedia
from media.rendering import Renderer
from media.renditions import Format, Spec
from media.stores import FolderStore
from tests.media.bytes_at_hand import HTML, endless_gif, picture, png_of, zipped

WIDTHS = (320, 640, 960, 1280, 1920)
FIRST = 800
REPEATS = 5


def run() -> list[Figure]:
    """Every figure, with the time of one plain decoding beside what depends on the machine."""
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder) / "media")
        photo = Path(folder) / "photo.jpg"
        photo.write_bytes(build_photo())
        figures = [_photo(photo), *_renditions(store, photo), *_refusals(Path(folder) / "hostile")]
    close_inspection()
    return figures


def build_photo() -> bytes:
    """A JPEG of 4000 × 3000 pixels with the detail of a photo: gradients, soft shapes, grain."""
    width, height = 4000, 3000
    soft = [Image.effect_noise((width // 8, height // 8), 90).resize((width, height), Image.Resampling.BICUBIC)]
    soft += [Image.linear_gradient("L").resize((width, height)), Image.radial_gradient("L").resize((width, height))]
    colors = [Image.blend(one, other, 0.5) for one, other in zip(soft, soft[1:] + soft[:1], strict=True)]
    grain = Image.effect_noise((width, height), 24)
    file = io.BytesIO()
    grainy = Image.blend(Image.merge("RGB", colors), Image.merge("RGB", (grain,) * 3), 0.12)
    grainy.save(file, "JPEG", quality=88)
    return file.getvalue()


def _photo(photo: Path) -> Figure:
    inspect(photo, filename="photo.jpg")
    inspecting = _median(lambda: inspect(photo, filename="photo.jpg"))
    decoding = _median(lambda: _decode(photo))
    said = f"{inspecting:.0f} ms, {inspecting / decoding:.1f} times decoding it ({decoding:.0f} ms)"
    megabytes = photo.stat().st_size / 1e6
    return Figure(f"inspecting a photo of 12 megapixels, {megabytes:.1f} MB", said, "—")


def _decode(photo: Path) -> None:
    with Image.open(photo) as opened:
        opened.load()


def _renditions(store: FolderStore, photo: Path) -> list[Figure]:
    sha256 = hashlib.sha256(photo.read_bytes()).hexdigest()
    renderer = Renderer(store)
    store.put(sha256, photo)
    # The children start with the first picture; from then on a server has them running.
    cold = _timed(lambda: renderer.rendition(sha256, Spec(width=FIRST), format="webp"))
    _five(renderer, store, sha256, "png")

    def one(format: Format) -> float:
        def make() -> None:
            _forget(store, sha256)
            renderer.rendition(sha256, Spec(width=FIRST), format=format)

        return _median(make)

    def five(format: Format) -> float:
        return _median(lambda: _five(renderer, store, sha256, format))

    widths = ", ".join(map(str, WIDTHS))
    figures = [
        Figure(f"first rendition, {FIRST} wide, WebP", f"{one('webp'):.0f} ms", "under 250 ms"),
        Figure("the same, of a server that has just started", f"{cold:.0f} ms", "—"),
        Figure(f"first rendition, {FIRST} wide, AVIF", f"{one('avif'):.0f} ms", "measured"),
        Figure(f"five widths ({widths}), WebP", f"{five('webp') / 1000:.2f} s", "under 1.5 s"),
        Figure(f"five widths ({widths}), AVIF", f"{five('avif') / 1000:.2f} s", "measured"),
    ]
    kept = _median(lambda: renderer.rendition(sha256, Spec(width=WIDTHS[0]), format="avif"))
    renderer.close()
    return [*figures, Figure("a rendition that is kept", f"{kept:.2f} ms", "—")]


def _five(renderer: Renderer, store: FolderStore, sha256: str, format: Format) -> None:
    _forget(store, sha256)
    with ThreadPoolExecutor(len(WIDTHS)) as visitors:
        list(visitors.map(lambda width: renderer.rendition(sha256, Spec(width=width), format=format), WIDTHS))


def _forget(store: FolderStore, sha256: str) -> None:
    for name in store.derived(sha256):
        store.delete(f"{sha256}/{name}")


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a PNG of 3.2 billion pixels": lambda: png_of(57_000, 57_000),
    "a GIF of 10,000 frames": lambda: endless_gif(10_000),
    "a GIF of 10,000 frames on 36 megapixels": lambda: endless_gif(10_000, side=6000),
    "a photo cut short": lambda: build_photo()[:-200_000],
    "a PNG cut short": lambda: picture("PNG", (3000, 2000))[:-1000],
    "a picture that is an archive too": lambda: picture("PNG", (2000, 1500)) + zipped("Evil.class"),
    "a picture that is a page too": lambda: picture("JPEG", (2000, 1500)) + HTML,
}


def _refusals(path: Path) -> list[Figure]:
    figures, more = [], 0.0
    for name, build in HOSTILE.items():
        content = build()
        path.write_bytes(content)
        # The highest so far was reached by building it: forget that.
        Path("/proc/self/clear_refs").write_text("5")
        before = _memory()
        worst = max(_timed(lambda: _refused(path)) for _ in range(REPEATS))
        weight = f"{len(content) / 1000:,.0f} kB"
        more = max(more, _memory() - before)
        figures.append(Figure(f"refusing {name}, {weight}, worst of {REPEATS}", f"{worst:.0f} ms", "under 300 ms"))
    return [*figures, Figure("more memory of the server at its highest, refusing these", f"{more:.1f} MB", "flat")]


def _refused(path: Path) -> None:
    try:
        inspect(path, filename="upload")
    except RefusedMedia:
        return
    raise AssertionError("it was taken")


def _memory() -> float:
    """Megabytes at the highest since it was last forgotten (Linux)."""
    said = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(said["VmHWM"].split()[0]) / 1024


def _median(work: Callable[[], object]) -> float:
    return statistics.median(_timed(work) for _ in range(REPEATS))


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    print(table(run()))

"""Renditions: what they look like, that each is made once, and what becomes of pictures that cannot be rendered."""

import hashlib
import io
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from PIL import Image, ImageCms

from media.quarantine import Quarantine
from media.refusals import RefusedMedia, Unreadable
from media.rendering import Renderer
from media.renditions import Format, Spec
from media.stores import FolderStore, NotStored
from tests.media.bytes_at_hand import endless_gif, moving, picture, png_of
from tests.media.test_cleaning import SECRETS, chunk, told_of
from tests.media.test_quarantine import GREETING

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
Render = Callable[..., Image.Image]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "media")


@pytest.fixture(scope="module")
def quarantine() -> Iterator[Quarantine]:
    kept = Quarantine()
    yield kept
    kept.close()


@pytest.fixture
def renderer(store: FolderStore, quarantine: Quarantine) -> Renderer:
    return Renderer(store, quarantine=quarantine)


def stored(store: FolderStore, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    path = store.incoming / "upload.part"
    path.write_bytes(content)
    store.put(sha256, path)
    return sha256


@pytest.fixture
def render(store: FolderStore, renderer: Renderer) -> Render:
    def at(content: bytes, spec: str) -> Image.Image:
        chosen = Spec.parse(spec)
        made = renderer.rendition(stored(store, content), chosen, format=cast("Format", chosen.format))
        with made.open() as file:
            written = file.read()
        assert (made.media_type, made.size) == (f"image/{chosen.format}", len(written))
        assert not [secret for secret in SECRETS if secret in written]
        opened = Image.open(io.BytesIO(written))
        assert not opened.info.keys() & {"exif", "xmp", "icc_profile", "comment", "Author"}
        return opened

    return at


def saved(drawn: Image.Image, file_format: str = "PNG", **saving: Any) -> bytes:
    file = io.BytesIO()
    drawn.save(file, file_format, **saving)
    return file.getvalue()


def corners() -> Image.Image:
    """Red, green / blue, white; 80 × 40."""
    drawn = Image.new("RGB", (80, 40), WHITE)
    drawn.paste(RED, (0, 0, 40, 20))
    drawn.paste(GREEN, (40, 0, 80, 20))
    drawn.paste(BLUE, (0, 20, 40, 40))
    return drawn


def near(one: Any, other: tuple[int, ...], by: int = 14) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("wanted", ["avif", "webp", "jpeg", "png"])
@pytest.mark.parametrize("source", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
def test_every_picture_comes_in_every_format(render: Render, source: str, wanted: str) -> None:
    made = render(picture(source, (120, 90)), f"fit_60_{wanted}")
    assert (made.format or "").lower() == wanted
    assert made.size == (60, 45)


@pytest.mark.parametrize(
    ("spec", "colors"),
    [
        ("fill_20x20_f0-0_png", (RED, BLUE)),
        ("fill_20x20_f100-0_png", (GREEN, WHITE)),
        ("fill_20x20_f20-10_png", (RED, BLUE)),
        ("fill_40x10_f0-0_png", (RED, RED)),
        ("fill_40x10_f0-100_png", (BLUE, BLUE)),
    ],
)
def test_filling_cuts_around_the_focus(render: Render, spec: str, colors: tuple[tuple[int, ...], ...]) -> None:
    made = render(saved(corners()), spec).convert("RGB")
    assert str(made.size) == str(Spec.parse(spec).size(80, 40))
    assert near(made.getpixel((4, 1)), colors[0])
    assert near(made.getpixel((4, made.height - 2)), colors[1])


def test_the_middle_is_the_focus_when_none_is_said(render: Render) -> None:
    made = render(saved(corners()), "fill_20x20_png").convert("RGB")
    assert near(made.getpixel((2, 2)), RED)
    assert near(made.getpixel((17, 2)), GREEN)


def test_nothing_is_enlarged(render: Render) -> None:
    assert render(picture("PNG", (40, 30)), "fit_640_webp").size == (40, 30)
    assert render(picture("PNG", (40, 30)), "fill_800x450_webp").size == (40, 22)


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("spec", ["fit_40_png", "fill_20x20_f0-0_png"])
def test_a_picture_is_shown_upright(render: Render, orientation: int, spec: str) -> None:
    upright = corners()
    back = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    as_taken = upright if back is None else upright.transpose(Image.Transpose(back))
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = render(saved(as_taken, "JPEG", exif=exif, quality=95, subsampling=0), spec).convert("RGB")
    assert near(made.getpixel((3, 3)), RED, 40)


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_nothing_of_what_a_camera_wrote_gets_out(render: Render, source: str) -> None:
    for wanted in ("avif", "webp", "jpeg", "png"):
        render(told_of(source), f"fit_32_{wanted}")


def wide_gamut() -> bytes:
    """A profile whose red and green have changed places: colours show whether it was heeded."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {
        bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * struct.unpack(">I", profile[128:132])[0], 12)
    }
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    profile[red + 4 : red + 12], profile[green + 4 : green + 12] = (
        profile[green + 4 : green + 12],
        profile[red + 4 : red + 12],
    )
    # Its name is looked at: sRGB need not be converted.
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "odd ".encode("utf-16-be"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_converted_from_the_pictures_profile(render: Render, mode: str) -> None:
    drawn = Image.new("RGB", (40, 40), RED).convert(mode)
    made = render(saved(drawn, icc_profile=wide_gamut()), "fit_20_png")
    assert near(cast("tuple[int, ...]", made.convert("RGB").getpixel((5, 5))), GREEN)
    assert made.mode == mode


@pytest.mark.parametrize("profile", [b"", b"nonsense", wide_gamut()[:400]])
def test_a_profile_that_makes_no_sense_is_passed_over(render: Render, profile: bytes) -> None:
    made = render(saved(Image.new("RGB", (40, 40), RED), icc_profile=profile), "fit_20_png")
    assert near(made.convert("RGB").getpixel((5, 5)), RED)


def test_four_inks_become_colours(render: Render) -> None:
    made = render(saved(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG"), "fit_20_webp")
    assert near(made.convert("RGB").getpixel((5, 5)), RED, 30)


def test_sixteen_bits_of_grey_become_eight(render: Render) -> None:
    rows = b"".join(b"\0" + struct.pack(">H", row * 1024) * 64 for row in range(64))
    header = struct.pack(">IIBBBBB", 64, 64, 16, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    made = render(content, "fit_32_png").convert("L")
    assert [abs(int(cast("int", made.getpixel((9, row)))) - row * 8) < 8 for row in (1, 16, 30)] == [True] * 3


def test_what_shows_through_shows_through(render: Render) -> None:
    drawn = Image.new("RGBA", (80, 40), (255, 0, 0, 0))
    drawn.paste((0, 0, 255, 255), (40, 0, 80, 40))
    for source in (saved(drawn), saved(drawn, "WEBP", lossless=True), saved(drawn.quantize(4))):
        for wanted in ("webp", "png", "avif"):
            made = render(source, f"fit_40_{wanted}").convert("RGBA")
            assert cast("tuple[int, ...]", made.getpixel((5, 5)))[3] < 20
            assert near(made.getpixel((35, 5)), (0, 0, 255, 255), 30)
        assert near(render(source, "fit_40_jpeg").getpixel((5, 5)), WHITE)


def test_palettes_and_two_colours_are_scaled_as_colours(render: Render) -> None:
    for drawn in (corners().quantize(8), corners().convert("L").convert("1")):
        made = render(saved(drawn), "fit_40_png").convert("RGB")
        assert near(made.getpixel((35, 18)), WHITE)


@pytest.mark.parametrize("source", ["GIF", "WEBP"])
def test_what_moves_keeps_moving_in_webp_and_stands_still_elsewhere(render: Render, source: str) -> None:
    content = moving(source, 5)
    assert getattr(render(content, "fit_10_webp"), "n_frames", 1) == 5
    assert getattr(render(content, "fit_10_png"), "n_frames", 1) == 1


def test_what_moves_too_much_stands_still(render: Render) -> None:
    assert getattr(render(endless_gif(300, side=100), "fit_50_webp"), "n_frames", 1) == 1


def test_a_rendition_is_kept_beside_the_picture(store: FolderStore, renderer: Renderer) -> None:
    sha256 = stored(store, picture("PNG"))
    first = renderer.rendition(sha256, Spec(width=20), format="webp")
    assert list(store.derived(sha256)) == ["r1_fit_20.webp"]
    store.delete(sha256)
    stored(store, picture("PNG"))
    assert first.path is not None
    assert not first.path.exists()


class Remote(FolderStore):
    """A store whose files have no local path."""

    def path(self, key: str) -> Any:
        if not self.exists(key):
            raise NotStored(key)

    def size(self, key: str) -> int:
        return super().path(key).stat().st_size

    def open(self, key: str) -> BinaryIO:
        return super().path(key).open("rb")


def test_pictures_of_a_remote_store_are_rendered_too(tmp_path: Path, quarantine: Quarantine) -> None:
    store = Remote(tmp_path / "remote")
    renderer = Renderer(store, quarantine=quarantine)
    made = renderer.rendition(stored(store, picture("PNG")), Spec(width=20), format="webp")
    with made.open() as file, Image.open(file) as opened:
        assert (opened.size, made.path) == ((20, 15), None)
    assert not list(store.incoming.iterdir())


def test_a_picture_that_is_not_there_has_no_rendition(renderer: Renderer) -> None:
    with pytest.raises(NotStored):
        renderer.rendition("0" * 64, Spec(width=20), format="webp")


class Slow(Quarantine):
    """Counts what is made, and makes it only when told."""

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__()
        self.made: list[str] = []
        self.failure = failure
        self.begun, self.go = threading.Event(), threading.Event()

    def ask(self, task: str, path: Path, *, into: Any = None, **options: str) -> Any:
        self.made.append(options["spec"])
        self.begun.set()
        assert self.go.wait(10)
        if self.failure:
            raise self.failure
        into.write(b"made")


def test_many_who_ask_for_the_same_cause_one_rendering(store: FolderStore) -> None:
    sha256, slow = stored(store, picture("PNG")), Slow()
    renderer = Renderer(store, quarantine=slow)
    with ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(renderer.rendition, sha256, Spec(width=20), format="webp") for _ in range(12)]
        assert slow.begun.wait(10)
        slow.go.set()
        assert {each.result().size for each in asked} == {4}
    assert slow.made == ["fit_20_auto"]
    renderer.rendition(sha256, Spec(width=20), format="webp")
    assert len(slow.made) == 1


@pytest.mark.parametrize("failure", [Unreadable("it is broken"), RefusedMedia("too_slow", "It takes too long.")])
def test_a_picture_that_failed_is_not_tried_again_for_a_while(store: FolderStore, failure: RefusedMedia) -> None:
    now = [0.0]
    sha256, slow = stored(store, picture("PNG")), Slow(failure)
    slow.go.set()
    renderer = Renderer(store, quarantine=slow, clock=lambda: now[0])
    for width in (20, 20, 30):
        with pytest.raises(type(failure)) as refusal:
            renderer.rendition(sha256, Spec(width=width), format="webp")
        assert (refusal.value.code, refusal.value.message) == (failure.code, failure.message)
    assert len(slow.made) == 1
    now[0] = 61
    slow.failure = None
    assert renderer.rendition(sha256, Spec(width=20), format="webp").size == 4
    assert not list(store.incoming.iterdir())


def test_all_who_wait_for_what_fails_are_told(store: FolderStore) -> None:
    sha256, slow = stored(store, picture("PNG")), Slow(Unreadable("it is broken"))
    renderer = Renderer(store, quarantine=slow)
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(renderer.rendition, sha256, Spec(width=20), format="webp") for _ in range(4)]
        assert slow.begun.wait(10)
        slow.go.set()
        assert all(isinstance(each.exception(), Unreadable) for each in asked)


def test_a_fault_of_ours_is_tried_again(store: FolderStore) -> None:
    sha256, slow = stored(store, picture("PNG")), Slow(RuntimeError("no memory for a child"))
    slow.go.set()
    renderer = Renderer(store, quarantine=slow)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            renderer.rendition(sha256, Spec(width=20), format="webp")
    assert len(slow.made) == 2


BAD = {
    "a bomb": (png_of(30_000, 30_000), "too_many_pixels"),
    "cut short": (picture("PNG", (200, 100))[:900], "unreadable"),
    "no picture": (b"<html>", "unreadable"),
}


@pytest.mark.parametrize(("content", "code"), BAD.values(), ids=BAD)
def test_what_cannot_be_decoded_is_refused(store: FolderStore, renderer: Renderer, content: bytes, code: str) -> None:
    with pytest.raises(RefusedMedia) as refusal:
        renderer.rendition(stored(store, content), Spec(width=20), format="webp")
    assert refusal.value.code == code
    assert not list(store.incoming.iterdir())


def test_a_child_that_breaks_takes_only_its_rendition_along(store: FolderStore, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(GREETING + "parent.recv_bytes(); parent.send_bytes(b'{\"bytes\": 9}'); os.abort()")
    broken = Quarantine(program=program)
    renderer = Renderer(store, quarantine=broken)
    sha256 = stored(store, picture("PNG"))
    with pytest.raises(Unreadable):
        renderer.rendition(sha256, Spec(width=20), format="webp")
    assert (list(store.derived(sha256)), list(store.incoming.iterdir())) == ([], [])
    renderer.close()

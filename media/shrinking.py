"""Making other forms of a decoded picture: turned upright, in sRGB, cut and scaled, without metadata."""

import io
from typing import Any

from PIL import Image, ImageCms, ImageOps, JpegImagePlugin

from media.looks import opaque_or_not
from media.renditions import Spec

ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)
# What moves is encoded frame by frame: so many pixels take some two seconds.
MAX_FRAMES = 200
MAX_MOVING_PIXELS = 40_000_000

Box = tuple[float, float, float, float]


def render(picture: Image.Image, text: str, wanted: str) -> tuple[dict[str, Any], bytes]:
    """The rendition of `text` in a format. Facts: `frames` and `size` of what came out."""
    spec = Spec.parse(text)
    turn = orientation(picture)
    size = spec.size(*shown_size(picture, turn))
    frames = getattr(picture, "n_frames", 1) if wanted == "webp" and picture.format != "MPO" else 1
    if 1 < frames <= MAX_FRAMES and size[0] * size[1] * frames <= MAX_MOVING_PIXELS:
        return {"frames": frames, "size": size}, _moving(picture, spec, size, frames)
    if picture.format in ("JPEG", "MPO"):
        # Half, a quarter or an eighth of the size costs that much less to decode.
        picture.draft(None, _needed(picture, spec, size, turn))
    shaped = _shaped(turned(picture, turn), spec, size)
    return {"frames": 1, "size": size}, _saved(shaped, wanted, spec.quality)


def shown_size(picture: Image.Image, turn: int) -> tuple[int, int]:
    """Width and height as shown."""
    return (picture.height, picture.width) if turn in TURNED else picture.size


def orientation(picture: Image.Image) -> int:
    """How EXIF says to turn it: 1 to 8."""
    # Broken EXIF does not keep a browser from showing the picture, so it does not keep us from taking it.
    try:
        said = int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - as above
        return 1
    return said if said in _TURNS else 1


def turned(picture: Image.Image, turn: int) -> Image.Image:
    """Upright, when EXIF said `turn`."""
    return picture if turn == 1 else picture.transpose(_TURNS[turn])


def upright(picture: Image.Image, turn: int, *, lossless: bool) -> bytes:
    """The same picture in the same format, turned upright, its colour profile kept, all else left out."""
    settings: dict[str, Any] = {"quality": 92}
    if picture.format in ("JPEG", "MPO") and isinstance(picture, JpegImagePlugin.JpegImageFile):
        # The same tables: neither worse nor larger than it was.
        settings = {"qtables": picture.quantization, "subsampling": JpegImagePlugin.get_sampling(picture)}
    elif picture.format == "WEBP":
        settings = {"lossless": lossless, "quality": 50 if lossless else 92}
    elif picture.format == "PNG":
        settings = {}
    profile = picture.info.get("icc_profile")
    name = "JPEG" if picture.format == "MPO" else str(picture.format)
    kept: dict[Any, Any] = {key: picture.info[key] for key in ("transparency",) if key in picture.info}
    whole = turned(picture, turn)
    whole.info = kept
    file = io.BytesIO()
    whole.save(file, name, icc_profile=profile, **settings)
    return file.getvalue()


_TURNS: dict[int, Any] = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _needed(picture: Image.Image, spec: Spec, size: tuple[int, int], turn: int) -> tuple[int, int]:
    """How large the whole picture, as stored, must be at least for a part of it to have this size."""
    width, height = shown_size(picture, turn)
    scale = max(size[0] / width, size[1] / height)
    most = (min(width, round(width * scale) + 1), min(height, round(height * scale) + 1))
    return (most[1], most[0]) if turn in TURNED else most


def _shaped(picture: Image.Image, spec: Spec, size: tuple[int, int]) -> Image.Image:
    """Cut, scaled to `size` and in sRGB: RGB, or RGBA where something shows through."""
    profile = picture.info.get("icc_profile")
    box = _box(picture.size, spec, size)
    plain = _plain(picture)
    times = int(min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]) / 2)
    if times > 1:
        # Much smaller: halving by blocks first is a third of the work, and nobody sees it. Not `reducing_gap`: it is
        # ignored where there is an alpha channel.
        edges = tuple(round(edge) for edge in box)
        plain = plain.reduce(times, edges)  # type: ignore[arg-type]
        box = (0, 0, *plain.size)
    return _in_srgb(plain.resize(size, Image.Resampling.LANCZOS, box), profile)


def _box(whole: tuple[int, int], spec: Spec, size: tuple[int, int]) -> Box:
    width, height = whole
    if spec.fit == "fit":
        return (0, 0, width, height)
    scale = min(width / size[0], height / size[1])
    across, down = min(size[0] * scale, width), min(size[1] * scale, height)
    x, y = spec.focus or (0.5, 0.5)
    left = min(max(width * x - across / 2, 0), width - across)
    top = min(max(height * y - down / 2, 0), height - down)
    return (left, top, left + across, top + down)


def _plain(picture: Image.Image) -> Image.Image:
    """In a mode that can be scaled and that a colour profile can be meant for."""
    if picture.mode in ("RGB", "RGBA", "L", "CMYK"):
        return picture.convert("RGBA") if "transparency" in picture.info else picture
    clear = picture.has_transparency_data
    if picture.mode.startswith("I"):
        return opaque_or_not(picture).convert("L")
    return picture.convert("RGBA" if clear else "RGB")


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    goal = "RGBA" if picture.mode == "RGBA" else "RGB"
    if not profile:
        return picture.convert(goal)
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(given).startswith("sRGB") and picture.mode != "CMYK":
            return picture.convert(goal)
        if picture.mode == "L" and given.profile.xcolor_space.strip() != "GRAY":
            picture = picture.convert("RGB")
        meant = ImageCms.profileToProfile(picture, given, ImageCms.createProfile("sRGB"), outputMode=goal)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A profile that makes no sense is passed over by browsers too.
        return picture.convert(goal)
    return meant or picture.convert(goal)


def _saved(picture: Image.Image, wanted: str, quality: int | None) -> bytes:
    """Without any metadata: Pillow would write on what `info` holds."""
    if wanted == "jpeg" and picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    picture.info = {}
    file = io.BytesIO()
    settings = _SETTINGS[wanted] | ({"quality": quality} if quality and wanted != "png" else {})
    if wanted == "webp":
        settings |= {"method": _method(picture)}
    picture.save(file, wanted.upper(), **settings)
    return file.getvalue()


# By measurement (benchmarks/media.py): AVIF at speed 8 takes four times as long as at 9 for the same bytes.
_SETTINGS: dict[str, dict[str, Any]] = {
    "webp": {"quality": 80},
    "jpeg": {"quality": 82, "progressive": True, "optimize": True},
    "png": {},
    "avif": {"quality": 60, "speed": 9, "max_threads": 1},
}


def _method(picture: Image.Image) -> int:
    # For large ones half the time matters more than three per cent of the bytes.
    return 4 if picture.width * picture.height <= 400_000 else 2


def _moving(picture: Image.Image, spec: Spec, size: tuple[int, int], frames: int) -> bytes:
    shapes, times = [], []
    for frame in range(frames):
        picture.seek(frame)
        picture.load()
        shapes.append(_shaped(ImageOps.exif_transpose(picture), spec, size))
        times.append(int(picture.info.get("duration") or 100))
    # A GIF that says nothing plays once; in WebP 0 is for ever.
    loop = picture.info.get("loop", 1 if picture.format == "GIF" else 0)
    file = io.BytesIO()
    for shape in shapes:
        shape.info = {}
    settings = {"quality": spec.quality or 75, "method": 2, "duration": times, "loop": loop}
    shapes[0].save(file, "WEBP", save_all=True, append_images=shapes[1:], **settings)
    return file.getvalue()

"""How a picture looks, in a few bytes: its fingerprint, its placeholder and its dominant colour."""

import base64
from typing import Any

from PIL import Image

from media.placeholders import thumbhash

SIDE = 32
# The placeholder is made in plain Python: its time grows with the pixels, and no wave in it is shorter than these show.
PLACEHOLDER_SIDE = 20
# With fewer, an empty page is like any other.
_LEAST_BITS = 6
# Smaller steps between neighbours come and go with every compression.
_NOISE = 2
_COLORS = 6


def thumbnail(picture: Image.Image) -> Image.Image:
    """The picture within 32 × 32 pixels, RGBA. The first look at 12 million pixels takes the box filter alone."""
    return _within(opaque_or_not(_smaller(picture)), SIDE)


def facts(small: Image.Image) -> dict[str, Any]:
    """`fingerprint`, `placeholder` and `color` of a thumbnail."""
    tiny = _within(small, PLACEHOLDER_SIDE)
    placeholder = thumbhash(tiny.width, tiny.height, tiny.tobytes())
    return {
        "fingerprint": _fingerprint(small),
        "placeholder": base64.b64encode(placeholder).decode(),
        "color": _color(small),
    }


def opaque_or_not(picture: Image.Image) -> Image.Image:
    """The picture as RGBA, whatever its mode; sixteen bits of grey become eight."""
    if picture.mode.startswith("I"):
        # Converting would cut off what is brighter than 255.
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return picture.convert("RGBA")


def _within(picture: Image.Image, side: int) -> Image.Image:
    scale = side / max(picture.size)
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))


def _smaller(picture: Image.Image) -> Image.Image:
    times = max(picture.size) // (4 * SIDE)
    if times < 2:
        return picture
    if picture.mode in ("RGB", "RGBA", "L", "CMYK"):
        return picture.reduce((min(times, picture.width), min(times, picture.height)))
    # Of palettes and odd modes no means can be taken, and to make all pixels ready for that takes too long.
    size = (max(1, picture.width // times), max(1, picture.height // times))
    return picture.resize(size, Image.Resampling.NEAREST)


def _fingerprint(small: Image.Image) -> str | None:
    white = Image.new("RGBA", small.size, "white")
    grey = Image.alpha_composite(white, small).convert("L").resize((9, 8), Image.Resampling.BOX)
    shades = grey.tobytes()
    bits = (shades[row * 9 + column] + _NOISE < shades[row * 9 + column + 1] for row in range(8) for column in range(8))
    found = sum(bit << place for place, bit in enumerate(bits))
    return f"{found:016x}" if _LEAST_BITS <= found.bit_count() <= 64 - _LEAST_BITS else None


def _color(small: Image.Image) -> str | None:
    pixels = small.tobytes()
    seen = b"".join(pixels[at : at + 3] for at in range(0, len(pixels), 4) if pixels[at + 3] >= 128)
    if not seen:
        return None
    few = Image.frombytes("RGB", (len(seen) // 3, 1), seen).quantize(_COLORS)
    counts = few.histogram()
    most = counts.index(max(counts))
    red, green, blue = (few.getpalette() or [0] * 768)[3 * most : 3 * most + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"

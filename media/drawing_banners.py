"""The banners of the sample site, drawn rather than shipped: the same bytes for the same name."""

import io
import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageOps

Color = tuple[int, int, int]
Size = tuple[int, int]
Chance = random.Random

WIDE: Size = (1200, 240)
TALL: Size = (600, 500)


def draw_banner(name: str) -> bytes:
    """One of `BANNERS` as a JPEG. Raises KeyError for any other name."""
    draw, size = DRAWINGS[name]
    file = io.BytesIO()
    draw(Chance(name), size).save(file, "JPEG", quality=86)
    return file.getvalue()


def _winter(chance: Chance, size: Size) -> Image.Image:
    """A house with warm windows in a night of snow."""
    width, height = size
    picture = _gradient(size, (58, 84, 130), (18, 26, 58))
    draw = ImageDraw.Draw(picture, "RGBA")
    draw.ellipse((1010, 26, 1070, 86), fill=(244, 238, 214))
    _hills(draw, size, 150, 16, (74, 100, 146))
    _hills(draw, size, 184, 10, (226, 234, 246))
    for foot in (90, 165, 250, 820, 905, 1120):
        _fir(draw, (foot, 196), 50 + 40 * chance.random())
    draw.rectangle((470, 110, 690, 208), fill=(120, 76, 62))
    draw.polygon([(446, 116), (580, 42), (714, 116)], fill=(238, 243, 250))
    for left in (492, 554, 616):
        draw.rectangle((left, 134, left + 40, 176), fill=(255, 214, 130))
        draw.line((left + 20, 134, left + 20, 176), fill=(120, 76, 62), width=3)
    _heat_pump(draw, (716, 160), 46)
    for _ in range(240):
        x, y, r = chance.random() * width, chance.random() * height, 1 + 1.8 * chance.random()
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 255, 255, 190))
    return picture


def _savings(chance: Chance, size: Size) -> Image.Image:
    """Coins in stacks that grow, and a leaf above the last."""
    width, height = size
    picture = _gradient(size, (244, 236, 214), (204, 226, 214))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(9):
        x, y, r = chance.random() * width, chance.random() * height, 30 + 70 * chance.random()
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 255, 255, 60))
    draw.rectangle((0, 212, width, height), fill=(170, 196, 182))
    for stack in range(8):
        middle = 170 + stack * 115
        for coin in range(stack + 2):
            top = 191 - coin * 15
            draw.ellipse((middle - 40, top + 5, middle + 40, top + 27), fill=(196, 148, 58))
            draw.ellipse((middle - 40, top, middle + 40, top + 22), fill=(240, 196, 92))
    draw.line((975, 80, 975, 24), fill=(64, 120, 86), width=5)
    draw.ellipse((975, 8, 1027, 34), fill=(86, 160, 108))
    draw.ellipse((925, 18, 975, 42), fill=(64, 134, 92))
    return picture


def _house(_chance: Chance, size: Size) -> Image.Image:
    """The company's own: a heat pump before rings of warmth."""
    width, height = size
    picture = _gradient(size, (252, 228, 196), (90, 148, 170))
    draw = ImageDraw.Draw(picture, "RGBA")
    for ring in range(6, 0, -1):
        r = ring * 62
        draw.ellipse((width / 2 - r, 250 - r, width / 2 + r, 250 + r), fill=(255, 244, 224, 34))
    draw.rectangle((0, 410, width, height), fill=(84, 116, 104))
    _heat_pump(draw, (180, 180), 240)
    return picture


DRAWINGS: dict[str, tuple[Callable[[Chance, Size], Image.Image], Size]] = {
    "winter": (_winter, WIDE),
    "savings": (_savings, WIDE),
    "house": (_house, TALL),
}
BANNERS = tuple(DRAWINGS)


def _gradient(size: Size, low: Color, high: Color) -> Image.Image:
    gradient = Image.linear_gradient("L").resize(size, Image.Resampling.BICUBIC)
    return ImageOps.colorize(gradient, high, low)


def _hills(draw: ImageDraw.ImageDraw, size: Size, base: float, swing: float, color: Color) -> None:
    width, height = size
    line = [(x, base + swing * math.sin(x / 90) + swing * math.sin(x / 37 + base) / 2) for x in range(0, width + 1, 8)]
    draw.polygon([*line, (width, height), (0, height)], fill=color)


def _fir(draw: ImageDraw.ImageDraw, foot: tuple[float, float], size: float) -> None:
    x, y = foot
    for step, shade in enumerate(((30, 62, 72), (40, 80, 84), (56, 100, 98))):
        lift, half = size * 0.32 * step, size * (0.42 - 0.1 * step)
        draw.polygon([(x - half, y - lift), (x + half, y - lift), (x, y - lift - size * 0.55)], fill=shade)


def _heat_pump(draw: ImageDraw.ImageDraw, corner: tuple[float, float], side: float) -> None:
    """A white case with a round grille and a fan in it, as wide as `side` and a little lower."""
    (x, y), high = corner, side * 0.94
    draw.rounded_rectangle((x, y, x + side, y + high), side * 0.06, fill=(244, 247, 250), outline=(178, 190, 202))
    center, r = (x + side * 0.44, y + high / 2), side * 0.36
    draw.ellipse((center[0] - r, center[1] - r, center[0] + r, center[1] + r), fill=(58, 72, 90))
    for blade in range(5):
        turn = blade * math.tau / 5
        arc = [(center[0] + r * 0.9 * math.cos(turn + at), center[1] + r * 0.9 * math.sin(turn + at)) for at in _BLADE]
        draw.polygon([center, *arc], fill=(112, 132, 152))
    hub = r * 0.18
    draw.ellipse((center[0] - hub, center[1] - hub, center[0] + hub, center[1] + hub), fill=(214, 222, 230))
    for line in range(4):
        top = y + high * (0.2 + 0.07 * line)
        draw.line((x + side * 0.85, top, x + side * 0.95, top), fill=(178, 190, 202), width=max(1, int(side / 60)))


_BLADE = (0.0, 0.2, 0.4, 0.6)

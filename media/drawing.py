"""The pictures of the sample site, drawn rather than shipped: the same bytes for the same name."""

import io
import math
import random
from collections.abc import Callable, Iterator

from PIL import Image, ImageDraw, ImageOps

WIDTH, HEIGHT = 1200, 675

Color = tuple[int, int, int]
Point = tuple[float, float]
Chance = random.Random


def draw_sample(name: str) -> bytes:
    """One of `SAMPLES` as a JPEG of 1200 × 675 pixels. Raises KeyError for any other name."""
    draw = DRAWINGS[name]
    picture = draw(Chance(name))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=86)
    return file.getvalue()


def _headquarters(chance: Chance) -> Image.Image:
    """Hills at dawn with a low building of glass."""
    picture = _sky((250, 196, 150), (92, 128, 178))
    _sun(picture, (860, 300), 70, (255, 236, 200))
    for depth, base in enumerate((360, 430, 500)):
        _ridge(picture, chance, base, _mix((150, 140, 170), (44, 62, 80), depth / 2))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((250, 395, 800, 560), fill=(236, 240, 244))
    draw.rectangle((230, 380, 820, 400), fill=(60, 72, 90))
    for x, y in _grid((270, 415), (50, 46), (10, 3)):
        draw.rectangle((x, y, x + 38, y + 34), fill=_mix((88, 132, 170), (255, 216, 150), chance.random() ** 3))
    draw.rectangle((800, 450, 880, 560), fill=(206, 214, 222))
    draw.rectangle((0, 560, WIDTH, HEIGHT), fill=(64, 96, 80))
    draw.polygon([(480, 560), (560, 560), (760, HEIGHT), (380, HEIGHT)], fill=(214, 206, 190))
    for x in (110, 180, 930, 1010, 1110):
        _tree(draw, (x, 585), 60 + 40 * chance.random())
    return picture


def _team(chance: Chance) -> Image.Image:
    """Eight colleagues in outline against a wall of light."""
    picture = _sky((238, 226, 214), (120, 152, 190))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(14):
        x, y, r = chance.random() * WIDTH, chance.random() * 420, 30 + 90 * chance.random()
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 255, 255, 26))
    for row, count in enumerate((4, 4)):
        for seat in range(count):
            x = 170 + seat * 270 + (0 if row else 130) - 40 * (1 - row)
            shade = (_PEOPLE[seat], _PEOPLE[seat + 4])[row]
            _person(draw, (x, 330 + row * 130 + 30 * chance.random()), 62 + 12 * row, shade)
    draw.rectangle((0, HEIGHT - 40, WIDTH, HEIGHT), fill=(52, 58, 82))
    return picture


def _products(chance: Chance) -> Image.Image:
    """Boxes, stacked, each lit from the left."""
    picture = _sky((248, 244, 238), (206, 220, 226))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 520, WIDTH, HEIGHT), fill=(226, 216, 204))
    draw.ellipse((150, 530, 1080, 620), fill=(208, 197, 184))
    for column, height in enumerate((2, 4, 3, 1)):
        for level in range(height):
            corner = (330 + column * 175 + 14 * chance.random(), 560 - 24 * (column % 2) - level * 83)
            _box(draw, corner, 76, _BOXES[(column * 2 + level) % len(_BOXES)])
    return picture


def _results(chance: Chance) -> Image.Image:
    """Bars that grow, and the line above them."""
    picture = _sky((14, 34, 62), (30, 72, 104))
    draw = ImageDraw.Draw(picture, "RGBA")
    for level in range(135, 560, 85):
        draw.line((100, level, 1100, level), fill=(255, 255, 255, 28), width=2)
    tops = [500 - 28 * step - 46 * chance.random() for step in range(12)]
    for step, top in enumerate(tops):
        x = 118.0 + step * 82
        draw.rounded_rectangle((x, top, x + 50, 568), 8, fill=(*_mix((56, 132, 190), (84, 214, 190), step / 11), 255))
    points = [(143.0 + step * 82, top - 62 + 22 * math.sin(step)) for step, top in enumerate(tops)]
    draw.polygon([*points, (1045, 570), (143, 570)], fill=(255, 206, 110, 30))
    draw.line(points, fill=(255, 206, 110), width=6, joint="curve")
    for x, y in points:
        draw.ellipse((x - 10, y - 10, x + 10, y + 10), fill=(14, 34, 62), outline=(255, 206, 110), width=5)
    draw.line((100, 570, 1100, 570), fill=(255, 255, 255, 120), width=3)
    return picture


def _skyline(chance: Chance) -> Image.Image:
    """A city by the river at dusk, in three depths of haze."""
    picture = _sky((255, 170, 120), (52, 44, 104))
    _sun(picture, (400, 430), 90, (255, 222, 170))
    draw = ImageDraw.Draw(picture)
    for depth in range(3):
        shade = _mix((196, 120, 130), (34, 30, 66), depth / 2)
        x = -20.0
        while x < WIDTH:
            width, top = 50 + 60 * chance.random(), 190 + 70 * depth + 190 * chance.random()
            draw.rectangle((x, top, x + width, 540), fill=shade)
            if depth == 2:
                _lights(draw, chance, (x, top, x + width))
            x += width + 26 * chance.random()
    water = ImageOps.flip(picture.crop((0, 405, WIDTH, 540))).resize((WIDTH, 135))
    picture.paste(Image.blend(water, Image.new("RGB", water.size, (40, 40, 92)), 0.45), (0, 540))
    for _ in range(60):
        x, y = chance.random() * WIDTH, 550 + 120 * chance.random()
        draw.line((x, y, x + 30 + 60 * chance.random(), y), fill=(150, 110, 140), width=2)
    return picture


def _press(chance: Chance) -> Image.Image:
    """A stage before the conference: a lectern, three lights, the heads of the front rows."""
    picture = _sky((70, 40, 92), (22, 20, 48))
    draw = ImageDraw.Draw(picture, "RGBA")
    for x, tint in ((250, (120, 190, 255)), (600, (255, 224, 180)), (950, (255, 140, 190))):
        for spread in range(5):
            reach = 240 - 40 * spread
            draw.polygon([(x - 8, 0), (x + 8, 0), (600 + reach, 470), (600 - reach, 470)], fill=(*tint, 22))
    draw.rectangle((330, 120, 870, 400), fill=(244, 246, 250, 235))
    draw.ellipse((540, 180, 660, 300), fill=(84, 150, 214))
    draw.rectangle((430, 330, 770, 344), fill=(160, 170, 190))
    draw.rectangle((490, 358, 710, 368), fill=(196, 204, 216))
    draw.polygon([(100, 470), (1100, 470), (1200, 580), (0, 580)], fill=(52, 40, 72))
    draw.polygon([(850, 395), (985, 395), (965, 530), (870, 530)], fill=(150, 96, 70))
    draw.rectangle((838, 383, 997, 398), fill=(184, 126, 92))
    draw.line((917, 383, 905, 345), fill=(20, 20, 30), width=5)
    for seat in range(13):
        _person(draw, (30 + seat * 95 + 24 * chance.random(), 575 + 26 * chance.random()), 36, (20, 18, 34))
    return picture


DRAWINGS: dict[str, Callable[[Chance], Image.Image]] = {
    "headquarters": _headquarters,
    "team": _team,
    "products": _products,
    "results": _results,
    "skyline": _skyline,
    "press": _press,
}
SAMPLES = tuple(DRAWINGS)

_PEOPLE: tuple[Color, ...] = (
    *((104, 118, 158), (140, 110, 140), (92, 132, 146), (150, 124, 116)),
    *((58, 70, 108), (96, 62, 94), (44, 86, 104), (112, 78, 70)),
)
_BOXES: tuple[Color, ...] = ((232, 120, 84), (70, 130, 160), (240, 184, 84), (92, 160, 130), (150, 110, 160))


def _mix(one: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _sky(low: Color, high: Color) -> Image.Image:
    gradient = Image.linear_gradient("L").resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    return ImageOps.colorize(gradient, high, low)


def _sun(picture: Image.Image, center: tuple[int, int], radius: int, color: Color) -> None:
    (x, y), reach = center, radius * 4
    # The gradient stands at 181 where its circle meets the square's edge: the glow must end there.
    fading = [max(0, 181 - each) * 2 // 3 for each in range(256)]
    glow = Image.radial_gradient("L").point(fading).resize((reach * 2, reach * 2), Image.Resampling.BICUBIC)
    picture.paste(color, (x - reach, y - reach, x + reach, y + reach), glow)
    ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)


def _ridge(picture: Image.Image, chance: Chance, base: float, color: Color) -> None:
    waves = [(chance.uniform(20, 60) / n, chance.uniform(0.002, 0.004) * n, chance.uniform(0, 6)) for n in (1, 2, 4)]
    line = [(x, base + sum(high * math.sin(x * pace + turn) for high, pace, turn in waves)) for x in range(0, 1201, 8)]
    ImageDraw.Draw(picture).polygon([*line, (WIDTH, HEIGHT), (0, HEIGHT)], fill=color)


def _grid(corner: Point, step: Point, count: tuple[int, int]) -> Iterator[Point]:
    for row in range(count[1]):
        for column in range(count[0]):
            yield corner[0] + column * step[0], corner[1] + row * step[1]


def _tree(draw: ImageDraw.ImageDraw, foot: Point, size: float) -> None:
    x, y = foot
    draw.rectangle((x - 5, y - size, x + 5, y), fill=(92, 70, 58))
    for lift, shade in ((0.9, (40, 92, 74)), (1.3, (56, 116, 88)), (1.6, (78, 140, 100))):
        r = size * (0.85 - lift / 3)
        draw.ellipse((x - r, y - size * lift - r, x + r, y - size * lift + r), fill=shade)


def _person(draw: ImageDraw.ImageDraw, neck: Point, size: float, color: Color) -> None:
    x, y = neck
    draw.ellipse((x - size * 0.6, y - size * 1.5, x + size * 0.6, y - size * 0.1), fill=color)
    draw.rounded_rectangle((x - size * 1.3, y, x + size * 1.3, y + HEIGHT), size, fill=color)


def _box(draw: ImageDraw.ImageDraw, corner: Point, side: float, color: Color) -> None:
    x, y = corner
    up = side * 0.45
    light, dark = _mix(color, (255, 255, 255), 0.35), _mix(color, (30, 30, 50), 0.3)
    top, bottom = y - side - up * 0.2, y
    lid = [(x, top + 2 * up), (x + side, top + up), (x, top), (x - side, top + up)]
    draw.polygon([(x - side, top + up), (x, top + 2 * up), (x, bottom + 2 * up), (x - side, bottom + up)], fill=light)
    draw.polygon([(x + side, top + up), (x, top + 2 * up), (x, bottom + 2 * up), (x + side, bottom + up)], fill=dark)
    draw.polygon(lid, fill=_mix(color, (255, 255, 255), 0.6))


def _lights(draw: ImageDraw.ImageDraw, chance: Chance, front: tuple[float, float, float]) -> None:
    left, top, right = front
    columns, rows = int((right - left - 12) // 16), int((520 - top) // 20)
    for x, y in _grid((left + 10, top + 12), (16, 20), (columns, rows)):
        if chance.random() < 0.35:
            draw.rectangle((x, y, x + 7, y + 9), fill=_mix((255, 196, 110), (255, 236, 190), chance.random()))

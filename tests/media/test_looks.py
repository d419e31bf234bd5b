"""Fingerprints, placeholders and colours: alike for what looks alike, different for what does not."""

import io
from itertools import combinations

import pytest
from PIL import Image, ImageEnhance

from media import looks
from media.drawing import SAMPLES, draw_sample

# So many of 64 bits may differ in pictures that look alike.
NEAR = 6


def sample(name: str) -> Image.Image:
    return Image.open(io.BytesIO(draw_sample(name))).convert("RGB")


def fingerprint(drawn: Image.Image) -> int:
    found = looks.facts(looks.thumbnail(drawn))["fingerprint"]
    assert len(found) == 16
    return int(found, 16)


def apart(one: Image.Image, other: Image.Image) -> int:
    return (fingerprint(one) ^ fingerprint(other)).bit_count()


def recompressed(drawn: Image.Image) -> Image.Image:
    file = io.BytesIO()
    drawn.save(file, "JPEG", quality=35)
    return Image.open(file)


CHANGES = {
    "smaller": lambda drawn: drawn.resize((400, 225)),
    "recompressed": recompressed,
    "brighter": lambda drawn: ImageEnhance.Brightness(drawn).enhance(1.1),
    "with a palette": lambda drawn: drawn.quantize(128),
    "with alpha": lambda drawn: drawn.convert("RGBA"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_what_looks_alike_has_nearly_the_same_fingerprint(name: str, change) -> None:  # type: ignore[no-untyped-def]
    drawn = sample(name)
    assert apart(drawn, change(drawn)) <= NEAR


def test_what_looks_different_has_another_fingerprint() -> None:
    drawn = [sample(name) for name in SAMPLES]
    assert min(apart(one, other) for one, other in combinations(drawn, 2)) > 2 * NEAR


@pytest.mark.parametrize("color", ["white", "black", "#7a7a7a"])
def test_a_picture_in_one_shade_has_no_fingerprint(color: str) -> None:
    assert looks.facts(looks.thumbnail(Image.new("RGB", (90, 90), color)))["fingerprint"] is None


def test_the_dominant_colour_is_that_of_most_pixels_that_are_seen() -> None:
    drawn = Image.new("RGBA", (90, 90), (255, 255, 255, 0))
    drawn.paste((200, 30, 40, 255), (0, 0, 60, 40))
    drawn.paste((20, 30, 240, 255), (70, 70, 90, 90))
    assert looks.facts(looks.thumbnail(drawn))["color"] == "#c81e28"


def test_a_picture_of_nothing_has_no_colour() -> None:
    assert looks.facts(looks.thumbnail(Image.new("RGBA", (9, 9))))["color"] is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I"])
@pytest.mark.parametrize("size", [(1, 1), (700, 3), (3, 700), (300, 200)])
def test_every_kind_of_picture_has_looks(mode: str, size: tuple[int, int]) -> None:
    told = looks.facts(looks.thumbnail(Image.new("L", size, 200).convert(mode)))
    assert told["placeholder"]
    assert told["color"]

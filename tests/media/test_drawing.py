"""The pictures of the sample site."""

import io
import random
from pathlib import Path

import pytest
from PIL import Image

from media.drawing import SAMPLES, draw_sample
from media.inspection import inspect


def test_there_are_six_different_pictures() -> None:
    assert len({draw_sample(name) for name in SAMPLES}) == 6


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_light_picture_that_the_house_takes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "sample"
    path.write_bytes(draw_sample(name))
    assert path.stat().st_size < 120_000
    found = inspect(path, filename=f"{name}.jpg")
    assert (found.media_type, found.width, found.height) == ("image/jpeg", 1200, 675)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_the_same_whatever_was_drawn_before(name: str) -> None:
    first = draw_sample(name)
    random.seed(7)
    assert draw_sample(name) == first


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_no_single_colour(name: str) -> None:
    with Image.open(io.BytesIO(draw_sample(name))) as picture:
        assert len(set(picture.resize((60, 34)).get_flattened_data())) > 300


def test_no_other_picture_can_be_drawn() -> None:
    with pytest.raises(KeyError):
        draw_sample("sunset")

"""The banners of the sample site."""

import io
from pathlib import Path

import pytest
from PIL import Image

from media.drawing_banners import BANNERS, DRAWINGS, draw_banner
from media.inspection import inspect


@pytest.mark.parametrize("name", BANNERS)
def test_a_banner_is_a_light_picture_that_the_house_takes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "banner"
    path.write_bytes(draw_banner(name))
    assert path.stat().st_size < 100_000
    facts = inspect(path, filename=f"{name}.jpg")
    assert (facts.kind, facts.media_type, (facts.width, facts.height)) == ("image", "image/jpeg", DRAWINGS[name][1])


@pytest.mark.parametrize("name", BANNERS)
def test_a_banner_is_the_same_each_time_and_no_single_colour(name: str) -> None:
    first = draw_banner(name)
    assert draw_banner(name) == first
    with Image.open(io.BytesIO(first)) as picture:
        assert len(set(picture.resize((60, 34)).get_flattened_data())) > 300


def test_no_other_banner_can_be_drawn() -> None:
    with pytest.raises(KeyError):
        draw_banner("sunset")

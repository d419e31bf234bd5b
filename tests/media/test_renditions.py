"""What renditions are called, how large they come out, and which format they have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.renditions import LADDER, MAX_SIDE, BadSpec, Spec, format_for, srcset

WRITTEN = {
    "fit_640_auto": Spec(width=640),
    "fit_x480_jpeg": Spec(height=480, format="jpeg"),
    "fit_640x480_q80_webp": Spec(width=640, height=480, quality=80, format="webp"),
    "fill_800x450_f50-30_q80_webp": Spec("fill", 800, 450, (0.5, 0.3), 80, "webp"),
    "fill_16x16_f0-100_avif": Spec("fill", 16, 16, (0, 1), format="avif"),
}


@pytest.mark.parametrize(("text", "spec"), WRITTEN.items(), ids=WRITTEN)
def test_a_form_is_written_in_one_way(text: str, spec: Spec) -> None:
    assert str(spec) == text
    assert Spec.parse(text) == spec


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fit",
        "fit_auto",
        "fit_0_auto",
        "fit_0640_auto",
        "fit_4097_auto",
        "fit_99999_auto",
        "fit_640_gif",
        "fit_640",
        "fit_640_q0_auto",
        "fit_640_q101_auto",
        "fit_640_f10-10_auto",
        "fill_640_auto",
        "fill_x640_auto",
        "fill_640x480_f50-50_auto",
        "fill_640x480_f101-0_auto",
        "fill_640x480_f1_auto",
        "crop_640x480_auto",
        "fit_640_auto\n",
        " fit_640_auto",
        "fit_٦٤٠_auto",
        "fit_640_AUTO",
        "../fit_640_auto",
    ],
)
def test_any_other_text_names_no_form(text: str) -> None:
    with pytest.raises(BadSpec):
        Spec.parse(text)


@pytest.mark.parametrize(
    "given", [{}, {"width": 0}, {"width": 4097}, {"width": 5, "quality": 0}, {"fit": "fill", "width": 5}, {"fit": "x"}]
)
def test_a_form_that_makes_no_sense_cannot_be_made(given: dict[str, int]) -> None:
    with pytest.raises(BadSpec):
        Spec(**given)  # type: ignore[arg-type]


sides = st.integers(1, MAX_SIDE)
shares = st.floats(0, 1)
fits = st.builds(Spec, st.just("fit"), sides, st.none() | sides, quality=st.none() | st.integers(1, 100))
fills = st.builds(Spec, st.just("fill"), sides, sides, st.none() | st.tuples(shares, shares))
pictures = st.tuples(st.integers(1, 20_000), st.integers(1, 20_000))


@given(fits | fills)
def test_every_form_can_be_read_as_it_is_written(spec: Spec) -> None:
    assert Spec.parse(str(spec)) == spec
    assert str(spec).isascii()
    assert "/" not in str(spec)


@given(fits | fills, pictures)
def test_no_form_enlarges_a_picture_or_goes_past_what_was_asked(spec: Spec, whole: tuple[int, int]) -> None:
    width, height = spec.size(*whole)
    assert 1 <= width <= min(whole[0], spec.width or MAX_SIDE)
    assert 1 <= height <= min(whole[1], spec.height or whole[1])


@pytest.mark.parametrize(
    ("spec", "whole", "size"),
    [
        ("fit_640_auto", (4000, 3000), (640, 480)),
        ("fit_x300_auto", (4000, 3000), (400, 300)),
        ("fit_640x100_auto", (4000, 3000), (133, 100)),
        ("fit_640_auto", (300, 200), (300, 200)),
        ("fill_800x450_auto", (4000, 3000), (800, 450)),
        ("fill_800x450_auto", (400, 300), (400, 225)),
        ("fill_100x400_auto", (4000, 200), (50, 200)),
        ("fit_640_auto", (4000, 1), (640, 1)),
    ],
)
def test_the_size_that_comes_out(spec: str, whole: tuple[int, int], size: tuple[int, int]) -> None:
    assert Spec.parse(spec).size(*whole) == size


def test_a_srcset_climbs_the_ladder_up_to_the_whole_picture() -> None:
    found = srcset(1200, 675)
    assert [width for _, width in found] == [160, 320, 480, 640, 800, 960, 1200]
    assert str(found[0][0]) == "fit_160_auto"


def test_a_presets_srcset_keeps_its_ratio_and_serves_dense_screens() -> None:
    found = srcset(4000, 3000, spec=Spec("fill", 800, 450, (0.2, 0.3), 80))
    assert [width for _, width in found] == [160, 320, 480, 640, 800, 960, 1200, 1600]
    assert {str(spec): width for spec, width in found}["fill_1600x900_f20-30_q80_auto"] == 1600


def test_a_small_picture_has_a_srcset_of_itself() -> None:
    assert [(str(spec), width) for spec, width in srcset(100, 30)] == [("fit_100_auto", 100)]


@given(pictures, st.none() | fits | fills)
def test_a_srcset_holds_each_width_once_as_it_comes_out(whole: tuple[int, int], spec: Spec | None) -> None:
    found = srcset(*whole, spec=spec)
    widths = [width for _, width in found]
    assert widths == sorted(set(widths))
    assert 1 <= len(widths) <= len(LADDER) + 2
    assert all(each.size(*whole)[0] == width for each, width in found)


AVIF, WEBP = "image/avif,image/webp,image/*,*/*;q=0.8", "image/webp,*/*"


@pytest.mark.parametrize(
    ("accept", "media_type", "frames", "chosen"),
    [
        (AVIF, "image/jpeg", 1, "avif"),
        ("IMAGE/AVIF ; q=0.3", "image/jpeg", None, "avif"),
        ("image/avif;q=0, image/webp", "image/jpeg", 1, "webp"),
        ("image/avif;q=0.0", "image/jpeg", 1, "jpeg"),
        (WEBP, "image/png", 1, "webp"),
        (AVIF, "image/gif", 12, "webp"),
        ("*/*", "image/jpeg", 1, "jpeg"),
        ("*/*", "image/png", 1, "png"),
        ("image/*", "image/webp", 1, "jpeg"),
        (None, "image/gif", 12, "png"),
        ("", "image/avif", 1, "jpeg"),
        ("\xff;;,,q=", "image/jpeg", 1, "jpeg"),
    ],
)
def test_auto_goes_by_what_the_browser_names(
    accept: str | None, media_type: str, frames: int | None, chosen: str
) -> None:
    assert format_for(Spec(width=640), accept, media_type=media_type, frames=frames) == chosen


def test_a_format_by_name_is_that_format() -> None:
    assert format_for(Spec(width=640, format="png"), AVIF, media_type="image/jpeg") == "png"


def test_large_renditions_are_not_made_in_avif_by_themselves() -> None:
    assert format_for(Spec(width=4096), AVIF, media_type="image/jpeg", pixels=4096 * 3000) == "webp"


def test_what_may_be_asked_freely_is_listed() -> None:
    assert Spec(width=640, quality=80).listed
    assert not Spec(width=641).listed
    assert not Spec(width=640, quality=81).listed

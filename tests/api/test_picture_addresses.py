"""The addresses of pictures: which there are, and that nobody makes one up."""

from typing import Any

import pytest

from api.picture_addresses import is_signed, one_form, pictures
from cms.pictures import Preset
from media.renditions import Spec

SECRET = b"secret"
SHA = "ab" * 32
PHOTO: dict[str, Any] = {
    "sha256": SHA,
    "name": "Офис зимой.JPG",
    "media_type": "image/jpeg",
    "width": 1000,
    "height": 500,
}
DRAWING = {**PHOTO, "name": "a.svg", "media_type": "image/svg+xml", "width": None, "height": None}
PAPER = {**PHOTO, "name": "a.pdf", "media_type": "application/pdf", "width": None, "height": None}


def shown(file: dict[str, Any], *presets: Preset, **more: Any) -> Any:
    return pictures(SECRET)(file, presets, **more)


def steps(url: str) -> list[str]:
    return url.removeprefix("/media/").partition("?")[0].split("/")


def candidates(srcset: str) -> dict[str, str]:
    return {size: url for url, size in (one.split(" ") for one in srcset.split(", "))}


def test_a_photo_comes_in_steps_up_to_its_own_width() -> None:
    found = candidates(shown(PHOTO)["srcset"])
    assert list(found) == ["160w", "320w", "480w", "640w", "800w", "960w", "1000w"]
    sha256, spec, signature, name = steps(found["640w"])
    assert (sha256, spec, name) == (SHA, str(Spec(width=640)), "ofis-zimoi.jpg")
    assert is_signed(SECRET, sha256, spec, signature)


@pytest.mark.parametrize(
    "change", [{"sha256": "cd" * 32}, {"spec": "fit_641_auto"}, {"given": "0" * 24}, {"given": "ж"}]
)
def test_a_signature_opens_one_form_of_one_file(change: dict[str, str]) -> None:
    sha256, spec, signature, _ = steps(candidates(shown(PHOTO)["srcset"])["640w"])
    assert not is_signed(SECRET, **{"sha256": sha256, "spec": spec, "given": signature, **change})
    assert not is_signed(b"another", sha256, spec, signature)


def test_a_preset_has_an_address_and_another_for_screens_of_double_density() -> None:
    found = shown(PHOTO, Preset("card", "fill", 400, 300))["renditions"]["card"]
    assert (found["width"], found["height"]) == (400, 300)
    assert steps(found["url"])[1] == "fill_400x300_auto"
    single, double = found["srcset"].split(", ")
    assert single == f"{found['url']} 1x"
    # The photo is only 500 high, so double density is not reached.
    assert steps(double)[1] == "fill_800x600_auto"
    assert double.endswith(" 1.67x")


def test_a_picture_that_is_no_larger_has_one_density() -> None:
    assert shown({**PHOTO, "width": 100, "height": 50}, Preset("card", width=400))["renditions"] == {
        "card": {"url": shown({**PHOTO, "width": 100, "height": 50}, Preset("x", width=400))["renditions"]["x"]["url"],
                 "width": 100, "height": 50, "srcset": None}
    }  # fmt: skip


def test_a_frame_is_filled_around_the_focal_point() -> None:
    focused = {**PHOTO, "focal_point": {"x": 0.25, "y": None}}
    url = shown(focused, Preset("card", "fill", 400, 300, 80, "webp"))["renditions"]["card"]["url"]
    assert steps(url)[1] == "fill_400x300_f25-50_q80_webp"


def test_staff_s_addresses_open_what_is_not_public() -> None:
    found = shown(PHOTO, Preset("card", width=400), sign=lambda sha256: f"for-{sha256[:4]}")
    assert found["url"].endswith(".jpg?signature=for-abab")
    assert all(url.endswith("?signature=for-abab") for url in candidates(found["srcset"]).values())
    assert found["renditions"]["card"]["url"].endswith("?signature=for-abab")


def test_a_drawing_in_vectors_is_its_own_picture_in_every_form() -> None:
    found = shown(DRAWING, Preset("card", width=400))
    assert found["srcset"] is None
    assert found["renditions"]["card"] == {"url": f"/media/{SHA}/a.svg", "width": None, "height": None, "srcset": None}


def test_a_document_has_the_picture_of_its_first_page() -> None:
    page = {**PHOTO, "sha256": "cd" * 32, "name": "a.webp", "media_type": "image/webp", "color": "#ffffff"}
    found = shown({**PAPER, "picture": page}, Preset("card", width=400))
    assert (found["srcset"], found["renditions"]) == (None, {})
    assert found["picture"]["url"] == f"/media/{'cd' * 32}/a.webp"
    assert (found["picture"]["width"], found["picture"]["color"]) == (1000, "#ffffff")
    assert "640w" in found["picture"]["srcset"]
    assert shown(PAPER)["picture"] is None


def test_what_is_no_picture_has_no_forms() -> None:
    assert one_form(SECRET, PAPER, Preset("", width=320)) is None

"""Pictures in other sizes and formats over HTTP: signed, made once, never changing, and nothing of the camera's."""

import io
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.api.desk import data_of, fresh, refused
from tests.api.serving import Site
from tests.api.test_uploads_api import pdf
from tests.media.bytes_at_hand import SVG, moving, picture

WEBP = {"Accept": "image/webp,image/*,*/*;q=0.8"}
AVIF = {"Accept": "image/avif,image/webp,*/*"}


def photo(size: tuple[int, int] = (400, 300), **saving: Any) -> bytes:
    return picture("JPEG", size, **saving)


def located() -> bytes:
    """A photo that tells where it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "Camera of Olga"
    exif.get_ifd(0x8825)[1] = "N"
    return photo((64, 48), exif=exif)


def of(site: Site, entry: dict[str, Any], width: int = 160) -> str:
    """The address of a rendition, as staff get it."""
    srcset: str = site.reader.read(entry)["fields"]["file"]["srcset"]
    return next(url for url, size in (one.split(" ") for one in srcset.split(", ")) if size == f"{width}w")


def image_of(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text[:500]
    return Image.open(io.BytesIO(answer.content))


def test_a_picture_comes_in_another_size_and_in_the_best_format_that_is_taken(site: Site) -> None:
    url = of(site, site.publisher.publish(site.editor.upload(photo(), "Офис.jpg")))
    for headers, media_type, format in (
        (WEBP, "image/webp", "WEBP"),
        (AVIF, "image/avif", "AVIF"),
        ({}, "image/jpeg", "JPEG"),
    ):
        answer = site.anyone.get(url, headers=headers)
        assert (image_of(answer).size, image_of(answer).format) == ((160, 120), format)
        assert answer.headers["content-type"] == media_type
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "accept" in answer.headers["vary"].lower()
    disposition = site.anyone.get(url, headers=WEBP).headers["content-disposition"]
    assert disposition.startswith("inline;")
    assert "webp" in disposition


def test_a_rendition_is_not_sent_to_who_has_it(site: Site) -> None:
    url = of(site, site.publisher.publish(site.editor.upload(photo())))
    first = site.anyone.get(url, headers=WEBP)
    again = site.anyone.get(url, headers={**WEBP, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["vary"]) == (304, b"", first.headers["vary"])
    # Who has the WebP has not the AVIF.
    assert site.anyone.get(url, headers={**AVIF, "If-None-Match": first.headers["etag"]}).status_code == 200
    head = site.anyone.head(url, headers=WEBP)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(first.content)), b"")


def test_a_rendition_is_closed_as_long_as_its_picture_is(site: Site) -> None:
    entry = site.editor.upload(photo())
    signed = of(site, entry)
    refused(site.anyone.get(signed.partition("?")[0]), 404, "not_found")
    assert site.anyone.get(signed).headers["cache-control"] == "private, max-age=3600, immutable"
    live = site.publisher.publish(entry)
    bare = of(site, live)
    assert bare == signed.partition("?")[0]
    assert image_of(site.anyone.get(bare)).size == (160, 120)
    site.publisher.take_down(live)
    refused(site.anyone.get(bare), 404, "not_found")


@pytest.mark.parametrize("place", range(3))
def test_an_address_that_was_not_given_is_not_found(site: Site, place: int) -> None:
    url = of(site, site.publisher.publish(site.editor.upload(photo())))
    steps = url.removeprefix("/media/").split("/")
    for other in ("0" * len(steps[place]), "fit_161_auto", "x" * 2_000, "%D0%B6", "fit_99999_auto"):
        changed = [*steps[:place], other, *steps[place + 1 :]]
        refused(site.anyone.get("/media/" + "/".join(changed)), 404, "not_found")


def test_what_cannot_be_rendered_has_no_renditions(site: Site) -> None:
    drawing = site.publisher.publish(site.editor.upload(SVG + f"<!-- {fresh()} -->".encode(), "a.svg"))
    assert site.reader.read(drawing)["fields"]["file"]["srcset"] is None
    paper = site.publisher.publish(site.editor.upload(f"Notes {fresh()}".encode(), "notes.txt"))
    assert site.reader.read(paper)["fields"]["file"]["srcset"] is None
    refused(site.reader.get(f"entries/{paper['id']}/renditions", params={"width": 320}), 404, "not_renderable")


def test_a_moving_picture_keeps_moving_where_it_can(site: Site) -> None:
    entry = site.publisher.publish(site.editor.upload(moving("GIF", 3), f"{fresh()}.gif"))
    srcset = site.reader.read(entry)["fields"]["file"]["srcset"]
    answer = site.anyone.get(srcset.split(" ")[0], headers=AVIF)
    assert image_of(answer).format == "WEBP"


# --- what the public gets of the original ---


def test_the_public_gets_a_photo_without_what_the_camera_wrote(site: Site) -> None:
    content = located()
    entry = site.editor.upload(content, "photo.jpg")
    signed = entry["fields"]["file"]["url"]
    url = site.publisher.publish(entry)["fields"]["file"]["url"]
    public = site.anyone.get(url)
    assert b"Camera of Olga" not in public.content
    assert image_of(public).size == (64, 48)
    staff = site.anyone.get(signed)
    assert (staff.content, staff.headers["cache-control"]) == (content, "private, max-age=3600, immutable")
    assert public.headers["etag"] != staff.headers["etag"]
    part = site.anyone.get(url, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, public.content[:10])


def test_a_photo_that_came_before_such_things_were_done_is_cleaned_when_it_is_first_asked_for(site: Site) -> None:
    entry = site.publisher.publish(site.editor.upload(located(), "photo.jpg"))
    file = entry["fields"]["file"]
    site.parts.store.delete(f"{file['sha256']}/clean")
    for _ in range(2):
        assert b"Camera of Olga" not in site.anyone.get(file["url"]).content
    assert site.parts.store.exists(f"{file['sha256']}/clean")


def test_a_picture_with_nothing_to_clean_is_not_looked_at_again(site: Site) -> None:
    content = picture("PNG")
    file = site.publisher.publish(site.editor.upload(content))["fields"]["file"]
    assert site.parts.store.exists(f"{file['sha256']}/pure")
    assert site.anyone.get(file["url"]).content == content


# --- in answers ---


def test_visitors_get_sizes_texts_and_presets_with_a_picture(site: Site) -> None:
    image = site.publisher.live(
        "image", file=site.editor.upload(photo())["fields"]["file"], alt="Офис", alts={"en": "Office"}
    )
    file = data_of(site.visitor.get(f"entries/{image['id']}"))["fields"]["file"]
    assert (file["alt"], file["alts"], file["pages"]) == ("Офис", {"en": "Office"}, None)
    assert file["placeholder"]
    assert file["color"].startswith("#")
    assert file["renditions"] == {}
    assert [size for _, size in (one.split(" ") for one in file["srcset"].split(", "))] == ["160w", "320w", "400w"]
    body = {"format": "html", "value": f'<img src="entry:{image["id"]}">'}
    news = site.publisher.live(body=body, locale="en")
    html = data_of(site.visitor.get(f"entries/{news['id']}"))["fields"]["body"]
    assert file["srcset"] in html
    assert 'alt="Office"' in html
    assert (
        site.visitor.get(f"entries/{news['id']}").headers["etag"]
        == site.visitor.get(f"entries/{news['id']}").headers["etag"]
    )


def test_presets_of_the_settings_come_with_every_picture(site: Site) -> None:
    image = site.publisher.publish(
        site.editor.change(site.editor.upload(photo((800, 400))), focal_point={"x": 0.1, "y": 0.5})
    )
    [settings] = data_of(site.administrator.get("entries", params={"type": "settings"}))
    card = {"name": "card", "fit": "fill", "width": 200, "height": 200}
    changed = site.administrator.publish(site.administrator.change(settings, image_presets=[card]))
    found = data_of(site.visitor.get(f"entries/{image['id']}"))["fields"]["file"]["renditions"]["card"]
    assert (found["width"], found["height"]) == (200, 200)
    assert "fill_200x200_f10-50_auto" in found["url"]
    assert [one.split(" ")[1] for one in found["srcset"].split(", ")] == ["1x", "2x"]
    assert image_of(site.anyone.get(found["url"], headers=WEBP)).size == (200, 200)
    site.administrator.publish(site.administrator.change(changed, image_presets=None))


def test_a_document_shows_its_first_page(site: Site) -> None:
    entry = site.editor.upload(pdf(fresh("Report")), "report.pdf")
    drafted = entry["fields"]["file"]["picture"]
    assert image_of(site.anyone.get(drafted["url"])).format == "WEBP"
    refused(site.anyone.get(drafted["url"].partition("?")[0]), 404, "not_found")
    live = site.publisher.publish(entry)
    shown = data_of(site.visitor.get(f"entries/{live['id']}"))["fields"]["file"]["picture"]
    page = image_of(site.anyone.get(shown["url"]))
    assert page.size == (shown["width"], shown["height"])
    assert site.anyone.get(shown["srcset"].split(" ")[0], headers=WEBP).status_code == 200
    site.publisher.take_down(live)
    refused(site.anyone.get(shown["url"]), 404, "not_found")


def test_a_form_of_one_s_own_is_signed_for_staff(site: Site) -> None:
    entry = site.publisher.publish(site.editor.upload(photo()))
    asked = {"fit": "fill", "width": "120", "height": "120", "ratio": "2", "quality": "60", "format": "webp"}
    form = data_of(site.reader.get(f"entries/{entry['id']}/renditions", params=asked))
    assert (form["width"], form["height"]) == (240, 240)
    answer = site.anyone.get(form["url"])
    assert (image_of(answer).size, image_of(answer).format) == ((240, 240), "WEBP")
    refused(site.stranger.get(f"entries/{entry['id']}/renditions", params=asked), 401)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "out_of_range"),
        ({"width": "161"}, "out_of_range"),
        ({"width": "x"}, "out_of_range"),
        ({"fit": "fill", "width": "160"}, "out_of_range"),
        ({"width": "160", "quality": "61"}, "out_of_range"),
        ({"width": "4096", "ratio": "2"}, "out_of_range"),
        ({"width": "160", "format": "bmp"}, "unknown_value"),
        ({"width": "160", "ratio": "9"}, "unknown_value"),
        ({"nonsense": "1"}, "unknown_parameter"),
    ],
)
def test_forms_are_those_of_an_allow_list(site: Site, asked: dict[str, str], code: str) -> None:
    entry = site.editor.upload(photo())
    refused(site.reader.get(f"entries/{entry['id']}/renditions", params=asked), 400, code)

"""What is taken, as what, and what is refused and why."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.inspection import Inspected, close_inspection
from media.refusals import NotAnImage, RefusedMedia, Unreadable
from tests.media.bytes_at_hand import HTML, SVG, Look, endless_gif, moving, picture, png_of, turned, zipped


def told(found: Inspected) -> tuple[object, ...]:
    return (found.kind, found.media_type, found.extension, found.width, found.height)


PICTURES = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp", "AVIF": "avif"}


@pytest.mark.parametrize("file_format", PICTURES)
def test_a_picture_is_known_with_its_size(look: Look, file_format: str) -> None:
    found = look(picture(file_format), "named.html")
    assert told(found) == ("image", f"image/{file_format.lower()}", PICTURES[file_format], 40, 30)
    assert found.inline


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))])
def test_the_size_is_the_one_that_is_shown(
    look: Look, file_format: str, orientation: int, size: tuple[int, int]
) -> None:
    found = look(turned(file_format, orientation))
    assert (found.width, found.height) == size


def test_broken_exif_does_not_keep_a_picture_out(look: Look) -> None:
    assert look(picture("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).width == 40


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP"])
def test_a_moving_picture_is_taken(look: Look, file_format: str) -> None:
    assert look(moving(file_format, 12)).kind == "image"


def test_a_cameras_picture_in_two_parts_is_a_jpeg(look: Look) -> None:
    assert look(moving("MPO", 2)).media_type == "image/jpeg"


@pytest.mark.parametrize("file_format", PICTURES)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_picture_cut_short_is_refused(look: Look, file_format: str, share: float) -> None:
    whole = picture(file_format, (200, 100))
    with pytest.raises(Unreadable):
        look(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("frames", [3, 11])
def test_a_moving_picture_cut_short_in_a_later_frame_is_refused(look: Look, frames: int) -> None:
    whole = moving("PNG", 12)
    with pytest.raises(Unreadable):
        look(whole[: len(whole) * frames // 12])


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "900 million pixels in 109 kB": (lambda: png_of(30_000, 30_000), "too_many_pixels"),
    "a row too many": (lambda: png_of(6401, 6250), "too_many_pixels"),
    "a canvas of 65,535 a side": (lambda: endless_gif(1, side=65_535), "too_many_pixels"),
    "10,000 frames": (lambda: endless_gif(10_000), "too_many_frames"),
    "a frame too many": (lambda: endless_gif(501), "too_many_frames"),
    "large frames": (lambda: endless_gif(12, side=6000), "too_many_frames"),
    "a long WebP": (lambda: moving("WEBP", 501), "too_many_frames"),
    "a long PNG": (lambda: moving("PNG", 501), "too_many_frames"),
}


@pytest.mark.parametrize(("make", "code"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused(look: Look, make: Callable[[], bytes], code: str) -> None:
    with pytest.raises(RefusedMedia) as refusal:
        look(make())
    assert refusal.value.code == code


def test_the_limits_themselves_are_allowed(look: Look) -> None:
    assert look(png_of(6400, 6250)).width == 6400
    assert look(endless_gif(500)).kind == "image"


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (SVG, (120, 80)),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a -->\n<!DOCTYPE svg PUBLIC "x" "y">' + SVG, (120, 80)),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="24px" height="9.6" viewBox="0 0 1 1"/>', (24, 10)),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="2em" viewBox="0,0,0.4,7"/>', (1, 7)),
        (b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>', (None, None)),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="0" height="-1" viewBox="0 0 1e9 nan"/>', (None, None)),
        (SVG.decode().encode("utf-16"), (120, 80)),
    ],
)
def test_an_svg_is_an_image_that_is_not_shown_in_place(look: Look, content: bytes, size: tuple[int, int]) -> None:
    found = look(content, "drawing.svg")
    assert told(found) == ("image", "image/svg+xml", "svg", *size)
    assert not found.inline


@pytest.mark.parametrize(
    "content",
    [
        SVG[:-6],
        SVG + b"<p>",
        b'<!DOCTYPE svg [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
        b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg width="&x;"/>',
        b'<?xml version="1.0" encoding="no-such"?><svg/>',
        b"<svg>\xff</svg>",
    ],
)
def test_a_broken_or_hostile_svg_is_refused(look: Look, content: bytes) -> None:
    with pytest.raises(Unreadable):
        look(content)


OOXML = "application/vnd.openxmlformats-officedocument"
FILES = {
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n": "application/pdf",
    zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"): f"{OOXML}.wordprocessingml.document",
    zipped(*(f"docProps/{each}" for each in range(99)), "xl/workbook.xml"): f"{OOXML}.spreadsheetml.sheet",
    zipped("ppt/presentation.xml"): f"{OOXML}.presentationml.presentation",
    zipped("a.txt"): "application/zip",
    b"{\\rtf1 hello}": "application/rtf",
    b"plain words": "text/plain",
    "обычный текст".encode(): "text/plain",
    "обычный текст".encode("cp1251"): "text/plain",
    "обычный текст".encode("utf-16"): "text/plain",
    ("а" * 40_000).encode()[1:-1]: "text/plain",
    b"MZ is how Mark Z. signed": "text/plain",
    b'{"a": 1}': "text/plain",
    b"alert(document.cookie)": "text/plain",
    HTML: "text/html",
    b"\n <!-- x --><SCRIPT src=x>": "text/html",
    b"<p>words": "text/html",
    b'<?xml version="1.0"?><rss/>': "application/xml",
    b"\0\1\2\3 nothing known": "application/octet-stream",
    picture("TIFF"): "image/tiff",
}


@pytest.mark.parametrize(("content", "media_type"), FILES.items(), ids=FILES.values())
def test_a_file_is_known_by_its_content_and_only_downloaded(look: Look, content: bytes, media_type: str) -> None:
    found = look(content, "named.pdf")
    assert (found.kind, found.media_type, found.inline) == ("file", media_type, False)


def test_a_picture_that_browsers_do_not_show_is_refused_with_what_to_do(look: Look) -> None:
    content = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
    with pytest.raises(RefusedMedia, match="save it as a JPEG") as refusal:
        look(content, "IMG_0001.HEIC")
    assert refusal.value.code == "not_for_the_web"


@pytest.mark.parametrize("content", FILES, ids=FILES.values())
@pytest.mark.parametrize("filename", ["photo.png", "PHOTO.JPG", "a.b.gif", "x.svg"])
def test_what_is_named_as_an_image_must_be_one(look: Look, content: bytes, filename: str) -> None:
    with pytest.raises(NotAnImage, match="is named as an image, but its content is"):
        look(content, filename)


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01\x01\0",
        b"MZ\x90\0\3\0\0\0",
        b"\xcf\xfa\xed\xfe\7\0\0\1",
        b"\xfe\xed\xfa\xce\0\0\0\1",
        b"\xca\xfe\xba\xbe\0\0\0\2",
        b"\0asm\1\0\0\0",
        b"#!/bin/sh\nrm -rf /",
        b"#! /usr/bin/env python3\n",
    ],
)
@pytest.mark.parametrize("filename", ["report.txt", "photo.png"])
def test_a_program_is_refused_whatever_its_name(look: Look, content: bytes, filename: str) -> None:
    with pytest.raises(RefusedMedia) as refusal:
        look(content, filename)
    assert refusal.value.code == "executable"


@pytest.mark.parametrize("content", [b"<g>" * 2000 + b"</g>" * 2000, b"<g/>" * 300_000], ids=["deep", "wide"])
def test_a_drawing_that_costs_too_much_is_refused(look: Look, content: bytes) -> None:
    with pytest.raises(RefusedMedia) as refusal:
        look(b"<svg>" + content + b"</svg>")
    assert refusal.value.code == "too_large"


def test_an_empty_file_is_refused(look: Look) -> None:
    with pytest.raises(RefusedMedia) as refusal:
        look(b"")
    assert refusal.value.code == "empty"


@pytest.mark.parametrize(
    "start", [b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x89PNG\0", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBPVP8 "]
)
def test_a_page_behind_the_first_bytes_of_a_picture_is_refused(look: Look, start: bytes) -> None:
    with pytest.raises(Unreadable):
        look(start + b"/*" + HTML)


POLYGLOTS = {
    "a page": HTML,
    "a page, padded": b"\0" * 900 + HTML,
    "PHP": b"<?php system($_GET['c']); ?>",
    "a script": b"/*=1;alert(document.domain)//",
    "a shell script": b"#!/bin/sh\nrm -rf /",
    "a PDF": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    "a Java archive": zipped("META-INF/MANIFEST.MF", "Evil.class"),
    "an empty archive": zipped(),
    "a RAR": b"Rar!\x1a\x07\0\xcf\x90s",
    "a program": b"\x7fELF\x02\x01\x01\0",
}


@pytest.mark.parametrize("file_format", PICTURES)
@pytest.mark.parametrize("foreign", POLYGLOTS.values(), ids=POLYGLOTS)
def test_a_picture_with_another_file_behind_it_is_refused(look: Look, file_format: str, foreign: bytes) -> None:
    with pytest.raises(RefusedMedia) as refusal:
        look(picture(file_format) + foreign, "page.html")
    assert refusal.value.code == "polyglot"


@pytest.mark.parametrize("file_format", PICTURES)
@pytest.mark.parametrize("behind", [b"\0" * 5000, b"\r\n", b"\xfe\x01maker's note\0\x01\x02"])
def test_what_else_stands_behind_a_picture_is_no_harm(look: Look, file_format: str, behind: bytes) -> None:
    assert look(picture(file_format) + behind).width == 40


@pytest.mark.parametrize(
    "behind",
    [
        picture("JPEG"),
        b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"<html>" + bytes(range(256)) * 40,
        b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1500000000000SEFHe\0\0\0\x01\0\0\0$\0\0\0SEFT",
    ],
    ids=["more pictures", "a motion photo", "Samsung"],
)
def test_what_cameras_put_behind_a_picture_is_taken(look: Look, behind: bytes) -> None:
    assert look(picture("JPEG") + behind).width == 40


def test_rows_of_comments_take_no_time(look: Look) -> None:
    assert look(b"<!--a-->" * 8000).media_type == "application/xml"
    assert look(b"<!--" * 16_000).media_type == "application/xml"


def test_inspection_goes_on_after_it_was_closed(look: Look) -> None:
    look(SVG)
    close_inspection()
    close_inspection()
    assert look(SVG).kind == "image"


STARTS = [
    *(picture(each) for each in PICTURES),
    *(picture(each, exif=b"Exif\0\0II*\0\x08" + b"\0" * 9, xmp=b"<x/>") for each in ("JPEG", "WEBP", "AVIF")),
    turned("JPEG", 6),
    turned("PNG", 3),
    picture("JPEG", (90, 70), progressive=True, comment=b"words"),
    moving("GIF", 3),
    moving("PNG", 3),
    SVG,
    zipped("word/a"),
    HTML,
    b"MZ",
    b"",
]
spoiled = st.builds(
    lambda start, at, noise: start[: int(at * len(start))] + noise + start[int(at * len(start)) + len(noise) :],
    st.sampled_from(STARTS),
    st.floats(0, 1),
    st.binary(min_size=1, max_size=40),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | spoiled, filename=st.text(max_size=12) | st.sampled_from(["a.png", "b.svg"]))
def test_no_bytes_break_inspection(look: Look, content: bytes, filename: str) -> None:
    try:
        found = look(content, filename)
    except RefusedMedia as caught:
        refusal = caught
    else:
        assert not found.inline or found.width
        if found.clean and found.inline:
            again = look(found.clean.read_bytes())
            assert (told(again), again.clean) == (told(found), None)
        return
    assert refusal.code
    assert refusal.message.endswith(".")

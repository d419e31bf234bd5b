"""What the public gets in place of a picture: the same pixels, and nothing that tells who took it, and where."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from media.refusals import RefusedMedia
from tests.media.bytes_at_hand import SVG, Look, moving, picture

SECRETS = (b"GPS", b"55.7558", b"Canon", b"Ivanov", b"photoshop", b"IPTC")
XMP = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/">Ivanov photoshop</x:xmpmeta>'
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int = 1) -> Image.Exif:
    said = Image.Exif()
    said[0x0112] = orientation
    said[0x010F] = "Canon"
    said[0x013B] = "Ivanov"
    said.get_ifd(0x8825)[2] = (55.0, 45.0, 20.88)
    said.get_ifd(0x8825)[29] = "GPS 55.7558"
    return said


def told_of(file_format: str, orientation: int = 1) -> bytes:
    """A picture with everything that a camera and an editor write into one."""
    saving: dict[str, Any] = {"exif": exif(orientation), "icc_profile": PROFILE}
    if file_format in ("WEBP", "AVIF", "JPEG"):
        saving["xmp"] = XMP
    if file_format == "PNG":
        saving["pnginfo"] = PngImagePlugin.PngInfo()
        saving["pnginfo"].add_text("Author", "Ivanov")
        saving["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
    if file_format == "JPEG":
        saving |= {"comment": b"Ivanov", "quality": 90}
    return picture(file_format, (64, 48), **saving)


def pixels(content: bytes) -> tuple[tuple[int, int], bytes]:
    with Image.open(io.BytesIO(content)) as opened:
        return opened.size, opened.convert("RGBA").tobytes()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_picture_is_the_same_without_what_tells_of_it(look: Look, file_format: str) -> None:
    content = told_of(file_format)
    found = look(content)
    assert found.clean
    clean = found.clean.read_bytes()
    assert pixels(clean) == pixels(content)
    assert not [secret for secret in SECRETS if secret in clean]
    with Image.open(io.BytesIO(clean)) as opened:
        assert opened.info.get("icc_profile") == PROFILE
        assert not opened.getexif()
        assert not b"".join(opened.info.get("xmp") or b"" for _ in "x").strip()
        assert not opened.info.keys() & {"comment", "Author", "XML:com.adobe.xmp"}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_a_picture_that_tells_nothing_has_no_second_form(look: Look, file_format: str, tmp_path: Path) -> None:
    assert look(picture(file_format)).clean is None
    assert [path.name for path in tmp_path.iterdir()] == ["content.part"]


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_a_turned_picture_is_turned_upright(look: Look, file_format: str, orientation: int) -> None:
    content = told_of(file_format, orientation)
    found = look(content)
    assert found.clean
    clean = found.clean.read_bytes()
    assert not [secret for secret in SECRETS if secret in clean]
    with Image.open(io.BytesIO(clean)) as opened, Image.open(io.BytesIO(content)) as original:
        assert opened.size == (found.width, found.height)
        assert opened.info.get("icc_profile") == PROFILE
        assert not opened.getexif()
        meant = ImageOps.exif_transpose(original).convert("L").resize((8, 6), Image.Resampling.BOX).tobytes()
        shown = opened.convert("L").resize((8, 6), Image.Resampling.BOX).tobytes()
        assert max(abs(one - other) for one, other in zip(meant, shown, strict=True)) < 8


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
def test_what_moves_keeps_moving(look: Look, file_format: str) -> None:
    content = moving(file_format, 5)
    if file_format == "GIF":
        content = content[:-1] + b"!\xfe\x06Ivanov\0;"
    if file_format == "PNG":
        content = content[:-12] + chunk(b"tEXt", b"Author\0Ivanov") + content[-12:]
    if file_format == "WEBP":
        content = webp_with(content, b"XMP ", XMP)
    found = look(content)
    assert (found.clean and found.frames) == 5
    clean = found.clean.read_bytes() if found.clean else b""
    assert b"Ivanov" not in clean
    with Image.open(io.BytesIO(clean)) as opened, Image.open(io.BytesIO(content)) as original:
        assert getattr(opened, "n_frames", 1) == 5
        for frame in range(5):
            opened.seek(frame)
            original.seek(frame)
            assert opened.convert("RGBA").tobytes() == original.convert("RGBA").tobytes()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def webp_with(content: bytes, name: bytes, body: bytes) -> bytes:
    padded = name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return content[:4] + struct.pack("<I", len(content) - 8 + len(padded)) + content[8:] + padded


def test_a_cameras_notes_and_second_pictures_stay_behind(look: Look) -> None:
    first = told_of("JPEG")
    for content in (moving("MPO", 2), first + b"\0" * 99 + told_of("JPEG"), first + b"\x01\x02 Ivanov SEFT"):
        found = look(content)
        assert found.clean
        clean = found.clean.read_bytes()
        assert (clean.count(b"\xff\xd8\xff"), clean[-2:], b"Ivanov" in clean) == (1, b"\xff\xd9", False)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_what_is_told_in_hundreds_of_places_stays_behind(look: Look, file_format: str) -> None:
    content = told_a_thousand_times(file_format)
    found = look(content)
    assert found.clean
    clean = found.clean.read_bytes()
    assert (b"Ivanov" in content, b"Ivanov" in clean) == (True, False)
    assert pixels(clean) == pixels(content)


def told_a_thousand_times(file_format: str) -> bytes:
    """A picture with what tells of it between parts that show it."""
    content = picture(file_format) if file_format != "WEBP" else moving("WEBP", 2)
    if file_format == "JPEG":
        shown = content[(at := content.index(b"\xff\xdb")) : at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")]
        return content[:2] + (shown + b"\xff\xfe\0\x08Ivanov") * 1_000 + content[2:]
    if file_format == "PNG":
        # The header ends at 33.
        between = chunk(b"pHYs", bytes(9)) + chunk(b"tEXt", b"Author\0Ivanov")
        return content[:33] + between * 1_000 + content[33:]
    if file_format == "GIF":
        at = 13 + (3 << (content[10] % 8 + 1))
        return content[:at] + (b"!\xf9\x04\0\0\0\0\0" + b"!\xfe\x06Ivanov\0") * 1_000 + content[at:]
    for _ in range(1_000):
        content = webp_with(webp_with(content, b"XMP ", b"Ivanov"), b"ICCP", b"")
    return content


@pytest.mark.parametrize(
    "end",
    [b"", b"\x07;", b"\x07!\xfe\x06Ivanov\0", b"\x07" * 3_000_000 + b";"],
    ids=["none", "stray", "stray and more", "much that is stray"],
)
def test_a_gif_with_another_end_tells_nothing_either(look: Look, end: bytes) -> None:
    content = picture("GIF")[:-1] + b"!\xfe\x06Ivanov\0" + end
    found = look(content)
    assert found.clean
    assert b"Ivanov" not in found.clean.read_bytes()
    assert pixels(found.clean.read_bytes()) == pixels(content)


def test_a_picture_in_too_many_parts_to_be_cleaned_is_refused(look: Look) -> None:
    parts = b"!\xf9\x04\0\0\0\0\0" + b"!\xfe\x06Ivanov\0"
    content = picture("GIF")
    at = 13 + (3 << (content[10] % 8 + 1))
    with pytest.raises(RefusedMedia, match="too many parts"):
        look(content[:at] + parts * 60_000 + content[at:])


def test_a_progressive_jpeg_is_the_same_without_what_tells_of_it(look: Look) -> None:
    content = picture("JPEG", (300, 200), progressive=True, comment=b"Ivanov", restart_marker_rows=1)
    found = look(content)
    assert found.clean
    assert pixels(found.clean.read_bytes()) == pixels(content)
    assert b"Ivanov" not in found.clean.read_bytes()


def test_a_jpeg_in_four_inks_keeps_its_colours(look: Look) -> None:
    file = io.BytesIO()
    Image.effect_noise((40, 30), 60).convert("RGB").convert("CMYK").save(file, "JPEG", comment=b"Ivanov")
    found = look(file.getvalue())
    assert found.clean
    assert pixels(found.clean.read_bytes()) == pixels(file.getvalue())


HARM = {
    "a script": "<script>alert(1)</script>",
    "a script in CDATA": "<script><![CDATA[alert(1)]]></script>",
    "a handler": '<path d="M0 0h9" onclick="alert(1)"/>',
    "a handler in capitals": '<path d="M0 0h9" OnLoad="alert(1)"/>',
    "HTML": (
        '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><iframe src="https://evil.example"/></body>'
        "</foreignObject>"
    ),
    "a link": '<a href="javascript:alert(1)"><path d="M0 0h9"/></a>',
    "an old link": '<a xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="javascript:alert(1)"><path d="M0"/></a>',
    "a picture elsewhere": '<image href="https://evil.example/x.png"/>',
    "a use elsewhere": '<use href="https://evil.example/x.svg#a"/>',
    "data as a page": '<use href="data:text/html,&lt;script&gt;alert(1)&lt;/script&gt;"/>',
    "data as an SVG": '<image href="data:image/svg+xml;base64,PHN2Zz4="/>',
    "a style with an address": '<path d="M0 0" style="fill:url(https://evil.example/#a)"/>',
    "a fill": '<path d="M0 0" fill="url(https://evil.example/#a)"/>',
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_a_drawing_is_the_same_without_what_could_harm(look: Look, harm: str) -> None:
    found = look(SVG.replace(b"</svg>", harm.encode() + b"</svg>"))
    assert found.clean
    clean = found.clean.read_text("utf-8")
    assert 'd="M0 0h9"' in clean
    for word in ("script", "alert", "evil.example", "onclick", "onload", "iframe", "foreignObject", "text/html"):
        assert word.lower() not in clean.lower()


INERT = {
    '<a><set attributeName="href" to="#x"/></a>': "attributeName",
    "<style>@import url(https://evil.example/x.css);</style>": "import",
    r"<style>p{background:u\72l(https://evil.example/x)}</style>": "\\72l(",
    "<style>p{background:url(https://evil.example/x)}</style>": "evil.example",
}


@pytest.mark.parametrize(("harm", "working"), INERT.items(), ids=INERT)
def test_what_is_left_of_an_animation_or_a_style_does_nothing(look: Look, harm: str, working: str) -> None:
    found = look(SVG.replace(b"</svg>", harm.encode() + b"</svg>"))
    assert found.clean
    assert working not in found.clean.read_text("utf-8")


def test_addresses_in_images_of_styles_get_by_so_a_drawing_is_only_downloaded(look: Look) -> None:
    found = look(SVG.replace(b"</svg>", b"<style>p{background:image-set('https://evil.example/x' 1x)}</style></svg>"))
    assert found.clean
    assert "evil.example" in found.clean.read_text("utf-8")
    assert not found.inline


def test_a_drawing_keeps_its_gradients_and_styles(look: Look) -> None:
    drawn = (
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><defs><linearGradient id="g"><stop offset="0" '
        b'stop-color="red"/></linearGradient></defs><style>.a{fill:blue}</style><script>1</script>'
        b'<rect class="a" width="9" height="9" fill="url(#g)"/><text x="1">\xd0\xbf\xd1\x80\xd0\xb8</text></svg>'
    )
    found = look(drawn)
    assert found.clean
    clean = found.clean.read_text("utf-8")
    assert [part for part in ("url(#g)", "fill:blue", "при", "linearGradient", "viewBox") if part not in clean] == []


def test_no_clean_form_stays_behind_a_refusal(look: Look, tmp_path: Path) -> None:
    with pytest.raises(RefusedMedia, match="behind the picture there is markup"):
        look(told_of("JPEG") + b"<?php ?>")
    assert [path.name for path in tmp_path.iterdir()] == ["content.part"]

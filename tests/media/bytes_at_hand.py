"""Files to inspect, made on the spot."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image

from media.inspection import Inspected

# What the fixture `look` gives: bytes, and the name that they come under.
Look = Callable[..., Inspected]

HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 80"><path d="M0 0h9"/></svg>'


def picture(file_format: str, size: tuple[int, int] = (40, 30), **saving: Any) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(file, file_format, **saving)
    return file.getvalue()


def turned(file_format: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return picture(file_format, exif=exif)


def moving(file_format: str, frames: int) -> bytes:
    first, *rest = (
        Image.new("RGB", (20, 10), (shade * 37 % 256, shade * 91 % 256, shade % 256)) for shade in range(frames)
    )
    file = io.BytesIO()
    first.save(file, file_format, save_all=True, append_images=rest)
    return file.getvalue()


def endless_gif(frames: int, side: int = 10) -> bytes:
    """A GIF of frames of one pixel each, 23 bytes a frame."""
    screen = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"!\xf9\x04\0\0\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return screen + frame * frames + b";"


def png_of(width: int, height: int) -> bytes:
    """A PNG of one colour with true checksums: 109 kB for 900 million pixels."""
    packer = zlib.compressobj(9)
    rows = [packer.compress(bytes(width // 8 + 2)) for _ in range(height)]
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b"".join([*rows, packer.flush()])), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "content")
    return file.getvalue()

"""Uploads, renditions and reports on files."""

from api.shapes.entries import Entry
from api.shapes.shape import Shape


class Rendition(Shape):
    """A picture in one form; `srcset` is for screens of double density, where the picture has as much."""

    url: str
    width: int | None
    height: int | None
    srcset: str | None


class ImageWithoutText(Entry):
    """An image, and the locales in which it has no alternative text."""

    missing: list[str]


class FileWithRights(Entry):
    """An image or file, and in how many places it is used."""

    used: int


class UnusedFile(Shape):
    sha256: str
    name: str
    media_type: str
    size: int
    uploaded_at: str


class Swept(Shape):
    """What a sweep removed or would remove. `strays`: bytes that are no file's; `shown`: the oldest files."""

    dry_run: bool
    files: int
    bytes: int
    strays: int
    stray_bytes: int
    shown: list[UnusedFile]


class Folder(Shape):
    """A folder of images and files, and how many are in it and below it."""

    folder: str
    count: int


class Upload(Shape):
    """A resumable upload. `entry`: the id of what it has become."""

    id: str
    offset: int
    length: int
    expires_at: str
    entry: str | None

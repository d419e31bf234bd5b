"""Where a file's bytes are, and which forms of a picture the site offers."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Protocol

from slugify import slugify


@dataclass(frozen=True)
class Preset:
    """A form that the site's settings name: every image comes with its address. Sides are pixels, quality 1 to 100."""

    name: str
    fit: Literal["fit", "fill"] = "fit"
    width: int | None = None
    height: int | None = None
    quality: int | None = None
    format: Literal["auto", "avif", "webp", "jpeg", "png"] = "auto"


Sign = Callable[[str], str]


class Pictures(Protocol):
    """What gives a file its addresses. Those of renditions are signed, so whoever serves them makes it."""

    def __call__(
        self, file: Mapping[str, Any], presets: Sequence[Preset] = (), *, sign: Sign | None = None
    ) -> Mapping[str, Any]:
        """`{"url", "srcset", "renditions", "picture"}` of what a publication tells of its file. `sign` gives what opens
        a file, named by its SHA-256, that is not public.

        `srcset` is null for what is no picture; `renditions` has `{"url", "width", "height", "srcset"}` by preset's
        name; `picture` shows a document's first page: `{"url", "width", "height", "srcset", "placeholder", "color"}`.
        """
        ...


def whole(file: Mapping[str, Any], presets: Sequence[Preset] = (), *, sign: Sign | None = None) -> Mapping[str, Any]:
    """The `Pictures` of who serves no renditions: the original alone."""
    query = f"?signature={sign(file['sha256'])}" if sign is not None else ""
    return {"url": media_url(file) + query, "srcset": None, "renditions": {}, "picture": None}


_SIGNED = re.compile(r"(/media/[0-9a-f]{64}/[^\s\"'<>?#]*)\?signature=[0-9a-f]*")


def unsigned(text: str) -> str:
    """A text in which no address of a file opens it before it is published. Those that staff are given do, for ever,
    and show the bytes as they were uploaded: copied out of an editor's page they must not reach visitors."""
    return _SIGNED.sub(r"\1", text) if "?signature=" in text else text


def media_url(file: Mapping[str, Any]) -> str:
    """Where a file's bytes are served: its content's address, and its name for those who save it."""
    return f"/media/{file['sha256']}/{address_name(str(file['name']))}"


@lru_cache(maxsize=4_096)
def address_name(name: str) -> str:
    """A file's name as the last step of an address."""
    stem, dot, extension = name.rpartition(".")
    kept = slugify(stem or extension, max_length=80) or "file"
    return f"{kept}.{slugify(extension, max_length=10)}" if dot and stem else kept

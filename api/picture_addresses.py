"""The addresses of pictures in all their forms, signed so that nobody can ask for a form that we did not offer."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from cms.pictures import Pictures, Preset, Sign, address_name, media_url
from media.renditions import MAX_SIDE, RENDERED, Spec, srcset

_SIGNATURE_LENGTH = 24
# Pictures whose addresses are kept ready: those of the pages that are being asked for.
_READY = 4_096


def pictures(secret: bytes) -> Pictures:
    """What gives files their addresses: an original's, and those of its renditions where it is a picture."""
    return partial(_shown, secret)


def is_signed(secret: bytes, sha256: str, spec: str, given: str) -> bool:
    """Whether this address of a rendition is one that we have given away."""
    return hmac.compare_digest(_signature(secret, sha256, spec).encode(), given.encode())


def one_form(
    secret: bytes, file: Mapping[str, Any], preset: Preset, *, sign: Sign | None = None
) -> Mapping[str, Any] | None:
    """`{"url", "width", "height", "srcset"}` of a file in one form; None for what is no picture. Raises `BadSpec`."""
    found: Mapping[str, Any] = _forms_of(secret, file, (preset,), _query(file, sign))["renditions"]
    return found.get(preset.name)


def _shown(
    secret: bytes, file: Mapping[str, Any], presets: Sequence[Preset] = (), *, sign: Sign | None = None
) -> Mapping[str, Any]:
    query = _query(file, sign)
    picture = file.get("picture")
    return {
        "url": media_url(file) + query,
        **_forms_of(secret, file, tuple(presets), query),
        "picture": picture and _first_page(secret, picture, sign),
    }


def _query(file: Mapping[str, Any], sign: Sign | None) -> str:
    return f"?signature={sign(file['sha256'])}" if sign is not None else ""


def _first_page(secret: bytes, picture: Mapping[str, Any], sign: Sign | None) -> dict[str, Any]:
    shown = _shown(secret, picture, sign=sign)
    told = {name: picture.get(name) for name in ("width", "height", "placeholder", "color")}
    return {"url": shown["url"], **told, "srcset": shown["srcset"]}


def _forms_of(secret: bytes, file: Mapping[str, Any], presets: tuple[Preset, ...], query: str) -> Mapping[str, Any]:
    width, height = file.get("width"), file.get("height")
    if not str(file.get("media_type")).startswith("image/"):
        return {"srcset": None, "renditions": {}}
    if file["media_type"] not in RENDERED or not width or not height:
        # A drawing in vectors is its own picture in every size.
        own = {"url": media_url(file) + query, "width": width, "height": height, "srcset": None}
        return {"srcset": None, "renditions": {preset.name: own for preset in presets}}
    place = _Place(secret, str(file["sha256"]), address_name(str(file["name"])), query)
    return _forms(place, width, height, _focus(file.get("focal_point")), presets)


def _focus(focal_point: Mapping[str, Any] | None) -> tuple[float, float] | None:
    if not focal_point:
        return None
    x, y = (0.5 if focal_point.get(name) is None else float(focal_point[name]) for name in ("x", "y"))
    return x, y


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one file's renditions are."""

    secret: bytes
    sha256: str
    name: str
    query: str

    def url(self, spec: Spec) -> str:
        written = str(spec)
        return f"/media/{self.sha256}/{written}/{_signature(self.secret, self.sha256, written)}/{self.name}{self.query}"


def _signature(secret: bytes, sha256: str, spec: str) -> str:
    return hmac.digest(secret, f"rendition:{sha256}:{spec}".encode(), hashlib.sha256).hex()[:_SIGNATURE_LENGTH]


@lru_cache(maxsize=_READY)
def _forms(
    place: _Place, width: int, height: int, focus: tuple[float, float] | None, presets: tuple[Preset, ...]
) -> Mapping[str, Any]:
    specs = {one.name: Spec(one.fit, one.width, one.height, focus, one.quality, one.format) for one in presets}
    return {
        "srcset": ", ".join(f"{place.url(spec)} {reached}w" for spec, reached in srcset(width, height)),
        "renditions": {name: _rendition(place, spec, width, height) for name, spec in specs.items()},
    }


def _rendition(place: _Place, spec: Spec, width: int, height: int) -> dict[str, Any]:
    url, (shown_width, shown_height) = place.url(spec), spec.size(width, height)
    dense = _doubled(spec)
    ratio = dense.size(width, height)[0] / shown_width
    # Pictures are never enlarged: one that is too small for screens of double density has but one form.
    both = f"{url} 1x, {place.url(dense)} {round(ratio, 2):g}x" if ratio > 1 else None
    return {"url": url, "width": shown_width, "height": shown_height, "srcset": both}


def _doubled(spec: Spec) -> Spec:
    sides = {name: 2 * side for name in ("width", "height") if (side := getattr(spec, name)) is not None}
    return spec if any(side > MAX_SIDE for side in sides.values()) else replace(spec, **sides)

"""Which forms of a picture there are: what a rendition's address says, the sizes and formats that come of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, Self, cast, get_args

Fit = Literal["fit", "fill"]
Format = Literal["avif", "webp", "jpeg", "png"]
AnyFormat = Literal["auto", "avif", "webp", "jpeg", "png"]

MAX_SIDE = 4096
LADDER = (160, 320, 480, 640, 800, 960, 1200, 1600, 2000, 2560, 3200, 4096)
# What may be asked for freely; presets, which the site's owner writes down, may say any side up to MAX_SIDE.
SIDES = frozenset({*LADDER, 16, 32, 48, 64, 96, 120, 128, 180, 200, 240, 256, 300, 360, 400, 450, 500, 512, 540, 600})
SIDES |= {630, 675, 720, 768, 900, 1024, 1080, 1280, 1350, 1440, 1920, 2160, 3840}
QUALITIES = frozenset(range(30, 96, 5))
MEDIA_TYPES: dict[Format, str] = {each: f"image/{each}" for each in get_args(Format)}
# What renditions can be made of. An SVG has every size already.
RENDERED = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})


class BadSpec(ValueError):
    """Words that name no rendition; the message says what one may be."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One form of a picture. `str()` is its one canonical text, safe as a step of a path.

    `fit` keeps the whole picture within width and height, of which one may be missing; `fill` cuts it to exactly their
    ratio around `focus`, a share of the width and of the height from the top left (0 to 1; the middle if None).
    Neither enlarges. Sides are pixels, up to MAX_SIDE; quality is 1 to 100, None for what suits the format. Raises
    `BadSpec` when made of anything else.
    """

    fit: Fit = "fit"
    width: int | None = None
    height: int | None = None
    focus: tuple[float, float] | None = None
    quality: int | None = None
    format: AnyFormat = "auto"

    def __post_init__(self) -> None:
        sides = [side for side in (self.width, self.height) if side is not None]
        if self.fit not in get_args(Fit) or self.format not in get_args(AnyFormat):
            raise BadSpec("A rendition is fit or fill, and auto, avif, webp, jpeg or png.")
        if len(sides) < (2 if self.fit == "fill" else 1):
            raise BadSpec("Say the width and the height; for fit, one of them is enough.")
        if any(not 1 <= side <= MAX_SIDE for side in sides):
            raise BadSpec(f"Width and height are 1 to {MAX_SIDE} pixels.")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise BadSpec("Quality is 1 to 100.")
        object.__setattr__(self, "focus", self._rounded_focus())

    def _rounded_focus(self) -> tuple[float, float] | None:
        if self.focus is None or self.fit == "fit":
            return None
        if not all(0 <= share <= 1 for share in self.focus):
            raise BadSpec("The focus is two shares from 0 to 1.")
        # Whole percents, so that one place has one address.
        x, y = (round(share * 100) / 100 for share in self.focus)
        return None if (x, y) == (0.5, 0.5) else (x, y)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The spec that a text like `fill_800x450_f50-30_q80_webp` or `fit_640_auto` names. Raises `BadSpec` for any
        other, and for one that is not written as `str()` writes it."""
        match = _WRITTEN.fullmatch(text)
        if match is None:
            raise BadSpec("A rendition is written like fill_800x450_f50-30_q80_webp or fit_640_auto.")
        fit, width, height, x, y, quality, named = match.groups()
        spec = cls(
            cast("Fit", fit),
            int(width) if width else None,
            int(height) if height else None,
            (int(x) / 100, int(y) / 100) if x else None,
            int(quality) if quality else None,
            cast("AnyFormat", named),
        )
        if str(spec) != text:
            raise BadSpec(f"This rendition is written {spec}.")
        return spec

    def __str__(self) -> str:
        return f"{self.shape}_{self.format}"

    @property
    def shape(self) -> str:
        """The canonical text without the format: what is the same for all formats of `auto`."""
        steps = [self.fit, f"{self.width or ''}" + (f"x{self.height}" if self.height else "")]
        if self.focus:
            steps.append("f" + "-".join(str(round(share * 100)) for share in self.focus))
        if self.quality:
            steps.append(f"q{self.quality}")
        return "_".join(steps)

    @property
    def listed(self) -> bool:
        """Whether anybody on the staff may ask for it freely: sides and quality are in the allow-list."""
        sides = all(side is None or side in SIDES for side in (self.width, self.height))
        return sides and (self.quality is None or self.quality in QUALITIES)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The width and height that a picture of this size (as shown, not as stored) comes out with."""
        if self.fit == "fill" and self.width and self.height:
            scale = min(1, width / self.width, height / self.height)
            return _scaled(self.width, scale), _scaled(self.height, scale)
        scale = min(1, (self.width or width) / width, (self.height or height) / height)
        return _scaled(width, scale), _scaled(height, scale)

    def at_width(self, width: int) -> Self:
        """The same picture in another width, its height in proportion. Raises `BadSpec` past MAX_SIDE."""
        if self.width is None or self.height is None:
            return replace(self, width=width, height=None)
        return replace(self, width=width, height=max(1, round(self.height * width / self.width)))


def srcset(width: int, height: int, *, spec: Spec | None = None) -> list[tuple[Spec, int]]:
    """Renditions of a picture of this size with the width each comes out with, the narrowest first: candidates for an
    `<img srcset>`. With a spec: that one, narrower ones, and up to twice its width for screens of double density;
    without: the ladder up to the whole width."""
    wanted = spec or Spec(width=min(width, MAX_SIDE))
    own = wanted.size(width, height)[0]
    most = own if spec is None else 2 * own
    found: dict[int, Spec] = {}
    for each in sorted({*(step for step in LADDER if step < most), own, min(most, MAX_SIDE)}):
        for candidate in _tried(wanted, each, own):
            found.setdefault(candidate.size(width, height)[0], candidate)
    return [(found[reached], reached) for reached in sorted(found)]


def _tried(wanted: Spec, width: int, own: int) -> Iterator[Spec]:
    if width == own:
        yield wanted
    elif wanted.height is None or wanted.width is None or wanted.height * width <= MAX_SIDE * wanted.width:
        yield wanted.at_width(width)


def format_for(
    spec: Spec, accept: str | None, *, media_type: str, frames: int | None = None, pixels: int | None = None
) -> Format:
    """The format that a spec means for who sends this Accept header: for `auto` the best that it names by itself
    (`*/*` promises nothing), else JPEG or PNG. `media_type` and `frames` are the source's: what moves keeps moving in
    WebP alone. `pixels` of the rendition: large ones take too long to make in AVIF. An answer to `auto` needs
    `Vary: Accept`."""
    if spec.format != "auto":
        return spec.format
    accepted = {each.partition(";")[0].strip().lower() for each in (accept or "").split(",") if not _NEVER.search(each)}
    still = (frames or 1) == 1 and (pixels or 0) <= MAX_AVIF_PIXELS
    if still and "image/avif" in accepted:
        return "avif"
    if "image/webp" in accepted:
        return "webp"
    return "png" if media_type in ("image/png", "image/gif") else "jpeg"


# By measurement (benchmarks/media.py): past it a rendition in AVIF takes longer than a visitor waits.
MAX_AVIF_PIXELS = 4_000_000

_NEVER = re.compile(r";\s*q\s*=\s*0(?:\.0*)?\s*$")
_WRITTEN = re.compile(
    r"(fit|fill)_(\d{1,4})?(?:x(\d{1,4}))?(?:_f(\d{1,3})-(\d{1,3}))?(?:_q(\d{1,3}))?_(auto|avif|webp|jpeg|png)",
    re.ASCII,
)


def _scaled(side: int, scale: float) -> int:
    return max(1, round(side * scale))

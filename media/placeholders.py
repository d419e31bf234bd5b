"""ThumbHash: a picture's blurred likeness in some 25 bytes, as <https://evanw.github.io/thumbhash/> defines it.

The package of that name fails on every picture with transparency, so this is ours; tests compare the two on the others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Channel = list[float]


@dataclass(frozen=True, slots=True)
class _Encoded:
    constant: float
    waves: list[float]
    scale: float


def thumbhash(width: int, height: int, rgba: bytes) -> bytes:
    """The hash of a picture of at most 100 × 100 pixels, four bytes each."""
    lightness, yellow, red, alpha = _channels(rgba)
    clear = any(share < 1 for share in alpha)
    most = 5 if clear else 7
    across = max(1, round(most * width / max(width, height)))
    down = max(1, round(most * height / max(width, height)))
    light = _encode(lightness, width, height, max(3, across), max(3, down))
    first, second = (_encode(channel, width, height, 3, 3) for channel in (yellow, red))
    seen = _encode(alpha, width, height, 5, 5) if clear else None
    wide = width > height
    head = round(63 * light.constant) | round(31.5 + 31.5 * first.constant) << 6
    head |= round(31.5 + 31.5 * second.constant) << 12 | round(31 * light.scale) << 18 | clear << 23
    tail = (down if wide else across) | round(63 * first.scale) << 3 | round(63 * second.scale) << 9 | wide << 15
    written = head.to_bytes(3, "little") + tail.to_bytes(2, "little")
    if seen:
        written += bytes([round(15 * seen.constant) | round(15 * seen.scale) << 4])
    return written + _packed([*light.waves, *first.waves, *second.waves, *(seen.waves if seen else [])])


def _channels(rgba: bytes) -> tuple[Channel, Channel, Channel, Channel]:
    """Lightness, yellow against blue, red against green, and alpha; what shows through has the average colour."""
    alpha = [each / 255 for each in rgba[3::4]]
    whole = sum(alpha)
    mixed = []
    for place in range(3):
        colors = [share * each / 255 for share, each in zip(alpha, rgba[place::4], strict=True)]
        average = sum(colors) / whole if whole else 0.0
        mixed.append([average * (1 - share) + color for share, color in zip(alpha, colors, strict=True)])
    pixels = list(zip(*mixed, strict=True))
    lightness = [(r + g + b) / 3 for r, g, b in pixels]
    return lightness, [(r + g) / 2 - b for r, g, b in pixels], [r - g for r, g, _ in pixels], alpha


def _encode(channel: Channel, width: int, height: int, across: int, down: int) -> _Encoded:
    """The cosine waves of a channel, those of low frequency in both directions."""
    rows = [channel[start : start + width] for start in range(0, width * height, width)]
    # By rows first, then by columns: the same sums in a fraction of the steps.
    by_row = [[_dot(row, wave) for row in rows] for wave in _waves(across, width)]
    columns = _waves(down, height)
    found = [
        _dot(by_row[x], columns[y]) / (width * height)
        for y in range(down)
        for x in range(across)
        if x * down < across * (down - y)
    ]
    constant, *waves = found
    scale = max(map(abs, waves), default=0.0)
    return _Encoded(constant, [0.5 + 0.5 / scale * wave for wave in waves] if scale else waves, scale)


def _waves(count: int, length: int) -> list[Channel]:
    return [[math.cos(math.pi / length * each * (at + 0.5)) for at in range(length)] for each in range(count)]


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(map(float.__mul__, one, other))


def _packed(waves: list[float]) -> bytes:
    """Four bits each, the lower half of a byte first."""
    steps = [min(15, max(0, round(15 * wave))) for wave in waves]
    steps += [0] * (len(steps) % 2)
    return bytes(low | high << 4 for low, high in zip(steps[::2], steps[1::2], strict=True))

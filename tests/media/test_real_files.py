"""Images as an encyclopaedia of 1,500 articles has them."""

from pathlib import Path

import pytest

from media.inspection import inspect

DOKA = Path(__file__).parents[3] / "shared" / "data" / "doka"
NAMES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg"}


def sample() -> list[Path]:
    """Every twelfth image of each kind, the rare kinds whole."""
    images = sorted(path for path in DOKA.rglob("*") if path.suffix in NAMES)
    by_kind = {name: [path for path in images if path.suffix == name] for name in sorted(NAMES)}
    return [path for paths in by_kind.values() for path in paths[:: 1 if len(paths) < 12 else 12]]


IMAGES = sample()


@pytest.mark.skipif(not IMAGES, reason=f"the real data is not at {DOKA}")
@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_every_real_image_is_taken(path: Path, tmp_path: Path) -> None:
    found = inspect(path, filename=path.name, folder=tmp_path)
    assert found.kind == "image"
    assert found.inline == (path.suffix != ".svg")
    assert (found.width or 0) > 0 or path.suffix == ".svg"

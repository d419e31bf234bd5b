"""Looking at bytes as at an upload."""

from pathlib import Path

import pytest

from media.inspection import Inspected, inspect
from tests.media.bytes_at_hand import Look


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Tells what bytes are: `look(content, "name.png")`."""

    def at(content: bytes, filename: str = "upload") -> Inspected:
        path = tmp_path / "content.part"
        path.write_bytes(content)
        return inspect(path, filename=filename)

    return at

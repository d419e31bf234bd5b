"""From a URL to an engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from search_index import DEFAULT_SCHEME, open_engine
from search_index.opening import ENGINES


def test_the_default_scheme_opens(tmp_path: Path) -> None:
    engine = open_engine(f"{DEFAULT_SCHEME}://{tmp_path}/with%20space", name="staff")
    engine.rebuild([], position=3)
    assert engine.position() == 3
    assert (tmp_path / "with space" / "staff" / "current").is_file()
    engine.close()


@pytest.mark.parametrize("url", ["", "sqlite:///x", "tantivy:", "whoosh:///", "file:///etc"])
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        open_engine(url, name="public")


def test_opening_makes_nothing(tmp_path: Path) -> None:
    for scheme in ("tantivy", "whoosh"):
        assert scheme in ENGINES
        open_engine(f"{scheme}://{tmp_path}/index", name="public").close()
    assert list(tmp_path.iterdir()) == []

"""From a URL in the settings to an engine."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from search_index.engine import Engine
from search_index.postgresql_engine import PostgresqlEngine
from search_index.whoosh_engine import WhooshEngine

HAS_TANTIVY = importlib.util.find_spec("tantivy") is not None
if HAS_TANTIVY:
    from search_index.tantivy_engine import TantivyEngine

Name = Literal["public", "staff"]

DEFAULT_SCHEME = "tantivy" if HAS_TANTIVY else "whoosh"


def _tantivy(url: str, name: Name) -> Engine:
    if not HAS_TANTIVY:
        raise ValueError("tantivy is not installed here: use whoosh:// or postgresql+psycopg://")
    return TantivyEngine(_folder(url) / name)


def _whoosh(url: str, name: Name) -> Engine:
    return WhooshEngine(_folder(url) / name)


def _postgresql(url: str, name: Name) -> Engine:
    return PostgresqlEngine(url, name=name)


ENGINES: dict[str, Callable[[str, Name], Engine]] = {
    "tantivy": _tantivy,
    "whoosh": _whoosh,
    "postgresql+psycopg": _postgresql,
}


def open_engine(url: str, *, name: Name) -> Engine:
    """`tantivy:///folder`, `whoosh:///folder` or `postgresql+psycopg://…`; ValueError for anything else.

    Nothing is made or read before the first call on the engine.
    """
    scheme = urlsplit(url).scheme
    if scheme not in ENGINES:
        raise ValueError(f"a search URL begins with one of {', '.join(ENGINES)}")
    return ENGINES[scheme](url, name)


def _folder(url: str) -> Path:
    path = unquote(urlsplit(url).path)
    if not path.strip("/"):
        raise ValueError(f"{url} names no folder")
    return Path(path)

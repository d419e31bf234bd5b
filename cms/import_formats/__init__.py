"""What can be imported. A format is one module with a reader, and its line here."""

from collections.abc import Callable, Mapping
from pathlib import Path

from cms.import_formats import jsonl, markdown
from cms.import_formats.item import (
    Asset,
    Author,
    Item,
    Options,
    Origin,
    Problem,
    Reading,
    SourceUnreadable,
    Target,
)

FORMATS: Mapping[str, Callable[[Path, Options], Reading]] = {
    "jsonl": jsonl.read,
    "markdown": markdown.read,
}

__all__ = [
    "FORMATS",
    "Asset",
    "Author",
    "Item",
    "Options",
    "Origin",
    "Problem",
    "Reading",
    "SourceUnreadable",
    "Target",
]

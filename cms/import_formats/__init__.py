"""What can be imported. A format is one module that tells what it is, and its line here."""

from collections.abc import Mapping

from cms.import_formats import jsonl, markdown
from cms.import_formats.item import (
    Asset,
    Author,
    Format,
    Item,
    Link,
    Options,
    Origin,
    Past,
    Problem,
    Reading,
    SourceUnreadable,
    Target,
)

FORMATS: Mapping[str, Format] = {
    "jsonl": jsonl.FORMAT,
    "markdown": markdown.FORMAT,
}

__all__ = [
    "FORMATS",
    "Asset",
    "Author",
    "Format",
    "Item",
    "Link",
    "Options",
    "Origin",
    "Past",
    "Problem",
    "Reading",
    "SourceUnreadable",
    "Target",
]

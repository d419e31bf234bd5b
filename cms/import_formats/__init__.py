"""What can be imported. A format is one module that tells what it is, and its line here."""

from collections.abc import Mapping

from cms.import_formats import (
    contentful,
    csv_tables,
    directus,
    feed,
    ghost,
    html_pages,
    jsonl,
    markdown,
    sitedesk,
    strapi,
    wordpress,
    xlsx,
)
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
    "csv": csv_tables.FORMAT,
    "xlsx": xlsx.FORMAT,
    "markdown": markdown.FORMAT,
    "html": html_pages.FORMAT,
    "ghost": ghost.FORMAT,
    "strapi": strapi.FORMAT,
    "directus": directus.FORMAT,
    "contentful": contentful.FORMAT,
    "feed": feed.FORMAT,
    "wordpress": wordpress.FORMAT,
    "sitedesk": sitedesk.FORMAT,
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

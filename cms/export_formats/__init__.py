"""What content can be exported as. A format is one module that tells what it is, and its line here.

How to write one: see `protocol`; rich text as HTML or Markdown: `texts`."""

from collections.abc import Mapping

from cms.export_formats import markdown, sitedesk, tables, wordpress
from cms.export_formats.protocol import (
    Destination,
    Exported,
    ExportedFile,
    ExportedPerson,
    ExportedRevision,
    ExportFormat,
    ExportOptions,
    Kept,
    Made,
    Piece,
    Site,
    Writer,
)

FORMATS: Mapping[str, ExportFormat] = {
    "sitedesk": sitedesk.FORMAT,
    "jsonl": sitedesk.LINES,
    "markdown": markdown.FORMAT,
    "csv": tables.FORMAT,
    "wordpress": wordpress.FORMAT,
}

__all__ = [
    "FORMATS",
    "Destination",
    "ExportFormat",
    "ExportOptions",
    "Exported",
    "ExportedFile",
    "ExportedPerson",
    "ExportedRevision",
    "Kept",
    "Made",
    "Piece",
    "Site",
    "Writer",
]

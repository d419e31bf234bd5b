"""Exports of WordPress (WXR 1.0 to 1.2): one XML file, or several with perhaps the folder of uploads beside them."""

from cms.import_formats.item import Format
from cms.import_formats.wordpress.reading import read, recognise

FORMAT = Format(
    "An export of WordPress (WXR)",
    read,
    recognise,
    mappable=True,
    choices={"categories": ("topics", "sections"), "uploads": ()},
)

__all__ = ["FORMAT", "read", "recognise"]

"""Everything that a running site can be exported as: formats of content, and what only the application can tell."""

from collections.abc import Mapping

from api.exporting.static_site import format_of
from api.parts import Parts
from cms.export_formats import FORMATS, ExportFormat


def formats_of(parts: Parts) -> Mapping[str, ExportFormat]:
    """The formats by name."""
    return {**FORMATS, "static": format_of(parts)}

"""Rich text: HTML, Markdown or JSON in, one canonical document, HTML, Markdown or plain text out."""

from cms.rich_text.document import (
    Document,
    MalformedRichText,
    Misfit,
    Parsed,
    RichReference,
    references,
)
from cms.rich_text.document_in import from_document
from cms.rich_text.html_in import from_html
from cms.rich_text.html_out import Piece, Reference, Target, join_html, to_editable_html, to_html
from cms.rich_text.links import Resolve
from cms.rich_text.markdown_in import from_markdown
from cms.rich_text.markdown_out import to_markdown
from cms.rich_text.plain_text import to_text
from cms.rich_text.value import read

__all__ = [
    "Document",
    "MalformedRichText",
    "Misfit",
    "Parsed",
    "Piece",
    "Reference",
    "Resolve",
    "RichReference",
    "Target",
    "from_document",
    "from_html",
    "from_markdown",
    "join_html",
    "read",
    "references",
    "to_editable_html",
    "to_html",
    "to_markdown",
    "to_text",
]

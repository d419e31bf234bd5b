"""Reads a rich-text field as the API takes it."""

from collections.abc import Callable

from cms.rich_text.document import MalformedRichText, Parsed
from cms.rich_text.document_in import from_document
from cms.rich_text.html_in import from_html
from cms.rich_text.links import Resolve
from cms.rich_text.markdown_in import from_markdown

_READERS: dict[str, Callable[[str, Resolve | None], Parsed]] = {"html": from_html, "markdown": from_markdown}


def read(value: object, *, resolve: Resolve | None = None) -> Parsed:
    """Reads {"format": "html" | "markdown" | "doc", "value": …}, or a bare {"type": "doc", …}.

    `resolve` finds the entry that a URL of HTML or Markdown stands for. Raises MalformedRichText, with the reason,
    when the value has another shape, is too large or is nested too deeply.
    """
    if not isinstance(value, dict):
        raise MalformedRichText(f'Rich text is an object with "format" and "value", not {type(value).__name__}')
    if value.get("type") == "doc":
        return from_document(value)
    form, body = value.get("format"), value.get("value")
    if form == "doc":
        return from_document(body)
    reader = _READERS.get(form) if isinstance(form, str) else None
    if reader is None:
        raise MalformedRichText('The "format" of rich text is "html", "markdown" or "doc"')
    if not isinstance(body, str):
        raise MalformedRichText(f'The "value" of {form} is text, not {type(body).__name__}')
    return reader(body, resolve)

"""A document written in any format reads back as the same document."""

from typing import Any

from hypothesis import given, settings

from cms.rich_text import from_document, from_html, from_markdown, to_editable_html, to_html, to_markdown, to_text
from tests.cms.rich_text.documents import documents, loose_documents


@settings(deadline=None)
@given(loose_documents)
def test_the_canonical_shape_of_a_canonical_document_is_itself(loose: dict[str, Any]) -> None:
    once = from_document(loose).document
    again = from_document(once)
    assert (again.document, again.misfits) == (once, ())


@settings(deadline=None)
@given(documents)
def test_html_reads_back_as_the_same_document(document: dict[str, Any]) -> None:
    assert from_html(to_editable_html(document)).document == document


@settings(deadline=None)
@given(documents)
def test_markdown_reads_back_as_the_same_document(document: dict[str, Any]) -> None:
    assert from_markdown(to_markdown(document)).document == document


@settings(deadline=None)
@given(documents)
def test_every_document_renders_the_same_way_twice(document: dict[str, Any]) -> None:
    assert to_html(document) == to_html(document)
    assert to_text(document) == to_text(document)

"""The rich-text document: a ProseMirror tree as plain JSON, with Tiptap's names for nodes and marks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Node: TypeAlias = dict[str, Any]
Document: TypeAlias = dict[str, Any]

LONGEST_INPUT = 2_000_000
DEEPEST_NESTING = 40
MOST_NODES = 100_000
WIDEST_SPAN = 100
HIGHEST_START = 99_999_999  # Markdown numbers a list with nine digits at most

# The order in which a text node lists its marks, outermost first.
MARKS = ("link", "bold", "italic", "strike", "underline", "subscript", "superscript", "code")


class MalformedRichText(ValueError):
    """The value is no rich text at all, or is too large or too deep to be read."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """Something of the input that has no place in the document; `count` occurrences of one cause."""

    code: str
    message: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document in canonical shape and what did not fit. Equal marks share one list: treat it as immutable."""

    document: Document
    misfits: tuple[Misfit, ...] = ()


@dataclass(frozen=True, slots=True)
class RichReference:
    """An entry that a document points at."""

    kind: Literal["link", "image", "file"]
    entry: str


def references(document: Document) -> tuple[RichReference, ...]:
    """Every entry the document refers to, once for each kind, in order of appearance."""
    return tuple(dict.fromkeys(_referenced(document)))


def _referenced(node: Node) -> Iterator[RichReference]:
    kind = node["type"]
    if kind in ("image", "file"):
        yield RichReference(kind, node["attrs"]["entry"])
    for mark in node.get("marks", ()):
        if mark["type"] == "link" and "entry" in mark["attrs"]:
            yield RichReference("link", mark["attrs"]["entry"])
    for child in node.get("content", ()):
        yield from _referenced(child)

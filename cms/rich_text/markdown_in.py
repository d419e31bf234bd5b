"""Reads Markdown (CommonMark, tables, strikethrough) into a document.

The parser's HTML goes through the HTML reader, so that Markdown and the HTML inside it, which may open in one block
and close in another, are read by one set of rules. The parser takes four fifths of the time in any case.
"""

import re

from markdown_it import MarkdownIt

from cms.rich_text.composition import without_controls
from cms.rich_text.document import MalformedRichText, Parsed
from cms.rich_text.html_in import parsed_html
from cms.rich_text.links import Resolve

LONGEST_MARKDOWN = 500_000
MOST_LINES = 50_000
DEEPEST_BLOCKS = 30
# The parser looks for the end of each "[" up to the end of its block: about a nanosecond for each pair.
MOST_BRACKET_PAIRS = 400_000_000
# It tries each line of a paragraph for the end of each quote and list around it: some microseconds for each try.
MANY_LINES = 2_000
MOST_TRIES = 300_000

_MARKER = r"[ \t]*(?:>|[*+-](?=[ \t])|\d{1,9}[.)](?=[ \t]))"
_MARKERS = re.compile(f"^(?:{_MARKER})+", re.MULTILINE)
_ONE_MARKER = re.compile(_MARKER)


def from_markdown(text: str, resolve: Resolve | None = None) -> Parsed:
    """Reads Markdown; `resolve` finds the entry that a URL stands for.

    Raises MalformedRichText for over 500,000 characters, 50,000 lines, 30 levels, or what takes the parser too long.
    """
    if len(text) > LONGEST_MARKDOWN:
        raise MalformedRichText(f"The Markdown is longer than {LONGEST_MARKDOWN:,} characters")
    text = without_controls(text)
    _refuse_ruinous(text)
    environment: dict[str, object] = {}
    tokens = _PARSER.parse(text, environment)
    # Beyond its cap the parser leaves content out without a word.
    if any(token.level >= DEEPEST_BLOCKS - 1 for token in tokens):
        raise MalformedRichText(f"The Markdown is nested deeper than {DEEPEST_BLOCKS} levels")
    return parsed_html(_PARSER.renderer.render(tokens, _PARSER.options, environment), resolve)


def _refuse_ruinous(text: str) -> None:
    if text.count("\n") > MOST_LINES:
        raise MalformedRichText(f"The Markdown has more than {MOST_LINES:,} lines")
    if text.count("\n") > MANY_LINES and any(_tries(block) > MOST_TRIES for block in text.split("\n\n")):
        raise MalformedRichText("The Markdown has too long a paragraph in too many quotes or lists")
    if text.count("[") ** 2 > MOST_BRACKET_PAIRS:
        pairs = sum(block.count("[") ** 2 for block in text.split("\n\n"))
        if pairs > MOST_BRACKET_PAIRS:
            raise MalformedRichText("The Markdown has too many brackets in one block")


def _tries(block: str) -> int:
    lines = block.count("\n")
    if lines <= MANY_LINES:
        return 0
    return lines * max((len(_ONE_MARKER.findall(markers[0])) for markers in _MARKERS.finditer(block)), default=0)


class _Parser(MarkdownIt):
    """Addresses pass as they are written: whether they are safe, the HTML reader decides and reports."""

    def validateLink(self, url: str) -> bool:  # noqa: N802
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url


_PARSER = _Parser("commonmark", {"maxNesting": DEEPEST_BLOCKS}).enable(["table", "strikethrough"])

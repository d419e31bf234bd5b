"""Reads HTML into a document: one walk over lexbor's tree, without recursion, whatever the tree is like."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from cms.rich_text.document import LONGEST_INPUT, MalformedRichText, Parsed
from cms.rich_text.html_cost import refuse_ruinous
from cms.rich_text.html_elements import ELEMENTS, LEAF, Leave, Reading, unknown_element
from cms.rich_text.links import Resolve

# Raw control characters go before parsing; those written as &#1; are looked for only where there is a "&#".
_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0C, 0x0D})
_C1_CONTROLS = re.compile(rb"\xc2[\x80-\x9f]")


def from_html(text: str, resolve: Resolve | None = None) -> Parsed:
    """Reads HTML, a fragment or a page; `resolve` finds the entry that a URL stands for.

    Raises MalformedRichText for text over 2,000,000 characters or too costly to parse.
    """
    if len(text) > LONGEST_INPUT:
        raise MalformedRichText(f"The text is longer than {LONGEST_INPUT:,} characters")
    return parsed_html(text, resolve)


def parsed_html(text: str, resolve: Resolve | None = None) -> Parsed:
    """Reads HTML of any length, as Markdown turns into."""
    data = _C1_CONTROLS.sub(b"", text.encode("utf-8", "ignore").translate(None, _CONTROLS))
    refuse_ruinous(data)
    root = LexborHTMLParser(data, is_fragment=True).root
    reading = Reading(resolve, controls_possible=b"&#" in data or b"\r" in data)
    if root is not None:
        _walk(root, reading)
    return Parsed(reading.composition.finished(), reading.misfits.listed())


def _walk(root: LexborNode, reading: Reading) -> None:
    # An explicit stack: HTML nests as deep as its author likes, Python's calls do not.
    open_elements: list[tuple[Leave | None, Iterator[LexborNode]]] = []
    leave: Leave | None = None
    children = root.iter(include_text=True)
    read_text = reading.text
    while True:
        for node in children:
            tag = node.tag
            if tag == "-text":
                read_text(node.text_content or "")
                continue
            entered = ELEMENTS.get(tag or "", unknown_element)(reading, node)
            if entered is not LEAF:
                open_elements.append((leave, children))
                leave = entered
                children = node.iter(include_text=True)
                break
        else:
            if leave is not None:
                leave(reading)
            if not open_elements:
                return
            leave, children = open_elements.pop()

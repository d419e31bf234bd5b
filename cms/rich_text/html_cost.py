"""Refuses HTML that is small to send and ruinous to parse.

The HTML standard's algorithm, and so lexbor, takes time quadratic in the depth of open elements and in the attributes
of one tag, and multiplies unclosed formatting elements by the blocks that follow: 13 kB can become a million nodes.
"""

import re
from collections.abc import Iterable

from cms.rich_text.document import MalformedRichText

# Below these nothing ruinous fits in; nearly every article passes here.
FEW_TAGS = 700
SHORT = 20_000

MOST_TAGS = 150_000
MOST_ATTRIBUTES = 5_000
MOST_STEPS = 400_000_000
# Nodes made by opening formatting elements again: what tags must prove closed, and what is refused unseen.
MANY_REOPENED = 300_000
MOST_REOPENED = 2_000_000

_TAG = re.compile(rb"</?[a-zA-Z]")
# Elements without content, or ended by the next of their kind, do not deepen the tree.
_FLAT = rb"br|col|d[dt]|hr|img|input|li|link|meta|option|p|source|t[dhr]|wbr"
_NESTING_TAG = re.compile(rb"<(/?)(?!(?:" + _FLAT + rb")[\s/>])[a-zA-Z]", re.IGNORECASE)
_FORMATTING = rb"<(/?)(b|big|code|em|font|i|s|small|strike|strong|tt|u)(?=[\s/>])([^<>]*)"
_FORMATTING_TAG = re.compile(_FORMATTING, re.IGNORECASE)
_PLAIN_ATTRIBUTES = re.compile(rb"""(?:\s+[\w:-]+(?:=(?:"[^"]*"|'[^']*'|[\w.#%-]+))?)*\s*/?""")
_LONG_TAG = re.compile(rb"<[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*'){10000,}+")
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")
_BETWEEN_ATTRIBUTES = re.compile(rb"[\s/]+")


def refuse_ruinous(data: bytes) -> None:
    """Raises MalformedRichText for HTML (in UTF-8) that would take minutes or gigabytes to parse."""
    if len(data) > SHORT:
        _refuse_crowded_tags(data)
    if data.count(b"<") > FEW_TAGS:
        tags = len(_TAG.findall(data))
        _refuse_depth(data, tags=tags)
        _refuse_reopening(data, tags=tags)


def _refuse_depth(data: bytes, *, tags: int) -> None:
    if tags > MOST_TAGS:
        raise MalformedRichText(f"The HTML has more than {MOST_TAGS:,} tags")
    if tags * _deepest(map(bool, _NESTING_TAG.findall(data))) > MOST_STEPS:
        raise MalformedRichText("The HTML is nested too deeply")


def _refuse_reopening(data: bytes, *, tags: int) -> None:
    """An unclosed <b> opens again in each block that follows, up to three times for equal attributes."""
    formatting = _FORMATTING_TAG.findall(data)
    opened = [(name, attributes) for close, name, attributes in formatting if not close]
    kinds = {written: bool(_PLAIN_ATTRIBUTES.fullmatch(written[1])) for written in set(opened)}
    # Attributes this pattern cannot read may differ beyond it, so each such tag counts as a kind of its own.
    most_open = min(len(opened), 3 * sum(kinds.values()) + sum(not kinds[written] for written in opened))
    reopened = most_open * (tags - len(formatting))
    if reopened > MANY_REOPENED:
        unclosed = _deepest(bool(close) for close, _, _ in formatting)
        if reopened > MOST_REOPENED or unclosed * (tags - len(formatting)) > MANY_REOPENED:
            raise MalformedRichText("The HTML has too many unclosed formatting tags")


def _deepest(closings: Iterable[bool]) -> int:
    depth = deepest = 0
    for closing in closings:
        depth = max(depth - 1, 0) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _refuse_crowded_tags(data: bytes) -> None:
    for tag in _LONG_TAG.finditer(data):
        bare = _QUOTED.sub(b"", tag[0])
        if len(_BETWEEN_ATTRIBUTES.split(bare)) > MOST_ATTRIBUTES:
            raise MalformedRichText("A tag of the HTML has too many attributes")

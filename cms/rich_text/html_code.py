"""Reads <pre> into a code block: its text as it stands, and the language its classes name."""

import re

from selectolax.lexbor import LexborNode

from cms.rich_text.composition import code_node, language_name
from cms.rich_text.document import Node
from cms.rich_text.misfits import Misfits

_NAMED_BY_CLASS = re.compile(r"(?:^|\s)lang(?:uage)?-(\S+)")
_LINES = frozenset({"div", "p", "li", "tr"})
_LOST = frozenset({"a", "img", "iframe", "script", "style"})


def code_block(pre: LexborNode, misfits: Misfits) -> Node:
    """The code block that a <pre> stands for."""
    parts: list[str] = []
    language = None
    for node in pre.traverse(include_text=True):
        tag = node.tag
        if tag == "-text":
            parts.append(node.text_content or "")
        elif tag == "br":
            parts.append("\n")
        elif tag in ("pre", "code"):
            language = language or _language_named(node)
        elif tag in _LINES:
            _start_line(parts)
        elif tag in _LOST:
            misfits.add("formatting_in_code", tag or "")
            parts.append(node.attributes.get("alt") or "")
    return code_node("".join(parts), language)


def _language_named(node: LexborNode) -> str | None:
    attributes = node.attributes
    named = _NAMED_BY_CLASS.search(attributes.get("class") or "")
    return language_name(named[1] if named else attributes.get("data-lang") or attributes.get("data-language"))


def _start_line(parts: list[str]) -> None:
    if parts and not parts[-1].endswith("\n"):
        parts.append("\n")

"""Custom code: HTML as it stands, refused when it is more than scripts and pixels, read for what it loads.

It is on every page, so what is left open in it would swallow the page, and what is not known in it is not let in.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from cms.counters.code import Code, Script, hash_of, source_of, union

LARGEST = 20_000

_ELEMENTS = frozenset({"script", "noscript", "link", "style", "meta", "img", "iframe"})
# Vendors put their pixels into one of these.
_IN_NOSCRIPT = frozenset({"div", "p", "span"})
_END = "end-of-the-code"
_SRC = {"img": "img-src", "iframe": "frame-src"}
_LINKS = {"stylesheet": "style-src", "modulepreload": "script-src", "icon": "img-src"}
# Without a scheme in quotation marks alone: otherwise it is a comment.
_URL = re.compile(r"""(?:https?:|(?<=["'`]))//[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?""", re.I)
_END_TAG = re.compile(r"</([a-z][^\s/>]*)", re.IGNORECASE)
# What scripts that are no JavaScript hold is not run.
_DATA = frozenset({"application/ld+json", "application/json"})


@dataclass(eq=False)
class BadCode(Exception):
    """What is wrong with custom code: a stable word, and in words."""

    code: str
    message: str


def read(code: str, *, besides: Mapping[str, Sequence[str]] | None = None) -> Code:
    """The code as data, with the sources that it names. Raises `BadCode`."""
    nodes = _nodes(_plain(code))
    scripts = tuple(_script(node) for node in nodes if node.tag == "script")
    noscript = "".join(_inner(node) for node in nodes if node.tag == "noscript") or None
    policies = (*(_policy(node) for node in nodes), besides or {})
    csp = {directive: tuple(allowed) for directive, allowed in union(policies).items()}
    return Code(scripts, noscript, csp, _plain(code), _scripted(nodes))


def warnings(code: str) -> Iterator[tuple[str, str]]:
    """What code that can be read does and had better not: stable words, and in words. Raises `BadCode`."""
    nodes = _nodes(_plain(code))
    inline = [script.inline for node in nodes if node.tag == "script" and (script := _script(node)).inline]
    if any(re.search(r"\bdocument\s*\.\s*write(ln)?\b", text) for text in inline if text):
        yield (
            "document_write",
            "document.write wipes the page when the code is loaded after consent: ask its vendor for another code.",
        )
    if any(name.startswith("on") for node in nodes for name in node.attributes):
        yield "event_handler", "A Content-Security-Policy stops attributes such as onload: move them into a script."
    if any("style" in node.attributes for node in nodes):
        yield "inline_style", "A Content-Security-Policy stops style attributes: use width and height, or hidden."


def _plain(code: str) -> str:
    # As a browser reads it before all else: hashes are of lines that end so.
    return code.replace("\r\n", "\n").replace("\r", "\n").strip()


def _nodes(code: str) -> list[LexborNode]:
    if len(code.encode("utf-8", "surrogatepass")) > LARGEST:
        raise BadCode("too_long", f"Custom code has at most {LARGEST} bytes.")
    body = LexborHTMLParser(f"<!doctype html><html><head></head><body>{code}<{_END}></{_END}>").body
    if body is None:
        raise BadCode("malformed_code", "This is no HTML.")
    found = [node for node in body.traverse(include_text=True) if node.tag != "body"]
    _refuse_open(found)
    _refuse_attributes_of_the_page(body)
    nodes = [node for node in found if node.tag not in (_END, "-comment")]
    _refuse_others(nodes)
    _refuse_stray_ends(code, found)
    return [node for node in nodes if node.tag != "-text"]


def _refuse_open(found: list[LexborNode]) -> None:
    ends = [node for node in found if node.tag == _END]
    if len(ends) != 1 or found[-1].tag != _END or ends[0].parent is None or ends[0].parent.tag != "body":
        said = "Something is left open: an element, a comment or a quotation mark. The rest of the page would be in it."
        raise BadCode("unclosed", said)


def _refuse_stray_ends(code: str, found: list[LexborNode]) -> None:
    """Every end tag must end an element of the code's own, or it ends one of the page.

    Browsers that run scripts do not look into `noscript`: it ends where its end tag is written, be it in an attribute
    or a comment, and what comes after is markup to them."""
    ends, in_noscript = _ends(code), _in_noscript(found)
    for node in found:
        parent = node.parent
        raw = node.tag == "-comment" or (
            node.tag == "-text" and parent is not None and parent.tag in ("script", "style")
        )
        if raw:
            said = _ends((node.html if node.tag == "-comment" else node.text_content) or "")
            if node.mem_id in in_noscript:
                del said["noscript"]
            ends -= said
    if ends - Counter(str(node.tag) for node in found):
        raise BadCode("stray_end", "An end tag ends nothing that the code began: it would end a part of the page.")


def _ends(html: str) -> Counter[str]:
    return Counter(name.lower() for name in _END_TAG.findall(html))


def _in_noscript(nodes: Iterable[LexborNode]) -> set[int]:
    """Those that stand in a `noscript`, of nodes in the order of the code."""
    inside: set[int] = set()
    for node in nodes:
        parent = node.parent
        if parent is not None and (parent.tag == "noscript" or parent.mem_id in inside):
            inside.add(node.mem_id)
    return inside


def _refuse_attributes_of_the_page(body: LexborNode) -> None:
    page = body.parent
    if body.attributes or (page is not None and page.attributes):
        raise BadCode("forbidden_element", "Leave out <html> and <body>: the code stands within a page.")


def _refuse_others(nodes: list[LexborNode]) -> None:
    in_noscript = _in_noscript(nodes)
    for node in nodes:
        inside = node.mem_id in in_noscript
        if node.tag == "-text":
            _refuse_text(node, node.parent, inside=inside)
        else:
            _refuse_element(node, inside=inside)


def _refuse_text(node: LexborNode, parent: LexborNode | None, *, inside: bool) -> None:
    held = inside or (parent is not None and parent.tag in ("script", "style"))
    if not held and (node.text_content or "").strip():
        raise BadCode("forbidden_text", "Text would stand on every page: leave it out, or write a comment.")


def _refuse_element(node: LexborNode, *, inside: bool) -> None:
    if node.tag not in _ELEMENTS and not (inside and node.tag in _IN_NOSCRIPT):
        said = f"<{str(node.tag)[:40]}> is not for a counter. There are: {', '.join(sorted(_ELEMENTS))}."
        raise BadCode("forbidden_element", said)
    if node.tag == "meta" and "http-equiv" in node.attributes:
        raise BadCode("forbidden_element", "<meta http-equiv> changes the page itself: leave it out.")
    if node.tag == "noscript" and inside:
        raise BadCode("forbidden_element", "A <noscript> stands in no other: browsers end both at the first end tag.")
    if "srcdoc" in node.attributes:
        raise BadCode("forbidden_element", "Give a frame a src: what its srcdoc holds would be a page of its own.")
    if node.tag == "script":
        _refuse_nameless(node)


def _refuse_nameless(node: LexborNode) -> None:
    src = node.attributes.get("src")
    if "src" in node.attributes and (not src or source_of(src) in (None, "data:", "blob:")):
        raise BadCode("malformed_address", "A script's src is an address that starts with https://.")


def _scripted(nodes: Iterable[LexborNode]) -> str:
    """The code for those with scripts, without what browsers that run them do not show."""
    tops = [node for node in nodes if node.parent is not None and node.parent.tag == "body"]
    return "".join(node.html or "" for node in tops if node.tag != "noscript")


def _script(node: LexborNode) -> Script:
    attributes = {name: value or "" for name, value in node.attributes.items() if name != "src"}
    src = node.attributes.get("src")
    return Script(src, None if src is not None else _text(node), attributes)


def _text(node: LexborNode) -> str:
    return "".join(child.text_content or "" for child in node.iter(include_text=True))


def _inner(node: LexborNode) -> str:
    return "".join(child.html or "" for child in node.iter(include_text=True))


def _policy(node: LexborNode) -> dict[str, list[str]]:
    """What one element needs, beside the hash or the source of a script."""
    tag, attributes = str(node.tag), node.attributes
    if tag == "script":
        inert = (attributes.get("type") or "").lower() in _DATA
        return {} if "src" in attributes or inert else _named(_text(node))
    if tag == "style":
        return {"style-src": [hash_of(_text(node))]}
    if tag == "link":
        kinds = (attributes.get("rel") or "").lower().split()
        return {directive: _sources(attributes.get("href")) for rel, directive in _LINKS.items() if rel in kinds}
    return {_SRC[tag]: _sources(attributes.get("src"))} if tag in _SRC else {}


def _sources(url: str | None) -> list[str]:
    source = source_of(url) if url else None
    return [source] if source is not None else []


def _named(script: str) -> dict[str, list[str]]:
    """A script may load from, and send to, the hosts that it names."""
    hosts = [source for url in _URL.findall(script) for source in _sources(url)]
    return dict.fromkeys(("script-src", "connect-src", "img-src"), hosts) if hosts else {}

"""The HTML of banners: cleaned to what a picture with words and a link needs. It is shown in a sandbox all the same."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import nh3
from selectolax.lexbor import LexborHTMLParser

from cms.pictures import unsigned
from cms.rich_text.document import MalformedRichText
from cms.rich_text.html_cost import refuse_ruinous

LONGEST_HTML = 20_000
# What a frame with a banner may do: open links, in a tab or window of their own, with the rights of any other.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"

_TEXT_TAGS = "b strong i em u s small sub sup mark abbr br wbr span p div h1 h2 h3 h4 h5 h6 blockquote pre code hr"
_TAGS = frozenset(
    f"{_TEXT_TAGS} ul ol li dl dt dd a img picture source figure figcaption table thead tbody tr th td".split()
)
_EVERYWHERE = frozenset({"style", "class", "lang", "dir", "title"})
_ATTRIBUTES = {
    **{tag: set(_EVERYWHERE) for tag in _TAGS},
    "a": {*_EVERYWHERE, "href"},
    "img": {*_EVERYWHERE, "src", "srcset", "sizes", "alt", "width", "height"},
    "source": {"srcset", "sizes", "media", "type"},
    "td": {*_EVERYWHERE, "colspan", "rowspan"},
    "th": {*_EVERYWHERE, "colspan", "rowspan"},
}
# None that takes an address, none that lays something over the page.
_STYLES = """
    color background-color border border-color border-radius border-style border-width box-sizing display
    align-items justify-content flex flex-direction flex-wrap gap font-family font-size font-style font-weight height
    letter-spacing line-height margin margin-bottom margin-left margin-right margin-top max-height max-width
    min-height min-width opacity overflow padding padding-bottom padding-left padding-right padding-top
    text-align text-decoration text-transform vertical-align white-space width
"""
# A script's words are no words for visitors.
_DROPPED_WHOLE = {"script", "style", "noscript", "template", "title"}
_SCHEMES = {"http", "https", "mailto", "tel"}


@dataclass(frozen=True)
class Cleaned:
    """HTML that may be shown, and what it had to lose: `script`, `div[onclick]`, `p[style: position]`."""

    html: str
    removed: tuple[str, ...]


def clean(html: str) -> str:
    """Only what is on the lists. Links open in a tab of their own; addresses do without what opens a file to staff."""
    return nh3.clean(
        unsigned(html),
        tags=set(_TAGS),
        clean_content_tags=_DROPPED_WHOLE,
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        filter_style_properties=set(_STYLES.split()),
        url_schemes=_SCHEMES,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        link_rel="noopener",
    )


def cleaned(html: str) -> Cleaned:
    """The same, with what was removed. Raises `MalformedRichText` for HTML that would take too long to read."""
    if len(html) > LONGEST_HTML:
        raise MalformedRichText(f"The HTML of a banner has at most {LONGEST_HTML:,} characters")
    refuse_ruinous(html.encode())
    kept = clean(html)
    if len(kept) > LONGEST_HTML:
        raise MalformedRichText(f"Cleaned and with its tags closed, the HTML has more than {LONGEST_HTML:,} characters")
    lost = Counter(_parts(html)) - Counter(_parts(kept))
    return Cleaned(kept, tuple(sorted(lost)))


_SKELETON = frozenset({"html", "head", "body", "tbody"})
_PROPERTY = re.compile(r"(?:^|;)\s*([-a-zA-Z]+)\s*:")
_SHOWN = 60


def _parts(html: str) -> Iterator[str]:
    """Each element, attribute and property of a style, by name."""
    root = LexborHTMLParser(html).root
    for node in root.traverse(include_text=False) if root is not None else ():
        tag = str(node.tag)
        if tag in _SKELETON or tag.startswith(("-", "_", "!")):
            continue
        yield tag[:_SHOWN]
        for name, value in node.attributes.items():
            if (tag, name) not in (("a", "target"), ("a", "rel")):
                yield f"{tag}[{name}]"[:_SHOWN]
            if name == "style":
                yield from (f"{tag}[style: {one.lower()}]"[:_SHOWN] for one in _PROPERTY.findall(value or ""))

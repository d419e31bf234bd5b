"""HTML written from the trees that other editors keep their texts in."""

from collections.abc import Iterable
from html import escape

from markdown_it import MarkdownIt

from cms.import_formats.safe_values import Refused

LONGEST_MARKDOWN = 200_000
# The parser looks for the end of each of them.
MOST_BRACKETS = 10_000
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def element(tag: str, inner: str = "", **attributes: object) -> str:
    """An element with what is in it, which is HTML; attributes that are empty are left out."""
    written = "".join(
        f' {name}="{escape(str(value))}"' for name, value in attributes.items() if value not in (None, "")
    )
    return f"<{tag}{written}>" if tag in ("br", "hr", "img") else f"<{tag}{written}>{inner}</{tag}>"


def marked(text: str, tags: Iterable[str]) -> str:
    """A text inside elements, the first innermost."""
    inner = escape(text, quote=False).replace("\n", "<br>")
    for tag in tags:
        inner = f"<{tag}>{inner}</{tag}>"
    return inner


def figure(src: str, alt: str = "", caption: str = "", href: str = "") -> str:
    """An image; `caption` is HTML."""
    image = element("img", src=src, alt=alt)
    shown = element("a", image, href=href) if href else image
    return element("figure", shown + (element("figcaption", caption) if caption else ""))


def code(text: str, language: str = "") -> str:
    """A block of code."""
    return element("pre", f"<code{_language(language)}>{escape(text, quote=False)}</code>")


def _language(language: str) -> str:
    return f' class="language-{escape(language)}"' if language else ""


def from_markdown(text: str) -> str:
    """Markdown as HTML. Raises `Refused` for what would take the parser too long."""
    if len(text) > LONGEST_MARKDOWN or text.count("[") > MOST_BRACKETS:
        raise Refused("too_long", f"A block of Markdown has at most {LONGEST_MARKDOWN:,} characters.", field="body")
    return str(_MARKDOWN.render(text))

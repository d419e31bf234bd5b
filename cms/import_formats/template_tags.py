"""What generators let authors write between the words of a page: Hugo's shortcodes, Jekyll's Liquid, MDX components.

Code stays as it is. What has a meaning here becomes Markdown or HTML; what has none is left out, and told by its name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote

# Every part is bounded or possessive: a page of nothing but openings must not take minutes.
_CODE = (
    r"(?P<code>^ {0,3}(?P<mark>`{3,}+(?=[^`\n]*+\n)|~{3,}+(?=[^\n]*+\n)).*?(?:^ {0,3}(?P=mark)[^\n]*+$|\Z)"
    r"|(?<!`)(?P<ticks>`{1,3})(?!`)[^`\n]++(?P=ticks)(?!`))"
)
# The id of a heading, which our own are made without.
_HEADING_ID = r"(?P<heading>(?<=[^\s{])[ \t]{1,9}\{#[^\s{}]{1,200}\}[ \t]{0,9}$)"
_HUGO = re.compile(
    _CODE + r"|\{\{(?:<(?P<angled>[^{}]{0,2000}?)>|%(?P<percent>[^{}]{0,2000}?)%)\}\}|" + _HEADING_ID,
    re.MULTILINE | re.DOTALL,
)
# A shortcode that is only shown, as it has to be written in code, too.
_SHOWN = re.compile(r"\{\{([<%])/\*([^{}]{0,2000}?)\*/([>%])\}\}")
_LIQUID = re.compile(
    _CODE
    + r"|\{%-?(?P<tag>[^{}]{0,2000}?)-?%\}|\{\{-?(?P<output>[^{}]{0,2000}?)-?\}\}"
    + r"|(?P<kramdown>^\{:[^{}\n]{0,500}\}[ \t]*\n?|(?<=[)\]*_`])\{:[^{}\n]{0,500}\})|"
    + _HEADING_ID,
    re.MULTILINE | re.DOTALL,
)
_MDX = re.compile(
    _CODE
    + r"|(?P<module>^(?:import|export)\b[^\n]*+(?:\n(?![ \t]{0,200}(?:\n|\Z))[^\n]*+)*+)"
    + r"|(?P<comment>\{/\*(?:[^*]|\*(?!/)){0,500}+\*/\})"
    + r"|</?(?P<component>[A-Z][\w.]{0,100}+)"
    + r"(?P<attributes>(?:[^<>\"'{}]|\"[^\"]{0,500}\"|'[^']{0,500}'|\{[^{}]{0,500}\}){0,300}+)>",
    re.MULTILINE | re.DOTALL,
)
_ARGUMENT = re.compile(
    r"""(?:([\w-]{1,50}+)=)?(?:"([^"]{0,2000})"|`([^`]{0,2000})`|'([^']{0,2000})'|([^\s"'`=]{1,500}+))"""
)
_LITERAL = re.compile(
    r"""["']([^"']{0,1000})["']\s*\|\s*(?:relative_url|absolute_url|(?:prepend|append):\s*site\.(?:baseurl|url))"""
)
_FRAMES: Mapping[str, str] = {
    "youtube": "https://www.youtube.com/embed/{}",
    "vimeo": "https://player.vimeo.com/video/{}",
}
_LINKS: Mapping[str, str] = {
    "tweet": "https://twitter.com/{0[user]}/status/{0[id]}",
    "x": "https://x.com/{0[user]}/status/{0[id]}",
    "gist": "https://gist.github.com/{0[0]}/{0[1]}",
    "instagram": "https://www.instagram.com/p/{0[0]}/",
}


@dataclass(slots=True)
class Converted:
    """A body without tags; `dropped` are the names of those that were left out, each once."""

    body: str
    dropped: dict[str, None] = field(default_factory=dict)


# The page that a reference means, as a path in the folder; None when there is none.
Find = Callable[[str], str | None]


def from_hugo(body: str, find: Find) -> Converted:
    """Shortcodes: references, figures, code, videos; the text within others stays."""
    done = Converted("")

    def shortcode(found: re.Match[str]) -> str:
        inner = found["angled"] if found["angled"] is not None else found["percent"]
        if found["heading"] is not None:
            return _without_id(found)
        if found["code"] is not None or inner is None:
            return _SHOWN.sub(r"{{\1\2\3}}", found[0])
        inner = inner.strip()
        if inner.startswith("/*"):
            return found[0].replace("/*", "", 1).replace("*/", "", 1)
        return _shortcode(inner.removesuffix("/").strip(), find, done, after=_before(found))

    done.body = _HUGO.sub(shortcode, body)
    return done


def _shortcode(inner: str, find: Find, done: Converted, *, after: str) -> str:
    closing = inner.startswith("/")
    name, _, rest = inner.removeprefix("/").strip().partition(" ")
    given = _arguments(rest)
    if name == "highlight":
        return _fence_end(after) if closing else f"\n```{given.get('0', '')}"
    if name in ("ref", "relref"):
        return _reference(given.get("path") or given.get("0") or "", find)
    if name == "figure":
        return "" if closing else _figure(given)
    if name in _FRAMES and (given.get("id") or given.get("0")):
        return f'<iframe src="{_FRAMES[name].format(quote(given.get("id") or given["0"]))}"></iframe>'
    if name in _LINKS:
        try:
            return f"<{_LINKS[name].format({_key(key): quote(value) for key, value in given.items()})}>"
        except KeyError:
            pass
    if not closing:
        done.dropped[name[:100]] = None
    return ""


def _without_id(found: re.Match[str]) -> str:
    line = found.string[found.string.rfind("\n", 0, found.start()) + 1 : found.start()]
    return "" if line.lstrip().startswith("#") else found[0]


def _before(found: re.Match[str]) -> str:
    return found.string[max(found.start() - 1, 0) : found.start()]


def _fence_end(after: str) -> str:
    return "```\n" if after == "\n" else "\n```\n"


def _key(name: str) -> str | int:
    return int(name) if name.isdecimal() else name


def _arguments(written: str) -> dict[str, str]:
    """Values by name, those without one by their number."""
    given: dict[str, str] = {}
    for found in _ARGUMENT.finditer(written):
        value = next((part for part in found.groups()[1:] if part is not None), "")
        given[found[1] or str(len(given))] = value
    return given


def _figure(given: Mapping[str, str]) -> str:
    src = escape(given.get("src") or given.get("0") or "")
    image = f'<img src="{src}" alt="{escape(given.get("alt", ""))}">'
    if given.get("link"):
        image = f'<a href="{escape(given["link"])}">{image}</a>'
    said = " ".join(given[name] for name in ("title", "caption", "attr") if given.get(name))
    caption = f"<figcaption>{escape(said)}</figcaption>" if said else ""
    return f"<figure>{image}{caption}</figure>" if src else ""


def _reference(written: str, find: Find) -> str:
    path, mark, fragment = written.strip("\"' ").partition("#")
    page = find(path) if path else ""
    return quote("/" + (page or path).lstrip("/")) * bool(path) + mark + fragment


def from_jekyll(body: str, find: Find, values: Mapping[str, object]) -> Converted:
    """Liquid: references, code, raw text, the page's own values; the text within other tags stays."""
    return _Liquid(find, values).convert(body)


class _Liquid:
    """One body on its way. `raw` text is passed over, a `comment` left out."""

    def __init__(self, find: Find, values: Mapping[str, object]) -> None:
        self._find = find
        self._values = values
        self._state = ""
        self._done = Converted("")

    def convert(self, body: str) -> Converted:
        written: list[str] = []
        place = 0
        for found in _LIQUID.finditer(body):
            between = body[place : found.start()]
            commented = self._state == "comment"
            replaced = self._replaced(found)
            written += [] if commented else [between, replaced]
            place = found.end()
        self._done.body = "".join(written) + ("" if self._state == "comment" else body[place:])
        return self._done

    def _replaced(self, found: re.Match[str]) -> str:
        name = (found["tag"] or "").strip().partition(" ")[0]
        if self._state:
            ended = name == f"end{self._state}"
            self._state = "" if ended else self._state
            return "" if ended else found[0]
        if found["code"] is not None:
            return found[0]
        if found["kramdown"] is not None:
            return ""
        if found["heading"] is not None:
            return _without_id(found)
        if found["output"] is not None:
            return self._output(found["output"].strip())
        if name == "endhighlight":
            return _fence_end(_before(found))
        return self._tag(name, (found["tag"] or "").strip().partition(" ")[2].strip())

    def _tag(self, name: str, rest: str) -> str:
        if name in ("raw", "comment"):
            self._state = name
            return ""
        if name == "highlight":
            return f"\n```{rest.partition(' ')[0]}"
        if name in ("post_url", "link"):
            return _reference(rest, self._find)
        if not name.startswith("end"):
            self._done.dropped[name[:100]] = None
        return ""

    def _output(self, inner: str) -> str:
        literal = _LITERAL.match(inner)
        if literal:
            return literal[1]
        if inner in ("site.baseurl", "site.url", "site.github.url"):
            return ""
        value = self._values.get(inner.removeprefix("page.")) if inner.startswith("page.") else None
        if isinstance(value, str):
            return value
        self._done.dropped[inner[:100]] = None
        return ""


def from_mdx(body: str) -> Converted:
    """Components and what brings them in; one that is a picture stays a picture, the text within others stays."""
    done = Converted("")

    def component(found: re.Match[str]) -> str:
        if found["code"] is not None:
            return found[0]
        name = found["component"]
        if name is None:
            return ""
        given = _arguments(found["attributes"].rstrip("/"))
        if name in ("Image", "Img", "Picture") and given.get("src") and "{" not in given["src"]:
            return f'<img src="{escape(given["src"])}" alt="{escape(given.get("alt", ""))}">'
        if not found[0].startswith("</"):
            done.dropped[name] = None
        return ""

    done.body = _MDX.sub(component, body)
    return done

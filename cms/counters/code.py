"""The code of a counter as data, as HTML, and what a Content-Security-Policy must allow for it."""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Csp = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Script:
    """One script: `src`, or the text that stands `inline`. An attribute without a value is the empty text."""

    src: str | None = None
    inline: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Code:
    """What a page loads for a counter. `csp`: sources by directive, besides those that the scripts themselves need.

    `html`: all of it as it stands, where it is not made of the scripts and of `noscript`; `scripted` is that without
    `noscript`."""

    scripts: tuple[Script, ...]
    noscript: str | None = None
    csp: Csp = field(default_factory=dict)
    html: str | None = None
    scripted: str | None = None


def written(code: Code, *, noscript: bool) -> str:
    """The code as HTML, ready to be put in; with what those without scripts get, or without."""
    if code.html is not None:
        return code.html if noscript or code.scripted is None else code.scripted
    parts = [_script(one) for one in code.scripts]
    if noscript and code.noscript:
        parts.append(f"<noscript>{code.noscript}</noscript>")
    return "".join(parts)


def _script(script: Script) -> str:
    attributes = {**({"src": script.src} if script.src is not None else {}), **script.attributes}
    said = "".join(f' {name}="{html.escape(value)}"' if value else f" {name}" for name, value in attributes.items())
    return f"<script{said}>{script.inline or ''}</script>"


def sources(code: Code) -> dict[str, list[str]]:
    """What the policy of a page must allow for the code, by directive."""
    scripts = [source_of(one.src) for one in code.scripts if one.src is not None]
    hashes = [hash_of(one.inline) for one in code.scripts if one.inline is not None]
    return union([{"script-src": (*hashes, *(one for one in scripts if one))}, code.csp])


def union(policies: Iterable[Mapping[str, Iterable[str]]]) -> dict[str, list[str]]:
    """Several policies as one: each directive's sources once, in order."""
    found: dict[str, set[str]] = {}
    for policy in policies:
        for directive, allowed in policy.items():
            found.setdefault(directive, set()).update(allowed)
    return {directive: sorted(found[directive]) for directive in sorted(found) if found[directive]}


def hash_of(inline: str) -> str:
    """What allows one inline script or style, by its text."""
    digest = hashlib.sha256(inline.encode("utf-8", "surrogatepass")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def source_of(url: str) -> str | None:
    """The source that a policy must name for an address; None for one that no policy can name."""
    try:
        # Browsers read a backslash as a slash: the host ends there.
        parts = urlsplit(url.strip().replace("\\", "/"))
        port = f":{parts.port}" if parts.port is not None else ""
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:
        return None
    if not host:
        return "'self'" if not parts.scheme else f"{parts.scheme}:" if parts.scheme in ("data", "blob") else None
    if parts.scheme not in ("", "http", "https") or not all(one.isalnum() or one in ".-_" for one in host):
        return None
    return f"{parts.scheme or 'https'}://{host}{port}"


def literal(value: object) -> str:
    """A value as JavaScript, in which nothing can end the script or begin a comment of HTML."""
    written = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return "".join(_ESCAPED.get(one, one) for one in written)


_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}

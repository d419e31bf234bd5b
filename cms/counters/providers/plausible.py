"""Plausible, in its cloud or on a server of one's own. https://plausible.io/docs/plausible-script

An id is a site's domain, as older scripts and own servers have it, or the name of its own script, such as pa-….
"""

import re

from cms.counters.code import Code, Script, literal, source_of
from cms.counters.provider import Options, Provider, ServerUrl


class Plausible(Options):
    """`url`: where Plausible is."""

    url: ServerUrl = "https://plausible.io"
    hash_based_routing: bool = False


def _code(id: str, options: Plausible) -> Code:
    base = options.url.rstrip("/")
    own = (source_of(base) or "",)
    scripts = _own_script(id, base, options) if id.startswith("pa-") else _by_domain(id, base, options)
    return Code(scripts, None, {"script-src": own, "connect-src": own})


def _own_script(id: str, base: str, options: Plausible) -> tuple[Script, ...]:
    said = {"hashBasedRouting": True} if options.hash_based_routing else {}
    inline = (
        "window.plausible=window.plausible||function(){(plausible.q=plausible.q||[]).push(arguments)},"
        "plausible.init=plausible.init||function(i){plausible.o=i||{}};"
        f"plausible.init({literal(said)});"
    )
    return Script(f"{base}/js/{id}.js", attributes={"async": ""}), Script(inline=inline)


def _by_domain(id: str, base: str, options: Plausible) -> tuple[Script, ...]:
    name = "script.hash.js" if options.hash_based_routing else "script.js"
    return (Script(f"{base}/js/{name}", attributes={"defer": "", "data-domain": id}),)


_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ID = re.compile(rf"pa-[A-Za-z0-9_-]{{5,60}}|{_LABEL}(\.{_LABEL}){{1,8}}(/[a-z0-9._~-]{{1,60}})?")
# It sets no cookie and keeps nothing of a visitor; whether that needs consent, staff say by the category.
PROVIDER = Provider("Plausible", Plausible, _code, "head", "analytics", _ID, "example.org")

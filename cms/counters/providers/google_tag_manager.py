"""Google Tag Manager. https://developers.google.com/tag-platform/tag-manager/web

What its container loads is decided there, not here: the policy must be widened for it by whoever fills it.
"""

import re
from typing import Annotated
from urllib.parse import urlencode

from pydantic import StringConstraints

from cms.counters.code import Code, Script, literal
from cms.counters.provider import Options, Provider, Variable


class GoogleTagManager(Options):
    """The name of the data layer, and which environment of the container is loaded."""

    data_layer: Variable = "dataLayer"
    auth: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{10,60}$")] | None = None
    preview: Annotated[str, StringConstraints(pattern=r"^env-[0-9]{1,6}$")] | None = None


def _code(id: str, options: GoogleTagManager) -> Code:
    environment = {"gtm_auth": options.auth, "gtm_preview": options.preview}
    said = {name: value for name, value in environment.items() if value is not None}
    asked = urlencode({"id": id, **said, **({"gtm_cookies_win": "x"} if said else {})})
    layer = "" if options.data_layer == "dataLayer" else f"&l={options.data_layer}"
    inline = (
        "(function(w,d,s,l,u){w[l]=w[l]||[];w[l].push({'gtm.start':new Date().getTime(),event:'gtm.js'});"
        "var f=d.getElementsByTagName(s)[0],j=d.createElement(s);j.async=true;j.src=u;f.parentNode.insertBefore(j,f);"
        f"}})(window,document,'script',{literal(options.data_layer)},"
        f"{literal(f'https://www.googletagmanager.com/gtm.js?{asked}{layer}')});"
    )
    frame = f"https://www.googletagmanager.com/ns.html?{asked}".replace("&", "&amp;")
    noscript = f'<iframe src="{frame}" width="0" height="0" hidden></iframe>'
    return Code((Script(inline=inline),), noscript, _CSP)


_GTM = ("https://www.googletagmanager.com",)
# https://developers.google.com/tag-platform/security/guides/csp
_CSP = {"script-src": _GTM, "img-src": _GTM, "connect-src": _GTM, "frame-src": _GTM}

PROVIDER = Provider(
    "Google Tag Manager",
    GoogleTagManager,
    _code,
    "head",
    "marketing",
    re.compile("GTM-[A-Z0-9]{4,12}"),
    "GTM-ABCD123",
    consent_mode=True,
)

"""Google Analytics 4. https://developers.google.com/analytics/devguides/collection/ga4"""

import re

from cms.counters.code import Code, Script, literal
from cms.counters.provider import CookieDomain, Options, Provider


class GoogleAnalytics(Options):
    """What `gtag('config', …)` takes."""

    send_page_view: bool = True
    allow_google_signals: bool = True
    debug_mode: bool = False
    cookie_domain: CookieDomain | None = None


def _code(id: str, options: GoogleAnalytics) -> Code:
    said = options.model_dump(exclude_none=True)
    if not options.debug_mode:
        # Its mere presence, even as false, is told to turn debugging on.
        del said["debug_mode"]
    inline = (
        "window.dataLayer=window.dataLayer||[];"
        "window.gtag=window.gtag||function(){dataLayer.push(arguments)};"
        f"gtag('js',new Date());gtag('config',{literal(id)},{literal(said)});"
    )
    tag = Script(f"https://www.googletagmanager.com/gtag/js?id={id}", attributes={"async": ""})
    return Code((tag, Script(inline=inline)), None, _CSP)


_GOOGLE = ("https://*.google-analytics.com", "https://*.googletagmanager.com")
# https://developers.google.com/tag-platform/security/guides/csp
_CSP = {
    "script-src": ("https://*.googletagmanager.com",),
    "img-src": _GOOGLE,
    "connect-src": (*_GOOGLE, "https://*.analytics.google.com"),
}

PROVIDER = Provider(
    "Google Analytics 4",
    GoogleAnalytics,
    _code,
    "head",
    "analytics",
    re.compile("G-[A-Z0-9]{4,20}"),
    "G-ABCDE12345",
    consent_mode=True,
)

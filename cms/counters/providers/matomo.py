"""Matomo, on a server of one's own or in its cloud. https://developer.matomo.org/guides/tracking-javascript-guide"""

import re

from cms.counters.code import Code, Script, literal, source_of
from cms.counters.provider import Options, Provider, ServerUrl


class Matomo(Options):
    """`url`: where Matomo is, such as https://stats.example.org."""

    url: ServerUrl
    disable_cookies: bool = False
    enable_link_tracking: bool = True
    do_not_track: bool = False
    heart_beat_timer: bool = False


def _code(id: str, options: Matomo) -> Code:
    base = options.url.rstrip("/") + "/"
    calls: list[object] = [
        *([["disableCookies"]] if options.disable_cookies else []),
        *([["setDoNotTrack", True]] if options.do_not_track else []),
        ["trackPageView"],
        *([["enableLinkTracking"]] if options.enable_link_tracking else []),
        *([["enableHeartBeatTimer"]] if options.heart_beat_timer else []),
        ["setTrackerUrl", f"{base}matomo.php"],
        ["setSiteId", id],
    ]
    inline = (
        "var _paq=window._paq=window._paq||[];"
        + "".join(f"_paq.push({literal(call)});" for call in calls)
        + "(function(){var d=document,g=d.createElement('script'),s=d.getElementsByTagName('script')[0];"
        f"g.async=true;g.src={literal(f'{base}matomo.js')};s.parentNode.insertBefore(g,s);}})();"
    )
    noscript = f'<img src="{base}matomo.php?idsite={id}&amp;rec=1" width="1" height="1" alt="">'
    own = (source_of(base) or "",)
    csp = dict.fromkeys(("script-src", "img-src", "connect-src"), own)
    return Code((Script(inline=inline),), noscript, csp)


PROVIDER = Provider("Matomo", Matomo, _code, "head", "analytics", re.compile("[1-9][0-9]{0,8}"), "1")

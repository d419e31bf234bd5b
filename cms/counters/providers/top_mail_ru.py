"""Top.Mail.Ru. https://top.mail.ru/help/ru/code/install"""

import re
from typing import Annotated

from pydantic import StringConstraints

from cms.counters.code import Code, Script, literal
from cms.counters.provider import Options, Provider


class TopMailRu(Options):
    """`pid`: the visitor's number in a system of one's own."""

    pid: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")] | None = None


def code(id: str, options: TopMailRu) -> Code:
    """The code of a counter, which the pixel of VK Ads has, too."""
    said = literal({"id": id, "type": "pageView", **options.model_dump(exclude_none=True)})
    inline = (
        "var _tmr=window._tmr||(window._tmr=[]);"
        f"_tmr.push(Object.assign({said},{{start:(new Date()).getTime()}}));"
        "(function(d,w,id){if(d.getElementById(id))return;var ts=d.createElement('script');ts.async=true;ts.id=id;"
        "ts.src='https://top-fwz1.mail.ru/js/code.js';"
        "var s=d.getElementsByTagName('script')[0];s.parentNode.insertBefore(ts,s);})(document,window,'tmr-code');"
    )
    noscript = f'<img src="https://top-fwz1.mail.ru/counter?id={id};js=na" width="1" height="1" alt="Top.Mail.Ru">'
    return Code((Script(inline=inline),), noscript, _CSP)


_TOP = ("https://top-fwz1.mail.ru", "https://*.mail.ru")
_CSP = {"script-src": _TOP, "img-src": _TOP, "connect-src": _TOP, "frame-src": _TOP}

ID = re.compile("[1-9][0-9]{0,11}")
PROVIDER = Provider("Top.Mail.Ru", TopMailRu, code, "head", "analytics", ID, "3000000")

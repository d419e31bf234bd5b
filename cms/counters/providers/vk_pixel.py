"""The VK pixel: that of VK Ads, known by a number, or the older one of VK retargeting (VK-RTRG-…).

https://ads.vk.com/help/articles/pixel_install, https://vk.com/faq12142
"""

import re

from cms.counters.code import Code, Script, literal
from cms.counters.provider import Provider
from cms.counters.providers import top_mail_ru


class VkPixel(top_mail_ru.TopMailRu):
    """The same as a counter of Top.Mail.Ru takes."""


def _code(id: str, options: VkPixel) -> Code:
    return top_mail_ru.code(id, options) if id.isdigit() else _retargeting(id)


def _retargeting(id: str) -> Code:
    inline = (
        "!function(){var t=document.createElement('script');t.async=!0,"
        "t.src='https://vk.com/js/api/openapi.js?169',"
        f"t.onload=function(){{VK.Retargeting.Init({literal(id)}),VK.Retargeting.Hit()}},"
        "document.head.appendChild(t)}();"
    )
    noscript = f'<img src="https://vk.com/rtrg?p={id}" width="1" height="1" alt="">'
    return Code((Script(inline=inline),), noscript, _CSP)


_VK = ("https://vk.com", "https://*.vk.com")
_CSP = {"script-src": _VK, "img-src": _VK, "connect-src": _VK, "frame-src": _VK}

_ID = re.compile(f"{top_mail_ru.ID.pattern}|VK-RTRG-[0-9]{{1,12}}-[A-Za-z0-9]{{2,12}}")
PROVIDER = Provider("VK: пиксель", VkPixel, _code, "head", "marketing", _ID, "3000000")

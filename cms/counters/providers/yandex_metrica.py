"""Yandex Metrica. https://yandex.com/support/metrica/en/code/counter-initialize"""

import re

from cms.counters.code import Code, Script, literal
from cms.counters.provider import Options, Provider, Variable


class YandexMetrica(Options):
    """What `ym(…, 'init', …)` takes."""

    clickmap: bool = True
    track_links: bool = True
    accurate_track_bounce: bool = True
    track_hash: bool = False
    webvisor: bool = False
    # The name of the variable that holds what was bought.
    ecommerce: Variable | None = None


_NAMES = {
    "clickmap": "clickmap",
    "track_links": "trackLinks",
    "accurate_track_bounce": "accurateTrackBounce",
    "track_hash": "trackHash",
    "webvisor": "webvisor",
    "ecommerce": "ecommerce",
}


def _code(id: str, options: YandexMetrica) -> Code:
    said = {_NAMES[name]: value for name, value in options.model_dump(exclude_none=True).items()}
    tag = f"https://mc.yandex.ru/metrika/tag.js?id={id}"
    inline = (
        "(function(m,e,t,r,i,k,a){m[i]=m[i]||function(){(m[i].a=m[i].a||[]).push(arguments)};m[i].l=1*new Date();"
        "for(var j=0;j<document.scripts.length;j++){if(document.scripts[j].src===r){return;}}"
        "k=e.createElement(t),a=e.getElementsByTagName(t)[0],k.async=1,k.src=r,a.parentNode.insertBefore(k,a)})"
        f"(window,document,'script',{literal(tag)},'ym');"
        f"ym({id},'init',{literal(said)});"
    )
    noscript = f'<img src="https://mc.yandex.ru/watch/{id}" width="1" height="1" alt="">'
    return Code((Script(inline=inline),), noscript, _CSP)


_MC = ("https://mc.yandex.ru", "https://mc.yandex.com")
# https://yandex.com/support/metrica/en/code/install-counter-csp
_CSP = {
    "script-src": (*_MC, "https://yastatic.net"),
    "img-src": (*_MC, "https://mc.webvisor.org"),
    "connect-src": (*_MC, "wss://mc.yandex.ru", "wss://mc.yandex.com", "https://mc.webvisor.org"),
    "frame-src": (*_MC, "blob:"),
    "child-src": (*_MC, "blob:"),
}

PROVIDER = Provider(
    "Яндекс Метрика", YandexMetrica, _code, "head", "analytics", re.compile("[1-9][0-9]{0,11}"), "12345678"
)

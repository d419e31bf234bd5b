"""What visitors consent to: categories of counters, and the signals of Google's Consent Mode that each stands for.

Signals as of https://developers.google.com/tag-platform/security/guides/consent (version 2).
"""

from collections.abc import Mapping

from cms.counters.code import literal

SIGNALS: Mapping[str, tuple[str, ...]] = {
    "necessary": ("security_storage",),
    "functional": ("functionality_storage", "personalization_storage"),
    "analytics": ("analytics_storage",),
    "marketing": ("ad_storage", "ad_user_data", "ad_personalization"),
}

# Before a visitor has said anything: what is necessary needs no consent.
DEFAULT: Mapping[str, str] = {
    signal: "granted" if category == "necessary" else "denied"
    for category, signals in SIGNALS.items()
    for signal in signals
}

# How long tags wait for what a visitor said at an earlier visit. Milliseconds.
_WAIT = 500

# Stands before everything that asks: a tag that runs earlier would take silence for consent.
DEFAULT_CODE = (
    "window.dataLayer=window.dataLayer||[];"
    "window.gtag=window.gtag||function(){dataLayer.push(arguments)};"
    f"gtag('consent','default',{literal({**DEFAULT, 'wait_for_update': _WAIT})});"
)

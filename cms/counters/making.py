"""What the fields of a counter turn into."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from cms.counters import code as codes
from cms.counters.code import Code, Script
from cms.counters.consent import SIGNALS
from cms.counters.custom_code import BadCode
from cms.counters.provider import Provider
from cms.counters.providers import CUSTOM, PROVIDERS

_REMEMBERED = 1_024


@dataclass(frozen=True)
class Made:
    """A counter's code, where it goes, and under which consent. `csp`: sources by directive, hashes among them."""

    position: str
    category: str
    consent: tuple[str, ...]
    consent_mode: bool
    html: str
    scripts: tuple[Script, ...]
    noscript: str | None
    csp: Mapping[str, list[str]]


def make(fields: Mapping[str, Any]) -> Made | None:
    """What a counter's fields turn into; None: their provider, or what it took once, is not known any more."""
    name = fields.get("provider") or ""
    provider = PROVIDERS.get(name)
    if provider is None:
        return None
    given = fields.get("code") if name == CUSTOM else fields.get("counter_id")
    options = json.dumps(fields.get("options") or {}, sort_keys=True)
    position, category = fields.get("position") or provider.position, fields.get("category") or provider.category
    return _made(name, given or "", options, position, category)


# The same few counters are asked for with every page.
@lru_cache(_REMEMBERED)
def _made(name: str, given: str, options: str, position: str, category: str) -> Made | None:
    provider = PROVIDERS[name]
    code = _code(provider, given, options)
    if code is None:
        return None
    return Made(
        position,
        category,
        SIGNALS[category],
        provider.consent_mode,
        # What stands in a head must not hold a picture: browsers would end the head there.
        codes.written(code, noscript=position != "head"),
        code.scripts,
        code.noscript,
        codes.sources(code),
    )


def _code(provider: Provider, given: str, options: str) -> Code | None:
    if provider.id is not None and not provider.id.fullmatch(given):
        return None
    try:
        return provider.code(given, provider.options.model_validate_json(options))
    except (ValidationError, BadCode):
        return None

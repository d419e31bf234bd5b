"""What a counter must not be: of no known provider, with an id or options that are none, or shown by no rule."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import path_patterns, showing_times
from cms.content_types import ContentType
from cms.counters import custom_code
from cms.counters.custom_code import BadCode
from cms.counters.provider import Provider
from cms.counters.providers import CUSTOM, PROVIDERS
from cms.custom_types import site_types
from cms.errors import Fault
from cms.snapshots import Snapshot, revision_of
from cms.tables.entries import Entry
from cms.tables.publications import Publication

_ENVIRONMENT = re.compile("[a-z0-9][a-z0-9_-]{0,39}")
_MOST_ENVIRONMENTS = 20
_LARGEST_OPTIONS = 10_000
_SHOWN = 20


def faults(session: Session, content_type: ContentType, snapshot: Snapshot) -> list[Fault]:
    """What is wrong with a counter; nothing is with other types' contents."""
    if content_type.name != "counter":
        return []
    said = {name: value for name, value in snapshot.fields.items() if value is not None}
    provider = PROVIDERS.get(said.get("provider") or "")
    if provider is None:
        told = f"There is no such provider. There are: {', '.join(PROVIDERS)}."
        own: Iterable[Fault] = [Fault("/fields/provider", "unknown_provider", told)]
    else:
        own = [*_id_faults(provider, said), *_code_faults(said), *_option_faults(provider, said)]
    where = _scope_faults(session, said.get("scope") or {})
    return [*own, *where, *showing_times.faults(said), *_environment_faults(said)]


def _id_faults(provider: Provider, said: Mapping[str, Any]) -> Iterator[Fault]:
    id = said.get("counter_id") or ""
    if provider.id is None:
        if id:
            yield Fault("/fields/counter_id", "unused", "Custom code has no id. Leave it out.")
    elif not id:
        yield Fault(
            "/fields/counter_id", "missing", f"Give the id that the provider tells, such as {provider.example}."
        )
    elif not provider.id.fullmatch(id):
        told = f"This is no id of {provider.title}. One looks like {provider.example}."
        yield Fault("/fields/counter_id", "malformed_id", told)


def _code_faults(said: Mapping[str, Any]) -> Iterator[Fault]:
    code = (said.get("code") or "").strip()
    if said["provider"] != CUSTOM:
        if code:
            yield Fault("/fields/code", "unused", "The provider's code is made of its id. Leave it out.")
        return
    if not code:
        yield Fault("/fields/code", "missing", "Give the HTML that the vendor tells you to put in.")
        return
    try:
        custom_code.read(code)
    except BadCode as bad:
        yield Fault("/fields/code", bad.code, bad.message)


def _option_faults(provider: Provider, said: Mapping[str, Any]) -> Iterator[Fault]:
    given = json.dumps(said.get("options") or {})
    if len(given) > _LARGEST_OPTIONS:
        yield Fault("/fields/options", "too_long", f"Options have at most {_LARGEST_OPTIONS} characters.")
        return
    try:
        provider.options.model_validate_json(given)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False, include_input=False)[:_SHOWN]:
            at = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error["loc"])
            yield Fault(f"/fields/options{at}", error["type"], error["msg"])


def _scope_faults(session: Session, scope: Mapping[str, Any]) -> Iterator[Fault]:
    yield from path_patterns.faults(scope, at="/fields/scope")
    known = site_types.all_of(session) if scope.get("types") else {}
    for index, type in enumerate(scope.get("types") or []):
        if type not in known or not known[type].routable:
            told = f"There is no type '{type[:100]}' whose entries have pages."
            yield Fault(f"/fields/scope/types/{index}", "unknown_type", told)


def _environment_faults(said: Mapping[str, Any]) -> Iterator[Fault]:
    environments = said.get("environments") or []
    if len(environments) > _MOST_ENVIRONMENTS:
        yield Fault("/fields/environments", "too_many", f"There are at most {_MOST_ENVIRONMENTS} environments.")
    for index, name in enumerate(environments):
        if not _ENVIRONMENT.fullmatch(name):
            told = "An environment is called by lower-case latin letters, digits, _ and -, such as production."
            yield Fault(f"/fields/environments/{index}", "malformed_name", told)


# --- what may be so, and is worth a word ---


def warnings(session: Session, entry: Entry) -> tuple[Fault, ...]:
    """What is worth a word about the newest revision of a counter; of other types nothing."""
    if entry.type != "counter":
        return ()
    fields = revision_of(session, entry).fields
    return (*_about_code(fields), *_about_consent(fields), *_about_twins(session, entry, fields))


def _about_code(fields: Mapping[str, Any]) -> Iterator[Fault]:
    if fields.get("provider") == CUSTOM:
        try:
            yield from (
                Fault("/fields/code", code, told) for code, told in custom_code.warnings(fields.get("code") or "")
            )
        except BadCode as bad:
            yield Fault("/fields/code", bad.code, bad.message)


def _about_consent(fields: Mapping[str, Any]) -> Iterator[Fault]:
    provider = PROVIDERS.get(fields.get("provider") or "")
    if provider is not None and fields.get("category") == "necessary":
        told = "It loads before a visitor has consented to anything. See to it that the law of your visitors lets it."
        yield Fault("/fields/category", "loads_without_consent", told)


def _about_twins(session: Session, entry: Entry, fields: Mapping[str, Any]) -> Iterator[Fault]:
    """The same counter twice on a page counts every visit twice."""
    p = Publication
    rows = session.execute(
        select(p.entry_id, p.title, p.rendered)
        .where(p.type == "counter", p.translation_group != entry.translation_group)
        .order_by(p.entry_id)
    )
    mine = fields.get("provider"), fields.get("counter_id")
    if mine[1] is None:
        return
    for row in rows:
        if (row.rendered.get("provider"), row.rendered.get("counter_id")) == mine:
            told = f"“{row.title}” ({row.entry_id}) is live with the same id: where both load, visits count twice."
            yield Fault("/fields/counter_id", "duplicate_counter", told)

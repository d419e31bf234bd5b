"""The redirects that staff and imports keep: rules about a path, and what is live there still wins.

What moves and takedowns leave is in `redirects`; it is listed here, too, and may be removed or explained.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, case, func, literal, select, update
from sqlalchemy.orm import Session

from cms import events, paths, redirects, site
from cms.attribution import By
from cms.columns import EQUALITY, ORDER, WORDS
from cms.database import Instant, forget
from cms.delivery import resolving
from cms.delivery.live_structure import live_site
from cms.errors import Fault, InvalidContent, NotFound, RuleExists, WrongState
from cms.identity import new_id
from cms.listing import Asked, Column, Condition, Page, page
from cms.pictures import unsigned
from cms.redirect_loops import MOST_LOOKED_AT, paths_above
from cms.showing import instant
from cms.tables.missing import MissingPath
from cms.tables.publications import Publication, Redirect

STATUSES = (301, 302, 307, 308, resolving.GONE)
LONGEST_EXPLANATION = 2_000
# A path is part of a unique key, and PostgreSQL takes keys of 2,700 bytes at most.
LONGEST_PATH_BYTES = 2_000


@dataclass(frozen=True)
class Rule:
    """What a rule says. `to`: an entry's id, a section's id, a path on this site, or an address on a host that the
    settings allow; none with status 410. No locale: every locale. `prefix`: all below, too."""

    path: str
    to: str | None = None
    status: int = 301
    prefix: bool = False
    locale: str | None = None
    explanation: str | None = None


@dataclass(frozen=True)
class Kept:
    """A rule as it is stored, and what staff should know of it."""

    redirect: Redirect
    warnings: tuple[Fault, ...]


def create(session: Session, rule: Rule, *, by: By, source: str = "manual") -> Kept:
    """Make a rule. Raises `InvalidContent` (a loop, too, spelled out), `RuleExists`."""
    values = columns_of(session, rule)
    _refuse_twin(session, values)
    stored = Redirect(id=new_id(), source=source, hits=0, created_at=by.at, changed_at=by.at, **values)
    session.add(stored)
    session.flush()
    _refuse_loops(session, stored)
    close_missing(session, [stored])
    events.record(session, "redirect.created", by=by, redirect=stored.id, **asdict(rule))
    return Kept(stored, _warnings(session, stored))


def change(session: Session, stored: Redirect, values: Mapping[str, Any], *, by: By) -> Kept:
    """Change what a rule says: `values` has some of the members of `Rule`. Of a rule that the system keeps, only the
    explanation. Raises `InvalidContent`, `RuleExists`, `WrongState`."""
    before = rule_of(stored)
    wanted = replace(before, **values)
    if wanted.status == resolving.GONE and "to" not in values:
        wanted = replace(wanted, to=None)
    if stored.slug is not None:
        _refuse_all_but_words(before, wanted)
        stored.explanation = _checked_words(wanted.explanation)
    else:
        columns = columns_of(session, wanted)
        _refuse_twin(session, columns, but=stored.id)
        for name, value in columns.items():
            setattr(stored, name, value)
    now = rule_of(stored)
    if now != before:
        stored.changed_at = by.at
        _flush(session, stored, by=by)
        if stored.slug is None:
            _refuse_loops(session, stored)
            close_missing(session, [stored])
        changed = sorted(name for name, value in asdict(now).items() if value != getattr(before, name))
        events.record(session, "redirect.changed", by=by, redirect=stored.id, path=stored.path, changed=changed)
    return Kept(stored, _warnings(session, stored))


def remove(session: Session, stored: Redirect, *, by: By) -> None:
    """Remove a rule; one that the system kept, too: then old paths find nothing."""
    session.delete(stored)
    _flush(session, stored, by=by)
    events.record(session, "redirect.removed", by=by, redirect=stored.id, **asdict(rule_of(stored)))


def find(session: Session, rule_id: str) -> Redirect:
    """The rule of that id. Raises `NotFound`."""
    stored = session.get(Redirect, rule_id)
    if stored is None:
        raise NotFound("redirect", rule_id)
    return stored


def rule_of(stored: Redirect) -> Rule:
    """What a stored rule says."""
    to = stored.target_entry or stored.target_section or stored.target_url
    return Rule(stored.path, to, stored.status, stored.prefix, stored.locale, stored.explanation)


def count(session: Session, hits: Mapping[str, tuple[int, datetime]]) -> None:
    """Add to the hits of rules: how many more, and when the last was, by a rule's id. Other processes add, too."""
    if not hits:
        return
    rules: Any = Redirect.__table__
    at = bindparam("at", type_=Instant())
    session.connection().execute(
        update(rules)
        .where(rules.c.id == bindparam("rule"))
        .values(
            hits=rules.c.hits + bindparam("more"),
            last_hit_at=case((rules.c.last_hit_at > at, rules.c.last_hit_at), else_=at),
        ),
        [{"rule": id, "more": more, "at": last} for id, (more, last) in sorted(hits.items())],
    )


def close_missing(session: Session, rules: Sequence[Any]) -> None:
    """What visitors missed at a path that these rules answer is missed no more."""
    m = MissingPath
    open_paths = session.execute(select(m.id, m.path, m.locale).where(m.state == "open")).all()
    if not open_paths:
        return
    exact = {rule.path: rule for rule in rules}
    below = {rule.path: rule for rule in rules if rule.prefix}
    for row in open_paths:
        rule = exact.get(row.path) or next((below[path] for path in paths_above(row.path) if path in below), None)
        if rule is not None and (rule.locale is None or row.locale in (None, rule.locale)):
            session.execute(update(m).where(m.id == row.id).values(state="redirected", redirect_id=rule.id))


# --- what a rule may say ---


def columns_of(session: Session, rule: Rule, *, entries: Container[str] | None = None) -> dict[str, Any]:
    """A rule as columns, its path in normal form. `entries`: ids that are known to be entries', when they have been
    looked up. Raises `InvalidContent`."""
    faults: list[Fault] = []

    def checked(check: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return check(*arguments, **named)
        except InvalidContent as refusal:
            faults.extend(refusal.faults)

    columns = {
        "path": checked(checked_path, rule.path),
        "prefix": rule.prefix,
        "status": checked(_checked_status, rule.status),
        "locale": checked(_checked_locale, session, rule.locale),
        "explanation": checked(_checked_words, rule.explanation),
        "target_entry": None,
        "target_section": None,
        "target_url": None,
        **(checked(_checked_target, session, rule, entries=entries) or {}),
    }
    if faults:
        raise InvalidContent(faults)
    return columns


def checked_path(path: str) -> str:
    """A path in its normal form. Raises `InvalidContent`."""
    if not path.startswith("/") or path.startswith("//"):
        raise _fault("/path", "malformed_path", "A path begins with one '/', and has no host: /company/news.")
    if "?" in path or "#" in path:
        raise _fault(
            "/path", "malformed_path", "A rule is about a path alone: leave out the query string and what follows '#'."
        )
    if "\\" in path or any(one.isspace() or not one.isprintable() for one in path):
        raise _fault(
            "/path", "malformed_path", "A path has no spaces, control characters or backslashes: write a space as %20."
        )
    if {"", ".", ".."} & set(path.strip("/").split("/")) and path.strip("/"):
        raise _fault("/path", "malformed_path", "Browsers never ask for a path with an empty step, '.' or '..'.")
    normal = paths.normal(path)
    if len(normal.encode()) > LONGEST_PATH_BYTES:
        raise _fault("/path", "too_long", f"A path has at most {LONGEST_PATH_BYTES} bytes.")
    return normal


def _checked_status(status: int) -> int:
    if status not in STATUSES:
        raise _fault("/status", "unknown_status", f"The status is one of: {', '.join(map(str, STATUSES))}.")
    return status


def _checked_locale(session: Session, locale: str | None) -> str | None:
    known = site.locales(session).all
    if locale is not None and locale not in known:
        raise _fault("/locale", "unknown_locale", f"The site has no such locale. It has: {', '.join(known)}.")
    return locale


def _checked_words(explanation: str | None) -> str | None:
    if explanation is not None and len(explanation) > LONGEST_EXPLANATION:
        raise _fault("/explanation", "too_long", f"An explanation has at most {LONGEST_EXPLANATION} characters.")
    if explanation is not None and "\0" in explanation:
        raise _fault("/explanation", "zero_byte", "An explanation has no zero bytes.")
    return explanation or None


def _checked_target(session: Session, rule: Rule, *, entries: Container[str] | None) -> dict[str, str]:
    if rule.status == resolving.GONE:
        if rule.to is not None:
            raise _fault("/to", "needless_target", "What is gone (410) leads nowhere: leave out 'to', or choose 301.")
        return {}
    if rule.to is None:
        said = "A redirect needs 'to': an entry's id, a section's id, a path on this site or an address. Or choose 410."
        raise _fault("/to", "missing", said)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", rule.to):
        return _checked_address(session, rule.to)
    return redirects.target(session, rule.to, entries=entries)


def _checked_address(session: Session, to: str) -> dict[str, str]:
    settings = site.settings(session)
    own = settings.url
    if own is not None and (to == own or to.startswith(f"{own}/")):
        return redirects.target(session, to[len(own) :] or "/")
    host = host_of(to)
    if host is None:
        said = "An address is http:// or https:// with a host, without a name or password, spaces or backslashes."
        raise _fault("/to", "malformed_address", said)
    if host not in {_in_ascii(one) for one in settings.redirect_hosts}:
        said = f"Other sites must be allowed first: add '{host}' to 'redirect_hosts' in the settings and publish them."
        raise _fault("/to", "foreign_host", said)
    return {"target_url": unsigned(to)}


def host_of(address: str) -> str | None:
    """The host of a web address in lower-case ASCII, with its port if it names one; None: this is no such address."""
    if (
        not re.fullmatch(r"https?://[^\s\x00-\x20\x7f\\]+", address, re.IGNORECASE)
        or len(address) > resolving.LONGEST_PATH
    ):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.hostname is None or "@" in parts.netloc:
        return None
    host = _in_ascii(parts.hostname)
    return host and (host if port is None else f"{host}:{port}")


def _in_ascii(host: str) -> str | None:
    """A host as names are looked up: in lower case, other alphabets in punycode."""
    name, colon, port = host.lower().partition(":")
    try:
        ascii_name = name.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return ascii_name + colon + port if re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", ascii_name) else None


def _refuse_all_but_words(before: Rule, wanted: Rule) -> None:
    if replace(wanted, explanation=before.explanation) != before:
        said = (
            "This rule follows what was moved or taken down: only its explanation can be changed. "
            "Make a rule of your own for the path, it goes before this one; or remove this one."
        )
        raise WrongState("automatic_redirect", said)


def _refuse_twin(session: Session, values: Mapping[str, Any], but: str = "") -> None:
    r = Redirect
    same = r.locale.is_(None) if values["locale"] is None else r.locale == values["locale"]
    twin = session.scalar(select(r.id).where(r.slug.is_(None), same, r.path == values["path"], r.id != but))
    if twin is not None:
        raise RuleExists(values["path"], values["locale"], twin)


def _refuse_loops(session: Session, stored: Redirect) -> None:
    starts = [stored.path]
    if stored.prefix:
        below = Redirect.target_url.startswith(f"{stored.path.rstrip('/')}/", autoescape=True)
        wanted = select(Redirect.path).where(Redirect.slug.is_(None), below).limit(MOST_LOOKED_AT)
        starts += session.scalars(wanted).all()
    for locale in site.locales(session).all if stored.locale is None else (stored.locale,):
        for start in starts:
            redirects.refuse_loop(session, start, locale=locale)


def _flush(session: Session, stored: Redirect, *, by: By) -> None:
    session.flush()
    if stored.slug is not None and stored.prefix:
        # What sections left is kept in memory until the structure is published: here it changes without.
        newest = session.scalars(select(Publication).where(Publication.type == "structure")).first()
        if newest is not None:
            newest.changed_at = max(by.at, newest.changed_at + timedelta(microseconds=1))
        forget(session)


def _fault(pointer: str, code: str, message: str) -> InvalidContent:
    return InvalidContent([Fault(pointer, code, message)])


def _warnings(session: Session, stored: Redirect) -> tuple[Fault, ...]:
    [shown] = show(session, [stored])
    warnings = []
    if shown["shadowed"]:
        said = "Something is live at this path. The rule waits until it is moved or taken down."
        warnings.append(Fault("/path", "shadowed", said))
    if stored.status != resolving.GONE and shown["to"]["path"] is None:
        said = "The target is not live now: until it is, visitors find nothing here."
        warnings.append(Fault("/to", "not_live", said))
    return tuple(warnings)


# --- finding and showing ---


def listing(session: Session, asked: Asked) -> Page:
    """Rows of (rule,), the last changed first. Raises `BadQuery`."""
    asked = replace(asked, conditions=tuple(_with_normal_path(one) for one in asked.conditions))
    asked = asked if asked.sort else replace(asked, sort=(("changed_at", True),))
    return page(session, select(Redirect), asked, columns=_COLUMNS, id=_REDIRECT.id)


def _with_normal_path(condition: Condition) -> Condition:
    if condition.field != "path" or condition.operator in ("contains", "starts"):
        return condition
    return replace(condition, values=tuple(paths.normal(value) for value in condition.values))


_REDIRECT = Redirect.__table__.c
_NEVER = literal(datetime(1970, 1, 1, tzinfo=UTC), Instant())
_COLUMNS: Mapping[str, Column] = {
    "id": Column(_REDIRECT.id, "text", EQUALITY),
    "locale": Column(_REDIRECT.locale, "text", EQUALITY),
    "path": Column(_REDIRECT.path, "text", WORDS, sortable=True),
    "prefix": Column(_REDIRECT.prefix, "boolean", frozenset({"eq", "ne"})),
    "status": Column(_REDIRECT.status, "number", ORDER),
    "source": Column(_REDIRECT.source, "text", EQUALITY),
    "entry": Column(_REDIRECT.target_entry, "text", EQUALITY),
    "section": Column(_REDIRECT.target_section, "text", EQUALITY),
    "url": Column(_REDIRECT.target_url, "text", WORDS),
    "about": Column(_REDIRECT.about, "text", EQUALITY),
    "hits": Column(_REDIRECT.hits, "number", ORDER, sortable=True),
    # What was never hit counts as hit before everything else, so that it can be sorted and found with what is idle.
    "last_hit_at": Column(
        func.coalesce(_REDIRECT.last_hit_at, _NEVER), "instant", frozenset({"lt", "lte", "gt", "gte"}), sortable=True
    ),
    "created_at": Column(_REDIRECT.created_at, "instant", ORDER, sortable=True),
    "changed_at": Column(_REDIRECT.changed_at, "instant", ORDER, sortable=True),
}


def show(session: Session, rules: Iterable[Redirect]) -> list[dict[str, Any]]:
    """Rules as staff see them, each with where it leads by now."""
    live, locales = live_site(session), site.locales(session)
    return [_shown(session, one, live, locales) for one in rules]


def _shown(session: Session, one: Redirect, live: Any, locales: site.Locales) -> dict[str, Any]:
    end = resolving.end(session, one, site=live, locale=one.locale or locales.default)
    over = locales.all if one.locale is None else (one.locale,)
    return {
        "id": one.id,
        "locale": one.locale,
        "path": one.path,
        "prefix": one.prefix,
        "status": one.status,
        "to": {
            "entry": one.target_entry,
            "section": one.target_section,
            "url": one.target_url,
            "path": end and end.moved_to,
        },
        "explanation": one.explanation,
        "source": one.source,
        "about": one.about,
        "hits": one.hits,
        "last_hit_at": instant(one.last_hit_at),
        "created_at": instant(one.created_at),
        "changed_at": instant(one.changed_at),
        "shadowed": resolving.stands(session, one.path, site=live, locales=over),
    }

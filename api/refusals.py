"""What the domain refuses, as HTTP tells it: one table."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from api.answers import revision_tag
from api.login_throttle import Throttled
from api.problems import Problem, problem_response
from api.type_reports import type_report
from cms import errors
from cms.showing import instant
from media.refusals import RefusedMedia, TooLarge
from media.stores import Unreachable
from search_index import IndexUnavailable, QueryTooLong


def install_refusal_handlers(app: FastAPI) -> None:
    """Answer every refusal of the domain as a problem."""
    for kind in TABLE:
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, refusal: Exception) -> Response:
    return problem_response(request.scope, problem_of(refusal))


def problem_of(refusal: Exception) -> Problem:
    """The problem that tells of a refusal."""
    tell = next(tell for kind, tell in TABLE.items() if isinstance(refusal, kind))
    return tell(refusal)


def _invalid(refusal: errors.InvalidContent) -> Problem:
    count = len(refusal.faults)
    said = "1 value is not acceptable." if count == 1 else f"{count} values are not acceptable."
    return Problem(422, "invalid_body", said, errors=refusal.faults)


def _not_found(refusal: errors.NotFound) -> Problem:
    return Problem(404, "not_found", f"There is no {refusal.what} '{refusal.id[:100]}'.")


def _forbidden(refusal: errors.Forbidden) -> Problem:
    of = f" entries of type '{refusal.type}'" if refusal.type else ""
    return Problem(403, "forbidden", f"Your role or your key does not allow you to {refusal.action}{of}.")


def _second_person_needed(refusal: errors.SecondPersonNeeded) -> Problem:
    who = f"such as {', '.join(refusal.may)}" if refusal.may else "though there is none yet"
    said = (
        f"{', '.join(refusal.savers)} saved what would go live. Another person has to publish it: an administrator or "
        f"an analyst, {who}. Administrators may switch this off: counters_four_eyes in the settings."
    )
    return Problem(403, "second_person_needed", said, saved_by=refusal.savers, may=refusal.may)


def _stale(refusal: errors.StaleRevision) -> Problem:
    changed = ", ".join(refusal.changed) or "something"
    said = f"{refusal.actor_name} saved revision {refusal.current} since: {changed}. Read it and save again."
    return Problem(
        412,
        "stale",
        said,
        headers={"ETag": revision_tag(refusal.current, refusal.folds)},
        current=refusal.current,
        changed=refusal.changed,
        saved={
            "at": instant(refusal.saved_at),
            "by": {"name": refusal.actor_name},
            "on_behalf_of": refusal.on_behalf_of,
        },
    )


def _address_taken(refusal: errors.AddressTaken) -> Problem:
    said = f"Another entry of locale '{refusal.locale}' has the slug '{refusal.slug}' here. Choose another slug."
    fault = errors.Fault("/slug", "slug_taken", said)
    return Problem(409, "slug_taken", said, errors=[fault], entry=refusal.entry_id)


def _rule_exists(refusal: errors.RuleExists) -> Problem:
    of = f" in locale '{refusal.locale}'" if refusal.locale else ""
    said = f"There is a redirect for {refusal.path}{of} already. Change that one, or remove it first."
    fault = errors.Fault("/path", "redirect_exists", said)
    return Problem(409, "redirect_exists", said, errors=[fault], redirect=refusal.id)


def _in_use(refusal: errors.InUse) -> Problem:
    usages = [{"entry": entry, "pointer": pointer} for entry, pointer in refusal.usages]
    said = f"It is used in {refusal.total} places. Remove these references first."
    if refusal.confirmable:
        said = f"It is used in {refusal.total} places, which all change. If they shall, send ?confirm={refusal.total}."
    return Problem(409, "in_use", said, usages=usages, total=refusal.total)


def _bytes_gone(_refusal: errors.BytesGone) -> Problem:
    said = "These bytes were being removed as they came. Send the file once more."
    return Problem(503, "unavailable", said, headers={"Retry-After": "1"})


def _wrong_state(refusal: errors.WrongState) -> Problem:
    return Problem(409, refusal.code, refusal.reason)


def _not_confirmed(refusal: errors.NotConfirmed) -> Problem:
    told = type_report(refusal.report)
    count = told["confirm"]
    said = f"{count} entries lose a value or do not fit any more. To do it all the same, send ?confirm={count}."
    if count == 0:
        said = "No entry loses anything by this: send it without confirm."
    return Problem(409, "confirm_needed", said, **told)


def _bad_query(refusal: errors.BadQuery) -> Problem:
    fault = errors.Fault(f"?{refusal.parameter}", refusal.code, refusal.message)
    return Problem(400, refusal.code, refusal.message, errors=[fault])


def _too_long(refusal: QueryTooLong) -> Problem:
    said = f"A search has at most {refusal.limit} {refusal.unit}."
    return Problem(400, "query_too_long", said, errors=[errors.Fault("?q", "query_too_long", said)])


def _throttled(refusal: Throttled) -> Problem:
    said = f"Too many sign-ins have failed. Try again in {refusal.retry_after} seconds."
    return Problem(429, "too_many_requests", said, headers={"Retry-After": str(refusal.retry_after)})


def _too_large(refusal: TooLarge) -> Problem:
    return Problem(413, "body_too_large", f"A file has at most {refusal.limit} bytes.", limit=refusal.limit)


def _refused_media(refusal: RefusedMedia) -> Problem:
    return Problem(422, refusal.code, refusal.message, errors=[errors.Fault("/file", refusal.code, refusal.message)])


def _unavailable(_refusal: IndexUnavailable) -> Problem:
    said = "The search index is being rebuilt. Try again shortly."
    return Problem(503, "unavailable", said, headers={"Retry-After": "5"})


def _unreachable(_refusal: Unreachable) -> Problem:
    # Why, the log tells: the public need not know where files are kept.
    said = "The files cannot be reached at this moment. Try again shortly."
    return Problem(503, "unavailable", said, headers={"Retry-After": "5"})


TABLE: Mapping[type[Exception], Callable[[Any], Problem]] = {
    errors.InvalidContent: _invalid,
    errors.NotFound: _not_found,
    errors.Forbidden: _forbidden,
    errors.SecondPersonNeeded: _second_person_needed,
    errors.StaleRevision: _stale,
    errors.AddressTaken: _address_taken,
    errors.RuleExists: _rule_exists,
    errors.InUse: _in_use,
    errors.WrongState: _wrong_state,
    errors.BytesGone: _bytes_gone,
    errors.NotConfirmed: _not_confirmed,
    errors.BadQuery: _bad_query,
    QueryTooLong: _too_long,
    Throttled: _throttled,
    TooLarge: _too_large,
    RefusedMedia: _refused_media,
    IndexUnavailable: _unavailable,
    Unreachable: _unreachable,
}

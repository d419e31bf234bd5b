"""Every error that the API answers, as problem details (RFC 9457). Nothing else makes the body of an error."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from cms.errors import Fault
from cms.pointers import existing, json_pointer

MEDIA_TYPE = "application/problem+json"
POINTER_LENGTH = 200
MESSAGE_LENGTH = 200
DETAIL_LENGTH = 400
FAULTS_SHOWN = 50

log = structlog.get_logger("api.problems")


class Problem(HTTPException):
    """An error answer, raised anywhere in a request. Further `members` join the body (`current=8`).

    It is an HTTPException because FastAPI lets only those through while it reads a body: others become a bare 400.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        title: str | None = None,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(status_code=status, detail=detail, headers=headers)
        self.code = code
        self.title = title or PROBLEM_TITLES.get(code) or _phrase(status)
        self.errors = list(errors)
        self.members = members


# Each code's meaning, the same on every occurrence; the documentation lists them.
PROBLEM_TITLES: dict[str, str] = {
    "bad_request": "The request cannot be understood",
    "malformed_json": "The body is not well-formed JSON",
    "malformed_url": "The address is not well-formed",
    "malformed_header": "A header is not well-formed",
    "url_too_long": "The address is too long",
    "query_too_long": "The search is too long",
    "unknown_parameter": "There is no such parameter",
    "given_twice": "A parameter is given twice",
    "malformed_filter": "A filter is not well-formed",
    "unknown_field": "There is no such field",
    "unknown_operator": "The field is not filtered by that",
    "unknown_sort": "The list is not sorted by that",
    "unknown_include": "That cannot be included",
    "unknown_type": "There is no such content type",
    "unknown_locale": "The site has no such locale",
    "unknown_value": "The parameter does not take this value",
    "malformed_cursor": "The cursor was not made by this list",
    "foreign_cursor": "The cursor belongs to another query",
    "malformed_path": "The path is not well-formed",
    "not_a_boolean": "The value is neither true nor false",
    "not_a_number": "The value is not a number",
    "not_a_day": "The value is not a day",
    "not_an_instant": "The value is not an instant",
    "not_a_revision": "The value is not the number of a revision",
    "out_of_range": "The value is out of range",
    "too_long": "The value is too long",
    "too_many": "There are too many of them",
    "too_deep": "It goes too deep",
    "invalid_parameters": "A query, path or header parameter is not acceptable",
    "unauthenticated": "Sign in, or give an API key",
    "forbidden": "Not allowed",
    "second_person_needed": "Another person has to do this",
    "wrong_credentials": "The email or the password is wrong",
    "csrf": "The session's CSRF token is missing or wrong",
    "not_found": "There is no such thing",
    "method_not_allowed": "This address does not take that method",
    "not_acceptable": "There is no such representation",
    "body_timeout": "The body came too slowly",
    "conflict": "The request is at odds with the present state",
    "slug_taken": "Another entry has this address",
    "redirect_exists": "There is a redirect for this path",
    "standing_import_exists": "There is a standing import of this source",
    "standing_import_paused": "The standing import is paused",
    "automatic_redirect": "The redirect is kept by the system",
    "in_use": "Others refer to it",
    "trashed": "The entry is in the trash",
    "not_trashed": "The entry is not in the trash",
    "not_published": "The entry is not published",
    "confirm_needed": "It loses what entries hold: confirm how many",
    "built_in": "The content type is built in",
    "single_type": "The site has exactly one entry of this type",
    "section_removed": "The section was removed from the site",
    "section_in_use": "Entries stand in a removed section",
    "addresses_taken": "Entries would share their addresses",
    "other_type": "The entry is of another type",
    "translated": "The entry has a translation into this locale",
    "source_known": "The source's entry is here already",
    "email_taken": "Another person has this email",
    "user_exists": "This person can sign in already",
    "last_administrator": "The last administrator stays one",
    "gone": "It was here and has been taken away",
    "stale": "There is a newer revision",
    "body_too_large": "The body is too large",
    "unsupported_media_type": "The body's media type is not taken here",
    "range_not_satisfiable": "There is no such range",
    "invalid_body": "Some values in the body are not acceptable",
    "unacceptable_json": "The body holds a value that cannot be stored",
    "empty": "The file is empty",
    "executable": "The file is a program",
    "not_an_image": "The file is named as an image and is none",
    "unreadable": "The image cannot be read",
    "too_large": "The file is too large",
    "too_many_pixels": "The image has too many pixels",
    "not_for_the_web": "Browsers do not show such a picture",
    "polyglot": "The image is another file at once",
    "too_many_frames": "The image has too many frames",
    "too_slow": "The image takes too long to read",
    "not_renderable": "No such picture can be made of the file",
    "upload_offset": "The upload is elsewhere",
    "upload_busy": "A piece of the upload is coming already",
    "too_many_uploads": "Too many uploads are under way",
    "tus_version": "Another version of tus is spoken here",
    "too_many_entries": "There are too many entries for one change",
    "cannot_dry_run": "The import is in another state",
    "cannot_run": "The import is in another state",
    "cannot_pause": "The import is in another state",
    "cannot_resume": "The import is in another state",
    "cannot_cancel": "The import is in another state",
    "cannot_rollback": "The import is in another state",
    "source_busy": "Another import of the source is running",
    "nothing_to_undo": "The import has written nothing",
    "has_run": "The import has run",
    "at_work": "The import is being worked on",
    "not_decidable": "Nothing can be decided of the import now",
    "no_conflict": "The row is no conflict",
    "row_not_kept": "The row of the source is not kept any more",
    "row_refused": "The row cannot come in",
    "not_completed": "The export is not completed",
    "not_running": "The export has ended",
    "running": "The export is running",
    "other_version": "The export is of a newer version",
    "differs": "It is another on this site",
    "no_bytes": "The bytes of the file are missing",
    "other_bytes": "The bytes are others than those told of",
    "not_there": "What it belongs to is not on this site",
    "does_not_fit": "It does not fit what is on the site",
    "idempotency_key_reused": "This Idempotency-Key belongs to another request",
    "precondition_required": "Say with If-Match which revision you have seen",
    "too_many_requests": "Too many requests",
    "internal_error": "The server failed",
    "not_implemented": "Not offered",
    "unavailable": "Not available at the moment",
}

_CODES: dict[int, str] = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "body_timeout",
    409: "conflict",
    410: "gone",
    412: "stale",
    413: "body_too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "invalid_body",
    428: "precondition_required",
    429: "too_many_requests",
    500: "internal_error",
    501: "not_implemented",
    503: "unavailable",
}


def problem_response(scope: Scope, problem: Problem) -> Response:
    """Renders one problem for the request of this scope. What comes from outside is cut short."""
    standard = {
        "type": f"{_root(scope)}/docs/problems#{problem.code}",
        "title": problem.title,
        "status": problem.status_code,
        "detail": _clip(problem.detail, DETAIL_LENGTH),
        "code": problem.code,
        "request_id": scope.get("state", {}).get("request_id"),
        "errors": [_fault(fault) for fault in problem.errors[:FAULTS_SHOWN]],
    }
    body = {**standard, **problem.members, **standard}
    # A lone surrogate in somebody's key must not turn a 422 into a 500.
    content = json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return Response(content, problem.status_code, _headers(scope, problem), media_type=MEDIA_TYPE)


def unhandled_problem(scope: Scope, exc: Exception) -> Response:
    """Logs what nobody caught, with its traceback, and renders a 500 that tells nothing of it."""
    log.error("unhandled", method=scope["method"], exc_info=exc)
    return problem_response(scope, Problem(500, "internal_error", "The failure has been logged under this request_id."))


def install_problem_handlers(app: FastAPI) -> None:
    """Makes every error of this application a problem: raised, of validation, of routing and unforeseen."""
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(Exception, _answer_unhandled)


async def _answer_problem(request: Request, exc: Exception) -> Response:
    return problem_response(request.scope, cast("Problem", exc))


async def _answer_http_exception(request: Request, exc: Exception) -> Response:
    error = cast("HTTPException", exc)
    status, headers = error.status_code, error.headers
    if status < 200 or status in {204, 304}:
        return Response(status_code=status, headers=headers)
    detail = error.detail if isinstance(error.detail, str) else ""
    code = _CODES.get(status, "bad_request" if status < 500 else "internal_error")
    return problem_response(request.scope, Problem(status, code, detail, headers=headers))


async def _answer_unhandled(request: Request, exc: Exception) -> Response:
    return unhandled_problem(request.scope, exc)


async def _answer_validation(request: Request, exc: Exception) -> Response:
    error = cast("RequestValidationError", exc)
    return problem_response(request.scope, _validation_problem(error.errors(), error.body))


def _validation_problem(errors: Sequence[Mapping[str, Any]], body: object) -> Problem:
    shown = errors[:FAULTS_SHOWN]
    if any(error["type"] == "json_invalid" and error["loc"][:1] == ("body",) for error in shown):
        return Problem(400, "malformed_json", _clip(str(shown[0].get("ctx", {}).get("error", "")), MESSAGE_LENGTH))
    faults = [Fault(_pointer(error, body), error["type"], error["msg"]) for error in shown]
    if all(error["loc"][0] == "body" for error in shown):
        return Problem(422, "invalid_body", _count(len(errors)), errors=faults)
    return Problem(400, "invalid_parameters", _count(len(errors)), errors=faults)


def _count(faults: int) -> str:
    return "1 value is not acceptable." if faults == 1 else f"{faults} values are not acceptable."


def _pointer(error: Mapping[str, Any], body: object) -> str:
    place, *steps = error["loc"]
    if place == "body":
        return json_pointer(existing(steps, body, missing=error["type"] == "missing"))
    name = str(steps[0]) if steps else ""
    written: dict[str, str] = {"query": f"?{name}", "path": f"{{{name}}}", "header": name.title()}
    return written.get(place, name)


def _fault(fault: Fault) -> dict[str, str]:
    pointer, message = _clip(fault.pointer, POINTER_LENGTH), _clip(fault.message, MESSAGE_LENGTH)
    return {"pointer": pointer, "code": fault.code, "message": message}


def _headers(scope: Scope, problem: Problem) -> dict[str, str]:
    headers = {name.lower(): value for name, value in (problem.headers or {}).items()}
    if scope.get("path", "").removeprefix(_root(scope)).startswith("/editor"):
        return headers | {"cache-control": "private, no-store"}
    return {"cache-control": "no-store"} | headers


def _root(scope: Scope) -> str:
    """Where the application is mounted by its server; inside a mount of its own `root_path` is longer."""
    return str(scope.get("app_root_path", scope.get("root_path", "")))


def _clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"

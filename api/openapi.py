"""The OpenAPI document, completed with what routes do not say of themselves: headers, problems, shapes, examples."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.access import CSRF_HEADER
from api.delivery import bodies as public_bodies
from api.editor import bodies
from api.parts import Parts
from api.problems import MEDIA_TYPE
from api.shapes import answers
from cms.content_types import ContentType, model
from cms.custom_types import site_types

TAGS = (
    ("delivery", "For front ends: published content only, no cookies, cacheable."),
    ("session", "Signing in and out, and who one is."),
    ("entries", "Everything that people edit is an entry."),
    ("history", "Every entry has one history of immutable revisions."),
    ("publication", "Publishing copies one revision into the publication that the public reads."),
    ("structure", "The tree of sections."),
    ("types", "The content types: what fields entries have."),
    ("redirects", "Where old paths lead, and what visitors did not find."),
    ("counters", "Counters: their providers, the switch that stops them, and which pages load what."),
    ("media", "Bytes in, files and images out."),
    ("imports", "Bringing in what other systems hold, once or again and again."),
    ("exports", "Taking content out, whole or in part."),
    ("banners", "How often banners were seen and clicked, and what is wrong with them."),
    ("people", "Persons, those of them who sign in, keys of scripts, and who did what."),
    ("search", "Finding entries by their words."),
    ("vitals", "For those who run the server."),
)

# Where answers have an ETag for caches to compare.
_KEPT = ("/delivery/", "/media/", "/feeds/", "/sitemap", "/robots.txt")
_METHODS = ("get", "post", "put", "patch", "delete")
_WRITES = frozenset(_METHODS[1:])

# Writes to an entry that another may have changed: they name the revision that was seen.
_AGAINST_A_REVISION = frozenset(
    {
        "editor_change_entry",
        "editor_trash_entry",
        "editor_restore_revision",
        "editor_publish_entry",
        "editor_unpublish_entry",
        "editor_schedule_entry",
        "editor_cancel_schedule",
        "editor_change_structure",
        "editor_publish_structure",
        "editor_replace_file",
        "editor_decide_row",
    }
)
_MAYBE_AGAINST_A_REVISION = frozenset(
    {
        "editor_bring_entry",
        "editor_restore_entry",
        "editor_put_type",
        "editor_remove_type",
        "editor_change_redirect",
        "editor_remove_redirect",
    }
)


def operation_id(route: APIRoute) -> str:
    """A name for generated clients: the surface and the function, `delivery_read_entry`."""
    surface = next((name for name in ("delivery", "editor") if route.path_format.startswith(f"/{name}/")), "")
    return f"{surface}_{route.name}".lstrip("_")


def install_openapi(app: FastAPI) -> None:
    """Serve the document at `/openapi.json`, completed when it is first asked for.

    The application is made with `openapi_url=None`: FastAPI would make the document on the event loop."""
    app.openapi_url = "/openapi.json"
    generate = app.openapi
    kept: dict[str, dict[str, Any]] = {}

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(generate())
        parts: Parts = app.state.parts
        with parts.database.reading() as session:
            # Another process may have changed them, too.
            stamp = site_types.stamp(session)
            document = kept.get(stamp) or _with_types(generate(), site_types.all_of(session).values())
        kept.clear()
        kept[stamp] = document
        return document

    turn = threading.Lock()

    @app.get(app.openapi_url, include_in_schema=False)
    def read_openapi() -> JSONResponse:
        with turn:
            return JSONResponse(app.openapi())

    app.openapi = openapi  # type: ignore[method-assign]


def _with_types(document: Mapping[str, Any], types: Iterable[ContentType]) -> dict[str, Any]:
    """The document with a schema of each type's fields, such as `NewsFields`."""
    components = document["components"]
    schemas = dict(components["schemas"])
    for one in types:
        words = "".join(word.capitalize() for word in one.name.split("_"))
        name = f"{words}Fields"
        while name in schemas:
            name += "_"
        schema = model(one).model_json_schema(ref_template=f"#/components/schemas/{name}.{{model}}")
        inner = schema.pop("$defs", {})
        schemas |= {name: {**schema, "title": name, "description": f"The fields of `{one.name}`"}}
        schemas |= {f"{name}.{key}": value for key, value in inner.items()}
    return {**document, "components": {**components, "schemas": schemas}}


def _complete(document: dict[str, Any]) -> None:
    data, shared = answers.schemas()
    components = document["components"]
    components["schemas"] = {**_without_fastapi_s_own(components["schemas"]), **shared}
    components["parameters"] = _HEADERS
    components["responses"] = {f"Problem{status}": _problem(said) for status, said in _PROBLEMS.items()}
    document["tags"] = [{"name": name, "description": said} for name, said in TAGS]
    for path, method, operation in _operations(document):
        _summarise(operation)
        _exemplify(operation)
        operation.setdefault("parameters", []).extend(_headers(path, method, operation))
        if not path.startswith("/editor/") or operation["operationId"] == "editor_sign_in_person":
            operation["security"] = []
        _answer(path, operation, data)
        operation["responses"].update(_problems(path, method, operation))


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                yield path, method, operations[method]


def _without_fastapi_s_own(schemas: Mapping[str, Any]) -> dict[str, Any]:
    # They tell of errors as FastAPI would answer them; ours are problems.
    return {
        name: {key: value for key, value in schema.items() if key != "examples"}
        for name, schema in schemas.items()
        if name not in ("HTTPValidationError", "ValidationError")
    }


def _summarise(operation: dict[str, Any]) -> None:
    """The first sentence is the summary, the rest the description."""
    first, _, rest = " ".join(operation.pop("description", "").split()).partition(". ")
    operation["summary"] = first.removesuffix(".") or operation["summary"]
    if rest:
        operation["description"] = rest


def _exemplify(operation: dict[str, Any]) -> None:
    """Give a body's examples beside its schema, from the model itself: FastAPI leaves null out of examples."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return
    schema: dict[str, Any] = next(one for one in content["schema"].get("anyOf", [content["schema"]]) if "$ref" in one)
    name = schema["$ref"].rpartition("/")[2]
    model: type[BaseModel] = getattr(bodies, name, None) or getattr(public_bodies, name)
    extra = model.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, dict) else None
    if not isinstance(examples, list):
        raise TypeError(f"{model.__name__} has no examples")
    content["examples"] = {f"example {number}": {"value": one} for number, one in enumerate(examples, start=1)}


# --- headers ---


def _header(name: str, description: str, *, example: str, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "schema": {"type": "string", "maxLength": 255},
        "description": description,
        "example": example,
    }


_HEADERS = {
    "IfMatch": _header("If-Match", "The revision that was seen, the entry's ETag.", example='"1"', required=True),
    "MaybeIfMatch": _header("If-Match", "The revision that was seen, the entry's ETag.", example='"1"'),
    "OnBehalfOf": _header("On-Behalf-Of", "The id of the person for whom this is done.", example=""),
    "ForRequest": _header("For-Request", "The number of the request for which this is done.", example="412"),
    "IdempotencyKey": _header("Idempotency-Key", "The same key again replays the answer, for 24 hours.", example=""),
    "CsrfToken": _header(CSRF_HEADER, "The session's csrf_token; needless with an API key.", example=""),
    "IfNoneMatch": _header("If-None-Match", "The ETag of the answer that one has.", example='"x"'),
}
for _named in _HEADERS.values():
    if not _named["example"]:
        del _named["example"]


def _headers(path: str, method: str, operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = operation["operationId"]
    named = []
    if path.startswith("/editor/") and method in _WRITES and name != "editor_sign_in_person":
        named += ["OnBehalfOf", "ForRequest", "CsrfToken"]
        if method == "post":
            named.append("IdempotencyKey")
    if name in _AGAINST_A_REVISION:
        named.append("IfMatch")
    if name in _MAYBE_AGAINST_A_REVISION:
        named.append("MaybeIfMatch")
    if path.startswith(_KEPT):
        named.append("IfNoneMatch")
    return [{"$ref": f"#/components/parameters/{one}"} for one in named]


# --- answers ---


def _answer(path: str, operation: dict[str, Any], data: Mapping[str, Any]) -> None:
    """The shape of what a call gives when all is well."""
    shape = data.get(operation["operationId"])
    for status, response in operation["responses"].items():
        response["description"] = _SUCCESSES.get(status, response["description"])
        if shape is not None and status in ("200", "201", "202"):
            told = {kind: said for kind, said in response.get("content", {}).items() if kind == "text/csv"}
            response["content"] = {"application/json": {"schema": _envelope(shape)}, **told}
        elif operation["operationId"] in _NO_JSON:
            response["content"] = {_NO_JSON[operation["operationId"]]: {"schema": {"type": "string"}}}
    if path.startswith(_KEPT) and "202" not in operation["responses"]:
        operation["responses"]["304"] = {"description": "The client has this answer."}
    if operation["operationId"] in ("editor_bring_entry", "editor_put_type", "editor_upload_file", "editor_fetch_file"):
        # Either may make an entry or find that it is there.
        made = operation["responses"].get("201") or operation["responses"]["200"]
        operation["responses"] |= {"200": {**made, "description": "It was there."}, "201": made}


_NO_JSON = {
    "read_file": "*/*",
    "read_rendition": "image/*",
    "tell_metrics": "text/plain",
    "editor_export_redirects": "text/csv",
    "editor_download_export": "application/octet-stream",
    "editor_download_refused_rows": "application/x-ndjson",
    "editor_follow_import": "text/event-stream",
    "read_sitemap": "application/xml",
    "read_sitemap_part": "application/xml",
    "read_robots": "text/plain",
    "read_feed": "*/*",
    "follow_banner": "text/plain",
}
_SUCCESSES = {"200": "Done", "201": "Made", "202": "Taken", "204": "Done; there is nothing to tell"}


def _envelope(data: Mapping[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = {"data": data, "meta": {"type": "object"}, "included": {"type": "object"}}
    required = ["data", "meta"]
    if data.get("type") == "array":
        members["links"] = {
            "type": "object",
            "properties": {"next": {"type": ["string", "null"], "description": "the address of the next page"}},
        }
    return {"type": "object", "properties": members, "required": required, "additionalProperties": False}


# --- problems ---

_PROBLEMS = {
    400: "The query, the address or a header is not understood",
    401: "Nobody is signed in",
    403: "The role or the key does not allow it",
    404: "There is no such thing, or one may not know of it",
    409: "It is at odds with the present state: a slug is taken, an entry is in use",
    412: "There is a newer revision; the problem tells whose and what changed",
    413: "The body is too large",
    415: "The body's media type is not taken here",
    416: "The file has no such range",
    422: "Some values are not acceptable; `errors` names each",
    428: "If-Match is missing",
    429: "Too many attempts; `Retry-After` tells how long to wait",
    503: "Not available at the moment; `Retry-After` tells how long to wait",
}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _problems(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    operation["responses"].pop("422", None)
    statuses = set(_possible(path, method, operation))
    return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(statuses)}


def _possible(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[int]:
    # 413 also to a GET that comes with a body.
    yield from (400, 413)
    yield from _BY_OPERATION.get(operation["operationId"], ())
    if path.startswith("/editor/"):
        yield from (401, 403)
    if "{" in path:
        yield 404
    if method in _WRITES:
        yield from (409, 422)
    if "requestBody" in operation:
        yield 415


_BY_OPERATION: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(_AGAINST_A_REVISION, (412, 428)),
    # 428 to an If-Match that names none.
    **dict.fromkeys(_MAYBE_AGAINST_A_REVISION, (412, 428)),
    "editor_plan_structure": (412,),
    "editor_sign_in_person": (429,),
    "editor_change_own_password": (429,),
    "delivery_take_beacons": (429,),
    **dict.fromkeys(("editor_begin_upload", "editor_read_upload", "editor_take_piece", "editor_remove_upload"), (412,)),
    "editor_move_folder": (404,),
    "delivery_search_entries": (503,),
    "delivery_suggest": (503,),
    "editor_search_entries": (503,),
    "delivery_resolve_path": (404,),
    "delivery_read_page": (404,),
    "editor_replace_file": (412, 428, 503),
    "editor_download_export": (409, 416),
    "read_file": (416, 503),
    "read_rendition": (416, 503),
    "tell_readiness": (503,),
}

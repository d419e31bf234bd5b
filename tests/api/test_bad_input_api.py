"""What bad input gets: a clear problem, on every route, and nothing half done."""

import base64
import json
import socket
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.desk import data_of, faults_of, fresh, refused
from tests.api.routes import Call, calls, headers_of
from tests.api.serving import Site

SIZE = 200 * 2**20


@pytest.fixture
def entry(site: Site) -> dict[str, Any]:
    return site.administrator.write()


def json_calls(site: Site, entry: dict[str, Any]) -> list[Call]:
    found = [call for call in calls(site, entry) if call.takes_json]
    assert len(found) >= 15
    return found


def send(site: Site, call: Call, entry: dict[str, Any], body: bytes, **headers: str) -> httpx.Response:
    named = {**headers_of(site, entry), "Content-Type": "application/json", **headers}
    return site.anyone.request(call.method, call.path, content=body, headers=named)


BODIES: dict[str, tuple[bytes, int]] = {
    "2^63": (b'{"x": 9223372036854775808}', 422),
    "-2^63-1": (b'{"x": -9223372036854775809}', 422),
    "a number of 5,000 digits": (b'{"x": ' + b"9" * 5_000 + b"}", 422),
    "1e999": (b'{"x": 1e999}', 422),
    "NaN": (b'{"x": NaN}', 422),
    "NUL": (b'{"x": "a\\u0000b"}', 422),
    "a raw NUL": (b'{"x": "a\0b"}', 400),
    "NUL in a name": (b'{"a\\u0000b": 1}', 422),
    "a lone surrogate": (b'{"x": "\\ud800"}', 422),
    "a lone surrogate in a name": (b'{"\\udfff": 1}', 422),
    "300 deep": (b'{"x": ' + b"[" * 300 + b"]" * 300 + b"}", 422),
    "100,000 deep": (b"[" * 100_000, 422),
    "no JSON": (b"title=x", 400),
    "half of it": (b'{"type": "news"', 400),
    "not UTF-8": (b'{"x": "\xff"}', 400),
    "UTF-16": ('{"x": 1}'.encode("utf-16"), 400),
    "nothing but a list": (b"[]", 422),
    "nothing but null": (b"null", 0),
    "nothing but a text": (b'"x"', 422),
    "an unknown key": (b'{"nonsense": 1}', 422),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_by_every_call_that_takes_one(site: Site, entry: dict[str, Any], name: str) -> None:
    body, status = BODIES[name]
    for call in json_calls(site, entry):
        answer = send(site, call, entry, body)
        if status:
            refused(answer, status)
        else:
            assert answer.status_code < 500, call
    assert site.reader.read(entry)["revision"] == 1 or name == "nothing but null"


def test_a_bad_body_of_a_stranger_is_refused_too(site: Site, entry: dict[str, Any]) -> None:
    for name in ("2^63", "NUL", "a lone surrogate", "300 deep", "half of it", "nothing but null"):
        body, status = BODIES[name]
        for call in json_calls(site, entry):
            answer = site.anyone.request(
                call.method, call.path, content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code < 500, call
            assert not status or refused(answer, answer.status_code)


@pytest.mark.parametrize("type", ["text/plain", "application/xml", "", "application/x-www-form-urlencoded", "x"])
def test_a_body_that_is_not_called_json_is_refused(site: Site, entry: dict[str, Any], type: str) -> None:
    for call in json_calls(site, entry):
        if call.path.endswith("/beacons") and type == "text/plain":
            continue  # what browsers call a beacon; it is read as JSON all the same
        refused(send(site, call, entry, b"{}", **{"Content-Type": type}), 415, "unsupported_media_type")


def exchange(site: Site, head: str, pieces: int = 0) -> str:
    """Send a head and pieces of 64 kB until the server has answered; what it answered."""
    where = urlsplit(site.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as connection:
        connection.sendall(head.encode())
        piece = f"{2**16:x}\r\n".encode() + b" " * 2**16 + b"\r\n"
        try:
            for _ in range(pieces):
                connection.sendall(piece)
        except ConnectionError:
            pass
        told = b""
        while b"\r\n\r\n" not in told and (more := connection.recv(2**16)):
            told += more
    return told.decode()


def head_of(site: Site, call: Call, entry: dict[str, Any], *more: str) -> str:
    lines = [f"{name}: {value}" for name, value in headers_of(site, entry).items()]
    named = ["Host: site.test", "Content-Type: application/json", *lines, *more]
    return "\r\n".join([f"{call.method} {call.path} HTTP/1.1", *named, "", ""])


def test_a_body_of_200_megabytes_is_refused_unread(site: Site, entry: dict[str, Any]) -> None:
    for call in calls(site, entry):
        told = exchange(site, head_of(site, call, entry, f"Content-Length: {SIZE}"))
        assert told.startswith("HTTP/1.1 413 "), call
        assert "application/problem+json" in told.lower()


def test_an_endless_body_is_refused_when_it_has_been_enough(site: Site, entry: dict[str, Any]) -> None:
    call = next(call for call in json_calls(site, entry) if call.path == "/editor/v1/entries")
    told = exchange(site, head_of(site, call, entry, "Transfer-Encoding: chunked"), pieces=SIZE // 2**16)
    assert told.startswith("HTTP/1.1 413 ")


# --- addresses ---


def test_an_unknown_parameter_is_refused_by_every_route(site: Site, entry: dict[str, Any]) -> None:
    for call in calls(site, entry):
        if call.path in ("/healthz", "/readyz", "/metrics"):
            continue
        for name in ("nonsense", "Type", "filter", "page[number]", "_", "a" * 300):
            body = _acceptable(call)
            answer = site.anyone.request(
                call.method, call.path, params={name: "1"}, headers=headers_of(site, entry), **body
            )
            refused(answer, 400)
    assert site.reader.read(entry) == entry


def _acceptable(call: Call) -> dict[str, Any]:
    """A body that passes, so that the parameter alone is at fault."""
    content = call.operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        return {"files": {"file": ("x.txt", b"x")}}
    if content and "application/json" not in content:
        return {"content": b"x"}
    return {"json": content["application/json"]["examples"]["example 1"]["value"]} if content else {}


def test_a_documented_parameter_is_known_to_its_route(site: Site, entry: dict[str, Any]) -> None:
    for call in calls(site, entry):
        for name in call.parameters - {"filter"}:
            answer = site.anyone.request(call.method, call.path, params={name: "x"}, headers=headers_of(site, entry))
            assert "unknown_parameter" not in answer.text, (call, name)


@pytest.mark.parametrize("bad", ["a%00b", "%FF", "%ED%A0%80"])
def test_bytes_that_are_no_text_are_refused_in_every_address(site: Site, entry: dict[str, Any], bad: str) -> None:
    for call in calls(site, entry):
        for target in (f"{call.path}?q={bad}", f"{call.path}?{bad}=1", f"{call.path}/{bad}"):
            answer = site.anyone.request(call.method, target, headers=headers_of(site, entry))
            refused(answer, 400, "malformed_url")


def test_an_endless_address_is_refused(site: Site) -> None:
    refused(site.anyone.get("/delivery/v1/entries?x=" + "a" * 9_000), 400, "url_too_long")
    refused(site.anyone.get("/delivery/v1/" + "a/" * 4_500), 400, "url_too_long")


IDS = ("x", "'", "%27%20OR%201=1", "..%2f..%2f", "🙂", "0" * 2_000, "-1", "9" * 30, "null", "None", "%20", "{id}")


@pytest.mark.parametrize("id", IDS)
def test_an_id_that_is_none_is_not_found(site: Site, id: str) -> None:
    for path in ("entries/{}", "entries/{}/revisions", "entries/{}/usages", "people/{}", "types/{}"):
        refused(site.administrator.get(path.replace("{}", quote(id, safe="%"))), 404, "not_found")
    refused(site.visitor.get(f"entries/{quote(id, safe='%')}"), 404, "not_found")


@pytest.mark.parametrize("id", ["x" * 501, "é" * 501, "".join(chr(33 + number * 7 % 90) for number in range(4_000))])
def test_an_external_id_over_the_limit_is_refused(site: Site, id: str) -> None:
    body = {"type": "news", "locale": "ru", "fields": {"title": "T"}}
    answer = site.editor.put(f"entries/by-external-id/test/{quote(id, safe='')}", json=body)
    refused(answer, 400)


# --- what the public may not know ---


def without_request_id(answer: httpx.Response) -> bytes:
    problem = refused(answer, 400)
    return answer.content.replace(problem["request_id"].encode(), b"")


OPERATORS = ("", "[eq]", "[ne]", "[contains]", "[starts]", "[exists]", "[in]", "[gt]")


@pytest.mark.parametrize("name", ["source_fields", "owner", "state", "nonsense", "body", "external_id", "saved_by"])
def test_a_private_field_answers_the_same_whether_it_matches_or_not(site: Site, name: str) -> None:
    person = site.editor.person()
    source = {"name": fresh("source"), "external_id": fresh("id")}
    site.publisher.live(source_fields={"secret": "value"}, owner=person["id"], source=source)
    tried = ("true", "value", person["id"], source["external_id"], "draft", "published", "no such thing", "")
    for operator in OPERATORS:
        asked = [{f"filter[{name}]{operator}": value} for value in tried]
        assert len({without_request_id(site.visitor.get("entries", params=one)) for one in asked}) == 1


def test_a_private_field_is_not_told_from_an_unknown_one(site: Site) -> None:
    for path, pattern in (("entries", "filter[{}]"), ("search", "filter[{}]"), ("entries", "filter[{}][exists]")):
        told = {
            without_request_id(site.visitor.get(path, params={pattern.format(name): "true"})).replace(
                name.encode(), b"*"
            )
            for name in ("source_fields", "nonsense")
        }
        assert len(told) == 1


# --- cursors ---


def forged(cursor: str, **change: Any) -> str:
    """A cursor with the seal of a true one and other values in it."""
    seal, values = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    values = [change.get(f"at{index}", value) for index, value in enumerate(values)]
    return base64.urlsafe_b64encode(json.dumps([seal, values]).encode()).decode().rstrip("=")


def a_cursor(desk: httpx.Client, path: str, **asked: str) -> str:
    answer = desk.get(path, params={**asked, "page[size]": "1"})
    return httpx.URL(answer.json()["links"]["next"]).params["page[after]"]


VALUES: list[Any] = [
    None,
    True,
    "",
    "x",
    "a\0b",
    0,
    -1,
    2**63 - 1,
    2**63,
    2**64,
    1.5,
    [],
    {},
    "2020-01-01",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "2020-01-01T00:00:00",
]


@pytest.mark.parametrize(
    ("role", "path", "asked"),
    [
        ("visitor", "entries", {}),
        ("visitor", "entries", {"sort": "title"}),
        ("administrator", "entries", {}),
        ("administrator", "people", {}),
        ("administrator", "audit", {}),
    ],
)
def test_a_forged_cursor_does_no_harm(site: Site, role: str, path: str, asked: dict[str, str]) -> None:
    for _ in range(2):
        site.administrator.live()
    cursor = a_cursor(site.desks[role], path, **asked)
    for value in VALUES:
        for change in ({"at0": value}, {"at1": value}):
            params = {**asked, "page[size]": "1", "page[after]": forged(cursor, **change)}
            answer = site.desks[role].get(path, params=params)
            assert answer.status_code == 200 or refused(answer, 400), value


# --- anything at all ---

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
FILTERS = (
    "title",
    "published_at][gt",
    "topics",
    "cover][exists",
    "slug][starts",
    "section",
    "title][contains",
    "request",
)
OTHERS = ("page[after]", "page[size]", "sort", "fields", "include", "locale", "type", "q", "section", "topic", "year")
NAMES = st.sampled_from([f"filter[{name}]" for name in FILTERS]) | st.sampled_from([*OTHERS, "path", "depth", "total"])
FUZZED = (
    "/delivery/v1/entries",
    "/delivery/v1/search",
    "/delivery/v1/search/suggest",
    "/delivery/v1/resolve",
    "/delivery/v1/structure",
    "/editor/v1/entries",
    "/editor/v1/search",
    "/editor/v1/people",
    "/editor/v1/audit",
    "/editor/v1/keys",
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(FUZZED), asked=st.dictionaries(NAMES, TEXTS, max_size=3))
def test_whatever_is_asked_is_answered_or_refused(site: Site, path: str, asked: dict[str, str]) -> None:
    headers = {"cookie": site.administrator.headers["cookie"]}
    answer = site.anyone.get(path, params=asked, headers=headers)
    assert answer.status_code == 200 or refused(answer, answer.status_code)["status"] in (400, 404)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("title", "summary", "body", "cover", "topics", "related", "attachments", "seo", "source_fields", "nonsense")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
def test_whatever_is_saved_is_stored_whole_or_refused(site: Site, fields: dict[str, Any]) -> None:
    body = {"type": "news", "locale": "ru", "fields": {"title": "T", **fields}}
    answer = site.editor.post("entries", json=body)
    if answer.status_code == 201:
        assert data_of(answer, 201) == site.reader.read(data_of(answer, 201))
    else:
        assert faults_of(refused(answer, 422))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["entries", "people", "keys", "session", "structure/changes"]),
    body=st.dictionaries(
        st.sampled_from(
            ["type", "locale", "fields", "slug", "section", "name", "email", "url", "role", "scopes", "note"]
        )
        | st.sampled_from(["operations", "expires_at", "password", "byline", "owner", "source", "translation_of"]),
        JSON,
        max_size=6,
    ),
)
def test_whatever_is_posted_is_taken_or_refused(site: Site, path: str, body: dict[str, Any]) -> None:
    tree = {"If-Match": '"1"'} if path == "structure/changes" else {}
    headers = {**tree, "X-Forwarded-For": "198.19.0.1"}
    answer = site.administrator.post(path, json=body, headers=headers)
    assert answer.status_code == 201 or 400 <= refused(answer, answer.status_code)["status"] < 500

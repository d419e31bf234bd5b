"""What the boundary refuses before any route sees it, and that all the rest passes unharmed."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from fastapi import Body, FastAPI, Request, UploadFile
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import Response

from api.boundary import LIMITS, Boundary, Limits
from api.problems import install_problem_handlers
from tests.api.wire import Answer, Client

UPLOADS = 3_000_000


def build(limits: Limits = LIMITS) -> Client:
    app = FastAPI()
    app.add_middleware(Boundary, streamed={"/media": UPLOADS}, limits=limits)
    install_problem_handlers(app)

    @app.post("/echo")
    async def echo(request: Request) -> dict[str, Any]:
        body = await request.body()
        return {"size": len(body), "value": json.loads(body) if body else None}

    @app.patch("/entries/{name}")
    async def change(name: str, body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008, FAST002
        return {"name": name, "body": body}

    @app.get("/{name}")
    async def read(name: str) -> dict[str, str]:
        return {"name": name}

    @app.post("/media")
    async def upload(file: UploadFile) -> dict[str, int]:
        return {"size": len(await file.read())}

    @app.post("/media/first")
    async def first_piece(request: Request) -> Response:
        return Response(await anext(aiter(request.stream())))

    @app.post("/media/all")
    async def all_pieces(request: Request) -> Response:
        return Response(await request.body())

    return Client(app)


client = build()


def endless(piece: bytes = b" " * 65_536) -> Iterator[bytes]:
    while True:
        yield piece


def chunked(path: str, pieces: Iterator[bytes], content_type: str = "application/json", **ending: Any) -> Answer:
    return client.send("POST", path, headers={"content_type": content_type}, pieces=pieces, **ending)


# ---- JSON bodies -----------------------------------------------------------------------------------------------------


def test_a_body_reaches_the_route_unharmed() -> None:
    document = {"title": "Часы работы 😀", "n": 2**63 - 1, "deep": [[[{}]]]}
    answer = client.post("/echo", document)
    assert answer.json["value"] == document


def test_a_body_in_many_pieces_reaches_the_route_whole() -> None:
    pieces = [json.dumps("x" * 5_000).encode()[start : start + 7] for start in range(0, 5_002, 7)]
    assert chunked("/echo", iter(pieces)).json["value"] == "x" * 5_000


def test_a_body_longer_than_the_limit_is_refused_unread() -> None:
    answer = client.post("/echo", b" " * (LIMITS.json_bytes + 1))
    assert (answer.status, answer.json["code"], answer.pieces_read) == (413, "body_too_large", 0)
    assert answer.headers["connection"] == "close"


def test_an_endless_body_is_refused_at_the_limit() -> None:
    answer = chunked("/echo", endless())
    assert answer.status == 413
    assert answer.pieces_read == LIMITS.json_bytes // 65_536 + 1


def test_a_body_as_long_as_the_limit_is_taken() -> None:
    body = b'"' + b"x" * (LIMITS.json_bytes - 2) + b'"'
    assert client.post("/echo", body).json["size"] == LIMITS.json_bytes


def test_an_absurd_declared_length_is_refused() -> None:
    assert client.post("/echo", b"1", content_length="9" * 5_000).status == 413
    assert client.post("/echo", b"1", content_length="-1").status == 400


def test_a_client_that_leaves_in_the_middle_is_not_answered() -> None:
    answer = chunked("/echo", iter([b'{"a"']), ending="vanishes")
    assert answer.status == 0


def test_a_body_that_stops_coming_is_given_up() -> None:
    impatient = build(Limits(body_seconds=0))
    answer = impatient.send("POST", "/echo", pieces=iter([b"{"]), ending="stalls")
    assert (answer.status, answer.json["code"]) == (408, "body_timeout")


def test_an_upload_that_stops_coming_is_given_up() -> None:
    impatient = build(Limits(body_seconds=0))
    answer = impatient.send("POST", "/media/all", pieces=iter([b"{"]), ending="stalls")
    assert (answer.status, answer.json["code"]) == (408, "body_timeout")


@pytest.mark.parametrize("body", [b"{", b"", b"[1,]", b"\xff"])
def test_a_malformed_body_is_a_bad_request(body: bytes) -> None:
    answer = client.send("PATCH", "/entries/a", headers={"content_type": "application/json"}, pieces=[body])
    assert answer.status == (400 if body else 422)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"a": [9223372036854775808]}', "integer_out_of_range"),
        (rb'{"a": ["\u0000"]}', "nul_character"),
        (rb'{"a": ["\ud800"]}', "lone_surrogate"),
        (b'{"a": [NaN]}', "number_not_finite"),
    ],
)
def test_a_value_that_cannot_be_stored_is_pointed_at(body: bytes, code: str) -> None:
    answer = client.post("/echo", body)
    assert (answer.status, answer.json["code"]) == (422, "unacceptable_json")
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [("/a/0", code)]


def test_json_three_hundred_deep_is_refused() -> None:
    answer = client.post("/echo", b"[" * 300 + b"]" * 300)
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "too_deep")


def test_a_long_body_is_inspected_too() -> None:
    assert client.post("/echo", {"text": "x" * 100_000, "n": 2**63}).status == 422


# ---- media types -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/merge-patch+json;charset="utf-8"'],
)
def test_json_is_taken_however_it_is_written(content_type: str) -> None:
    assert client.post("/echo", b"{}", content_type=content_type).status == 200


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/hal+json", "application/json; charset=latin1"],
)
def test_other_media_types_are_not_taken(content_type: str) -> None:
    assert client.post("/echo", b"{}", content_type=content_type).status == 415


def test_a_compressed_body_is_not_taken() -> None:
    assert client.post("/echo", b"{}", content_encoding="gzip").status == 415


def test_no_body_needs_no_media_type() -> None:
    assert client.send("POST", "/echo").json == {"size": 0, "value": None}


# ---- uploads ---------------------------------------------------------------------------------------------------------


def multipart(content: bytes) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    return head + content + b"\r\n--x--\r\n"


FORM = "multipart/form-data; boundary=x"


def test_an_upload_goes_through() -> None:
    answer = chunked("/media", iter([multipart(b"\0\xff" * 1_000_000)]), FORM)
    assert answer.json == {"size": 2_000_000}


def test_an_upload_declared_too_large_is_refused_unread() -> None:
    answer = client.post("/media", multipart(b"x" * UPLOADS), content_type=FORM)
    assert (answer.status, answer.pieces_read) == (413, 0)


def test_an_endless_upload_is_cut_off() -> None:
    answer = chunked("/media", endless(multipart(b"x" * 65_536)[:-9]), FORM)
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")
    assert answer.pieces_read <= UPLOADS // 65_536 + 1


def test_an_upload_is_not_gathered_first() -> None:
    answer = chunked("/media/first", iter([b"first", b"second"]), "application/octet-stream")
    assert (answer.body, answer.pieces_read) == (b"first", 1)


@pytest.mark.parametrize("content_type", ["application/json", "application/hal+json", "Application/X+JSON ; a=b"])
def test_json_is_inspected_where_uploads_go_too(content_type: str) -> None:
    assert client.post("/media/all", b'"\\u0000"', content_type=content_type).status in {415, 422}


def test_a_path_that_only_begins_alike_has_no_room_for_uploads() -> None:
    assert client.post("/mediator", b"x", content_type=FORM).status == 415


# ---- addresses and headers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/a%00b", "/%FF", "/%ED%A0%80", b"/\xd1\x8f", "/" + "a" * 9_000])
def test_a_path_that_is_no_text_is_refused(target: bytes | str) -> None:
    assert client.get(target).status == 400


@pytest.mark.parametrize("query", [b"q=%00", b"%00=1", b"q=%C3", b"q=%ED%A0%80", b"q=\xd1\x8f", b"q=" + b"a" * 9_000])
def test_a_query_that_is_no_text_is_refused(query: bytes) -> None:
    assert client.get(b"/a?" + query).status == 400


def test_a_refused_query_names_its_parameter() -> None:
    answer = client.get("/a?sort=id&filter%5Btitle%5D=%FF")
    assert [error["pointer"] for error in answer.json["errors"]] == ["?filter[title]"]


@pytest.mark.parametrize("target", ["/a?q=%D1%8F+b", "/%D1%8F", "/a?100%", "/a?q=%0A"])
def test_an_address_in_any_language_passes(target: str) -> None:
    assert client.get(target).status == 200


SHOWN = {
    "if_match": "If-Match",
    "idempotency_key": "Idempotency-Key",
    "on_behalf_of": "On-Behalf-Of",
    "for_request": "For-Request",
}


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("value", ["x" * 256, "a\tb", "caf\xe9", "\0"])
def test_a_header_that_would_be_stored_is_short_and_printable(name: str, value: str) -> None:
    answer = client.get("/a", **{name: value})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (
        400,
        SHOWN[name],
    )


def test_other_headers_are_left_alone() -> None:
    assert client.get("/a", cookie="x" * 3_000, if_match='"7"').status == 200


def test_a_body_that_comes_with_a_get_is_capped_too() -> None:
    answer = client.send("GET", "/a", pieces=[b"x" * (LIMITS.json_bytes + 1)])
    assert answer.status == 413


def test_the_limits_can_be_told() -> None:
    assert json.loads(json.dumps(asdict(LIMITS)))["json_depth"] == 64


# ---- anything --------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=300), st.sampled_from(["application/json", "application/merge-patch+json", FORM, ""]))
@settings(deadline=None)
def test_no_body_is_a_server_error(body: bytes, content_type: str) -> None:
    for method, path in [("POST", "/echo"), ("PATCH", "/entries/a"), ("POST", "/media"), ("DELETE", "/echo")]:
        answer = client.send(method, path, headers={"content_type": content_type}, pieces=[body])
        assert 200 <= answer.status < 500


@given(st.binary(max_size=100), st.binary(max_size=100), st.binary(max_size=300))
@settings(deadline=None)
def test_no_address_or_header_is_a_server_error(path: bytes, query: bytes, header: bytes) -> None:
    answer = client.get(b"/" + path + b"?" + query, if_match=header.decode("latin-1"))
    assert 200 <= answer.status < 500

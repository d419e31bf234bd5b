"""Every error is a problem, and tells no more than the client may know."""

from typing import Annotated, Any, Literal

import pytest
from fastapi import Body, FastAPI, Header, HTTPException, Query
from pydantic import BaseModel, Field
from starlette.routing import Router
from structlog.testing import capture_logs

from api.problems import MEDIA_TYPE, Problem, install_problem_handlers
from cms.errors import Fault
from cms.pointers import json_pointer
from tests.api.wire import Answer, Client


class Move(BaseModel):
    op: Literal["move"]
    section: int


class Rename(BaseModel):
    op: Literal["rename"]
    slug: str = Field(max_length=5)


class Changes(BaseModel, extra="forbid"):
    operations: list[Annotated[Move | Rename, Field(discriminator="op")]] = []
    count: int | list[int] = 0
    password: Annotated[str, Field(min_length=12)] = "x" * 12


def build() -> Client:
    app = FastAPI()
    install_problem_handlers(app)

    @app.post("/editor/changes")
    def change(changes: Changes, if_match: Annotated[int, Header()] = 0) -> None: ...

    @app.get("/editor/entries/{number}")
    def read(number: int, size: Annotated[int, Query(alias="page[size]")] = 1) -> None: ...

    @app.get("/stale")
    def stale() -> None:
        raise Problem(412, "stale", "Olga saved revision 8.", headers={"ETag": '"8"'}, current=8)

    @app.get("/gone")
    def gone() -> None:
        raise Problem(410, "gone", headers={"Cache-Control": "public, max-age=60"})

    @app.get("/editor/refused")
    def refused() -> None:
        raise Problem(409, "in_use", "x" * 9_000, headers={"Cache-Control": "public"}, status_text="members join")

    @app.get("/many")
    def many() -> None:
        raise Problem(422, "invalid_body", errors=[Fault("/" + "a" * 9_000, "x", "m" * 9_000)] * 1_000)

    @app.get("/http/{status}")
    def http(status: int) -> None:
        raise HTTPException(status, {"not": "text"})

    @app.get("/bug")
    def bug() -> None:
        raise RuntimeError("the database password is hunter2")

    app.mount("/files", Router())

    @app.post("/anything")
    def anything(body: Annotated[dict[str, int], Body()]) -> None: ...

    return Client(app)


client = build()


def faults(answer: Answer) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in answer.json["errors"]]


def test_a_problem_has_all_its_keys_and_members() -> None:
    answer = client.get("/stale")
    assert answer.json == {
        "type": "/docs/problems#stale",
        "title": "There is a newer revision",
        "status": 412,
        "detail": "Olga saved revision 8.",
        "code": "stale",
        "request_id": None,
        "errors": [],
        "current": 8,
    }
    assert (answer.status, answer.headers["etag"]) == (412, '"8"')
    assert answer.headers["content-type"] == MEDIA_TYPE


def test_an_unknown_path_is_a_problem() -> None:
    answer = client.get("/nowhere")
    assert (answer.status, answer.json["code"]) == (404, "not_found")


def test_a_wrong_method_is_a_problem_that_names_the_right_ones() -> None:
    answer = client.send("PUT", "/stale")
    assert (answer.status, answer.json["code"], answer.headers["allow"]) == (405, "method_not_allowed", "GET")


@pytest.mark.parametrize(("status", "code"), [(401, "unauthenticated"), (418, "bad_request"), (599, "internal_error")])
def test_an_http_exception_is_a_problem(status: int, code: str) -> None:
    answer = client.get(f"/http/{status}")
    assert (answer.status, answer.json["code"], answer.json["detail"]) == (status, code, "")


def test_inside_a_mount_a_type_still_points_to_the_documentation() -> None:
    assert client.get("/files/none").json["type"] == "/docs/problems#not_found"


def test_an_answer_without_a_body_stays_without() -> None:
    answer = client.get("/http/304")
    assert (answer.status, answer.body) == (304, b"")


# ---- validation ------------------------------------------------------------------------------------------------------


def test_faults_in_the_body_are_pointed_at() -> None:
    answer = client.post("/editor/changes", {"operations": [{"op": "move"}, {"op": "rename", "slug": "too long"}]})
    assert (answer.status, answer.json["code"]) == (422, "invalid_body")
    assert faults(answer) == [("/operations/0/section", "missing"), ("/operations/1/slug", "string_too_long")]


def test_the_branches_of_a_union_are_no_part_of_a_pointer() -> None:
    answer = client.post("/editor/changes", {"count": ["x"]})
    assert {pointer for pointer, _ in faults(answer)} == {"/count", "/count/0"}


def test_an_unknown_key_is_pointed_at_but_not_repeated_at_length() -> None:
    answer = client.post("/editor/changes", {"a/b": 1, "k" * 9_000: 2})
    assert faults(answer)[0] == ("/a~1b", "extra_forbidden")
    assert len(answer.json["errors"][1]["pointer"]) <= 200


def test_a_refused_value_is_not_repeated() -> None:
    answer = client.post("/editor/changes", {"password": "hunter2"})
    assert faults(answer) == [("/password", "string_too_short")]
    assert b"hunter2" not in answer.body


def test_a_missing_body_is_a_fault_of_the_whole_document() -> None:
    answer = client.send("POST", "/editor/changes")
    assert (answer.status, faults(answer)) == (422, [("", "missing")])


def test_parameters_are_named_as_they_are_written() -> None:
    answer = client.get("/editor/entries/x?page[size]=y")
    assert (answer.status, answer.json["code"]) == (400, "invalid_parameters")
    assert faults(answer) == [("{number}", "int_parsing"), ("?page[size]", "int_parsing")]


def test_a_faulty_header_is_named() -> None:
    answer = client.post("/editor/changes", {}, if_match="x")
    assert (answer.status, faults(answer)) == (400, [("If-Match", "int_parsing")])


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"a": 1} x'])
def test_malformed_json_is_a_bad_request(body: bytes) -> None:
    assert client.post("/anything", body).status == 400


def test_a_thousand_faults_are_not_all_told() -> None:
    answer = client.post("/anything", {str(number): "x" for number in range(1_000)})
    assert len(answer.json["errors"]) == 50
    assert answer.json["detail"] == "1000 values are not acceptable."


def test_half_a_surrogate_in_a_key_can_still_be_answered() -> None:
    assert client.post("/anything", rb'{"\ud800": "x"}').status == 422


def test_long_details_and_faults_are_cut_short() -> None:
    assert len(client.get("/editor/refused").json["detail"]) == 400
    assert len(client.get("/many").body) < 25_000


# ---- caching ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/editor/refused", "/editor/nowhere", "/editor/entries/x"])
def test_no_cache_keeps_an_editors_problem(path: str) -> None:
    assert client.get(path).headers["cache-control"] == "private, no-store"


def test_other_problems_are_kept_only_where_the_route_says_so() -> None:
    assert client.get("/stale").headers["cache-control"] == "no-store"
    assert client.get("/gone").headers["cache-control"] == "public, max-age=60"


# ---- the unforeseen --------------------------------------------------------------------------------------------------


def test_a_bug_is_logged_and_tells_nothing() -> None:
    with capture_logs() as lines, pytest.raises(RuntimeError):
        client.get("/bug")
    assert [(line["event"], str(line["exc_info"])) for line in lines] == [
        ("unhandled", "the database password is hunter2")
    ]


@pytest.mark.parametrize(
    ("steps", "pointer"), [((), ""), (("fields", 0, "a/b"), "/fields/0/a~1b"), (("",), "/"), (("~1",), "/~01")]
)
def test_pointers_are_written_as_the_rfc_says(steps: Any, pointer: str) -> None:
    assert json_pointer(steps) == pointer

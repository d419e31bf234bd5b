"""The OpenAPI document is true: what it shows works, what it names is there, what comes back has the shape it tells."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.fetching import Fetched, Fetcher
from api.settings import Settings
from cms import missing_paths
from cms.delivery.noise import Missed
from media.receiving import Incoming
from tests.api.banners_at_hand import a_banner, a_placement
from tests.api.desk import Desk, data_of, fresh, if_match, plain
from tests.api.imports_at_hand import in_conflict, lines, row, send
from tests.api.routes import Call, calls, document_of, headers_of
from tests.api.serving import PASSWORD, Site, serving
from tests.api.test_banner_statistics_api import figures, tell
from tests.media.bytes_at_hand import picture

PROBLEMS = "application/problem+json"


@pytest.fixture(scope="module")
def document(site: Site) -> dict[str, Any]:
    return document_of(site)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in _references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_every_call_has_a_name_a_summary_and_a_tag(document: dict[str, Any]) -> None:
    told = [(one["operationId"], one["summary"], one["tags"]) for *_, one in operations(document)]
    assert len({name for name, *_ in told}) == len(told)
    known = {tag["name"] for tag in document["tags"]}
    for name, summary, tags in told:
        assert set(tags) <= known, name
        assert len(summary.split()) >= 2, name


def test_every_refusal_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                assert response == {"$ref": f"#/components/responses/Problem{status}"}, (method, path)
    for response in document["components"]["responses"].values():
        assert response["content"].keys() == {PROBLEMS}


def test_the_public_needs_no_key_and_the_desk_does(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        needed = path.startswith("/editor/") and operation["operationId"] != "editor_sign_in_person"
        assert operation["security"] == ([{"ApiKey": []}, {"Session": []}] if needed else []), path


def headers_named(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, bool]:
    """The headers that a call is told to take, and whether it must have them."""
    found = [one.get("$ref", "").rpartition("/")[2] for one in operation["parameters"]]
    named = [document["components"]["parameters"][name] for name in found if name]
    return {one["name"]: one["required"] for one in named}


def test_every_write_is_told_for_whom_it_may_be_done(site: Site, document: dict[str, Any]) -> None:
    entry = site.administrator.write()
    for call in calls(site, entry):
        named = headers_named(document, call.operation)
        if not call.is_documented_for_editors or not call.writes or call.path.endswith("/session"):
            continue
        assert named.keys() >= {"On-Behalf-Of", "For-Request", "X-CSRF-Token"}
        assert ("Idempotency-Key" in named) == (call.method == "POST")


def test_if_match_is_documented_where_it_is_needed(site: Site, document: dict[str, Any]) -> None:
    entry = site.administrator.write()
    for call in calls(site, entry):
        if not call.is_documented_for_editors or not call.writes or call.path.endswith(("session", "password")):
            continue
        headers = {name: value for name, value in headers_of(site, entry).items() if name != "If-Match"}
        answer = site.anyone.request(call.method, call.path, headers=headers, **example_of(call))
        assert (answer.status_code == 428) == headers_named(document, call.operation).get("If-Match", False), call


# --- examples ---


def example_of(call: Call) -> dict[str, Any]:
    """The first example of a call's body, or the smallest upload."""
    content = call.operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        return {"files": {"file": ("notes.txt", fresh().encode())}}
    if content and "application/json" not in content:
        return {"content": b"x"}
    return {"json": content["application/json"]["examples"]["example 1"]["value"]} if content else {}


class OneImage(Fetcher):
    """A world with one image at every address."""

    async def fetch(self, url: str, *, into: Incoming) -> Fetched:
        into.write(picture("JPEG"))
        return Fetched("office.jpg", into.finish())


@pytest.fixture(scope="module")
def own_site(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of this module's own: examples are the same words every time."""
    with serving(Settings(data=tmp_path_factory.mktemp("examples") / "data"), fetcher=OneImage()) as own:
        yield own


Prepare = Callable[[Site], tuple[Desk, str, dict[str, str]]]


def entry_at(path: str, make: Callable[[Desk], dict[str, Any]] = lambda desk: desk.write()) -> Prepare:
    """A call to an entry in the state that it needs."""

    def prepare(site: Site) -> tuple[Desk, str, dict[str, str]]:
        entry = make(site.administrator)
        return site.administrator, path.format(id=entry["id"], number=1), if_match(entry)

    return prepare


def person_at(path: str, **given: str) -> Prepare:
    return lambda site: (site.administrator, path.format(id=site.administrator.person(**given)["id"]), {})


def trashed(desk: Desk) -> dict[str, Any]:
    entry = desk.write()
    gone: dict[str, Any] = data_of(desk.call("DELETE", f"entries/{entry['id']}", seen=entry))
    return gone


def to_sign_in(site: Site) -> tuple[Desk, str, dict[str, str]]:
    person = site.administrator.person(email="admin@example.org")
    body = {"role": "reader", "password": PASSWORD}
    data_of(site.administrator.put(f"people/{person['id']}/user", json=body))
    return site.stranger, "session", {}


def one_s_own_password(site: Site) -> tuple[Desk, str, dict[str, str]]:
    return site.sign_in("author@example.org"), "me/password", {}


def a_redirect(site: Site) -> str:
    """The id of a new one."""
    made = site.administrator.post("redirects", json={"path": f"/{fresh()}", "to": "/x"})
    return str(data_of(made, 201)["id"])


def a_standing_import(site: Site) -> str:
    """The id of a new one, which is never asked."""
    body = {"source": fresh("feed"), "url": "https://news.example/feed.xml", "paused": True}
    return str(data_of(site.administrator.post("standing-imports", json=body), 201)["id"])


def in_a_folder(site: Site) -> str:
    site.administrator.upload(fresh().encode(), "notes.txt", folder="press/2025")
    return "folders"


def an_upload(site: Site) -> str:
    """The id of a new one."""
    headers = {"Upload-Length": "5", "Idempotency-Key": "an upload"}
    return str(data_of(site.administrator.post("uploads", headers=headers), 201)["id"])


def a_banner_that_was_seen(site: Site) -> dict[str, Any]:
    """One that says all that a banner may say, and another that leads nowhere."""
    name = a_placement(site, label="Верх", width=1200, height=300)
    image = site.publisher.publish(site.publisher.upload(picture("PNG"), f"{fresh()}.png"))
    a_banner(site, name, creative={"image": image["id"]}, link=f"/{fresh()}", ends_at="2999-01-01T00:00:00Z")
    a_banner(site, name, creative={"html": "<b>Да</b>"})
    seen = a_banner(
        site, name, link="https://shop.example/", days=["mon"], hours=[{"from": "09:00", "to": "18:00"}],
        cap={"views": 3, "per": "day"}, targeting={"devices": ["mobile"], "topics": ["зима"]}, erid="2SDnjc",
    )  # fmt: skip
    tell(site, seen, "impression")
    assert figures(site, seen) == (1, 0, 0)
    return seen


def a_missing_path(site: Site) -> str:
    """The id of one that was just missed."""
    with site.parts.database.writing() as session:
        path = f"/{fresh()}"
        missing_paths.count(session, {path: Missed(1, site.parts.clock())})
    [row] = data_of(site.administrator.get("missing-paths", params={"filter[path]": path}))
    return str(row["id"])


def an_export(site: Site) -> str:
    """The id of one that is completed."""
    job = data_of(site.administrator.post("exports", json={"format": "csv"}), 202)
    while data_of(site.administrator.get(f"exports/{job['id']}"))["state"] == "running":
        time.sleep(0.05)
    return str(job["id"])


def an_import(site: Site) -> tuple[Desk, str, dict[str, str]]:
    """One that has not run."""
    return site.administrator, f"imports/{send(site.administrator, lines(row(fresh())))['id']}", {}


def a_conflict(path: str) -> Prepare:
    """A call to a job that has found one."""

    def prepare(site: Site) -> tuple[Desk, str, dict[str, str]]:
        job, [entry] = in_conflict(site.administrator)
        return site.administrator, f"imports/{job['id']}/{path}", if_match(entry)

    return prepare


def to_the_tree(path: str) -> Prepare:
    return lambda site: (site.administrator, path, if_match(data_of(site.administrator.get("structure"))))


PREPARED: dict[str, Prepare] = {
    "editor_sign_in_person": to_sign_in,
    "editor_change_own_password": one_s_own_password,
    "editor_create_entry": lambda site: (site.administrator, "entries", {}),
    "editor_bring_entry": lambda site: (site.administrator, "entries/by-external-id/doka/css", {}),
    "editor_change_entry": entry_at("entries/{id}"),
    "editor_trash_entry": entry_at("entries/{id}", lambda desk: desk.live()),
    "editor_restore_entry": entry_at("entries/{id}/restoration", trashed),
    "editor_restore_revision": entry_at("entries/{id}/revisions/{number}/restoration"),
    "editor_publish_entry": entry_at("entries/{id}/publication"),
    "editor_unpublish_entry": entry_at("entries/{id}/publication", lambda desk: desk.live()),
    "editor_schedule_entry": entry_at("entries/{id}/schedule"),
    "editor_change_structure": to_the_tree("structure/changes"),
    "editor_publish_structure": to_the_tree("structure/publication"),
    "editor_plan_structure": to_the_tree("structure/plan"),
    "editor_add_person": lambda site: (site.administrator, "people", {}),
    "editor_change_person": person_at("people/{id}"),
    "editor_set_user": person_at("people/{id}/user", email="new@example.org"),
    "editor_make_key": lambda site: (site.administrator, "keys", {}),
    "editor_put_type": lambda site: (site.administrator, "types/vacancy", {}),
    "editor_fetch_file": lambda site: (site.administrator, "media/from-url", {}),
    "editor_move_folder": lambda site: (site.administrator, f"media/{in_a_folder(site)}", {}),
    "editor_create_redirect": lambda site: (site.administrator, "redirects", {}),
    "editor_change_redirect": lambda site: (site.administrator, f"redirects/{a_redirect(site)}", {}),
    "editor_create_standing_import": lambda site: (site.administrator, "standing-imports", {}),
    "editor_change_standing_import": lambda site: (
        site.administrator,
        f"standing-imports/{a_standing_import(site)}",
        {},
    ),
    "editor_redirect_missing_path": lambda site: (
        site.administrator,
        f"missing-paths/{a_missing_path(site)}/redirect",
        {},
    ),
    "editor_change_missing_path": lambda site: (site.administrator, f"missing-paths/{a_missing_path(site)}", {}),
    "editor_create_export": lambda site: (site.administrator, "exports", {}),
    "editor_change_import": an_import,
    "editor_decide_row": a_conflict("rows/1/decision"),
    "editor_decide_rows": a_conflict("decisions"),
    "editor_stop_counters": lambda site: (site.administrator, "counters/stop", {}),
    "editor_resume_counters": lambda site: (site.administrator, "counters/stop", {}),
    "delivery_take_beacons": lambda site: (site.visitor, "beacons", {}),
}


def test_every_body_has_an_example_and_every_example_works(own_site: Site, document: dict[str, Any]) -> None:
    with_bodies = {
        operation["operationId"]: (method, operation["requestBody"]["content"]["application/json"]["examples"])
        for _, method, operation in operations(document)
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert with_bodies.keys() == PREPARED.keys()
    for name, (method, examples) in with_bodies.items():
        assert examples, name
        for example in examples.values():
            desk, path, headers = PREPARED[name](own_site)
            answer = desk.request(method, path, json=example["value"], headers=headers)
            assert answer.is_success, (name, answer.text)


# --- shapes ---


def validator(document: dict[str, Any], operation: dict[str, Any], answer: httpx.Response) -> jsonschema_rs.Validator:
    response = operation["responses"][str(answer.status_code)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content = next(iter(response["content"].values()))
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **content["schema"]}
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


def a_full_site(site: Site) -> dict[str, Any]:
    """An entry that has everything an entry may have."""
    desk, person = site.administrator, site.administrator.person(email=f"{fresh()}@example.org")
    (section,) = desk.sections(fresh("section"))
    image = desk.publish(desk.upload(fresh().encode(), "notes.txt"))
    entry = desk.write(
        section=section,
        owner=person["id"],
        byline=[person["id"]],
        source={"name": fresh(), "external_id": "1"},
        attachments=[image["id"]],
        body=plain("Words"),
        headers={"On-Behalf-Of": person["id"], "For-Request": "1"},
    )
    desk.write(locale="en", translation_of=entry["id"])
    counter: dict[str, Any] = {
        "provider": "google_analytics",
        "counter_id": "G-ABCDE12345",
        "scope": {"sections": [section]},
    }
    desk.publish(site.desks["analyst"].write("counter", **counter))
    entry = desk.publish(desk.change(entry, summary="New"))
    body = {"unpublish_at": "2099-01-01T00:00:00Z", "zone": "Europe/Moscow"}
    planned: dict[str, Any] = data_of(desk.call("PUT", f"entries/{entry['id']}/schedule", seen=entry, json=body))
    return planned


_NO_ENVELOPE = (
    "/media/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/feeds/",
    "/sitemap",
    "/robots.txt",
    "/go/",
    "/editor/v1/redirects.csv",
)
_STREAMS = ("/events", "/refused", "/file")


def test_every_answer_has_the_shape_that_is_told(site: Site, document: dict[str, Any]) -> None:
    entry = a_full_site(site)
    # The name that calls to menus and files are made with.
    if site.visitor.get("menus/x.png").status_code == 404:
        items = [{"entry": entry["id"]}, {"section": entry["section"], "depth": 1}, {"url": "/x"}]
        site.administrator.live("menu", name="x.png", items=[{"label": "All", "items": items}])
    person, image = entry["byline"][0], site.editor.upload(picture("PNG"), rights_until="2026-01-01T00:00:00Z")
    banner = a_banner_that_was_seen(site)
    job, _ = in_conflict(site.administrator)
    for call in calls(site, entry):
        if call.writes or call.path.startswith(_NO_ENVELOPE) or call.path.endswith(_STREAMS):
            continue
        path = call.path.replace(f"people/{entry['id']}", f"people/{person['id']}")
        path = path.replace(f"/uploads/{entry['id']}", f"/uploads/{an_upload(site)}")
        path = path.replace(f"/{entry['id']}/renditions", f"/{image['id']}/renditions")
        path = path.replace(f"/banners/{entry['id']}/", f"/banners/{banner['id']}/")
        path = path.replace(f"/redirects/{entry['id']}", f"/redirects/{a_redirect(site)}")
        path = path.replace(f"/missing-paths/{entry['id']}", f"/missing-paths/{a_missing_path(site)}")
        path = path.replace(f"/standing-imports/{entry['id']}", f"/standing-imports/{a_standing_import(site)}")
        path = path.replace(f"/imports/{entry['id']}", f"/imports/{job['id']}")
        path = path.replace(f"/exports/{entry['id']}", f"/exports/{an_export(site)}")
        asked = {"path": entry["path"]} if path.endswith(("/resolve", "/page", "delivery/v1/counters")) else {}
        asked |= {"width": "160"} if path.endswith("/renditions") else {}
        answer = site.anyone.get(path, params=asked, headers=headers_of(site, entry))
        assert answer.status_code == 200, (path, answer.text)
        validator(document, call.operation, answer).validate(answer.json())
        wrong = site.anyone.get(path, params={"nonsense": 1}, headers=headers_of(site, entry))
        validator(document, call.operation, wrong).validate(wrong.json())


@pytest.mark.parametrize("call", ["resolve", "page"])
def test_every_kind_of_resolution_has_the_shape_that_is_told(site: Site, document: dict[str, Any], call: str) -> None:
    desk, operation = site.publisher, document["paths"][f"/delivery/v1/{call}"]["get"]
    live, gone, moved = desk.live(), desk.live(), desk.live()
    desk.take_down(gone, answer="gone", explanation="Over")
    desk.take_down(moved, answer="redirect", to=live["id"])
    for path in ("/", live["path"], gone["path"], moved["path"], f"/{fresh()}"):
        answer = site.visitor.get(call, params={"path": path})
        validator(document, operation, answer).validate(answer.json())


# --- anything that the document allows, and more ---

# The body of a piece of a resumable upload: bytes by another name.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SETTINGS = settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_whatever_the_document_allows_is_answered_as_it_tells(site: Site) -> None:
    schema = schemathesis.openapi.from_url(f"{site.url}/openapi.json")
    key = site.key("administrator").headers["authorization"]
    headers = {"Authorization": key, "X-Forwarded-For": "198.19.255.2"}
    tried = 0
    for operation in schema.get_all_operations():
        assert isinstance(operation, Ok)
        _try(operation.ok(), headers)
        tried += 1
    assert tried >= 40


def _try(operation: Any, headers: dict[str, str]) -> None:
    @SETTINGS
    @given(case=operation.as_strategy())
    def attempt(case: schemathesis.Case[Any]) -> None:
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == [PROBLEMS]

    attempt()

"""What the people who run a server look at: health, readiness, figures, documentation."""

import re
from urllib.parse import urlsplit

import pytest

from tests.api.desk import fresh, refused
from tests.api.serving import Site


def test_a_server_that_runs_is_healthy_and_ready(site: Site) -> None:
    assert site.anyone.get("/healthz").json() == {"status": "ok"}
    assert site.anyone.get("/readyz").json() == {"status": "ready"}
    assert site.anyone.head("/healthz").status_code == 200


def test_the_figures_are_in_the_format_of_prometheus(site: Site) -> None:
    site.visitor.get("entries")
    answer = site.anyone.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    line = r'^http_requests_total\{method="GET",route="/delivery/v1/entries",status="200"\} [1-9]'
    assert re.search(line, answer.text, re.MULTILINE)
    for engine in ("public", "staff"):
        assert re.search(rf'^sitedesk_index_lag_events\{{index="{engine}"\}} \d', answer.text, re.MULTILINE)


def test_addresses_that_visitors_make_up_are_no_figures_of_their_own(site: Site) -> None:
    word = fresh("word")
    for path in (f"/{word}", f"/delivery/v1/entries/{word}", f"/media/{word}/{word}", f"/delivery/v1/entries?x={word}"):
        site.anyone.get(path)
    site.anyone.request(word.upper(), "/healthz")
    assert word not in site.anyone.get("/metrics").text.lower()


@pytest.mark.parametrize("path", ["/docs", "/docs/problems"])
def test_the_documentation_loads_nothing_from_elsewhere(site: Site, path: str) -> None:
    page = site.anyone.get(path)
    assert page.status_code == 200
    assert not re.findall(r"(?:https?:)?//[\w.-]+\.\w+", page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for asset in re.findall(r'(?:src|href)="([^"#]+)"', page.text):
        assert not urlsplit(asset).netloc
        assert site.anyone.get(asset).status_code == 200, asset


def test_the_documentation_shows_the_document(site: Site) -> None:
    (address,) = re.findall(r'data-openapi="([^"]+)"', site.anyone.get("/docs").text)
    assert site.anyone.get(address).json()["info"]["title"] == "Sitedesk"


def test_every_answer_carries_an_id_and_is_taken_for_what_it_is(site: Site) -> None:
    for path in ("/healthz", "/docs", "/delivery/v1/entries", "/editor/v1/me", "/nonsense"):
        headers = site.anyone.get(path).headers
        assert headers["x-request-id"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def test_a_request_keeps_the_id_it_came_with(site: Site) -> None:
    answer = site.anyone.get("/nonsense", headers={"X-Request-Id": "from-the-proxy.1"})
    assert refused(answer, 404)["request_id"] == "from-the-proxy.1"
    odd = site.anyone.get("/nonsense", headers={"X-Request-Id": "a b<script>"})
    assert "<script>" not in refused(odd, 404)["request_id"]


def test_what_commands_on_this_machine_use_is_closed_to_others(site: Site) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer None"}):
        refused(site.anyone.post("/control/reindex", json={}, headers=headers), 404, "not_found")

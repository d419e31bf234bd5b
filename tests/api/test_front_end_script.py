"""What front ends on other origins get: the script, and leave to read what is public."""

import gzip

import pytest

from api.assets import SOURCE
from tests.api.desk import fresh, refused
from tests.api.serving import Site

SCRIPT = "/assets/sitedesk.js"
LARGEST = 6_000
ORIGIN = {"Origin": "https://www.example.org"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


# --- the script ---


def test_the_script_is_served_with_its_type_and_may_be_kept_for_five_minutes(site: Site) -> None:
    answer = site.anyone.get(SCRIPT)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_the_script_is_under_six_kilobytes_on_the_wire(site: Site) -> None:
    with site.anyone.stream("GET", SCRIPT, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert len(raw) < LARGEST
    assert len(gzip.compress(site.anyone.get(SCRIPT).content, 9)) < LARGEST


def test_who_takes_nothing_compressed_gets_the_same_words(site: Site) -> None:
    plain = site.anyone.get(SCRIPT, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"
    assert plain.text == site.anyone.get(SCRIPT).text


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_who_has_the_script_is_told_so(site: Site, encoding: str) -> None:
    accepting = {"Accept-Encoding": encoding}
    etag = site.anyone.get(SCRIPT, headers=accepting).headers["etag"]
    answer = site.anyone.get(SCRIPT, headers={**accepting, "If-None-Match": f'"other", W/{etag}'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert site.anyone.get(SCRIPT, headers={**accepting, "If-None-Match": '"other"'}).status_code == 200


def test_only_comments_and_indentation_are_left_out(site: Site) -> None:
    source = SOURCE.read_text(encoding="utf-8")
    # They could not be told from what stands in a text of several lines.
    assert "`" not in source
    kept = [line.strip() for line in source.splitlines() if line.strip() and not line.strip().startswith("//")]
    assert site.anyone.get(SCRIPT).text.splitlines() == kept


def test_the_script_depends_on_nothing_and_sets_no_cookie() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    assert [word for word in ("import ", "require(", ".cookie", "eval(", "document.write") if word in source] == []
    assert source.count("innerHTML") == 1


def test_there_is_no_other_asset(site: Site) -> None:
    refused(site.anyone.get("/assets/../api/app.py"), 404)
    refused(site.anyone.get("/assets/other.js"), 404)


# --- other origins ---


@pytest.mark.parametrize("path", ["/delivery/v1/entries", "/delivery/v1/structure", "/delivery/v1/page?path=/", SCRIPT])
@pytest.mark.parametrize("headers", [{}, ORIGIN], ids=["same origin", "other origin"])
def test_every_origin_may_read_what_is_public_and_caches_keep_one_answer(
    site: Site, path: str, headers: dict[str, str]
) -> None:
    answer = site.anyone.get(path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" not in answer.headers.get("vary", "")


@pytest.mark.parametrize("query", ["path=/nothing-at-all-for-scripts", "path=no-path", "path=/a%00b", "nonsense=1"])
def test_a_page_may_read_why_it_was_refused(site: Site, query: str) -> None:
    answer = site.visitor.get(f"page?{query}", headers=ORIGIN)
    assert answer.status_code in (400, 404)
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/delivery/v1/beacons", "/delivery/v1/entries", SCRIPT])
def test_a_preflight_is_answered_for_all(site: Site, path: str) -> None:
    answer = site.anyone.request("OPTIONS", path, headers=PREFLIGHT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "*"
    assert answer.headers["access-control-max-age"] == "86400"


def test_a_beacon_may_be_sent_from_anywhere(site: Site) -> None:
    told = {"missing_paths": [{"path": f"/{fresh('beacon')}"}]}
    answer = site.visitor.post("beacons", json=told, headers={**ORIGIN, "X-Forwarded-For": "198.19.7.1"})
    assert answer.status_code == 202
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/editor/v1/entries", "/editor/v1/me", "/healthz", "/metrics", "/deliveryx", "/docs"])
def test_no_origin_is_let_in_anywhere_else(site: Site, path: str) -> None:
    for answer in (
        site.administrator.get(path.removeprefix("/editor/v1/"), headers=ORIGIN)
        if path.startswith("/editor")
        else site.anyone.get(path, headers=ORIGIN),
        site.anyone.request("OPTIONS", path, headers=PREFLIGHT),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert answer.status_code in (404, 405)


def test_a_bare_options_is_no_preflight(site: Site) -> None:
    refused(site.visitor.request("OPTIONS", "entries", headers=ORIGIN), 405)

"""Signing in and out: sessions, their cookies and tokens, and what ends them."""

import itertools
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.app import create_app
from tests.api.desk import Desk, data_of, faults_of, fresh, refused
from tests.api.serving import PASSWORD, Site
from tests.api.wire import Client

_networks = itertools.count(1)


def address() -> dict[str, str]:
    """The header of a proxy on this machine, for an address that no other test has."""
    number = next(_networks)
    return {"X-Forwarded-For": f"198.18.{number // 250}.{number % 250 + 1}"}


def try_to_sign_in(site: Site, email: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    body = {"email": email, "password": password}
    answer = site.anyone.post("/editor/v1/session", json=body, headers=headers or address())
    site.anyone.cookies.clear()
    return answer


@pytest.fixture
def olga(site: Site) -> dict[str, Any]:
    """Somebody who can sign in, and whose account no other test needs."""
    person = site.administrator.person(email=f"{fresh('olga')}@example.org")
    body = {"role": "editor", "password": PASSWORD}
    named: dict[str, Any] = data_of(site.administrator.put(f"people/{person['id']}/user", json=body))
    return named


def is_signed_in(desk: Desk) -> bool:
    return desk.get("me").status_code == 200


def test_signing_in_tells_who_one_is(site: Site, olga: dict[str, Any]) -> None:
    answer = try_to_sign_in(site, olga["email"])
    me = data_of(answer, 201)
    assert (me["id"], me["name"], me["role"], me["kind"]) == (olga["id"], olga["name"], "editor", "person")
    assert me["csrf_token"]
    assert answer.headers["cache-control"] == "private, no-store"
    assert data_of(site.sign_in(olga["email"]).get("me")).keys() == me.keys()


def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site, olga: dict[str, Any]) -> None:
    cookie = try_to_sign_in(site, olga["email"]).headers["set-cookie"]
    assert {"httponly", "samesite=lax", "path=/"} <= set(cookie.lower().split("; "))
    assert re.search(r"max-age=\d+", cookie, re.IGNORECASE)
    assert olga["id"] not in cookie


def test_over_https_the_cookie_is_secure(site: Site, olga: dict[str, Any]) -> None:
    settings = site.parts.settings.model_copy(update={"base_url": "https://www.example.org"})
    client = Client(create_app(replace(site.parts, settings=settings)))
    cookie = client.post("/editor/v1/session", {"email": olga["email"], "password": PASSWORD}).headers["set-cookie"]
    assert "secure" in cookie.lower().split("; ")


def test_the_email_may_be_written_in_any_case(site: Site, olga: dict[str, Any]) -> None:
    assert try_to_sign_in(site, f" {olga['email'].upper()} ").status_code == 201


def test_a_wrong_password_and_an_unknown_account_are_answered_alike(site: Site, olga: dict[str, Any]) -> None:
    wrong = try_to_sign_in(site, olga["email"], "not the password")
    unknown = try_to_sign_in(site, f"{fresh()}@example.org", "not the password")
    cannot = try_to_sign_in(site, site.administrator.person(email=f"{fresh()}@example.org")["email"])
    problems = [refused(answer, 401, "wrong_credentials") for answer in (wrong, unknown, cannot)]
    assert len({str({**problem, "request_id": ""}) for problem in problems}) == 1
    assert len({answer.headers.keys().__repr__() for answer in (wrong, unknown, cannot)}) == 1
    assert "set-cookie" not in wrong.headers


def test_a_write_needs_the_csrf_token(site: Site, olga: dict[str, Any]) -> None:
    desk = site.sign_in(olga["email"])
    for token in (None, b"", b"wrong", "ключ".encode()):
        headers = [] if token is None else [(b"X-CSRF-Token", token)]
        cookie = (b"Cookie", desk.headers["cookie"].encode())
        answer = site.anyone.post("/editor/v1/people", json={"name": fresh()}, headers=[cookie, *headers])
        refused(answer, 403, "csrf")
    data_of(desk.post("people", json={"name": fresh()}), 201)


def test_another_session_s_csrf_token_does_not_count(site: Site, olga: dict[str, Any]) -> None:
    desk, other = site.sign_in(olga["email"]), site.sign_in(olga["email"])
    headers = {"X-CSRF-Token": other.headers["x-csrf-token"]}
    refused(desk.post("people", json={"name": fresh()}, headers=headers), 403, "csrf")


def test_reading_needs_no_csrf_token(site: Site, olga: dict[str, Any]) -> None:
    cookie = {"Cookie": site.sign_in(olga["email"]).headers["cookie"]}
    assert site.anyone.get("/editor/v1/me", headers=cookie).status_code == 200


def test_signing_out_ends_the_session(site: Site, olga: dict[str, Any]) -> None:
    desk, other = site.sign_in(olga["email"]), site.sign_in(olga["email"])
    answer = desk.delete("session")
    assert (answer.status_code, answer.headers["cache-control"]) == (204, "private, no-store")
    assert re.search(r'sitedesk_session=""?;.*max-age=0', answer.headers["set-cookie"], re.IGNORECASE)
    assert (is_signed_in(desk), is_signed_in(other)) == (False, True)


def test_nobody_is_signed_out_by_another_site(site: Site, olga: dict[str, Any]) -> None:
    desk = site.sign_in(olga["email"])
    cookie = {"Cookie": desk.headers["cookie"]}
    refused(site.anyone.delete("/editor/v1/session", headers=cookie), 403, "csrf")
    assert is_signed_in(desk)


def test_a_changed_password_ends_all_sessions(site: Site, olga: dict[str, Any]) -> None:
    desk, other = site.sign_in(olga["email"]), site.sign_in(olga["email"])
    body = {"current": PASSWORD, "new": "a longer and better one"}
    assert desk.put("me/password", json=body).status_code == 204
    assert not is_signed_in(desk)
    assert not is_signed_in(other)
    refused(try_to_sign_in(site, olga["email"]), 401)
    assert try_to_sign_in(site, olga["email"], "a longer and better one").status_code == 201


def test_a_password_is_changed_by_who_knows_it(site: Site, olga: dict[str, Any]) -> None:
    desk = site.sign_in(olga["email"])
    refused(desk.put("me/password", json={"current": "wrong", "new": "x" * 12}), 403, "wrong_credentials")
    short = desk.put("me/password", json={"current": PASSWORD, "new": "short"})
    assert "password_length" in faults_of(refused(short, 422)).values()
    assert is_signed_in(desk)


def test_guessing_the_current_password_is_slowed_down(site: Site, olga: dict[str, Any]) -> None:
    desk = site.sign_in(olga["email"])
    for _ in range(5):
        refused(desk.put("me/password", json={"current": "wrong", "new": "x" * 12}), 403)
    refused(desk.put("me/password", json={"current": PASSWORD, "new": "x" * 12}), 429, "too_many_requests")


def test_a_changed_role_ends_all_sessions(site: Site, olga: dict[str, Any]) -> None:
    desk = site.sign_in(olga["email"])
    data_of(site.administrator.put(f"people/{olga['id']}/user", json={"role": "reader"}))
    assert not is_signed_in(desk)
    assert data_of(site.sign_in(olga["email"]).get("me"))["role"] == "reader"


def test_a_password_set_by_an_administrator_ends_all_sessions(site: Site, olga: dict[str, Any]) -> None:
    desk = site.sign_in(olga["email"])
    body = {"role": "editor", "password": "set by somebody else"}
    data_of(site.administrator.put(f"people/{olga['id']}/user", json=body))
    assert not is_signed_in(desk)


def test_five_failures_of_an_account_make_it_wait(site: Site, olga: dict[str, Any]) -> None:
    for _ in range(5):
        refused(try_to_sign_in(site, olga["email"], "wrong"), 401)
    answer = try_to_sign_in(site, olga["email"])
    refused(answer, 429, "too_many_requests")
    assert 0 < int(answer.headers["retry-after"]) <= 300


def test_an_unknown_account_waits_alike(site: Site) -> None:
    email = f"{fresh()}@example.org"
    for _ in range(5):
        refused(try_to_sign_in(site, email, "wrong"), 401)
    refused(try_to_sign_in(site, email), 429)


def test_five_failures_from_an_address_make_it_wait(site: Site, olga: dict[str, Any]) -> None:
    here = address()
    for _ in range(5):
        refused(try_to_sign_in(site, f"{fresh()}@example.org", "wrong", **here), 401)
    refused(try_to_sign_in(site, olga["email"], **here), 429)
    assert try_to_sign_in(site, olga["email"]).status_code == 201


def test_a_session_that_is_none_is_no_session(site: Site) -> None:
    for cookie in ("sitedesk_session=", "sitedesk_session=nonsense", "sitedesk_session=%00", "other=1", "=;;="):
        refused(site.anyone.get("/editor/v1/me", headers={"Cookie": cookie}), 401, "unauthenticated")


def test_who_has_not_signed_in_reads_nothing(site: Site) -> None:
    for path in ("me", "entries", "types", "people", "keys", "audit", "search", "limits", "structure", "entries/x"):
        answer = site.stranger.get(path)
        refused(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["cache-control"] == "private, no-store"


def test_the_last_administrator_stays_one(site: Site, olga: dict[str, Any]) -> None:
    me = data_of(site.administrator.get("me"))
    path = f"people/{me['id']}/user"
    refused(site.administrator.put(path, json={"role": "editor"}), 409, "last_administrator")
    assert is_signed_in(site.administrator)


def test_who_signs_in_keeps_an_email(site: Site, olga: dict[str, Any]) -> None:
    answer = site.administrator.patch(f"people/{olga['id']}", json={"email": None})
    assert faults_of(refused(answer, 422)) == {"/email": "missing"}


def test_passwords_stand_nowhere(site: Site, olga: dict[str, Any]) -> None:
    told = site.administrator.get("audit", params={"page[size]": 100}).text
    assert PASSWORD not in told
    assert "argon2" not in told
    assert "password" not in site.administrator.get(f"people/{olga['id']}").text

"""API keys: scoped, expiring, revocable, shown once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.desk import Desk, data_of, faults_of, fresh, refused
from tests.api.serving import Site


def make(site: Site, **given: Any) -> dict[str, Any]:
    body = {"name": fresh("script"), "role": "publisher", **given}
    made: dict[str, Any] = data_of(site.administrator.post("keys", json=body), 201)
    return made


def script(site: Site, **given: Any) -> Desk:
    return site.desk(authorization=f"Bearer {make(site, **given)['token']}")


def test_a_key_works_without_a_csrf_token(site: Site) -> None:
    desk = script(site)
    entry = desk.live()
    assert (entry["state"], entry["saved"]["by"]["kind"]) == ("published", "key")


def test_a_key_tells_what_it_may(site: Site) -> None:
    me = data_of(script(site, scopes=["create", "publish:news"]).get("me"))
    assert (me["kind"], me["role"], me["scopes"]) == ("key", "publisher", ["create", "publish:news"])
    assert (me["csrf_token"], me["expires_at"]) == (None, None)


def test_a_token_is_shown_once(site: Site) -> None:
    made = make(site)
    listed = site.administrator.get("keys", params={"filter[name]": made["name"]})
    (one,) = data_of(listed)
    assert one == {name: value for name, value in made.items() if name != "token"}
    audit = site.administrator.get("audit", params={"filter[kind]": "key.made"})
    for told in (listed, audit):
        assert made["token"] not in told.text
        assert "hash" not in told.text


def test_a_revoked_key_ends_at_once(site: Site) -> None:
    made = make(site)
    desk = site.desk(authorization=f"Bearer {made['token']}")
    data_of(desk.get("me"))
    assert data_of(site.administrator.delete(f"keys/{made['id']}"))["revoked_at"]
    answer = desk.get("me")
    refused(answer, 401, "unauthenticated")
    assert "invalid_token" in answer.headers["www-authenticate"]
    assert data_of(site.administrator.delete(f"keys/{made['id']}"))["revoked_at"]


def test_an_expired_key_has_ended(site: Site) -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=300)
    desk = script(site, expires_at=soon.isoformat())
    while datetime.now(UTC) <= soon:
        pass
    refused(desk.get("me"), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "/expires_at"),
        ({"expires_at": 4_102_444_800}, "/expires_at"),
        ({"role": "owner"}, "/role"),
        ({"role": ""}, "/role"),
        ({"name": " "}, "/name"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"scopes": ["read", "save:"]}, "/scopes/1"),
        ({"scopes": ["save:nonsense"]}, "/scopes/0"),
        ({"scopes": ["read"] * 51}, "/scopes"),
        ({"token": "mine"}, "/token"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(site: Site, given: dict[str, Any], pointer: str) -> None:
    answer = site.administrator.post("keys", json={"name": "script", "role": "reader", **given})
    assert pointer in faults_of(refused(answer, 422, "invalid_body"))


def test_scopes_narrow_the_role(site: Site) -> None:
    desk = script(site, scopes=["read", "create"])
    entry = desk.write()
    refused(desk.call("PATCH", f"entries/{entry['id']}", seen=entry, json={}), 403, "forbidden")
    refused(desk.call("PUT", f"entries/{entry['id']}/publication", seen=entry), 403, "forbidden")


def test_scopes_do_not_widen_the_role(site: Site) -> None:
    desk = script(site, role="reader", scopes=["read", "create", "publish", "keys"])
    body = {"type": "news", "locale": "ru", "fields": {"title": "T"}}
    refused(desk.post("entries", json=body), 403, "forbidden")
    refused(desk.get("keys"), 403, "forbidden")


def test_a_scope_may_name_a_type(site: Site) -> None:
    desk = script(site, scopes=["create:news", "publish:news"])
    desk.live()
    body = {"type": "article", "locale": "ru", "fields": {"title": "T"}}
    refused(desk.post("entries", json=body), 403, "forbidden")


def test_no_scopes_at_all_allow_nothing(site: Site) -> None:
    desk = script(site, scopes=[])
    refused(desk.get("entries"), 403, "forbidden")
    refused(desk.post("entries", json={"type": "news", "locale": "ru", "fields": {"title": "T"}}), 403)


def test_a_key_knows_only_of_the_types_in_its_scopes(site: Site) -> None:
    desk, topic = script(site, scopes=["read:news"]), fresh("topic")
    news, article = (site.editor.write(type, topics=[topic]) for type in ("news", "article"))
    assert [one["id"] for one in data_of(desk.get("entries", params={"filter[topics]": topic}))] == [news["id"]]
    assert data_of(desk.get(f"entries/{news['id']}"))["id"] == news["id"]
    hidden = refused(desk.get(f"entries/{article['id']}"), 404)
    nowhere = refused(desk.get(f"entries/{article['id'][:-4]}0000"), 404)
    assert hidden["detail"].replace(article["id"], "") == nowhere["detail"].replace(f"{article['id'][:-4]}0000", "")
    for path in ("revisions", "diff", "usages", "revisions/1"):
        refused(desk.get(f"entries/{article['id']}/{path}"), 404, "not_found")
    refused(desk.call("PATCH", f"entries/{article['id']}", seen=article, json={}), 404, "not_found")
    refused(desk.call("PATCH", f"entries/{news['id']}", seen=news, json={}), 403, "forbidden")


def test_a_scoped_key_hands_out_no_more_than_it_has(site: Site) -> None:
    desk = script(site, role="administrator", scopes=["keys", "read"])
    for scopes in (None, ["publish"], ["read", "people"]):
        answer = desk.post("keys", json={"name": "wider", "role": "administrator", "scopes": scopes})
        assert faults_of(refused(answer, 422)) == {"/scopes": "wider_than_own"}
    narrower = {"name": "narrower", "role": "administrator", "scopes": ["read:news"]}
    assert data_of(desk.post("keys", json=narrower), 201)["scopes"] == ["read:news"]


@pytest.mark.parametrize(
    "said", ["Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Token {}", "{}", "Bearer {}x", "Bearer {} x"]
)
def test_what_is_no_key_is_refused(site: Site, said: str) -> None:
    token = make(site)["token"]
    answer = site.anyone.get("/editor/v1/me", headers={"Authorization": said.format(token).strip()})
    refused(answer, 401, "unauthenticated")


def test_a_bad_key_does_not_fall_back_to_a_session(site: Site) -> None:
    refused(site.editor.get("me", headers={"Authorization": "Bearer nonsense"}), 401)


def test_a_key_in_an_address_is_no_key(site: Site) -> None:
    token = make(site)["token"]
    for name in ("key", "api_key", "token", "access_token"):
        refused(site.stranger.get("entries", params={name: token}), 400, "unknown_parameter")


def test_an_unknown_key_cannot_be_revoked(site: Site) -> None:
    refused(site.administrator.delete("keys/nonsense"), 404, "not_found")


def test_a_key_has_no_password(site: Site) -> None:
    body = {"current": "x", "new": "a longer and better one"}
    refused(script(site).put("me/password", json=body), 403, "wrong_credentials")

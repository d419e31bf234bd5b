"""Roles by section, over HTTP: higher or lower than the own one, and for a move in both sections."""

from typing import Any

import pytest

from tests.api.desk import Desk, data_of, fresh, if_match, refused
from tests.api.serving import Site


def own_id(desk: Desk) -> str:
    found: str = data_of(desk.get("me"))["id"]
    return found


def granted(site: Site, desk: Desk, role: str) -> str:
    """A live section in which somebody has another role."""
    (section,) = site.administrator.sections(fresh("section"))
    tree = data_of(site.administrator.get("structure"))
    operation = {"op": "set", "section": section, "access": {own_id(desk): role}}
    answer = site.administrator.call("POST", "structure/changes", seen=tree, json={"operations": [operation]})
    data_of(site.administrator.call("PUT", "structure/publication", seen=data_of(answer)))
    return section


def news(section: str | None) -> dict[str, Any]:
    return {"type": "news", "locale": "ru", "section": section, "fields": {"title": fresh("title")}}


def test_a_reader_may_be_an_editor_in_a_section(site: Site) -> None:
    script = site.key("reader")
    section = granted(site, script, "editor")
    made = data_of(script.post("entries", json=news(section)), 201)
    script.change(made, summary="Mine")
    refused(script.call("PUT", f"entries/{made['id']}/publication", seen=script.read(made)), 403)
    refused(script.post("entries", json=news(None)), 403)


def test_an_editor_may_be_a_reader_in_a_section(site: Site) -> None:
    script = site.key("editor")
    section = granted(site, script, "reader")
    entry = site.editor.write(section=section)
    assert script.read(entry)["id"] == entry["id"]
    refused(script.call("PATCH", f"entries/{entry['id']}", seen=entry, json={"fields": {"summary": "x"}}), 403)
    refused(script.call("DELETE", f"entries/{entry['id']}", seen=entry), 403)


def test_a_role_holds_in_the_sections_below(site: Site) -> None:
    script = site.key("reader")
    (below,) = site.administrator.sections(fresh("below"), parent=granted(site, script, "publisher"))
    assert script.live(section=below)["state"] == "published"


def test_a_move_takes_the_right_in_both_sections(site: Site) -> None:
    script = site.key("editor")
    closed = granted(site, script, "reader")
    inside, outside = site.editor.write(section=closed), site.editor.write()
    for entry, section in ((inside, None), (outside, closed)):
        moved = script.patch(f"entries/{entry['id']}", json={"section": section}, headers=if_match(entry))
        refused(moved, 403)
    data_of(site.editor.patch(f"entries/{outside['id']}", json={"section": closed}, headers=if_match(outside)))


def test_an_old_revision_takes_the_right_in_its_section(site: Site) -> None:
    script = site.key("publisher")
    closed = granted(site, script, "reader")
    entry = site.editor.write(section=closed)
    entry = data_of(site.editor.patch(f"entries/{entry['id']}", json={"section": None}, headers=if_match(entry)))
    refused(script.call("PUT", f"entries/{entry['id']}/publication", seen=entry, json={"revision": 1}), 403)
    refused(script.call("POST", f"entries/{entry['id']}/revisions/1/restoration", seen=entry), 403)
    assert script.publish(entry)["state"] == "published"


def test_what_is_live_in_a_section_is_kept_by_those_who_may_publish_there(site: Site) -> None:
    script = site.key("publisher")
    closed = granted(site, script, "editor")
    entry = site.publisher.live(section=closed)
    entry = data_of(script.patch(f"entries/{entry['id']}", json={"section": None}, headers=if_match(entry)))
    refused(script.call("PUT", f"entries/{entry['id']}/publication", seen=entry), 403)
    refused(script.call("DELETE", f"entries/{entry['id']}/publication", seen=entry), 403)


def test_a_script_brings_rows_only_where_it_may(site: Site) -> None:
    script = site.key("editor")
    closed = granted(site, script, "reader")
    row = {"type": "news", "locale": "ru", "fields": {"title": fresh("title")}}
    path = f"entries/by-external-id/{fresh('source')}/1"
    refused(script.put(path, json={**row, "section": closed}), 403)
    data_of(script.put(path, json=row), 201)
    refused(script.put(path, json={**row, "section": closed}), 403)


@pytest.mark.parametrize("role", ["administrator", "publisher"])
def test_no_section_gives_a_right_to_the_tree(site: Site, role: str) -> None:
    script = site.key("reader")
    granted(site, script, role)
    tree = data_of(script.get("structure"))
    body = {"operations": [{"op": "add", "parent": None, "slug": fresh("x"), "name": "X"}]}
    refused(script.call("POST", "structure/changes", seen=tree, json=body), 403)
    refused(script.post("keys", json={"name": "x", "role": "reader"}), 403)


def test_no_section_gives_a_right_to_a_banner_which_may_stand_on_every_page(site: Site) -> None:
    script = site.key("reader")
    section = granted(site, script, "publisher")
    banner = {"type": "banner", "locale": "ru", "section": section, "fields": {"title": "Notice"}}
    refused(script.post("entries", json=banner), 403)

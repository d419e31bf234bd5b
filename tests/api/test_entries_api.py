"""Making an entry and changing it, over HTTP."""

from tests.api.desk import data_of, faults_of, fresh, if_match, plain, refused
from tests.api.serving import Site


def test_an_entry_is_made_with_its_address_and_revision(site: Site) -> None:
    body = {"type": "news", "locale": "ru", "fields": {"title": "Часы работы " + fresh()}}
    answer = site.editor.post("entries", json=body)
    made = data_of(answer, 201)
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"/editor/v1/entries/{made['id']}"
    assert made["slug"].startswith("chasy-raboty-")

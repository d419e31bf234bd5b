"""Small exports of other systems: three good items a, b and c, and a bad one after them."""

import json
from pathlib import Path
from typing import Any

from cms.import_formats import FORMATS, Item, Options, Problem, Reading

NAMES = ("a", "b", "c")


def ghost(place: Path) -> Path:
    posts: list[dict[str, Any]] = [
        {"id": name, "title": f"Page {name}", "markdown": f"Text of {name}.", "odd": "kept"} for name in NAMES
    ]
    return ghost_export(place, {"posts": [*posts, {"title": "d", "slug": "d"}]})


def ghost_export(place: Path, data: dict[str, Any]) -> Path:
    path = place / "site.ghost.json"
    path.write_text(json.dumps({"db": [{"meta": {"exported_on": 1, "version": "5.0.0"}, "data": data}]}))
    return path


def contentful(place: Path) -> Path:
    entries = [
        contentful_entry(name, {"title": f"Page {name}", "body": f"Text of {name}.", "odd": "kept"}) for name in NAMES
    ]
    return contentful_export(place, entries=[*entries, contentful_entry("d", {"body": "No title"})])


POST = {
    "sys": {"id": "post", "type": "ContentType"},
    "name": "Post",
    "displayField": "title",
    "fields": [
        {"id": "title", "type": "Symbol"},
        {"id": "slug", "type": "Symbol"},
        {"id": "summary", "type": "Text"},
        {"id": "text", "type": "RichText"},
        {"id": "body", "type": "Text"},
        {"id": "heroImage", "type": "Link", "linkType": "Asset"},
        {"id": "author", "type": "Link", "linkType": "Entry"},
        {"id": "category", "type": "Array", "items": {"type": "Link", "linkType": "Entry"}},
        {"id": "related", "type": "Array", "items": {"type": "Link", "linkType": "Entry"}},
        {"id": "odd", "type": "Symbol"},
    ],
}


def contentful_entry(id: str, fields: dict[str, Any], *, type: str = "post", **told: Any) -> dict[str, Any]:
    """An entry in one locale, or in those that a value names in an object of `in`."""
    kind = {"sys": {"id": type, "type": "Link", "linkType": "ContentType"}}
    written = {name: value["in"] if _by_locale(value) else {"en-US": value} for name, value in fields.items()}
    return {"sys": {"id": id, "type": "Entry", "contentType": kind, **told}, "fields": written}


def _by_locale(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"in"}


def contentful_export(place: Path, **document: Any) -> Path:
    whole = {"contentTypes": [POST], "locales": [{"code": "en-US", "default": True}], "assets": [], **document}
    path = place / "contentful-export.json"
    path.write_text(json.dumps(whole))
    return path


def strapi(place: Path) -> Path:
    entities = [
        strapi_entity(number, documentId=name, title=f"Page {name}", body=f"Text of {name}.", odd="kept")
        for number, name in enumerate(NAMES, start=1)
    ]
    return strapi_export(place, entities=[*entities, "{"])


ARTICLE = {
    "uid": "api::article.article",
    "kind": "collectionType",
    "info": {"singularName": "article", "pluralName": "articles", "displayName": "Article"},
    "options": {"draftAndPublish": True},
    "attributes": {
        "title": {"type": "string"},
        "slug": {"type": "uid"},
        "body": {"type": "richtext"},
        "parts": {"type": "dynamiczone"},
        "cover": {"type": "media", "multiple": False},
        "author": {"type": "relation", "relation": "manyToOne", "target": "api::author.author"},
        "tags": {"type": "relation", "relation": "manyToMany", "target": "api::tag.tag"},
        "related": {"type": "relation", "relation": "manyToMany", "target": "api::article.article"},
        "odd": {"type": "string"},
    },
}


def strapi_entity(id: int, type: str = "api::article.article", /, **data: Any) -> dict[str, Any]:
    return {"type": type, "id": id, "data": data}


def strapi_export(place: Path, **parts: list[Any]) -> Path:
    """A folder with its lines; what is text already stays as it is."""
    for name, lines in {"schemas": [ARTICLE], "entities": [], "links": [], **parts}.items():
        (place / name).mkdir(parents=True, exist_ok=True)
        written = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        (place / name / f"{name}_00001.jsonl").write_text(written)
    return place


def directus(place: Path) -> Path:
    rows: list[Any] = [
        {"id": name, "title": f"Page {name}", "body": f"Text of {name}.", "odd": "kept"} for name in NAMES
    ]
    return directus_items(place, [*rows, "d"])


def directus_items(place: Path, items: Any) -> Path:
    path = place / "articles.json"
    path.write_text(json.dumps(items))
    return path


def feed(place: Path) -> Path:
    items = (
        f"<item><guid>{name}</guid><title>Page {name}</title><description>Text of {name}.</description>"
        "<odd>kept</odd></item>"
        for name in NAMES
    )
    return a_feed(place, "".join(items) + "<item><title>d</title></item>")


SPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def a_feed(place: Path, items: str, *, channel: str = "<title>News</title>") -> Path:
    path = place / "feed.xml"
    path.write_text(f'<?xml version="1.0"?><rss version="2.0" {SPACES}><channel>{channel}{items}</channel></rss>')
    return path


def reading(name: str, path: Path, options: Options | None = None, /, **choices: str) -> Reading:
    """A source, opened."""
    return FORMATS[name].read(path, options or Options(choices=choices))


def items(name: str, path: Path, options: Options | None = None, /, **choices: str) -> list[Item]:
    """The items of a source that has no problems."""
    found = list(reading(name, path, options, **choices).items())
    assert not [one for one in found if isinstance(one, Problem)], found
    return [one for one in found if isinstance(one, Item)]


def item(name: str, path: Path, options: Options | None = None, /, **choices: str) -> Item:
    """The only item of a source."""
    [found] = items(name, path, options, **choices)
    return found

"""Persons whom a folder of pages describes in files of their own, so that a byline has names and not keys."""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from cms.import_formats.folder import PAGE_SUFFIXES, Folder
from cms.import_formats.front_matter import taken_apart
from cms.import_formats.item import Author
from cms.import_formats.known_values import author
from cms.import_formats.nested_values import EMPTY
from cms.import_formats.safe_values import Refused

# people/anna/index.md or people/anna.md, with a name and no title; or one file with all of them.
FOLDERS = ("people", "authors", "_authors")
LISTS = ("_data/authors.yml", "_data/authors.yaml", "data/authors.yml", "data/authors.yaml")


def described(folder: Folder) -> tuple[dict[str, Author], dict[str, Author]]:
    """Persons by the page that describes each, and all persons by key."""
    by_page = dict(_by_page(folder))
    listed = {person.key: person for file in LISTS if file in folder.files for person in _listed(folder, file)}
    return by_page, listed | {person.key: person for person in by_page.values()}


def _by_page(folder: Folder) -> Iterator[tuple[str, Author]]:
    for page in folder.pages:
        parts = folder.external_id(page).split("/")
        if len(parts) != 2 or parts[0] not in FOLDERS:
            continue
        person = _author(_values(folder, page), key=parts[1])
        if person:
            yield page, person


def _listed(folder: Folder, file: str) -> Iterator[Author]:
    values = _values(folder, file)
    persons = (_author(value, key=key) for key, value in values.items() if isinstance(value, dict))
    return (person for person in persons if person)


# What cannot be read here is no person; as a page it is reported when its turn comes.
def _values(folder: Folder, file: str) -> Mapping[str, Any]:
    try:
        text = folder.text(file)
        return taken_apart(text if file.endswith(PAGE_SUFFIXES) else f"---\n{text.removeprefix('---')}\n---\n").values
    except Refused:
        return {}


def _author(values: Mapping[str, Any], *, key: str) -> Author | None:
    if values.get("name") in EMPTY or values.get("title") not in EMPTY:
        return None
    try:
        return author(values, key=posixpath.basename(key))
    except Refused:
        return None

"""A rich text for another house: as HTML or Markdown, with addresses in place of ids."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cms import rich_text
from cms.export_formats.protocol import Destination, Site

# What stands for an entry: its address, None where it has none (a link keeps its text, an image is left out).
Address = Callable[[Destination], str | None]


def html(site: Site, document: Mapping[str, Any], *, locale: str, address: Address | None = None) -> str:
    """The document as plain HTML. `address` says where an entry is to be found; usually `public_address`."""
    find = address or (lambda one: public_address(site, one))
    targets = {id: target for id in _ids(document) if (target := _target(site, id, find)) is not None}
    return rich_text.join_html(rich_text.to_html(dict(document)), targets, locale=locale)


def markdown(site: Site, document: Mapping[str, Any], *, locale: str, address: Address | None = None) -> str:
    """The document as Markdown, which reads back as the same text."""
    find = address or (lambda one: public_address(site, one))
    addresses = {id: target.url for id in _ids(document) if (target := _target(site, id, find)) is not None}
    text = rich_text.to_markdown(dict(document))
    # Ids are ours and long: nothing else in a text looks like `entry:` with one of them behind.
    for id, url in sorted(addresses.items()):
        text = text.replace(f"entry:{id}", url)
    return text


def public_address(site: Site, one: Destination) -> str | None:
    """Where visitors find it: the bytes of an image or a file, the page of anything else."""
    if one.file is not None:
        return site.file_address(one.file)
    return one.url or one.path


def _target(site: Site, id: str, find: Address) -> rich_text.Target | None:
    one = site.destination(id)
    url = None if one is None else find(one)
    if one is None or url is None:
        return None
    width, height = (one.file.width, one.file.height) if one.file else (None, None)
    return rich_text.Target(url, width, height, alt=one.fields.get("alt"), file=one.fields.get("file"))


def _ids(document: Mapping[str, Any]) -> Iterator[str]:
    return iter(dict.fromkeys(reference.entry for reference in rich_text.references(dict(document))))

"""Every call that the OpenAPI document names, ready to be made."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx

from tests.api.desk import if_match
from tests.api.serving import Site

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Call:
    """One operation with its path filled in."""

    method: str
    path: str
    operation: dict[str, Any] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def takes_json(self) -> bool:
        return "application/json" in self.operation.get("requestBody", {}).get("content", {})

    @property
    def is_documented_for_editors(self) -> bool:
        return self.path.startswith("/editor/")

    @property
    def parameters(self) -> set[str]:
        return {one["name"] for one in self.operation.get("parameters", ()) if one.get("in") == "query"}


def document_of(site: Site) -> dict[str, Any]:
    """The OpenAPI document as it is served."""
    return _document(site.url)


@cache
def _document(url: str) -> dict[str, Any]:
    document: dict[str, Any] = httpx.get(f"{url}/openapi.json").json()
    return document


def calls(site: Site, entry: dict[str, Any]) -> Iterator[Call]:
    """All calls, those to an entry with this one."""
    values = {"id": entry["id"], "number": "1", "type": "news", "sha256": "0" * 64, "name": "x.png", "source": "test"}
    values |= {"format": "rss", "spec": "fit_160_auto", "signature": "0" * 24, "token": "x"}
    for path, operations in document_of(site)["paths"].items():
        for method in METHODS:
            if method in operations:
                filled = path.replace("{external_id}", "1").replace("{external_id:path}", "1")
                yield Call(method.upper(), filled.format_map(values), operations[method])


def headers_of(site: Site, entry: dict[str, Any]) -> dict[str, str]:
    """An administrator's, with the revision of an entry."""
    named = {name: site.administrator.headers[name] for name in ("cookie", "x-csrf-token")}
    return {**named, **if_match(entry)}

"""The documentation works without any other host, under a policy that forbids inline scripts."""

import re
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI

from api.documentation import ASSETS, install_documentation
from api.problems import PROBLEM_TITLES, install_problem_handlers
from tests.api.wire import Answer, Client


def build() -> Client:
    app = FastAPI(title="Desk <&>", docs_url=None, redoc_url=None)
    install_documentation(app)
    install_problem_handlers(app)
    return Client(app)


client = build()


class Links(HTMLParser):
    """The addresses that a page loads, and the text of its scripts."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []
        self.feed(answer.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if value and name in {"src", "href", "data-openapi"}]
        self.inline += [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        if self.lasttag in {"script", "style"} and data.strip():
            self.inline.append(data)


@pytest.mark.parametrize("path", ["/docs", "/docs/problems"])
def test_everything_that_a_page_loads_is_ours_and_there(path: str) -> None:
    links = Links(client.get(path)).found
    assert links
    assert all(link.startswith("/") and not link.startswith("//") for link in links)
    assert [client.get(link).status for link in links] == [200] * len(links)


@pytest.mark.parametrize("path", ["/docs", "/docs/problems"])
def test_no_page_has_an_inline_script_or_style(path: str) -> None:
    answer = client.get(path)
    assert Links(answer).inline == []
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")


def test_the_title_is_escaped() -> None:
    assert b"<title>Desk &lt;&amp;&gt;</title>" in client.get("/docs").body


def test_the_document_is_openapi_3_1() -> None:
    assert client.get("/openapi.json").json["openapi"].startswith("3.1.")


def test_files_have_their_types() -> None:
    types = {name: client.get(f"/docs/assets/{name}").headers["content-type"] for name in ("start.js", "pages.css")}
    assert types["start.js"].startswith(("text/javascript", "application/javascript"))
    assert types["pages.css"].startswith("text/css")


@pytest.mark.parametrize("name", ["nothing.js", "../documentation.py", "..%2Fdocumentation.py", ""])
def test_nothing_else_is_served(name: str) -> None:
    assert client.get(f"/docs/assets/{name}").status == 404


def test_every_problem_is_explained_where_its_type_points() -> None:
    page = client.get("/docs/problems").body.decode()
    assert re.findall(r'<dt id="(\w+)">', page) == sorted(PROBLEM_TITLES)


def test_the_bundled_library_comes_with_its_licence() -> None:
    assert "Apache License" in (ASSETS / "LICENSE").read_text()
    assert "5.35.0" in (ASSETS / "README.md").read_text()
    assert b"5.35.0" in (ASSETS / "swagger-ui-bundle.js").read_bytes()


def test_pages_that_load_from_elsewhere_must_be_off() -> None:
    with pytest.raises(ValueError, match="docs_url=None"):
        install_documentation(FastAPI())

"""A folder of Markdown pages: where pages go, what they are called, whom they are by, where their links lead."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Asset, Author, Item, Options, Problem, Reading, SourceUnreadable, Target
from cms.import_formats.local_links import addresses
from cms.import_formats.markdown import plain
from cms.import_formats.players import linked_in_markdown

SHARED_TMP = [HealthCheck.function_scoped_fixture]


def opened(root: Path, **files: str | bytes) -> Reading:
    """A reading of files; a name's `__` stands for a slash, and pages need no suffix."""
    for name, content in files.items():
        path = root / (name.replace("__", "/") + ("" if "." in name else ".md"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return FORMATS["markdown"].read(root, Options())


def item(root: Path, text: str | bytes, name: str = "page") -> Item:
    [found] = opened(root, **{name: text}).items()
    assert isinstance(found, Item), found
    return found


def problem(root: Path, text: str | bytes) -> Problem:
    [found] = opened(root, page=text).items()
    assert isinstance(found, Problem)
    return found


def code(found: object) -> str:
    return found.code if isinstance(found, Problem) else repr(found)


# Where a page goes


@pytest.mark.parametrize(
    ("file", "external_id", "section", "slug"),
    [
        ("about.md", "about", (), "about"),
        ("index.md", "index", (), "index"),
        ("css/index.md", "css", (), "css"),
        ("css/display.md", "css/display", ("css",), "display"),
        ("css/display/index.md", "css/display", ("css",), "display"),
        ("css/display/_index.md", "css/display", ("css",), "display"),
        ("css/display/README.md", "css/display", ("css",), "display"),
        ("css/x/practice/anna.md", "css/x/practice/anna", ("css", "x", "practice"), "anna"),
        ("Новости/Новый год.markdown", "Новости/Новый год", ("novosti",), "novyi-god"),
        ("a/!!!.md", "a/!!!", ("a",), "untitled"),
    ],
)
def test_folders_become_sections(
    file: str, external_id: str, section: tuple[str, ...], slug: str, tmp_path: Path
) -> None:
    found = item(tmp_path, "Text", file)
    assert (found.external_id, found.section, found.slug) == (external_id, section, slug)


def test_a_section_is_called_as_its_index_page_is(tmp_path: Path) -> None:
    reading = opened(tmp_path, css__index="---\nname: CSS\n---\n", css__display__use="Text")
    [_, found] = reading.items()
    assert isinstance(found, Item)
    assert (found.section, found.section_names) == (("css", "display"), ("CSS", "display"))


def test_two_pages_of_one_name_are_one_item_and_one_problem(tmp_path: Path) -> None:
    first, second = opened(tmp_path, css="One", css__index="Two").items()
    assert isinstance(first, Item)
    assert (first.origin.file, code(second)) == ("css/index.md", "duplicate")


def test_a_second_index_page_is_a_page_like_any(tmp_path: Path) -> None:
    ids = [
        found.external_id for found in opened(tmp_path, a__index="x", a__README="y").items() if isinstance(found, Item)
    ]
    assert sorted(ids) == ["a", "a/README"]


def test_hidden_files_and_files_that_are_no_pages_are_not_items(tmp_path: Path) -> None:
    assert opened(tmp_path, **{".git__x.md": "x", ".x.md": "x", "x.txt": "x", "x.png": "x"}).count() == 0


# What a page is called


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("---\ntitle: A\n---\n# B\n", "A", "# B\n"),
        ("---\ntitle: '`align-content` и **вес**'\n---\n", "align-content и вес", ""),
        ("\n# One `two` #\n\nText\n", "One two", "\nText\n"),
        ("```sh\n# not this\n```\n# This\n", "This", "```sh\n# not this\n```\n"),
        ("#\n## Lower\n", "page", "#\n## Lower\n"),
        ("#hash\n", "page", "#hash\n"),
        ("", "page", ""),
    ],
)
def test_a_title_is_found(text: str, title: str, body: str, tmp_path: Path) -> None:
    found = item(tmp_path, text)
    assert (found.fields["title"], found.fields.get("body", {"value": ""})["value"]) == (title, body)


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("`<a>`", "<a>"),
        ("<br>", "<br>"),
        ("[link](/a) ![alt](b.png)", "link alt"),
        ("snake_case a&amp;b", "snake_case a&b"),
        ("two\nlines", "two lines"),
        ("****", "****"),
    ],
)
def test_markdown_becomes_plain_words(markdown: str, text: str) -> None:
    assert plain(markdown) == text


# Front matter


def test_known_keys_are_read_and_the_rest_is_kept(tmp_path: Path) -> None:
    found = item(
        tmp_path,
        "---\ntitle: A\nslug: b\ndescription: Short\ndate: 2026-01-31 12:00:00 +0300\nupdated: 2026-02-01\n"
        "tags: [x, y]\nkeywords: [z]\nlang: ru\ndraft: yes\nversion: 1.10\n---\nText",
    )
    assert found.fields == {
        "title": "A",
        "summary": "Short",
        "topics": ["x", "y"],
        "body": {"format": "markdown", "value": "Text"},
    }
    assert (found.slug, found.locale, found.draft) == ("b", "ru", True)
    assert found.first_published_at == datetime(2026, 1, 31, 9, tzinfo=UTC)
    assert found.changed_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert found.source_fields == {"keywords": ["z"], "version": "1.10"}


def test_topics_may_be_written_with_commas(tmp_path: Path) -> None:
    assert item(tmp_path, "---\nkeywords: a, b,,a\n---\n").fields["topics"] == ["a", "b"]


def test_a_cover_is_an_address_and_its_other_parts_are_kept(tmp_path: Path) -> None:
    found = item(tmp_path, "---\ncover:\n  desktop: a.svg\n  alt: Cat\n---\n")
    assert found.fields["cover"] == "a.svg"
    assert found.source_fields["cover"] == {"desktop": "a.svg", "alt": "Cat"}


@pytest.mark.parametrize(
    ("text", "field", "line", "expected"),
    [
        ("---\ntitle: A\ndate: soon\n---\n", "date", 3, "bad_date"),
        ("---\ntitle: [A]\n---\n", "title", 2, "not_text"),
        ("---\na: &a x\nb: *a\n---\n", None, 3, "yaml_alias"),
        ("---\ntitle: A\n", None, 1, "front_matter_unclosed"),
        (b"ok\n\xff", None, 2, "not_utf8"),
        ("ok\n\n\0", None, 3, "nul"),
        (b"x" * (4 * 1024 * 1024 + 1), None, None, "too_large"),
    ],
)
def test_a_bad_page_names_its_place(
    text: str | bytes, field: str | None, line: int | None, expected: str, tmp_path: Path
) -> None:
    found = problem(tmp_path, text)
    assert (found.file, found.field, found.line, found.code) == ("page.md", field, line, expected)


# Whom a page is by


ANNA = Author("anna", "Анна Иванова", url="https://example.org/anna")
ABOUT_ANNA = "---\nname: Анна Иванова\nurl: https://example.org/anna\nphoto: a.png\n---\nHello"


@pytest.mark.parametrize("name", ["people__anna__index", "people__anna", "authors__anna"])
def test_a_persons_page_makes_a_person_and_no_item(name: str, tmp_path: Path) -> None:
    reading = opened(tmp_path, **{name: ABOUT_ANNA})
    assert (list(reading.people()), reading.count(), list(reading.items())) == ([ANNA], 0, [])


def test_a_byline_has_the_names_of_described_persons(tmp_path: Path) -> None:
    reading = opened(tmp_path, people__anna=ABOUT_ANNA, page="---\nauthors: [anna, Boris]\n---\n")
    [found] = reading.items()
    assert isinstance(found, Item)
    assert found.byline == (ANNA, Author("Boris", "Boris"))


def test_persons_may_stand_in_one_file(tmp_path: Path) -> None:
    listed = "anna:\n  name: Анна Иванова\n  url: https://example.org/anna\nbroken: x\n"
    assert list(opened(tmp_path, **{"_data__authors.yml": listed}).people()) == [ANNA]


def test_a_page_of_nothing_but_text_called_as_a_person_is_theirs(tmp_path: Path) -> None:
    reading = opened(tmp_path, people__anna=ABOUT_ANNA, css__x__practice__anna="I use it so.")
    [found] = reading.items()
    assert isinstance(found, Item)
    assert found.byline == (ANNA,)


def test_a_page_among_persons_with_a_title_is_an_item(tmp_path: Path) -> None:
    reading = opened(tmp_path, people__team="---\nname: x\ntitle: Our team\n---\n", people__broken="---\nname: x")
    assert [type(found).__name__ for found in reading.items()] == ["Problem", "Item"]
    assert list(reading.people()) == []


# Where links lead


@pytest.fixture
def site(tmp_path: Path) -> Reading:
    return opened(
        tmp_path,
        css__index="x",
        css__display__index="[a](../flex.md) ![b](images/b.png) `![c](images/c.png)`\n\n```\n![](images/c.png)\n```\n",
        css__flex='---\ncover: display/images/b.png\n---\n<img src="/img/d e.svg"> [p]: x\n\n[p]: ../doc.pdf "Paper"',
        people__anna=ABOUT_ANNA,
        **{"css__display__images__b.png": b"b", "css__display__images__c.png": b"c"},
        **{"img__d e.svg": b"d", "doc.pdf": b"e"},
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("../flex.md", Target("item", "css/flex")),
        ("../flex", Target("item", "css/flex")),
        ("../flex.html#part", Target("item", "css/flex", "part")),
        ("/css/flex/?a=b", Target("item", "css/flex")),
        ("/css/", Target("item", "css")),
        ("..", Target("item", "css")),
        (".", Target("item", "css/display")),
        ("images/b.png", Target("asset", "css/display/images/b.png")),
        ("./images/../images/b.png", Target("asset", "css/display/images/b.png")),
        ("/img/d%20e.svg", Target("asset", "img/d e.svg")),
    ],
)
def test_an_address_leads_to_a_page_or_a_file(url: str, expected: Target, site: Reading) -> None:
    assert site.target("css/display/index.md", url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("../../../etc/passwd", "outside_folder"),
        ("/../x.md", "outside_folder"),
        ("%2e%2e/%2e%2e/%2e%2e/x", "outside_folder"),
        ("images/gone.png", "missing_target"),
        ("/img", "missing_target"),
        ("/", "missing_target"),
        ("/people/anna/", "links_to_person"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_warning(url: str, expected: str, site: Reading) -> None:
    found = site.target("css/display/index.md", url)
    assert isinstance(found, Problem)
    assert (found.code, found.warning, found.file) == (expected, True, "css/display/index.md")


def test_files_that_pages_show_or_link_to_are_assets(site: Reading, tmp_path: Path) -> None:
    ids = ["css/display/images/b.png", "img/d e.svg", "doc.pdf"]
    assert list(site.assets()) == [Asset(name, tmp_path.resolve() / name) for name in ids]


def test_an_asset_is_found_by_its_id(site: Reading) -> None:
    assert site.asset("doc.pdf") in list(site.assets())
    assert site.asset("../doc.pdf") is None


def test_a_file_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_text("secret")
    root = tmp_path / "site"
    root.mkdir()
    (root / "a.png").symlink_to(tmp_path / "secret.png")
    (root / "b.md").symlink_to(tmp_path / "secret.png")
    (root / "c.md").symlink_to(root / "c.md")
    reading = opened(root, page="![](a.png)")
    assert [code(found) for found in reading.items()][:2] == ["outside_folder", "outside_folder"]
    assert (code(reading.target("page.md", "a.png")), list(reading.assets())) == ("outside_folder", [])


def test_a_file_whose_name_is_no_text_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a\udcff.md").write_text("x")
    [found] = opened(tmp_path).items()
    assert isinstance(found, Problem)
    assert (found.code, found.file) == ("bad_name", "a\\udcff.md")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="is not a folder"):
        opened(tmp_path / "x.md")


def test_addresses_are_seen_in_all_their_forms() -> None:
    text = "[a](a.md) ![b](<b b.png> 't') [c](c_(1).md) ``[no](no.md)``\n\n[d]: d.md\n"
    text += "<a href='e.md'> <video poster=\"f.png\">"
    assert list(addresses(text)) == ["a.md", "b b.png", "c_(1).md", "d.md", "e.md", "f.png"]


# Whatever is there


PIECES = [
    "---\n",
    "+++\n",
    "# ",
    "```\n",
    "`",
    "title: ",
    "authors: ",
    "[a](",
    ")",
    "![",
    "src='",
    "../",
    "\n",
    "x",
    "é",
    " ",
]


@settings(suppress_health_check=SHARED_TMP, deadline=None)
@given(text=st.lists(st.sampled_from(PIECES)).map("".join) | st.binary())
@example(text="# " + " #" * 20_000 + "x")
@example(text="[a](" * 20_000)
@example(text="`" * 40_000 + "\n```" * 10_000)
@example(text="src='src=" * 20_000)
@example(text="---\ntitle: " + "*" * 900 + "\n---\n")
def test_any_page_is_an_item_or_a_problem(text: str | bytes, tmp_path: Path) -> None:
    reading = opened(tmp_path, page=text)
    [found] = reading.items()
    assert isinstance(found, Item | Problem)
    list(reading.assets())


@given(
    url=st.text() | st.lists(st.sampled_from(["/", "..", ".", "a", "%", "%00", "%2f", "?", "#", "[", ":"])).map("".join)
)
def test_any_address_is_answered(url: str, tmp_path_factory: Any) -> None:
    reading = opened(tmp_path_factory.getbasetemp() / "empty-site", a="x")
    assert isinstance(reading.target("a.md", url), Target | Problem | None)


PLAYER = '<video controls>\n  <source src="clip.mp4">\nYour browser has no video.\n</video>'


@pytest.mark.parametrize(
    ("markdown", "body"),
    [
        (f"Look:\n\n{PLAYER}", 'Look:\n\n<a href="clip.mp4">clip.mp4</a>'),
        ("<AUDIO src='http://x.org/'></AUDIO>", '<a href="http://x.org/">x.org</a>'),
        (f"```html\n{PLAYER}\n```", f"```html\n{PLAYER}\n```"),
        ('`<video src="a">` x', '`<video src="a">` x'),
        ('Code:\n\n    <video src="a"></video>', 'Code:\n\n    <video src="a"></video>'),
        ('<iframe title="<video>" src="a">', '<iframe title="<video>" src="a">'),
        ('<video src="a"> x <video src="b"></video>', '<a href="a">a</a> x <a href="b">b</a>'),
    ],
)
def test_a_player_is_a_link_to_its_file(markdown: str, body: str, tmp_path: Path) -> None:
    assert item(tmp_path, f"---\ntitle: T\n---\n{markdown}").fields["body"]["value"].strip() == body


@pytest.mark.parametrize("written", ["<video>", "<video src='a'>", "<video ", "<video></audio>"])
def test_a_page_of_nothing_but_players_does_not_take_long(written: str) -> None:
    started = time.process_time()
    linked_in_markdown(f"{written * 20_000}</video>")
    assert time.process_time() - started < 2

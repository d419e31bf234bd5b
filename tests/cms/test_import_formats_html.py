"""Web pages: their main text, what they say of themselves, where they stood, and where their links lead."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Asset, Author, Item, Options, Problem, Reading, SourceUnreadable, Target
from cms.import_formats.html_main_text import decoded

TEXT = "This is a sentence of a text that is long enough to be seen as the main one, as has several words in it. " * 2
PAGE = f"""<!doctype html><html lang="ru-RU"><head><meta charset="utf-8"><title>Новость | Сайт</title>
<meta name="description" content="Коротко"><meta name="keywords" content="a, b,, a"><meta name="author" content="Анна">
<meta property="article:published_time" content="2020-01-31T12:00:00+03:00"><meta name="viewport" content="x">
<meta property="article:modified_time" content="2020-02-01"><meta name="odd" content="kept">
<meta property="og:image" content="https://example.org/img/cover.png">
<link rel="canonical" href="https://example.org/2020/novost/"></head>
<body><header><h1>Сайт</h1><nav><a href="/">Home</a></nav></header>
<article><header><h1>Новость</h1></header><p>{TEXT}</p><img src="data:image/gif;base64,R0" data-src="img/a.png">
<a href="other.html#x">other</a><script>evil()</script><aside>Aside</aside></article>
<footer>Copyright</footer></body></html>"""


def opened(root: Path, files: dict[str, str | bytes], locale: str | None = None) -> Reading:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return FORMATS["html"].read(root, Options(locale=locale))


def item(root: Path, page: str | bytes, locale: str | None = None) -> Item:
    [found] = opened(root, {"page.html": page}, locale).items()
    assert isinstance(found, Item), found
    return found


def body(found: Item) -> str:
    assert found.fields["body"]["format"] == "html"
    return str(found.fields["body"]["value"])


def test_a_page_is_read_whole(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"news/novost.html": PAGE, "img/cover.png": b"x"}
    [found] = opened(tmp_path, files).items()
    assert isinstance(found, Item)
    assert (found.external_id, found.section, found.slug, found.locale) == ("news/novost", ("news",), "novost", "ru")
    assert {name: found.fields[name] for name in ("title", "summary", "topics", "cover")} == {
        "title": "Новость",
        "summary": "Коротко",
        "topics": ["a", "b"],
        "cover": "https://example.org/img/cover.png",
    }
    assert found.byline == (Author("Анна", "Анна"),)
    assert found.first_published_at == datetime(2020, 1, 31, 9, tzinfo=UTC)
    assert found.changed_at == datetime(2020, 2, 1, tzinfo=UTC)
    assert found.old_paths == ("/2020/novost/",)
    assert found.source_fields == {"odd": "kept"}


def test_what_stands_around_the_text_does_not_come_in(tmp_path: Path) -> None:
    written = body(item(tmp_path, PAGE))
    assert "several words" in written
    assert not any(word in written for word in ("Home", "Copyright", "evil", "Aside", "<h1", "Сайт"))
    assert 'src="img/a.png"' in written


@pytest.mark.parametrize(
    "around", ["<div class=content>{}</div>", "<main>{}</main>", "<div itemprop=articleBody>{}</div>"]
)
def test_the_main_text_is_found(around: str, tmp_path: Path) -> None:
    menu = "<div class=menu><ul>" + "<li><a href=/x>Menu entry</a></li>" * 9 + "</ul></div>"
    page = f"<body>{menu}{around.format(f'<h1>Title</h1><p>{TEXT}</p><p>{TEXT}</p>')}<div class=footer>Copyright</div>"
    found = item(tmp_path, page)
    assert found.fields["title"] == "Title"
    assert "Menu entry" not in body(found)
    assert "several words" in body(found)


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<title>A</title><h1>B <b>C</b></h1><p>x", "B C"),
        ("<title>A</title><p>x", "A"),
        ("<title>A</title><meta property=og:title content=B><p>x", "B"),
        ("<title>Two - Site</title><h1>Site</h1><h1>Two</h1><p>x", "Two"),
        ("<header><h1>Site</h1></header><h1>One</h1><p>x", "One"),
        ("<p>x", "page"),
    ],
)
def test_a_title_is_found(page: str, title: str, tmp_path: Path) -> None:
    assert item(tmp_path, page).fields["title"] == title


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("<time datetime='2020-01-31'>Friday</time>", datetime(2020, 1, 31, tzinfo=UTC)),
        ('<script type=application/ld+json>{"datePublished":"2020-01-31"}</script>', datetime(2020, 1, 31, tzinfo=UTC)),
        ("<span itemprop=datePublished content=2020-01-31>x</span>", datetime(2020, 1, 31, tzinfo=UTC)),
        ("<meta name=date content=soon>", None),
    ],
)  # fmt: skip
def test_a_date_is_found_and_a_wrong_one_does_no_harm(told: str, expected: datetime | None, tmp_path: Path) -> None:
    assert item(tmp_path, f"{told}<p>Text").first_published_at == expected


@pytest.mark.parametrize(
    ("language", "locale", "expected"),
    [("ru-RU", None, "ru"), ("pt", "pt-BR", "pt-BR"), ("", "ru", "ru"), ("x_y!", "ru", "ru"), ("en", "ru", "en")],
)
def test_a_language_is_the_pages_own(language: str, locale: str | None, expected: str, tmp_path: Path) -> None:
    assert item(tmp_path, f"<html lang='{language}'><p>x", locale).locale == expected


@pytest.mark.parametrize(
    "data",
    [
        "<meta charset=windows-1251><p>Привет".encode("cp1251"),
        '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r"><p>Привет'.encode("koi8_r"),
        "\ufeff<p>Привет".encode(),
        "<p>Привет".encode("utf-16"),
        "<p>Привет".encode(),
        ("<meta charset=utf-8><p>" + "Привет, это обычный русский текст без указания кодировки. " * 9).encode("cp1251"),
        ("<p>" + "Привет, это обычный русский текст без указания кодировки. " * 9).encode("cp1251"),
    ],
    ids=["cp1251", "koi8", "mark", "utf-16", "utf-8", "wrong", "none"],
)
def test_encodings_are_found(data: bytes) -> None:
    assert "Привет" in decoded(data)


@pytest.mark.parametrize(
    "page", ["", "  ", "<nav>Home</nav>", "<title>A</title><body><script>x</script></body>", "<p> </p>"]
)
def test_a_page_without_text_is_a_problem(page: str, tmp_path: Path) -> None:
    [found] = opened(tmp_path, {"page.html": page}).items()
    assert isinstance(found, Problem)
    assert (found.code, found.file) == ("no_text", "page.html")


def test_a_page_of_one_picture_is_a_page(tmp_path: Path) -> None:
    assert body(item(tmp_path, "<img src=a.png>")) == '<img src="a.png">'


@pytest.fixture
def site(tmp_path: Path) -> Reading:
    return opened(
        tmp_path,
        {
            "index.html": "<p>Home",
            "about.htm": "<p>About <a href='doc.pdf'>d</a> <img src='/img/a b.png'>",
            "news/index.html": "<h1>All news</h1><p>x",
            "news/one.html": PAGE,
            "doc.pdf": "x",
            "img/a b.png": "x",
        },
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("../about.htm#x", Target("item", "about", "x")),
        ("/about/", Target("item", "about")),
        ("/", Target("item", "index")),
        ("./", Target("item", "news")),
        ("https://example.org/news/one.html?a=b", Target("item", "news/one")),
        ("//EXAMPLE.org/doc.pdf", Target("asset", "doc.pdf")),
        ("../img/a%20b.png", Target("asset", "img/a b.png")),
        ("/2020/novost/", Target("item", "/2020/novost", None, ("/2020/novost/", "/2020/novost", "/2020/novost.html"))),
        ("https://elsewhere.org/about.htm", None),
    ],
)
def test_an_address_leads_to_a_page_or_a_file(url: str, expected: Target | None, site: Reading) -> None:
    assert site.target("news/one.html", url) == expected


@pytest.mark.parametrize(("url", "code"), [("../../x", "outside_folder"), ("gone.png", "missing_target")])
def test_an_address_that_leads_nowhere_is_a_warning(url: str, code: str, site: Reading) -> None:
    found = site.target("news/one.html", url)
    assert isinstance(found, Problem)
    assert (found.code, found.warning) == (code, True)


def test_files_that_pages_show_or_link_to_are_assets(site: Reading, tmp_path: Path) -> None:
    assert list(site.assets()) == [Asset(name, tmp_path.resolve() / name) for name in ("doc.pdf", "img/a b.png")]


def test_a_section_is_called_as_its_own_page_is(site: Reading) -> None:
    found = [page for page in site.items() if isinstance(page, Item)]
    assert [(page.external_id, page.section_names, page.old_paths) for page in found] == [
        ("index", (), ()),
        ("about", (), ("/about.htm",)),
        ("news", (), ("/news/",)),
        ("news/one", ("All news",), ("/2020/novost/",)),
    ]


def test_a_page_alone_is_a_source(tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text("<p>x")
    (tmp_path / "page.html").write_text("<h1>Hello</h1><p>x")
    [found] = FORMATS["html"].read(tmp_path / "page.html", Options()).items()
    assert isinstance(found, Item)
    assert found.fields["title"] == "Hello"


def test_two_pages_of_one_name_are_one_item_and_one_problem(tmp_path: Path) -> None:
    first, second = opened(tmp_path, {"a.html": "<p>x", "a/index.html": "<p>y"}).items()
    assert isinstance(first, Item)
    assert isinstance(second, Problem)
    assert second.code == "duplicate"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="is not a folder"):
        opened(tmp_path / "x.txt", {})


PIECES = [
    *("<html>", "<head>", "<body>", "<main>", "<article>", "<nav>", "</nav>", "<p>", "</p>", "<div>", "</div>", "<h1>"),
    *("<meta charset=", "utf-7", "utf-16", "<meta name=date content=", "<title>", "</title>", "<img src=a.png>"),
    *("<a href='http://[", "'>", "<link rel=canonical href='", "<table><tr><td>", "<script>", "text ", "&#0;", "&#31;"),
    *("\x00", "\ud7ff", "<!--", "<![CDATA[", "<?xml version='1.0' encoding='x'?>", "<template>", "<base href=/x>"),
    *("&#xD800;", "&#xFFFE;", "&#x7f;", "<svg>", "<?x", "\x1b", "\uffff", TEXT),
]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(page=st.lists(st.sampled_from(PIECES)).map(lambda pieces: "".join(pieces).encode()) | st.binary())
@example(page=b"<div>" * 20_000)
@example(page=b"<b><p>" * 10_000)
@example(page=b"<table><tr><td>" * 5_000)
@example(page=b"<p>x" * 20_000)
@example(page=b"<meta " * 20_000)
@example(page=b"<a href='" * 10_000)
def test_any_page_is_an_item_or_a_problem(page: bytes, tmp_path: Path) -> None:
    reading = opened(tmp_path, {"page.html": page})
    [found] = reading.items()
    assert isinstance(found, Item | Problem)
    list(reading.assets())


@settings(max_examples=50)
@given(
    url=st.text() | st.lists(st.sampled_from(["/", "..", "a", "%", "%00", "?", "#", "[", "//example.org"])).map("".join)
)
def test_any_address_is_answered(url: str, tmp_path_factory: Any) -> None:
    reading = opened(tmp_path_factory.getbasetemp() / "empty-site", {"a.html": PAGE})
    assert isinstance(reading.target("a.html", url), Target | Problem | None)


def test_a_table_with_headings_is_part_of_the_text(tmp_path: Path) -> None:
    table = "<table><tr><th>A</th><td>1</td></tr></table>"
    found = item(tmp_path, f"<title>T</title><body><div id=menu><a href=/>Home</a></div><div>{PARAGRAPHS}{table}</div>")
    assert "<th>A</th>" in found.fields["body"]["value"]


PARAGRAPHS = f"<p>{TEXT}</p>" * 3


def test_a_player_is_a_link_to_its_file(tmp_path: Path) -> None:
    player = "<video controls><source src='a%20b.mp4?x'>Your browser has no video.</video>"
    reading = opened(tmp_path, {"page.html": f"<title>T</title><p>{TEXT}</p>{player}", "a b.mp4": b"x"})
    [found] = reading.items()
    assert isinstance(found, Item)
    assert found.fields["body"]["value"].endswith('<a href="a%20b.mp4?x">a b.mp4</a>')
    assert [asset.external_id for asset in reading.assets()] == ["a b.mp4"]

"""Feeds: RSS and Atom, their texts, authors, dates and files; and what no feed may do."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Asset, Author, Item, Link, Problem, SourceUnreadable, Target
from tests.cms.exports_at_hand import SPACES, a_feed, feed, item, items, reading

ITEM = "<title>Hello</title><guid>g1</guid>"
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://news.example/blog/">
  <title>News</title><id>urn:feed</id>
  <entry>
    <id>urn:1</id><title type="html">Big &amp;lt;b&amp;gt; &lt;i&gt;news&lt;/i&gt;</title>
    <link rel="alternate" href="first"/><link rel="enclosure" href="office.jpg" type="image/jpeg"/>
    <author><name>Anna</name><email>a@example.org</email><uri>https://a.x/</uri></author>
    <author><name>Boris</name></author>
    <published>2024-01-02T13:00:00+03:00</published><updated>2024-01-03T10:00:00Z</updated>
    <category term="news" label="News"/><category term="office"/>
    <summary>Short</summary>
    <content type="html">&lt;p&gt;Long &lt;a href="second"&gt;text&lt;/a&gt;&lt;/p&gt;</content>
  </entry>
</feed>"""


def one(place: Path, inner: str, *, channel: str = "<link>https://news.example/</link>", **choices: str) -> Item:
    return item("feed", a_feed(place, f"<item>{ITEM}{inner}</item>", channel=channel), **choices)


def body(place: Path, html: str) -> str:
    written = f"<content:encoded><![CDATA[{html}]]></content:encoded>"
    return str(one(place, written).fields["body"]["value"])


def test_an_entry_of_atom_becomes_an_article(tmp_path: Path) -> None:
    path = tmp_path / "feed.atom"
    path.write_text(ATOM)
    found = item("feed", path)
    assert found.external_id == "urn:1"
    assert found.fields == {
        "title": "Big <b> news",
        "summary": "Short",
        "body": {"format": "html", "value": '<p>Long <a href="https://news.example/blog/second">text</a></p>'},
        "topics": ["News", "office"],
        "cover": Link("asset", "https://news.example/blog/office.jpg"),
    }
    assert found.byline == (Author("a@example.org", "Anna", "a@example.org", "https://a.x/"), Author("Boris", "Boris"))
    assert found.first_published_at == datetime(2024, 1, 2, 10, tzinfo=UTC)
    assert found.changed_at == datetime(2024, 1, 3, 10, tzinfo=UTC)
    assert found.source_fields == {"link": "https://news.example/blog/first"}


def test_an_item_of_rss_becomes_an_article(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        "<link>https://news.example/hello</link><description>Short &lt;b&gt;text&lt;/b&gt;</description>"
        "<content:encoded><![CDATA[<p>Long</p>]]></content:encoded><dc:creator>Anna</dc:creator>"
        "<category>News</category><pubDate>Tue, 02 Jan 2024 13:00:00 +0300</pubDate><odd>kept</odd>",
    )
    assert found.fields == {
        "title": "Hello",
        "summary": "Short text",
        "body": {"format": "html", "value": "<p>Long</p>"},
        "topics": ["News"],
    }
    assert found.byline == (Author("Anna", "Anna"),)
    assert found.first_published_at == datetime(2024, 1, 2, 10, tzinfo=UTC)
    assert found.source_fields == {"link": "https://news.example/hello", "odd": "kept"}


def test_rss_1_0_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "feed.rdf"
    path.write_text(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
        '<channel rdf:about="https://x.org/"><title>N</title></channel>'
        '<item rdf:about="https://x.org/1"><title>Hello</title><link>https://x.org/1</link></item></rdf:RDF>'
    )
    assert item("feed", path).external_id == "https://x.org/1"


def test_one_text_is_the_body_and_no_summary(tmp_path: Path) -> None:
    found = one(tmp_path, "<description>&lt;p&gt;All of it&lt;/p&gt;</description>")
    assert found.fields == {"title": "Hello", "body": {"format": "html", "value": "<p>All of it</p>"}}


def test_plain_text_becomes_paragraphs(tmp_path: Path) -> None:
    path = tmp_path / "feed.atom"
    entry = '<entry><id>1</id><title>T</title><content type="text">a &amp;&amp; b\n\nc</content></entry>'
    path.write_text(f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>')
    assert item("feed", path).fields["body"]["value"] == "<p>a &amp;&amp; b</p><p>c</p>"


def test_what_has_no_title_is_called_by_its_first_words(tmp_path: Path) -> None:
    path = a_feed(tmp_path, f"<item><guid>1</guid><description>{'word ' * 50}</description></item>")
    title = item("feed", path).fields["title"]
    assert title.startswith("word word")
    assert title.endswith("…")
    assert len(title) <= 100


def test_markup_is_left_to_our_own_rich_text(tmp_path: Path) -> None:
    assert body(tmp_path, '<iframe src="https://x.org/"></iframe><script>x</script>') == (
        '<iframe src="https://x.org/"></iframe><script>x</script>'
    )


def test_relative_addresses_are_those_of_the_site(tmp_path: Path) -> None:
    assert body(tmp_path, '<a href="/a">a</a><img src="b.png"><a href="#c">c</a><a href="mailto:x@y.z">d</a>') == (
        '<a href="https://news.example/a">a</a><img src="https://news.example/b.png"><a href="#c">c</a>'
        '<a href="mailto:x@y.z">d</a>'
    )


def test_the_base_can_be_chosen_where_the_feed_names_none(tmp_path: Path) -> None:
    inner = "<description>&lt;img src='/a.png'&gt;</description>"
    found = one(tmp_path, inner, channel="", base_url="https://x.org/feed.xml")
    assert "src='https://x.org/a.png'" in found.fields["body"]["value"]


def test_the_first_image_is_the_cover_and_other_files_are_attachments(tmp_path: Path) -> None:
    inner = (
        '<enclosure url="/talk.mp3" type="audio/mpeg" length="3"/>'
        '<enclosure url="/a.jpg" type="image/jpeg" length="3"/>'
        '<media:content url="/b.jpg" medium="image"/><media:content url="/c.png"/>'
        "<description>&lt;img src='/d.png'&gt;&lt;img src='data:x'&gt;</description>"
    )
    found = one(tmp_path, inner)
    at = "https://news.example/"
    assert found.fields["cover"] == Link("asset", f"{at}a.jpg")
    assert found.fields["attachments"] == [Link("asset", f"{at}talk.mp3")]
    assert found.source_fields["images"] == [f"{at}b.jpg", f"{at}c.png"]
    read = reading("feed", tmp_path / "feed.xml")
    names = ("talk.mp3", "a.jpg", "b.jpg", "c.png", "d.png")
    assert list(read.assets()) == [Asset(at + name, None, at + name) for name in names]


def test_addresses_are_understood_by_a_reading_that_has_read_nothing(tmp_path: Path) -> None:
    read = reading("feed", feed(tmp_path))
    assert read.target("x", "https://x.org/a.PNG?w=1") == Target("asset", "https://x.org/a.PNG?w=1")
    assert read.target("x", "https://x.org/a") is None
    assert read.target("x", "//x.org/a.png") is None


def test_links_become_redirects_only_by_choice(tmp_path: Path) -> None:
    inner = "<link>https://news.example/2024/hello.html</link>"
    assert one(tmp_path, inner).old_paths == ()
    assert one(tmp_path, inner, redirects="from the feed's links").old_paths == ("/2024/hello.html",)


def test_without_a_guid_the_link_is_the_id(tmp_path: Path) -> None:
    path = a_feed(tmp_path, "<item><title>A</title><link>https://x.org/1</link></item>")
    assert item("feed", path).external_id == "https://x.org/1"


def test_bad_items_are_problems_in_their_places(tmp_path: Path) -> None:
    again = f"<item>{ITEM}</item>"
    none, long = "<item><title>A</title></item>", f"<item><guid>{'x' * 501}</guid></item>"
    found = list(reading("feed", a_feed(tmp_path, again + again + none + long)).items())
    codes = [one.code if isinstance(one, Problem) else "item" for one in found]
    assert codes == ["item", "duplicate", "missing", "too_long"]


def test_dates_that_are_none_are_left_out(tmp_path: Path) -> None:
    found = one(tmp_path, "<pubDate>yesterday</pubDate>")
    assert found.first_published_at is None


def test_other_encodings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    rss = '<rss version="2.0"><channel><item><guid>1</guid><title>Привет</title></item></channel></rss>'
    text = '<?xml version="1.0" encoding="{}"?>' + rss
    for encoding in ("windows-1251", "utf-16", "utf-8"):
        path.write_bytes(text.format(encoding).encode(encoding))
        assert item("feed", path).fields["title"] == "Привет", encoding
        assert FORMATS["feed"].recognise(path) == 80


def test_a_feed_with_a_mistake_in_it_is_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text("<rss version='2.0'><channel><item><guid>1</guid><title>A & B</title></item></channel></rss>")
    assert item("feed", path).fields["title"] == "A & B"


# --- what no feed may do ---


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE x SYSTEM "http://x.org/a.dtd" [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>',
        '<!doctype\nx\n[\n<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_anything_is_read(tmp_path: Path, head: str, encoding: str) -> None:
    path = tmp_path / "feed.xml"
    rss = '<rss version="2.0"><channel><item><title>&b;</title></item></channel></rss>'
    text = f'<?xml version="1.0" encoding="{encoding}"?>{head}{rss}'
    path.write_bytes(text.encode(encoding))
    with pytest.raises(SourceUnreadable, match="entities"):
        list(reading("feed", path).items())


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    path = a_feed(tmp_path, f"<item>{ITEM}</item>")
    with path.open("r+b") as file:
        file.truncate(21 * 1024 * 1024)
    with pytest.raises(SourceUnreadable, match="larger than 20 MB"):
        list(reading("feed", path).items())


def test_what_is_large_and_no_xml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text("<rss><channel>" + "<item><guid>1</guid" * 150_000)
    with pytest.raises(SourceUnreadable, match="no XML"):
        list(reading("feed", path).items())


@pytest.mark.parametrize("name", ["https://x.org/feed", "/etc/passwd"])
def test_nothing_but_the_file_is_opened(tmp_path: Path, name: str) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(f"{name}\n<rss>")
    assert list(reading("feed", path).items()) == []


def test_a_wordpress_export_is_no_feed_here(tmp_path: Path) -> None:
    path = tmp_path / "wxr.xml"
    path.write_text('<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/"><channel/></rss>')
    assert FORMATS["feed"].recognise(path) == 0
    page = tmp_path / "page.html"
    page.write_text("<html><body>rss feed</body></html>")
    assert FORMATS["feed"].recognise(page) == 0


def test_a_folder_with_a_feed_in_it_is_recognised(tmp_path: Path) -> None:
    feed(tmp_path)
    assert FORMATS["feed"].recognise(tmp_path) == 80
    assert len(list(reading("feed", tmp_path).items())) == 4


def test_a_site_that_has_a_feed_is_no_feed(tmp_path: Path) -> None:
    feed(tmp_path)
    (tmp_path / "index.html").write_text("<p>Welcome</p>")
    assert FORMATS["feed"].recognise(tmp_path) == 0


SAMPLE = (
    f'<?xml version="1.0"?><rss version="2.0" {SPACES}><channel><link>https://x.org/</link>'
    "<item><guid>1</guid><title>A &amp; B</title><link>/a</link><pubDate>Tue, 02 Jan 2024 13:00:00 GMT</pubDate>"
    '<enclosure url="/a.jpg" type="image/jpeg" length="1"/><category>c</category>'
    "<content:encoded><![CDATA[<p><img src='/b.png'>x</p>]]></content:encoded></item></channel></rss>"
).encode()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(
        st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 30), st.binary(max_size=8)), min_size=1, max_size=4
    )
)
@example(cuts=[(40, 0, b"\xff\xfe")])
@example(cuts=[(len(SAMPLE) - 60, 60, b"<<<")])
def test_a_damaged_feed_is_read_as_far_as_it_goes(tmp_path: Path, cuts: list[tuple[int, int, bytes]]) -> None:
    data = SAMPLE
    for start, length, put in cuts:
        data = data[:start] + put + data[start + length :]
    path = tmp_path / "feed.xml"
    path.write_bytes(data)
    try:
        read = reading("feed", path)
        list(read.assets())
        assert len(list(read.items())) == read.count()
    except SourceUnreadable:
        pass


def test_items_keep_their_order(tmp_path: Path) -> None:
    path = a_feed(tmp_path, "".join(f"<item><guid>{n}</guid><title>{n}</title></item>" for n in range(5)))
    assert [one.external_id for one in items("feed", path)] == list("01234")


@pytest.mark.parametrize("written", ["Вт, 05 мар 2024 14:30:00 +0300", "Tue, 05 Mar 2024 14:30:00 MSK"])
def test_dates_may_be_in_russian_and_of_moscow(tmp_path: Path, written: str) -> None:
    found = one(tmp_path, f"<pubDate>{written}</pubDate>")
    assert found.first_published_at == datetime(2024, 3, 5, 11, 30, tzinfo=UTC)


def test_the_whole_text_of_feeds_for_yandex_is_the_body(tmp_path: Path) -> None:
    text = '<yandex:full-text xmlns:yandex="http://news.yandex.ru">One.\n\nTwo &amp;</yandex:full-text>'
    fields = one(tmp_path, f"<description>Short</description>{text}").fields
    assert (fields["summary"], fields["body"]["value"]) == ("Short", "<p>One.</p><p>Two &amp;</p>")


def test_the_author_of_a_feed_of_atom_is_that_of_entries_without_one(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    entries = "".join(f"<entry><id>{n}</id><title>{n}</title>{author}</entry>" for n, author in enumerate(AUTHORS))
    path.write_text(f'<feed xmlns="http://www.w3.org/2005/Atom"><author><name>All</name></author>{entries}</feed>')
    assert [[by.name for by in found.byline] for found in items("feed", path)] == [["All"], ["Own"]]


AUTHORS = ("", "<author><name>Own</name></author>")


def test_the_address_of_the_site_is_that_of_no_item(tmp_path: Path) -> None:
    nameless = a_feed(tmp_path, "<item><title>A</title></item>", channel="<link>https://news.example/</link>")
    [problem] = reading("feed", nameless).items()
    assert isinstance(problem, Problem)
    assert problem.code == "missing"


@pytest.mark.parametrize("start", [b'<?xml version="1.0" encoding="\xff"?>', b"&#xD800;"])
def test_a_feed_that_the_parser_stumbles_over_is_refused(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "feed.xml").write_bytes(start + b"<rss><channel><title>&#xD800;</title><item></rss>")
    with pytest.raises(SourceUnreadable, match="cannot be taken apart"):
        reading("feed", tmp_path / "feed.xml").count()

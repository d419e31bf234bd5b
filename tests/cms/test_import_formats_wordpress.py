"""Exports of WordPress: posts and pages with all that WordPress keeps of them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cms.import_formats import FORMATS, Author, Item, Link, Options, Problem, Reading, SourceUnreadable, Target
from cms.import_formats.wordpress import serialized
from tests.cms import wordpress_at_hand as at_hand
from tests.cms.wordpress_at_hand import attachment, author, category, export, menu_item, meta, post, term


def opened(path: Path, **choices: str) -> Reading:
    return FORMATS["wordpress"].read(path, Options(locale="ru", choices=choices))


def items(path: Path, **choices: str) -> dict[str, Item]:
    return {found.external_id: found for found in opened(path, **choices).items() if isinstance(found, Item)}


def problems(path: Path, **choices: str) -> list[Problem]:
    return [found for found in opened(path, **choices).items() if isinstance(found, Problem)]


def one(place: Path, *elements: str, **choices: str) -> Item:
    return next(iter(items(export(place, *elements), **choices).values()))


def codes(place: Path, *elements: str) -> list[str]:
    return [problem.code for problem in problems(export(place, *elements))]


def body(item: Item) -> str:
    html: str = item.fields["body"]["value"]
    return html


# --- what a post is ---


def test_a_post_is_an_article_and_a_page_a_page(tmp_path: Path) -> None:
    found = items(export(tmp_path, post("1"), post("2", post_type="page"), post("3", post_type="recipe")))
    assert [item.type for item in found.values()] == ["article", "page", None]
    assert found["3"].source_fields == {"post_type": "recipe"}


def test_a_post_keeps_its_title_text_slug_and_dates(tmp_path: Path) -> None:
    item = one(
        tmp_path,
        post("1", "Hello", title="A &amp; <em>B</em>", excerpt="<b>Short</b>", post_modified_gmt="2024-07-01 10:00:00"),
    )
    assert (item.fields["title"], item.fields["summary"], body(item)) == ("A & B", "Short", "<p>Hello</p>")
    assert (item.slug, item.locale, item.draft) == ("page-1", "ru", False)
    assert item.first_published_at == item.created_at == datetime(2024, 6, 5, 16, 4, 48, tzinfo=UTC)
    assert item.changed_at == datetime(2024, 7, 1, 10, tzinfo=UTC)


def test_a_byline_has_the_name_and_address_of_the_author(tmp_path: Path) -> None:
    path = export(
        tmp_path, author("anna", "Anna B.", "anna@old.example"), post("1", creator="anna"), post("2", creator="x")
    )
    found = items(path)
    assert found["1"].byline == (Author("anna", "Anna B.", "anna@old.example"),)
    assert found["2"].byline == (Author("x", "x"),)
    assert list(opened(path).people()) == [Author("anna", "Anna B.", "anna@old.example")]


def test_several_authors_of_a_plugin_are_the_byline(tmp_path: Path) -> None:
    terms = term("author", "cap-anna", "anna") + term("author", "cap-guest", "Guest G.")
    item = one(tmp_path, author("anna", "Anna B."), post("1", "", terms, creator="admin"))
    assert [person.name for person in item.byline] == ["Anna B.", "Guest G."]


def test_categories_and_tags_are_topics(tmp_path: Path) -> None:
    item = one(
        tmp_path, post("1", "", term("category", "news", "News"), term("post_tag", "t", "Tag"), term("x", "y", "Z"))
    )
    assert item.fields["topics"] == ["News", "Tag"]
    assert (item.section, item.source_fields) == ((), {"x": ["Z"]})


def test_categories_are_sections_if_staff_choose_so(tmp_path: Path) -> None:
    head = category("1", "news", "News") + category("2", "city", "City", "news")
    terms = term("category", "uncategorized", "Uncategorized") + term("category", "city", "City")
    item = one(tmp_path, head, post("1", "", terms), categories="sections")
    assert (item.section, item.section_names) == (("news", "city"), ("News", "City"))
    assert item.fields["topics"] == ["Uncategorized"]


def test_pages_below_pages_stand_in_sections(tmp_path: Path) -> None:
    about = post("1", title="About us", post_name="about", post_type="page")
    found = items(export(tmp_path, post("2", post_type="page", post_parent="1"), about))
    assert (found["2"].section, found["2"].section_names) == (("about",), ("About us",))


def test_pages_that_stand_below_each_other_end(tmp_path: Path) -> None:
    found = items(export(tmp_path, *(post(a, post_type="page", post_parent=b) for a, b in (("1", "2"), ("2", "1")))))
    assert found["1"].section == ("page-1", "page-2")


def test_a_name_in_other_letters_is_written_in_latin(tmp_path: Path) -> None:
    assert one(tmp_path, post("1", post_name="%d0%bc%d0%b8%d1%80")).slug == "mir"


def test_a_page_and_a_post_of_one_slug_both_come(tmp_path: Path) -> None:
    path = export(tmp_path, post("1", post_name="a"), post("2", post_name="a", post_type="page"))
    assert [item.slug for item in items(path).values()] == ["a", "a-2"]
    assert [problem.code for problem in problems(path)] == ["slug_changed"]


@pytest.mark.parametrize("status", ["draft", "pending", "private", "future"])
def test_what_is_not_public_stays_a_draft(status: str, tmp_path: Path) -> None:
    assert one(tmp_path, post("1", status=status)).draft


def test_what_is_behind_a_password_stays_a_draft_without_it(tmp_path: Path) -> None:
    path = export(tmp_path, post("1", post_password="enter-here"))
    assert items(path)["1"].draft
    assert "enter-here" not in repr(items(path))
    assert [problem.code for problem in problems(path)] == ["password"]


def test_what_is_planned_keeps_its_day(tmp_path: Path) -> None:
    path = export(tmp_path, post("1", status="future", post_date_gmt="2040-01-01 09:00:00"))
    assert items(path)["1"].first_published_at == datetime(2040, 1, 1, 9, tzinfo=UTC)
    assert [problem.code for problem in problems(path)] == ["scheduled"]


def test_a_draft_has_no_slug_and_no_day(tmp_path: Path) -> None:
    item = one(
        tmp_path,
        post("1", status="draft", post_name="", post_date_gmt="0000-00-00 00:00:00", post_date="2024-01-01 00:00:00"),
    )
    assert (item.slug, item.first_published_at, item.created_at) == (None, None, datetime(2024, 1, 1, tzinfo=UTC))


def test_a_missing_date_is_that_of_the_feed(tmp_path: Path) -> None:
    item = one(tmp_path, post("1", post_date_gmt="0000-00-00 00:00:00", pubDate="Wed, 05 Jun 2024 16:04:48 +0300"))
    assert item.first_published_at == datetime(2024, 6, 5, 13, 4, 48, tzinfo=UTC)


@pytest.mark.parametrize(
    "date", ["", "0000-00-00 00:00:00", "Wed, 30 Nov -0001 00:00:00 +0000", "99999-1-1", "x" * 5_000]
)
def test_a_date_that_is_none_is_told(date: str, tmp_path: Path) -> None:
    assert codes(tmp_path, post("1", post_date_gmt=date, pubDate=date)) == ["no_date"]


def test_a_post_without_a_title_is_called_by_its_slug_or_its_words(tmp_path: Path) -> None:
    found = items(
        export(tmp_path, post("1", title="", post_name="not-called"), post("2", "Word by word", title="", post_name=""))
    )
    assert [item.fields["title"] for item in found.values()] == ["Not called", "Word by word"]


def test_what_wordpress_keeps_for_itself_is_counted(tmp_path: Path) -> None:
    path = export(
        tmp_path,
        post("1"),
        post("2", post_type="custom_css"),
        post("3", status="trash"),
        post("4", post_type="custom_css"),
    )
    assert list(items(path)) == ["1"]
    assert [(p.code, p.reason, p.warning) for p in problems(path)] == [
        ("left_out", "2 of 'custom_css' were left out.", True),
        ("left_out", "1 of 'post (trash)' were left out.", True),
    ]


def test_revisions_are_the_history_of_their_post(tmp_path: Path) -> None:
    def revision(id: str, text: str, day: int) -> str:
        return post(
            id,
            text,
            post_type="revision",
            status="inherit",
            post_parent="1",
            creator="anna",
            post_date_gmt=f"2024-01-0{day} 10:00:00",
        )

    path = export(
        tmp_path,
        revision("3", "Second", 2),
        post("1", "Third", title="Page 4"),
        revision("2", "First", 1),
        revision("4", "Third", 3),
    )
    past = items(path)["1"].history
    assert [(one.fields["body"]["value"], one.at and one.at.day) for one in past] == [
        ("<p>First</p>", 1),
        ("<p>Second</p>", 2),
    ]
    assert past[0].by == Author("anna", "anna")
    assert not problems(path)


# --- custom fields, comments ---


def test_custom_fields_are_kept_under_their_names(tmp_path: Path) -> None:
    fields = (
        meta("price", "12")
        + meta("_edit_last", "1")
        + meta("colour", "red")
        + meta("colour", "blue")
        + meta("odd", 'a:1:{s:1:"k";i:3;}')
    )
    assert one(tmp_path, post("1", "", fields)).source_fields == {
        "price": "12",
        "colour": ["red", "blue"],
        "odd": {"k": 3},
    }


def test_a_custom_field_is_taken_for_a_field_where_staff_say_so(tmp_path: Path) -> None:
    options = Options(mapping={"lead": "summary"})
    item = next(FORMATS["wordpress"].read(export(tmp_path, post("1", "", meta("lead", "Short"))), options).items())
    assert isinstance(item, Item)
    assert (item.fields["summary"], item.source_fields, item.mapped["lead"]) == ("Short", {}, "summary")


def test_words_for_search_engines_are_taken_but_for_patterns(tmp_path: Path) -> None:
    fields = meta("_yoast_wpseo_metadesc", "Read &amp; see") + meta("_yoast_wpseo_title", "%%title%% %%sep%%")
    item = one(tmp_path, post("1", "", fields))
    assert item.fields["seo"] == {"description": "Read & see"}
    assert item.source_fields == {"_yoast_wpseo_title": "%%title%% %%sep%%"}


@pytest.mark.parametrize(
    "text",
    [
        'O:8:"stdClass":0:{}',
        'a:1:{i:0;O:8:"stdClass":0:{}}',
        "a:999999999:{}",
        "a:1:{i:0;" * 500 + "i:1;" + "}" * 500,
        's:3:"too long";',
        "d:NAN;",
        "i:99999999999999999999999;",
        "just words",
    ],
)
def test_what_is_no_plain_value_of_php_stays_text(text: str) -> None:
    assert serialized.read(text) == text


def test_comments_are_kept(tmp_path: Path) -> None:
    said = {"comment_id": "7", "comment_author": "Reader", "comment_content": "Yes", "comment_type": ""}
    comment = "".join(f"<wp:{name}>{text}</wp:{name}>" for name, text in said.items())
    assert one(tmp_path, post("1", "", f"<wp:comment>{comment}</wp:comment>")).source_fields == {
        "comments": [{"id": "7", "author": "Reader", "content": "Yes"}]
    }


def test_what_sticks_is_told(tmp_path: Path) -> None:
    assert one(tmp_path, post("1", is_sticky="1")).source_fields == {"sticky": True}


# --- where it stood, and what it links to ---


def test_an_item_is_found_where_it_stood(tmp_path: Path) -> None:
    path = export(
        tmp_path,
        post(
            "12",
            "",
            meta("_wp_old_slug", "older"),
            link="https://old.example/2024/06/new/",
            guid="http://www.old.example/?p=12",
        ),
    )
    assert items(path)["12"].old_paths == ("/2024/06/new/", "/2024/06/older/", "/?p=12")


def test_the_front_page_and_other_posts_places_are_not_its_own(tmp_path: Path) -> None:
    taken = [
        post("2"),
        post("1", guid="https://old.example/"),
        post("3", guid="https://old.example/2/"),
        post("4", guid="https://old.example/?p=2"),
    ]
    assert items(export(tmp_path, *taken))["1"].old_paths == ("/1/", "/?p=1")
    assert items(export(tmp_path, *taken))["3"].old_paths == ("/3/", "/?p=3")
    assert items(export(tmp_path, *taken))["4"].old_paths == ("/4/", "/?p=4")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://old.example/2024/hello/", Target("item", "/2024/hello/", None, ("/2024/hello",))),
        ("http://www.old.example/2024/hello#part", Target("item", "/2024/hello/", "part", ("/2024/hello",))),
        ("/2024/%D0%BC%D0%B8%D1%80/", Target("item", "/2024/мир/", None, ("/2024/мир",))),
        ("https://old.example/?p=12", Target("item", "12")),
        (
            "https://old.example/wp-content/uploads/2024/a-300x200.jpg",
            Target("asset", "2024/a-300x200.jpg", None, ("2024/a.jpg", "2024/a-scaled.jpg")),
        ),
        (
            "https://i0.wp.com/old.example/wp-content/uploads/2024/a.pdf?ssl=1",
            Target("asset", "2024/a.pdf", None, ("2024/a-scaled.pdf",)),
        ),
        ("https://old.example", None),
        ("https://elsewhere.example/wp-content/uploads/a.jpg", None),
    ],
)
def test_an_address_is_a_post_or_a_file(url: str, expected: Target | None, tmp_path: Path) -> None:
    assert opened(export(tmp_path, post("1"))).target("export.xml", url) == expected


def test_a_site_in_a_folder_has_its_addresses_there(tmp_path: Path) -> None:
    path = export(tmp_path, post("1", link="https://old.example/blog/?p=1"))
    path.write_text(
        path.read_text().replace("<link>https://old.example</link>", "<link>https://old.example/blog</link>")
    )
    reading = opened(path)
    assert reading.target("export.xml", "https://old.example/blog/hello/") == Target(
        "item", "/blog/hello/", None, ("/blog/hello",)
    )
    assert reading.target("export.xml", "https://old.example/blog/") is None


# --- files ---


def test_attachments_are_files_with_what_is_told_of_them(tmp_path: Path) -> None:
    reading = opened(
        export(
            tmp_path,
            attachment("9", "2024/a.jpg", meta("_wp_attachment_image_alt", "A dog"), title="Rex", excerpt="Runs"),
        )
    )
    (asset,) = reading.assets()
    assert (asset.external_id, asset.path, asset.url) == (
        "2024/a.jpg",
        None,
        "https://old.example/wp-content/uploads/2024/a.jpg",
    )
    assert asset.fields == {"title": "Rex", "alt": "A dog", "caption": "Runs"}
    assert reading.asset("2024/a.jpg") == asset


def test_files_that_posts_show_are_files_once_and_by_their_whole_size(tmp_path: Path) -> None:
    shown = '<img src="/wp-content/uploads/2024/a-300x200.jpg"> <a href="https://old.example/b.pdf">B</a> <img src="https://x.example/c.png">'
    reading = opened(export(tmp_path, post("1", shown), post("2", shown), attachment("9", "2024/a.jpg")))
    assert [asset.external_id for asset in reading.assets()] == ["2024/a.jpg", "b.pdf"]


def test_files_lie_among_the_uploads(tmp_path: Path) -> None:
    export(tmp_path / "site", attachment("9", "2024/a.jpg"), attachment("10", "2024/b.jpg"))
    picture = tmp_path / "site" / "wp-content" / "uploads" / "2024" / "a.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    assert [asset.path for asset in opened(tmp_path / "site").assets()] == [picture.resolve(), None]


def test_a_folder_of_uploads_lies_within_the_source(tmp_path: Path) -> None:
    export(tmp_path / "site", post("1"))
    (tmp_path / "secret").mkdir()
    with pytest.raises(SourceUnreadable, match="beside the export"):
        opened(tmp_path / "site", uploads="../secret")


def test_a_file_outside_the_uploads_is_not_read(tmp_path: Path) -> None:
    export(tmp_path / "site", attachment("9", "../../../secret.jpg"))
    (tmp_path / "site" / "uploads").mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"x")
    assert [asset.path for asset in opened(tmp_path / "site").assets()] == [None]


def test_the_featured_image_is_the_cover(tmp_path: Path) -> None:
    path = export(
        tmp_path,
        post("1", "", meta("_thumbnail_id", "9")),
        post("2", "", meta("_thumbnail_id", "8")),
        attachment("9", "a.jpg"),
    )
    assert items(path)["1"].fields["cover"] == Link("asset", "a.jpg")
    assert [(problem.external_id, problem.code) for problem in problems(path)] == [("2", "missing_cover")]


# --- menus ---


def test_a_menu_is_a_tree_of_links(tmp_path: Path) -> None:
    path = export(
        tmp_path,
        menu_item("20", order=2, title="Elsewhere", url="https://x.example/"),
        menu_item("21", parent="20", order=3, type="post_type", object_id="1"),
        menu_item("22", order=1, title="Home", url="#"),
        menu_item("23", order=4, title="By its address", url="https://old.example/1"),
        post("1"),
    )
    menu = items(path)["menu:main"]
    assert (menu.type, menu.fields["title"], menu.fields["name"]) == ("menu", "Main", "main")
    assert menu.fields["items"] == [
        {"label": "Home"},
        {"label": "Elsewhere", "url": "https://x.example/", "items": [{"entry": Link("item", "1")}]},
        {"label": "By its address", "entry": Link("item", "1")},
    ]


def test_what_a_menu_cannot_hold_is_told(tmp_path: Path) -> None:
    deep = [menu_item(str(n), parent=str(n - 1), title=f"L{n}") for n in range(10, 18)]
    lost = menu_item("30", title="Lost", type="post_type", object_id="404")
    bad = menu_item("31", title="Bad", url="javascript:alert(1)")
    loop = [menu_item("40", parent="41", title="X"), menu_item("41", parent="40", title="Y")]
    path = export(tmp_path, *deep, lost, bad, *loop, menu_item("50", type="taxonomy", title="News"))
    labels = [item["label"] for item in items(path)["menu:main"].fields["items"]]
    assert labels == ["L10", "Lost", "Bad", "X", "Y", "News"]
    assert {p.code for p in problems(path)} == {"menu_too_deep", "missing_target", "bad_address", "menu_archive"}


def test_a_menu_of_the_block_editor_is_a_menu(tmp_path: Path) -> None:
    text = (
        '<!-- wp:navigation-submenu {"label":"About","id":1,"kind":"post-type","url":"/1/"} -->'
        '<!-- wp:navigation-link {"label":"Us","url":"https://x.example/"} /--><!-- /wp:navigation-submenu -->'
        '<!-- wp:navigation-link {"label":"Find","url":"?s"} /-->'
    )
    found = items(export(tmp_path, post("1"), post("4", text, title="Top", post_type="wp_navigation")))
    assert found["menu:navigation-4"].fields["items"] == [
        {"label": "About", "entry": Link("item", "1"), "items": [{"label": "Us", "url": "https://x.example/"}]},
        {"label": "Find", "url": "/?s"},
    ]


# --- several files ---


def test_several_files_are_one_import(tmp_path: Path) -> None:
    site = tmp_path / "site"
    export(site, author("anna", "Anna B."), category("1", "news", "News"), attachment("9", "a.jpg"), name="b.xml")
    export(
        site, post("1", "", meta("_thumbnail_id", "9"), term("category", "news", "News"), creator="anna"), name="a.xml"
    )
    (site / "sitemap.xml").write_text("<urlset/>")
    item = items(site, categories="sections")["1"]
    assert (item.origin.file, item.byline[0].name, item.section) == ("a.xml", "Anna B.", ("news",))
    assert item.fields["cover"] == Link("asset", "a.jpg")


def test_the_same_post_in_two_files_comes_once(tmp_path: Path) -> None:
    export(tmp_path / "site", post("1"), name="a.xml")
    export(tmp_path / "site", post("1"), post("2"), name="b.xml")
    assert list(items(tmp_path / "site")) == ["1", "2"]
    assert [(problem.file, problem.code) for problem in problems(tmp_path / "site")] == [("b.xml", "duplicate")]


def test_different_posts_of_one_number_both_come(tmp_path: Path) -> None:
    export(tmp_path / "site", post("1", guid="https://old.example/?p=1"), name="a.xml")
    export(tmp_path / "site", post("1", link="https://old.example/x/", guid="https://other.example/?p=1"), name="b.xml")
    found = items(tmp_path / "site")
    assert [*found] == ["1", "https://other.example/?p=1"]
    assert found["https://other.example/?p=1"].old_paths == ("/x/",)


# --- bad files ---


def test_bad_bytes_and_control_characters_are_replaced_and_told(tmp_path: Path) -> None:
    path = export(tmp_path, post("1", "Good \x0b text BAD end"))
    path.write_bytes(path.read_bytes().replace(b"BAD", b"\xff\xfe"))
    assert body(items(path)["1"]) == "<p>Good   text � end</p>"
    assert [problem.code for problem in problems(path)] == ["bad_characters"]


def test_a_file_in_windows_1251_is_read(tmp_path: Path) -> None:
    path = export(tmp_path, post("1", "Привет"))
    path.write_bytes(path.read_text().replace("UTF-8", "windows-1251").encode("cp1251"))
    assert body(items(path)["1"]) == "<p>Привет</p>"


def test_an_element_that_is_no_xml_spoils_no_other(tmp_path: Path) -> None:
    path = export(tmp_path, post("1"), "<item><title>Open</item>\n", post("2", "a ]]> b"), "<wp:author><x></wp:author>")
    assert list(items(path)) == ["1", "2"]
    told = [(problem.code, problem.warning) for problem in problems(path)]
    assert told == [("not_xml", True), ("not_xml", False)]


def test_names_of_html_characters_and_bare_ampersands_are_read_as_meant(tmp_path: Path) -> None:
    bare = post("1").replace("<![CDATA[Page 1]]>", "Tom & Jerry&nbsp;&copy; &lol;")
    assert one(tmp_path, bare).fields["title"] == "Tom & Jerry © &lol;"
    assert codes(tmp_path, bare) == ["mended_xml"]


@pytest.mark.parametrize(
    "trick",
    [
        '<!DOCTYPE rss [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>',
        '<!DOCTYPE rss [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/evil.dtd">',
    ],
)
def test_a_document_type_is_refused(trick: str, tmp_path: Path) -> None:
    path = export(tmp_path, post("1", title="&lol2;"))
    path.write_text(path.read_text().replace("<rss", f"{trick}\n<rss"))
    with pytest.raises(SourceUnreadable, match="DOCTYPE"):
        opened(path)


def test_an_element_too_large_is_passed_over(tmp_path: Path) -> None:
    path = export(tmp_path, post("1"), post("2", "x" * 17_000_000), post("3"))
    assert list(items(path)) == ["1", "3"]
    assert [problem.code for problem in problems(path)] == ["too_large"]


def test_a_file_cut_off_keeps_what_came_before(tmp_path: Path) -> None:
    path = export(tmp_path, post("1"), post("2"))
    path.write_text(path.read_text().partition("page-2")[0])
    assert list(items(path)) == ["1"]
    assert [problem.code for problem in problems(path)] == ["not_xml"]


@pytest.mark.parametrize("text", ["", "<html></html>", "<rss><channel></channel></rss>", "wp:"])
def test_another_file_is_no_export(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.xml"
    path.write_text(text)
    assert FORMATS["wordpress"].recognise(path) == 0
    with pytest.raises(SourceUnreadable):
        opened(path)


def test_an_export_is_recognised_alone_and_in_a_folder(tmp_path: Path) -> None:
    path = at_hand.three_pages(tmp_path / "deep" / "down")
    assert [FORMATS["wordpress"].recognise(one) for one in (path, tmp_path, tmp_path / "nowhere")] == [95, 95, 0]


def test_an_item_tells_its_line(tmp_path: Path) -> None:
    path = export(tmp_path, post("1", "\n" * 100), post("2"))
    lines = path.read_text().split("\n")
    assert [lines[(item.origin.line or 0) - 1] for item in items(path).values()] == ["<item>", "<item>"]

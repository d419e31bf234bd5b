"""Texts of WordPress: blocks, shortcodes and bare paragraphs become what a rich text can hold."""

from pathlib import Path

import pytest

from cms.import_formats import FORMATS, Item, Options, Problem
from cms.import_formats.wordpress.paragraphs import paragraphs
from tests.cms.wordpress_at_hand import attachment, export, meta, post


def shown(place: Path, content: str, *elements: str, more: str = "") -> tuple[str, list[str]]:
    """A post's text as HTML, and the codes of what was told."""
    path = export(place, post("1", content, more), *elements)
    found = list(FORMATS["wordpress"].read(path, Options()).items())
    item = found[0]
    assert isinstance(item, Item)
    return item.fields.get("body", {}).get("value", ""), [p.code for p in found if isinstance(p, Problem)]


def html(place: Path, content: str, *elements: str, more: str = "") -> str:
    return shown(place, content, *elements, more=more)[0]


# --- bare paragraphs ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One\n\nTwo", "<p>One</p><p>Two</p>"),
        ("One\nTwo", "<p>One<br>Two</p>"),
        ("One\r\n \r\n\r\nTwo\n", "<p>One</p><p>Two</p>"),
        ("One<br />\nTwo", "<p>One<br />Two</p>"),
        ("<strong>One\n\nTwo</strong>", "<p><strong>One</p><p>Two</strong></p>"),
        ('A <a\nhref="/x">link</a>', '<p>A <a\nhref="/x">link</a></p>'),
        ("Text\n<h2>Head</h2>\nMore", "<p>Text</p><h2>Head</h2><p>More</p>"),
        ("<ul>\n\t<li>a</li>\n\t<li>b\nc</li>\n</ul>", "<ul><li><p>a</p></li><li><p>b<br>c</p></li></ul>"),
        ("<pre>a\n\n  b</pre>\nText", "<pre>a\n\n  b</pre><p>Text</p>"),
        ("<p>One\nTwo</p>\n\nThree", "<p>One<br>Two</p><p>Three</p>"),
        ("<blockquote>One\n\nTwo</blockquote>", "<blockquote><p>One</p><p>Two</p></blockquote>"),
        ("One<!--more-->\n\nTwo<!-- open", "<p>One</p><p>Two open</p>"),
        ("&nbsp;\n\nOne", "<p>One</p>"),
        ("", ""),
    ],
)
def test_blank_lines_are_paragraphs_and_line_ends_breaks(text: str, expected: str) -> None:
    assert paragraphs(text) == expected


def test_an_address_alone_on_a_line_is_its_player_or_a_link(tmp_path: Path) -> None:
    video = "https://www.youtube.com/watch?v=SQEQr7c0-dw"
    assert html(tmp_path, f"{video}\n\nText") == f'<figure><iframe src="{video}"></iframe></figure><p>Text</p>'
    assert html(tmp_path, "https://x.example/a?b=1&amp;c=2") == (
        '<p><a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a></p>'
    )


# --- shortcodes ---


@pytest.mark.parametrize(
    "caption",
    [
        '[caption id="attachment_9" width="300"]<img src="https://x.example/a.png" /> A dog[/caption]',
        '[caption caption="A dog"]<img src="https://x.example/a.png" />[/caption]',
        '[wp_caption]<a href="https://x.example/a.png"><img src="https://x.example/a.png" /></a>\nA dog[/wp_caption]',
    ],
)
def test_a_caption_is_a_figure(caption: str, tmp_path: Path) -> None:
    expected = '<figure><img src="https://x.example/a.png" /><figcaption>A dog</figcaption></figure>'
    assert html(tmp_path, caption) == expected


def test_a_gallery_shows_its_files_with_their_texts(tmp_path: Path) -> None:
    files = [
        attachment("9", "a.jpg", meta("_wp_attachment_image_alt", 'A "dog"'), excerpt="Rex & co"),
        attachment("8", "b.jpg", post_parent="1"),
    ]
    first = '<figure><img src="https://old.example/wp-content/uploads/a.jpg" alt="A &quot;dog&quot;">'
    second = '<figure><img src="https://old.example/wp-content/uploads/b.jpg" alt=""></figure>'
    assert html(tmp_path, '[gallery ids="9, 8,404"]', *files) == (
        f"{first}<figcaption>Rex &amp; co</figcaption></figure>{second}"
    )
    assert html(tmp_path, "[gallery columns=3]", *files) == second


def test_a_player_is_a_link_to_what_it_plays(tmp_path: Path) -> None:
    link = '<p><a href="https://x.example/a%20song.mp3">a song.mp3</a></p>'
    for content in (
        "[audio https://x.example/a%20song.mp3]",
        '[audio mp3="https://x.example/a%20song.mp3"][/audio]',
        '<audio controls src="https://x.example/a%20song.mp3">none</audio>',
        '<audio controls><source src="https://x.example/a%20song.mp3"></audio>',
        '<!-- wp:audio --><audio src="https://x.example/a%20song.mp3"></audio><!-- /wp:audio -->',
    ):
        assert link in html(tmp_path, content)


def test_a_video_that_can_be_framed_is_framed(tmp_path: Path) -> None:
    framed = '<iframe src="https://vimeo.com/12345"></iframe>'
    for content in ("[embed width=3]https://vimeo.com/12345[/embed]", '[video src="https://vimeo.com/12345"]'):
        assert framed in html(tmp_path, content)


def test_shortcodes_of_plugins_stay_as_text_and_are_told(tmp_path: Path) -> None:
    text, codes = shown(
        tmp_path, 'See [sic] [the house]: [contact-form-7 id="1"] [tabs]x[/tabs] <code>[code a="b"]</code>'
    )
    assert '[contact-form-7 id="1"] [tabs]x[/tabs]' in text
    assert codes == ["unknown_shortcode"]
    reasons = list(FORMATS["wordpress"].read(tmp_path / "export.xml", Options()).items())
    assert isinstance(reasons[1], Problem)
    assert reasons[1].reason == "Shortcodes of plugins stay as text: contact-form-7, tabs."


def test_a_shortcode_in_double_brackets_is_only_shown(tmp_path: Path) -> None:
    assert html(tmp_path, "Write [[gallery]] here [/gallery] [caption") == "<p>Write [gallery] here  [caption</p>"


# --- blocks ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!-- wp:paragraph -->\n<p>One</p>\n<!-- /wp:paragraph -->", "<p>One</p>"),
        ('<!-- wp:core/heading {"level":3} --><h3>H</h3><!-- /wp:core/heading -->', "<h3>H</h3>"),
        (
            '<!-- wp:embed {"url":"https://youtu.be/SQEQr7c0-dw"} --><figure><div>\nhttps://youtu.be/SQEQr7c0-dw\n</div>'
            "<figcaption>A film</figcaption></figure><!-- /wp:embed -->",
            '<figure><iframe src="https://youtu.be/SQEQr7c0-dw"></iframe><figcaption>A film</figcaption></figure>',
        ),
        (
            "<!-- wp:core-embed/twitter --><figure><div>\nhttps://twitter.com/x/1\n</div></figure>"
            "<!-- /wp:core-embed/twitter -->",
            '<p><a href="https://twitter.com/x/1">https://twitter.com/x/1</a></p>',
        ),
        (
            '<!-- wp:gallery --><figure><ul class="blocks"><li><figure><img src="https://x.example/a.png"/></figure></li>'
            "</ul></figure><!-- /wp:gallery -->",
            '<figure><figure><img src="https://x.example/a.png"/></figure></figure>',
        ),
        (
            '<!-- wp:file --><div><a href="https://x.example/a.zip">A</a><a class="wp-block-file__button" href="b">Get'
            "</a></div><!-- /wp:file -->",
            '<div><a href="https://x.example/a.zip">A</a></div>',
        ),
        ("<!-- wp:verse --><pre>a\nb</pre><!-- /wp:verse -->", "<p>a<br>b</p>"),
        (
            '<!-- wp:cover {"url":"https://x.example/a.png"} --><div style="background-image:url(https://x.example/a.png)">'
            "<p>On it</p></div><!-- /wp:cover -->",
            '<figure><img src="https://x.example/a.png" alt=""></figure><div '
            'style="background-image:url(https://x.example/a.png)"><p>On it</p></div>',
        ),
        ("<!-- wp:acme/box --><div>Kept</div><!-- /wp:acme/box -->", "<div>Kept</div>"),
        ("Bare\n\ntext<!-- wp:html --><b>x</b><!-- /wp:html -->", "<p>Bare</p><p>text</p><b>x</b>"),
        ("<!-- wp:paragraph --><p>Open</p>", "<p>Open</p>"),
        ("<!-- /wp:paragraph --><!-- wp:html -->x<!-- /wp:list -->", "x"),
        (
            '<!-- wp:social-link {"url":"https://x.example/","service":"x"} /-->',
            '<p><a href="https://x.example/">x</a></p>',
        ),
        (
            "<!-- wp:paragraph --><p>https://vimeo.com/1</p><!-- /wp:paragraph -->",
            '<figure><iframe src="https://vimeo.com/1"></iframe></figure>',
        ),
    ],
)
def test_blocks_become_html(text: str, expected: str, tmp_path: Path) -> None:
    assert html(tmp_path, text) == expected


def test_blocks_that_only_wordpress_can_fill_are_told(tmp_path: Path) -> None:
    text = (
        "<!-- wp:latest-posts /--><!-- wp:spacer --><div></div><!-- /wp:spacer --><!-- wp:query --><!-- /wp:query -->"
    )
    assert shown(tmp_path, text)[1] == ["block_left_out"]


def test_a_block_that_many_posts_show_is_shown_in_each(tmp_path: Path) -> None:
    shared = post("5", "<!-- wp:paragraph --><p>Shared</p><!-- /wp:paragraph -->", post_type="wp_block")
    assert html(tmp_path, '<!-- wp:block {"ref":5} /-->', shared) == "<p>Shared</p>"
    endless = post("5", '<!-- wp:block {"ref":5} /-->x', post_type="wp_block")
    assert shown(tmp_path, '<!-- wp:block {"ref":5} /-->', endless) == ("<p>x</p>" * 4, ["block_left_out"])


def test_footnotes_stand_at_the_end(tmp_path: Path) -> None:
    note = meta("footnotes", '[{"content":"Said <em>so</em>","id":"1"}]')
    assert html(tmp_path, "<!-- wp:footnotes /-->", more=note) == "<ol><li>Said <em>so</em></li></ol>"


# --- addresses ---


def test_a_link_to_a_files_page_leads_to_the_file(tmp_path: Path) -> None:
    text = html(tmp_path, '<a href="https://old.example/file-9/">A</a>', attachment("9", "a.pdf"))
    assert text == '<p><a href="https://old.example/wp-content/uploads/a.pdf">A</a></p>'


def test_a_picture_that_links_to_itself_is_a_picture(tmp_path: Path) -> None:
    picture = '<img title="a" src="https://old.example/wp-content/uploads/a-30x20.jpg">'
    text = html(tmp_path, f'<a href="https://old.example/file-9/">{picture}</a>', attachment("9", "a.jpg"))
    assert text == '<p><img src="https://old.example/wp-content/uploads/a-30x20.jpg"></p>'


def test_a_picture_on_another_host_is_the_file_of_its_number(tmp_path: Path) -> None:
    text = html(tmp_path, '<img class="wp-image-9" src="https://cdn.example/x.jpg">', attachment("9", "a.jpg"))
    assert text == '<p><img class="wp-image-9" src="https://old.example/wp-content/uploads/a.jpg"></p>'


def test_a_file_that_was_moved_to_another_host_is_found(tmp_path: Path) -> None:
    moved = attachment("9", "a.jpg", attachment_url="https://cdn.example/wp-content/uploads/a.jpg")
    text = html(tmp_path, '<img src="https://cdn.example/wp-content/uploads/a-30x20.jpg">', moved)
    assert text == '<p><img src="https://old.example/wp-content/uploads/a.jpg"></p>'

"""Folders as Hugo, Jekyll and Astro lay them out: their pages, addresses, dates, files, and tags between the words."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Item, Options, Problem, Reading, Target
from cms.import_formats.template_tags import Converted, from_hugo, from_jekyll, from_mdx


def opened(root: Path, files: dict[str, str], **choices: str) -> Reading:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return FORMATS["markdown"].read(root, Options(choices=choices))


def items(reading: Reading) -> dict[str, Item]:
    return {found.external_id: found for found in reading.items() if isinstance(found, Item)}


def warnings(reading: Reading) -> list[tuple[str | None, str]]:
    return [(found.external_id, found.code) for found in reading.items() if isinstance(found, Problem)]


def body(item: Item) -> str:
    return str(item.fields["body"]["value"]).strip()


# Hugo


@pytest.fixture
def hugo(tmp_path: Path) -> Reading:
    return opened(
        tmp_path,
        {
            "hugo.toml": "title = 'Site'\n",
            "README.md": "# About the repository",
            "themes/plain/README.md": "# A theme",
            "static/img/logo.png": "x",
            "content/_index.md": "---\ntitle: Home\n---\n",
            "content/posts/_index.md": "---\ntitle: All posts\n---\n",
            "content/posts/Hello/index.md": "+++\ntitle = 'Hello'\ndate = 2026-01-31T09:00:00+03:00\n"
            "lastmod = 2026-02-01\nexpiryDate = 2030-01-01\ntags = ['a']\ncategories = ['b', 'a']\n"
            "aliases = ['/old/hello/', 'older']\n+++\n"
            '![](pic.png) ![](/img/logo.png) [x]({{< ref "second.md#part" >}}) {{< chart 1 >}}',
            "content/posts/Hello/pic.png": "x",
            "content/posts/second.md": "---\ntitle: Second\nslug: nummer-2\ndraft: true\n---\n[h](../hello/)",
            "content/posts/third.ru.md": '---\ntitle: Третий\nurl: /tri/\n---\n{{< figure src="/img/logo.png" >}}',
        },
    )


def test_hugos_pages_are_those_of_its_content(hugo: Reading) -> None:
    assert list(items(hugo)) == ["_index", "posts", "posts/Hello", "posts/second", "posts/third.ru"]


def test_a_page_of_hugo_is_read_whole(hugo: Reading) -> None:
    page = items(hugo)["posts/Hello"]
    assert (page.section, page.section_names, page.slug) == (("posts",), ("All posts",), "hello")
    assert page.first_published_at == datetime(2026, 1, 31, 6, tzinfo=UTC)
    assert page.changed_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert page.fields["topics"] == ["a", "b"]
    assert page.source_fields == {"expiryDate": "2030-01-01"}
    assert page.mapped["aliases"] == "old_paths"
    assert page.mapped["lastmod"] == "changed_at"


def test_addresses_of_hugo(hugo: Reading) -> None:
    found = {external_id: page.old_paths for external_id, page in items(hugo).items()}
    assert found == {
        "_index": (),
        "posts": ("/posts/",),
        "posts/Hello": ("/posts/hello/", "/old/hello/", "/posts/older"),
        "posts/second": ("/posts/nummer-2/",),
        "posts/third.ru": ("/tri/",),
    }


def test_a_language_in_the_name_is_the_pages(hugo: Reading) -> None:
    page = items(hugo)["posts/third.ru"]
    assert (page.locale, page.slug) == ("ru", "third")


def test_shortcodes_become_what_they_mean(hugo: Reading) -> None:
    pages = items(hugo)
    assert "[x](/content/posts/second.md#part)" in body(pages["posts/Hello"])
    assert body(pages["posts/third.ru"]) == '<figure><img src="/img/logo.png" alt=""></figure>'
    assert warnings(hugo) == [("posts/Hello", "template_tag_dropped")]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/content/posts/second.md#part", Target("item", "posts/second", "part")),
        ("/posts/second/", Target("item", "posts/second")),
        ("pic.png", Target("asset", "content/posts/Hello/pic.png")),
        ("/img/logo.png", Target("asset", "static/img/logo.png")),
        ("/tri/", Target("item", "/tri", None, ("/tri/", "/tri.html", "/tri/index.html"))),
        ("../second.md", Target("item", "posts/second")),
        ("/", Target("item", "_index")),
    ],
)
def test_links_of_hugo_lead_on(url: str, expected: Target, hugo: Reading) -> None:
    assert hugo.target("content/posts/Hello/index.md", url) == expected


def test_an_address_may_be_read_from_the_pages_own_folder(hugo: Reading) -> None:
    assert hugo.target("content/posts/second.md", "../third.ru/") == Target("item", "posts/third.ru")


def test_files_of_hugo_are_assets(hugo: Reading) -> None:
    found = [asset.external_id for asset in hugo.assets()]
    assert found == ["content/posts/Hello/pic.png", "static/img/logo.png"]


# Jekyll


JEKYLL = {
    "_config.yml": "title: Site\nbaseurl: /blog\n",
    "README.md": "# About the repository",
    "_layouts/post.md": "x",
    "_site/index.md": "x",
    "_posts/2020-01-31-Hello-you.md": "---\ntitle: Hello\ncategories: news company\ntags: a b\nlayout: post\n"
    'redirect_from: /2019/x/\n---\n[n]({% post_url 2020-02-01-next %}) ![]({{ "/assets/p.png" | relative_url }})\n'
    "{: .lead}\n{% include video.html %}",
    "blog/_posts/2020-02-01-next.md": "---\ndate: 2020-02-03 10:00:00 +0300\npermalink: /n/:year/:title/\n---\nText",
    "_drafts/idea.md": "---\ntitle: Idea\n---\nText",
    "about.md": "---\ntitle: About\n---\nText",
    "assets/p.png": "x",
}


@pytest.fixture
def jekyll(tmp_path: Path) -> Reading:
    return opened(tmp_path, JEKYLL)


def test_jekylls_pages_are_its_posts_drafts_and_pages(jekyll: Reading) -> None:
    assert [(page.slug, page.section, page.draft) for page in items(jekyll).values()] == [
        ("idea", (), True),
        ("hello-you", (), False),
        ("about", (), False),
        ("next", ("blog",), False),
    ]


def test_a_post_has_the_date_and_the_slug_of_its_name(jekyll: Reading) -> None:
    post = items(jekyll)["_posts/2020-01-31-Hello-you"]
    assert post.first_published_at == datetime(2020, 1, 31, tzinfo=UTC)
    assert post.fields["topics"] == ["a", "b", "news", "company"]
    assert post.source_fields == {"layout": "post"}


def test_categories_are_sections_where_that_is_chosen(tmp_path: Path) -> None:
    post = items(opened(tmp_path, JEKYLL, categories="sections"))["_posts/2020-01-31-Hello-you"]
    assert (post.section, post.fields["topics"]) == (("news",), ["a", "b", "company"])


def test_addresses_of_jekyll(jekyll: Reading) -> None:
    assert [page.old_paths for page in items(jekyll).values()] == [
        (),
        ("/news/company/2020/01/31/Hello-you.html", "/2019/x/"),
        ("/about.html",),
        ("/n/2020/next/",),
    ]


@pytest.mark.parametrize(
    ("style", "expected"),
    [("pretty", "/2020/01/31/x/"), ("/:title", "/x"), ("none", "/x.html"), ("/{odd}", None)],
)
def test_the_sites_own_style_of_addresses_is_kept(style: str, expected: str | None, tmp_path: Path) -> None:
    files = {"_config.yml": f"permalink: '{style}'\n", "_posts/2020-01-31-x.md": "Text"}
    [post] = items(opened(tmp_path, files)).values()
    assert post.old_paths == ((expected,) if expected else ())


def test_liquid_becomes_what_it_means(jekyll: Reading) -> None:
    post = items(jekyll)["_posts/2020-01-31-Hello-you"]
    assert body(post) == "[n](/blog/_posts/2020-02-01-next.md) ![](/assets/p.png)"
    assert warnings(jekyll) == [("_posts/2020-01-31-Hello-you", "template_tag_dropped")]
    assert jekyll.target(post.origin.file, "/blog/_posts/2020-02-01-next.md") == Target(
        "item", "blog/_posts/2020-02-01-next"
    )


# Astro


def test_a_collection_of_astro_is_read(tmp_path: Path) -> None:
    reading = opened(
        tmp_path,
        {
            "astro.config.mjs": "",
            "README.md": "x",
            "public/pic.png": "x",
            "src/assets/hero.png": "x",
            "src/content/blog/first.mdx": "---\ntitle: First\npubDate: 2026-01-31\nupdatedDate: 2026-02-01\n"
            "heroImage: ../../assets/hero.png\n---\nimport A from 'a'\n\n<A x={1} />Text ![](/pic.png)",
        },
    )
    [post] = items(reading).values()
    assert (post.external_id, post.section, post.old_paths) == ("blog/first", ("blog",), ("/blog/first/",))
    assert (post.first_published_at, post.changed_at) == (
        datetime(2026, 1, 31, tzinfo=UTC),
        datetime(2026, 2, 1, tzinfo=UTC),
    )
    assert body(post) == "Text ![](/pic.png)"
    assert [asset.external_id for asset in reading.assets()] == ["src/assets/hero.png", "public/pic.png"]
    assert warnings(reading) == [("blog/first", "template_tag_dropped")]


# Plain


def test_a_plain_folder_keeps_its_tags_and_has_dates_in_names(tmp_path: Path) -> None:
    reading = opened(
        tmp_path,
        {
            "news/2026-01-31-hello.md": "{{ x }} {% y %}",
            "old.md": "---\naliases: [/a, /b/]\nupdated: 2026-01-01\n---\n",
        },
    )
    news, old = items(reading).values()
    assert (news.slug, body(news)) == ("hello", "{{ x }} {% y %}")
    assert news.first_published_at == datetime(2026, 1, 31, tzinfo=UTC)
    assert (old.old_paths, old.changed_at) == (("/a", "/b/"), datetime(2026, 1, 1, tzinfo=UTC))


def test_a_layout_may_be_chosen(tmp_path: Path) -> None:
    files = {"content/a.md": "x", "notes/b.md": "x"}
    assert list(items(opened(tmp_path, files))) == ["content/a", "notes/b"]
    assert list(items(opened(tmp_path, files, layout="hugo"))) == ["a"]


def test_a_page_alone_is_a_source(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("x")
    (tmp_path / "page.md").write_text("# Hello\n")
    [found] = items(FORMATS["markdown"].read(tmp_path / "page.md", Options())).values()
    assert found.fields["title"] == "Hello"


def test_a_mapping_wins_over_what_a_layout_means(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("---\naliases: /a\nlastmod: 2026-01-01\nheadline: B\ntitle: A\n---\n")
    mapping = {"aliases": "", "lastmod": "", "headline": "title"}
    [found] = items(FORMATS["markdown"].read(tmp_path, Options(mapping=mapping))).values()
    assert (found.fields["title"], found.old_paths, found.changed_at) == ("B", (), None)
    assert found.source_fields == {"aliases": "/a", "lastmod": "2026-01-01", "title": "A"}


@pytest.mark.parametrize("choice", ["topics", "sections"])
def test_the_mapping_that_is_proposed_changes_nothing(choice: str, tmp_path: Path) -> None:
    found = items(opened(tmp_path, JEKYLL, categories=choice))
    proposed = {name: meaning for item in found.values() for name, meaning in item.mapped.items()}
    assert {"permalink", "categories", "redirect_from", "tags", "date"} <= proposed.keys()
    options = Options(mapping=proposed, choices={"categories": choice})
    assert items(FORMATS["markdown"].read(tmp_path, options)) == found


# Tags


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("`{{< x >}}` {{</* y */>}}", "`{{< x >}}` {{< y >}}"),
        ("```\n{{< x >}}\n```\n", "```\n{{< x >}}\n```\n"),
        ("{{< highlight go >}}\nx\n{{< /highlight >}}", "\n```go\nx\n```\n"),
        ("{{% notice tip %}}in{{% /notice %}}", "in"),
        ("{{< youtube abc >}}", '<iframe src="https://www.youtube.com/embed/abc"></iframe>'),
        (
            '{{< figure src="a.png" alt="\'<" caption="C" >}}',
            '<figure><img src="a.png" alt="&#x27;&lt;"><figcaption>C</figcaption></figure>',
        ),
        ("{{< gist a 1 >}} {{< tweet user=\"a\" id=\"1\" >}}", "<https://gist.github.com/a/1> <https://twitter.com/a/status/1>"),
        ("{{< gist >}} {{ .Title }}", " {{ .Title }}"),
    ],
)  # fmt: skip
def test_shortcodes(written: str, expected: str) -> None:
    assert from_hugo(written, lambda name: None).body == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{% raw %}{{ x }}{% endraw %}!", "{{ x }}!"),
        ("a{% comment %}b{{ x }}{% endcomment %}c", "ac"),
        ("{% highlight ruby linenos %}\nx\n{% endhighlight %}", "\n```ruby\nx\n```\n"),
        ("{% if x %}in{% endif %}", "in"),
        ("{{ site.baseurl }}/a {{ page.title }}", "/a T"),
        ("[x](y){:target=\"_blank\"}", "[x](y)"),
    ],
)  # fmt: skip
def test_liquid(written: str, expected: str) -> None:
    assert from_jekyll(written, lambda name: None, {"title": "T"}).body == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("import A from 'a'\nexport const b = {\n c: 1\n}\n\nText", "\n\nText"),
        ("<Note kind='x'>in</Note> <b>c</b> `<Code/>`", "in <b>c</b> `<Code/>`"),
        ('<Image src="/a.png" alt="b" />{/* c */}', '<img src="/a.png" alt="b">'),
    ],
)
def test_components(written: str, expected: str) -> None:
    assert from_mdx(written).body == expected


OPENINGS = [
    "{{<",
    "{{%",
    "{%",
    "{{",
    "{:",
    "<A",
    '"',
    "'",
    "{/*",
    "import x\n",
    "```\n",
    "`",
    " ",
    "\n",
    "=",
    "%}",
    ">}}",
]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(st.sampled_from(OPENINGS)).map("".join) | st.text(), layout=st.sampled_from(["hugo", "jekyll"]))
def test_any_page_of_any_layout_is_read(text: str, layout: str, tmp_path: Path) -> None:
    place = tmp_path / "content"
    place.mkdir(exist_ok=True)
    for suffix in ("md", "mdx"):
        (place / f"page.{suffix}").write_bytes(text.encode("utf-8", "replace"))
    reading = FORMATS["markdown"].read(tmp_path, Options(choices={"layout": layout}))
    assert all(isinstance(found, Item | Problem) for found in reading.items())


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_page_of_nothing_but_openings_takes_no_minutes(opening: str) -> None:
    text = opening * (100_000 // len(opening))
    started = time.process_time()
    for convert in (from_mdx, lambda text: from_hugo(text, str), lambda text: from_jekyll(text, str, {})):
        convert(text)
    assert time.process_time() - started < 30  # it takes one or two; what must not be takes hours


def test_a_shortcode_that_is_shown_in_code_is_shown_as_it_is_written() -> None:
    shown = "```\n{{</* youtube 1 */>}}\n```\n{{%/* note */%}}"
    assert from_hugo(shown, lambda _: None).body == "```\n{{< youtube 1 >}}\n```\n{{% note %}}"


@pytest.mark.parametrize("convert", [lambda text: from_hugo(text, str), lambda text: from_jekyll(text, str, {})])
def test_ids_of_headings_are_no_part_of_their_words(convert: Callable[[str], Converted]) -> None:
    assert convert("## Part {#part}\n\nIn CSS: a {#b}").body == "## Part\n\nIn CSS: a {#b}"


def test_a_number_that_is_no_digit_is_a_name() -> None:
    assert list(from_hugo('{{< tweet ²="1" >}}', lambda _: None).dropped) == ["tweet"]

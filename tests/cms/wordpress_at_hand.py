"""Exports of WordPress written by hand, as small as a test needs them."""

from pathlib import Path
from xml.sax.saxutils import escape

HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0"
    xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
    xmlns:content="http://purl.org/rss/1.0/modules/content/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
<title>A house of news</title>
<link>https://old.example</link>
<language>ru-RU</language>
<wp:wxr_version>1.2</wp:wxr_version>
<wp:base_site_url>https://old.example</wp:base_site_url>
<wp:base_blog_url>https://old.example</wp:base_blog_url>
"""
FOOT = "</channel>\n</rss>\n"
_OWN = {"title": "title", "link": "link", "guid": "guid", "creator": "dc:creator", "pubDate": "pubDate"}
_TEXTS = {"content": "content:encoded", "excerpt": "excerpt:encoded"}


def export(place: Path, *elements: str, name: str = "export.xml") -> Path:
    """A file with these elements."""
    place.mkdir(parents=True, exist_ok=True)
    path = place / name
    path.write_text(HEAD + "\n".join(elements) + FOOT)
    return path


def post(id: str, content: str = "", *more: str, **parts: str) -> str:
    """A post; `parts` by WordPress's names without their prefix, `more` whatever else stands in it."""
    said = {
        "post_id": id,
        "title": f"Page {id}",
        "link": f"https://old.example/{id}/",
        "post_name": f"page-{id}",
        "post_type": "post",
        "status": "publish",
        "post_date_gmt": "2024-06-05 16:04:48",
        "content": content,
        **parts,
    }
    inner = "".join(f"<{_tag(name)}>{_data(text)}</{_tag(name)}>\n" for name, text in said.items())
    return f"<item>\n{inner}{''.join(more)}</item>\n"


def attachment(id: str, path: str, *more: str, **parts: str) -> str:
    """A file of the media library."""
    url = f"https://old.example/wp-content/uploads/{path}"
    own = {
        "post_type": "attachment",
        "status": "inherit",
        "attachment_url": url,
        "link": f"https://old.example/file-{id}/",
    }
    return post(id, "", *more, **{**own, **parts})


def meta(key: str, value: str) -> str:
    """A custom field."""
    parts = f"<wp:meta_key>{_data(key)}</wp:meta_key><wp:meta_value>{_data(value)}</wp:meta_value>"
    return f"<wp:postmeta>{parts}</wp:postmeta>\n"


def term(taxonomy: str, slug: str, name: str) -> str:
    """A word that a post is filed under."""
    return f'<category domain="{taxonomy}" nicename="{slug}">{_data(name)}</category>\n'


def category(id: str, slug: str, name: str, parent: str = "") -> str:
    """A category as the channel describes it."""
    parts = f"<wp:category_nicename>{slug}</wp:category_nicename><wp:category_parent>{parent}</wp:category_parent>"
    return f"<wp:category><wp:term_id>{id}</wp:term_id>{parts}<wp:cat_name>{_data(name)}</wp:cat_name></wp:category>\n"


def author(login: str, name: str, email: str = "") -> str:
    """An author as the channel describes them."""
    parts = f"<wp:author_login>{_data(login)}</wp:author_login><wp:author_email>{_data(email)}</wp:author_email>"
    return f"<wp:author>{parts}<wp:author_display_name>{_data(name)}</wp:author_display_name></wp:author>\n"


def menu_item(id: str, *, menu: str = "main", parent: str = "0", order: int = 1, title: str = "", **said: str) -> str:
    """An item of a menu; `said` are its own fields without their prefix."""
    own = {"type": "custom", "menu_item_parent": parent, "object_id": id, "object": "custom", "url": "", **said}
    fields = "".join(meta(f"_menu_item_{name}", value) for name, value in own.items())
    parts = {"post_type": "nav_menu_item", "title": title, "menu_order": str(order)}
    return post(id, "", term("nav_menu", menu, menu.capitalize()), fields, **parts)


def three_pages(place: Path) -> Path:
    """Three good posts a, b, c, and a bad one after them."""
    pages = [post(name, f"Text of {name}.", meta("odd", "kept")) for name in ("a", "b", "c")]
    return export(place, *pages, "<item><title>Open")


def _tag(name: str) -> str:
    return _OWN.get(name) or _TEXTS.get(name) or f"wp:{name}"


def _data(text: str) -> str:
    return escape(text) if "]]>" in text else f"<![CDATA[{text}]]>"

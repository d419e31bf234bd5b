"""The content types that every site has, as data."""

from collections.abc import Mapping
from typing import get_args

from cms.content_types import SEO, SOURCE_FIELDS, ContentType, Field
from cms.counters.consent import SIGNALS
from cms.counters.provider import POSITIONS
from cms.field_kinds import Limits
from cms.section_tree import Robots

_TEXTS = ("news", "article", "page")

_TEXT_FIELDS = (
    Field("title", "text", required=True),
    Field("summary", "long_text"),
    Field("body", "rich_text"),
    Field("cover", "reference", types=("image",)),
    Field("topics", "topics"),
    Field("related", "references", types=_TEXTS),
    Field("attachments", "references", types=("file",)),
    SEO,
    SOURCE_FIELDS,
)


_FEED = (
    Field("name", "text", required=True),
    Field("title", "text"),
    Field("types", "topics"),
    Field("section", "section"),
    Field("locale", "text"),
    Field("limit", "number", limits=Limits(min=1, max=100)),
)

SHARE = Limits(min=0, max=1)

# The types whose entries are their bytes.
UPLOADED = ("image", "file")
# What is known of the bytes of an image or a file besides what they show.
_FILED = (
    Field("credit", "text"),
    Field("licence", "text"),
    Field("rights_until", "instant"),
    # How staff keep order is nobody else's business.
    Field("folder", "folder", public=False),
    Field("topics", "topics"),
    SOURCE_FIELDS,
)

# A form in which front ends get images: its URLs come with every image.
_PRESET = (
    Field("name", "text", required=True),
    Field("fit", "choice", choices=("fit", "fill"), default="fit"),
    Field("width", "number", limits=Limits(min=1, max=4_096)),
    Field("height", "number", limits=Limits(min=1, max=4_096)),
    Field("quality", "number", limits=Limits(min=1, max=100)),
    Field("format", "choice", choices=("auto", "avif", "webp", "jpeg", "png")),
)

# On which pages a banner or a counter may be.
_WHERE = (Field("sections", "section_list"), Field("paths", "topics"), Field("except_paths", "topics"))

# A slot on the front end that shows banners. `house`: what it shows when nothing else is to be shown; `emergency`:
# for notices that are live at once everywhere.
_PLACEMENT = (
    Field("name", "text", required=True),
    Field("label", "text"),
    Field("description", "long_text"),
    Field("width", "number", limits=Limits(min=1, max=10_000)),
    Field("height", "number", limits=Limits(min=1, max=10_000)),
    Field("house", "reference", types=("banner",)),
    Field("emergency", "boolean"),
)

_BANNER = (
    Field("title", "text", required=True),
    # One of the three.
    Field(
        "creative",
        "group",
        fields=(
            Field("image", "reference", types=("image",)),
            Field("text", "long_text"),
            Field("html", "long_text"),
        ),
    ),
    # A path or a web address, or an entry of this site.
    Field("link", "address"),
    Field("entry", "reference"),
    Field("placements", "topics"),
    Field("starts_at", "instant"),
    Field("ends_at", "instant"),
    # Whose clock `days` and `hours` go by, and who gave the instants meant them in.
    Field("zone", "text"),
    Field("days", "topics"),
    Field("hours", "groups", fields=(Field("from", "text", required=True), Field("to", "text", required=True))),
    Field("weight", "number", default=1, limits=Limits(min=1, max=1_000)),
    Field("priority", "number", default=0, limits=Limits(min=0, max=100)),
    Field(
        "targeting",
        "group",
        fields=(
            *_WHERE,
            Field("locales", "topics"),
            Field("devices", "topics"),
            Field("topics", "topics"),
        ),
    ),
    # So many views by one visitor in such a time.
    Field(
        "cap",
        "group",
        fields=(
            Field("views", "number", limits=Limits(min=1, max=1_000)),
            Field("per", "choice", choices=("session", "hour", "day", "week", "month")),
        ),
    ),
    # Parameters that the link gets.
    Field(
        "tracking",
        "groups",
        fields=(Field("name", "text", required=True), Field("value", "text", required=True)),
        limits=Limits(max_items=20),
    ),
    Field("advertiser", "text"),
    # What the law wants said: the word, and the identifier of the placing.
    Field("label", "text"),
    Field("erid", "text"),
    Field("topics", "topics"),
    SOURCE_FIELDS,
)

_COUNTER = (
    Field("title", "text", required=True),
    # Which providers there are, `cms.counters` says.
    Field("provider", "text", required=True),
    # The number or name that the provider knows the site by, and what it is set to.
    Field("counter_id", "text"),
    Field("options", "object"),
    # Of the provider "custom": HTML as it stands.
    Field("code", "long_text"),
    Field("position", "choice", choices=POSITIONS),
    Field("category", "choice", choices=tuple(SIGNALS)),
    Field(
        "scope",
        "group",
        fields=(
            *_WHERE,
            Field("types", "topics"),
        ),
    ),
    Field("starts_at", "instant"),
    Field("ends_at", "instant"),
    Field("zone", "text"),
    Field("environments", "topics"),
    SOURCE_FIELDS,
)

BUILT_IN: Mapping[str, ContentType] = {
    built_in.name: built_in
    for built_in in (
        ContentType("news", _TEXT_FIELDS),
        ContentType("article", _TEXT_FIELDS),
        ContentType("page", _TEXT_FIELDS),
        ContentType(
            "image",
            (
                Field("title", "text", required=True),
                # In the entry's own locale; `alts` has those of other locales.
                Field("alt", "text"),
                Field("alts", "localized"),
                Field("caption", "long_text"),
                Field(
                    "focal_point",
                    "group",
                    fields=(Field("x", "number", limits=SHARE), Field("y", "number", limits=SHARE)),
                ),
                Field("file", "upload"),
                *_FILED,
            ),
            routable=False,
        ),
        ContentType(
            "file",
            (
                Field("title", "text", required=True),
                Field("description", "long_text"),
                Field("file", "upload"),
                *_FILED,
            ),
            routable=False,
        ),
        ContentType("banner", _BANNER, routable=False),
        ContentType("counter", _COUNTER, routable=False),
        ContentType(
            "menu",
            (Field("title", "text", required=True), Field("name", "text"), Field("items", "menu_items")),
            routable=False,
        ),
        ContentType(
            "structure",
            (
                Field("title", "text", required=True),
                Field("sections", "sections"),
                Field("removed", "removals", public=False),
                Field("placements", "groups", fields=_PLACEMENT),
            ),
            routable=False,
            single=True,
        ),
        ContentType(
            "settings",
            (
                Field("title", "text", required=True),
                Field("locales", "topics"),
                Field("default_locale", "text"),
                Field("site_name", "text"),
                Field("site_url", "url"),
                Field("title_pattern", "text"),
                Field(
                    "seo",
                    "group",
                    fields=(
                        Field("description", "long_text"),
                        Field("image", "reference", types=("image",)),
                        Field("robots", "choice", choices=get_args(Robots)),
                    ),
                ),
                Field("robots_txt", "long_text"),
                Field("redirect_hosts", "topics"),
                Field("feeds", "groups", fields=_FEED),
                Field("image_presets", "groups", fields=_PRESET),
                # Off (false): a counter may be published by the person who changed it.
                Field("counters_four_eyes", "boolean", public=False),
            ),
            routable=False,
            single=True,
        ),
    )
}

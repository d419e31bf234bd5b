"""Staff search: over the newest revisions, drafts and all."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from api import query
from api.access import parts_of, reading, refuse_strangers
from api.answers import links, private
from api.beacon_limit import A_SECOND, AT_ONCE
from api.boundary import LIMITS
from api.delivery.bodies import MOST_PATHS, MOST_VIEWS
from api.editor.import_uploads import LARGEST_IMPORT
from api.search_answers import SEARCH_PARAMETERS, read_search, search
from api.upload_form import MOST_FILES
from api.uploads import LARGEST_UPLOAD
from cms import finding, site
from cms.custom_types.type_definitions import MOST_CHOICES, MOST_TYPES
from cms.custom_types.type_faults import DEEPEST_GROUP, MOST_FIELDS
from cms.delivery.presenting import DEEPEST_INCLUDE
from cms.listing import LARGEST_PAGE, LONGEST_VALUE, Asked, Condition
from cms.redirect_files import LARGEST_FILE, MOST_ROWS
from cms.showing import instant
from cms.states import state
from cms.structure import newest_tree

router = APIRouter(tags=["search"])


@router.get("/search", openapi_extra=query.takes(*SEARCH_PARAMETERS, "state", listing=True))
def search_entries(request: Request) -> Response:
    """Find entries by their words, in Russian and English, drafts too."""
    asked = read_search(request, staff=True)
    with reading(request) as desk:
        asked = asked.within(desk.readable_types())
        query.locale(asked.locale, site.locales(desk.session))
        tree = newest_tree(desk.session)

        def look_up(ids: Sequence[str]) -> Mapping[str, dict[str, Any]]:
            if not ids:
                return {}
            page = finding.entries(
                desk.session, Asked(conditions=(Condition("id", "in", tuple(ids)),), size=LARGEST_PAGE)
            )
            return {
                entry.id: {
                    "id": entry.id,
                    "type": entry.type,
                    "locale": entry.locale,
                    "path": entry.slug and tree.path(entry.section, locale=entry.locale, slug=entry.slug),
                    "state": state(entry, schedule),
                    "published_at": instant(entry.published_at),
                }
                for entry, _, schedule, *_ in page.rows
            }

        hits, meta, cursor = search(parts_of(request).staff_index, asked, look_up=look_up)
    return private(hits, meta=meta, links=links(request, cursor))


@router.get("/limits")
def read_limits(request: Request) -> Response:
    """What one request may hold."""
    query.only(request)
    refuse_strangers(request)
    return private(
        {
            "json_bytes": LIMITS.json_bytes,
            "json_depth": LIMITS.json_depth,
            "integer_min": LIMITS.integer_min,
            "integer_max": LIMITS.integer_max,
            "url_bytes": LIMITS.url_bytes,
            "header_bytes": LIMITS.header_bytes,
            "upload_bytes": LARGEST_UPLOAD,
            "import_bytes": LARGEST_IMPORT,
            "import_files": MOST_FILES,
            "page_size": LARGEST_PAGE,
            "filter_value_characters": LONGEST_VALUE,
            "include_depth": DEEPEST_INCLUDE,
            "content_types": MOST_TYPES,
            "type_fields": MOST_FIELDS,
            "type_choices": MOST_CHOICES,
            "type_group_depth": DEEPEST_GROUP,
            "search_characters": 512,
            "search_terms": 32,
            "sign_in_failures": {"count": 5, "seconds": 300},
            "redirect_rows": MOST_ROWS,
            "redirect_file_bytes": LARGEST_FILE,
            "beacon_paths": MOST_PATHS,
            "beacon_banners": MOST_VIEWS,
            "beacons": {"count": AT_ONCE, "seconds": AT_ONCE // A_SECOND},
        }
    )

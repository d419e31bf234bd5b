"""The shapes of answers, for the documentation; tests hold answers against them. Absent is null, never left out."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from api.shapes.banners import Banner, BannerFigures, BannerWarning
from api.shapes.counters import CounterReport, PathReport, Provider, PublicCounter, Stopped
from api.shapes.entries import Diff, Entry, Revision, Usages
from api.shapes.exports import Export, ExportFormat
from api.shapes.imports import Decided, Import, ImportFormat, ImportRow
from api.shapes.media import FileWithRights, Folder, ImageWithoutText, Rendition, Swept, Upload
from api.shapes.pages import (
    Menu,
    MenuName,
    Page,
    PublishedEntry,
    ResolvedEntry,
    ResolvedGone,
    ResolvedRedirect,
    ResolvedSection,
)
from api.shapes.people import Colleague, Event, Key, Me, NewKey
from api.shapes.problems import Problem
from api.shapes.redirects import HeldRedirect, ImportedRedirects, MissingPath, Redirect, TakenBeacons
from api.shapes.search import Hit, StaffHit, Suggestion
from api.shapes.standing_imports import StandingImport
from api.shapes.structure import Plan, Structure
from api.shapes.types import Type, TypeReport, TypeWithSchema

Limits = dict[str, int | dict[str, int]]

# What each call gives, by its operation's id; a list of one: a list.
ANSWERS: Mapping[str, Any] = {
    "delivery_list_entries": [PublishedEntry],
    "delivery_read_entry": PublishedEntry,
    "delivery_resolve_path": ResolvedEntry | ResolvedSection | ResolvedRedirect | ResolvedGone,
    "delivery_read_structure": Structure,
    "delivery_list_menus": [MenuName],
    "delivery_read_menu": Menu,
    "delivery_read_page": Page,
    "delivery_search_entries": [Hit],
    "delivery_suggest": [Suggestion],
    "editor_sign_in_person": Me,
    "editor_read_me": Me,
    "editor_list_entries": [Entry],
    "editor_list_revisions": [Revision],
    "editor_compare_revisions": Diff,
    "editor_read_usages": Usages,
    "editor_plan_structure": Plan,
    "editor_list_types": [Type],
    "editor_read_type": TypeWithSchema,
    "editor_put_type": TypeWithSchema | TypeReport,
    "editor_list_people": [Colleague],
    "editor_add_person": Colleague,
    "editor_read_person": Colleague,
    "editor_change_person": Colleague,
    "editor_set_user": Colleague,
    "editor_list_keys": [Key],
    "editor_make_key": NewKey,
    "editor_revoke_key": Key,
    "editor_read_audit": [Event],
    "editor_search_entries": [StaffHit],
    "editor_read_limits": Limits,
    "editor_list_redirects": [Redirect],
    "editor_upload_file": Entry | list[Entry],
    "editor_list_folders": [Folder],
    "editor_read_renditions": Rendition,
    "editor_list_unused_files": [Entry],
    "editor_list_images_without_text": [ImageWithoutText],
    "editor_list_ending_rights": [FileWithRights],
    "editor_look_for_leftovers": Swept,
    "editor_sweep_leftovers": Swept,
    "editor_move_folder": Folder,
    "editor_begin_upload": Upload,
    "editor_read_upload": Upload,
    "editor_create_redirect": Redirect,
    "editor_read_redirect": Redirect,
    "editor_change_redirect": Redirect,
    "editor_import_redirects": ImportedRedirects,
    "editor_list_standing_imports": [StandingImport],
    "editor_create_standing_import": StandingImport,
    "editor_read_standing_import": StandingImport,
    "editor_change_standing_import": StandingImport,
    "editor_run_standing_import": StandingImport,
    "editor_list_exports": [Export],
    "editor_create_export": Export,
    "editor_list_export_formats": [ExportFormat],
    "editor_read_export": Export,
    "editor_cancel_export": Export,
    "editor_list_missing_paths": [MissingPath],
    "editor_read_missing_path": MissingPath,
    "editor_change_missing_path": MissingPath,
    "editor_redirect_missing_path": Redirect,
    "delivery_list_redirects": [HeldRedirect],
    "delivery_list_counters": [PublicCounter],
    "editor_list_providers": [Provider],
    "editor_list_stopped": Stopped,
    "editor_stop_counters": Stopped,
    "editor_resume_counters": Stopped,
    "editor_read_report": CounterReport | PathReport,
    "delivery_take_beacons": TakenBeacons,
    "delivery_list_banners": [Banner],
    "editor_read_banner_statistics": [BannerFigures],
    "editor_read_statistics_of_banner": [BannerFigures],
    "editor_list_banner_warnings": [BannerWarning],
    "editor_list_import_formats": [ImportFormat],
    "editor_list_imports": [Import],
    "editor_list_import_rows": [ImportRow],
    "editor_decide_row": ImportRow,
    "editor_decide_rows": Decided,
    **dict.fromkeys(
        (
            "editor_create_import",
            "editor_read_import",
            "editor_change_import",
            "editor_try_import",
            "editor_run_import",
            "editor_pause_import",
            "editor_resume_import",
            "editor_cancel_import",
            "editor_roll_back_import",
        ),
        Import,
    ),
    **dict.fromkeys(
        (
            "editor_create_entry",
            "editor_bring_entry",
            "editor_read_entry",
            "editor_change_entry",
            "editor_trash_entry",
            "editor_restore_entry",
            "editor_read_revision",
            "editor_restore_revision",
            "editor_publish_entry",
            "editor_unpublish_entry",
            "editor_schedule_entry",
            "editor_cancel_schedule",
            "editor_read_structure",
            "editor_change_structure",
            "editor_publish_structure",
            "editor_fetch_file",
            "editor_replace_file",
        ),
        Entry,
    ),
}


def schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON Schema of each call's data, by operation, and the schemas that they share, by name."""
    kinds = {name: shape[0] if isinstance(shape, list) else shape for name, shape in {**ANSWERS, "": Problem}.items()}
    adapters: list[tuple[str, Literal["serialization"], TypeAdapter[Any]]] = [
        (name, "serialization", TypeAdapter(kind)) for name, kind in kinds.items()
    ]
    made, shared = TypeAdapter.json_schemas(adapters, ref_template="#/components/schemas/{model}")
    by_name = {name: schema for (name, _), schema in made.items()}
    data = {
        name: {"type": "array", "items": by_name[name]} if isinstance(shape, list) else by_name[name]
        for name, shape in ANSWERS.items()
    }
    return data, shared.get("$defs", {})

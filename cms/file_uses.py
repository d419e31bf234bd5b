"""Whose revisions hold which file: noted at every save, so that no bytes are removed that history still needs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from cms.content_types import ContentType, leaves
from cms.tables.entries import FileUse


def note(session: Session, entry_id: str, content_type: ContentType, fields: Mapping[str, Any], *, new: bool) -> None:
    """Note the files that a revision holds. `new`: the entry has no earlier revision."""
    for field, _, value in leaves(content_type.fields, fields, at=""):
        if field.kind == "upload":
            use = FileUse(sha256=value["sha256"], entry_id=entry_id)
            if new or session.get(FileUse, (use.sha256, entry_id)) is None:
                session.add(use)

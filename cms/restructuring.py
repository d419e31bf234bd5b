"""Changing the tree of sections by operations, all in one revision. (Planning, moving and merging build on this.)"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from cms import saving, snapshots
from cms.attribution import By
from cms.errors import Fault, InvalidContent
from cms.identity import new_id
from cms.section_tree import Slug, copied, in_every_locale
from cms.tables.entries import Entry

Node = dict[str, Any]


class _Operation(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Add(_Operation):
    """A new section below `parent` (None: the root)."""

    op: Literal["add"]
    parent: str | None
    slug: Slug | dict[str, Slug]
    name: Annotated[dict[str, str], BeforeValidator(in_every_locale)]
    position: Annotated[int, Field(ge=0)] | None = None


class Rename(_Operation):
    """Another slug, another name, or both."""

    op: Literal["rename"]
    section: str
    slug: Slug | dict[str, Slug] | None = None
    name: Annotated[dict[str, str] | None, BeforeValidator(in_every_locale)] = None


class Reorder(_Operation):
    """The sections below `parent` in another order; all of them must be named."""

    op: Literal["reorder"]
    parent: str | None
    sections: list[str]


Operation = Annotated[Add | Rename | Reorder, Field(discriminator="op")]
_OPERATION: TypeAdapter[Any] = TypeAdapter(Operation)


def change(
    session: Session, structure: Entry, operations: list[dict[str, Any]], *, expected: int, by: By
) -> tuple[saving.Saved, list[str]]:
    """Do the operations in order and save the tree as a draft. Gives the ids of new sections, in order.

    Raises `StaleRevision`, `InvalidContent` naming the operation that cannot be done, and what `save` raises."""
    snapshots.refuse_stale(session, structure, expected, by=by)
    revision = snapshots.revision_of(session, structure)
    sections: list[Node] = copied(revision.fields.get("sections") or [])
    made: list[str] = []
    for index, said in enumerate(operations):
        operation = _read(said, at=f"/operations/{index}")
        try:
            made += _DO[operation.op](sections, operation)
        except LookupError as error:
            raise InvalidContent([Fault(f"/operations/{index}", "unknown_section", str(error.args[0]))]) from None
    saved = saving.save(session, structure, {"fields": {"sections": sections}}, expected=expected, by=by)
    return saved, made


def _read(said: dict[str, Any], *, at: str) -> Any:
    try:
        return _OPERATION.validate_python(said)
    except ValidationError as error:
        faults = [
            Fault("/".join([at, *(str(step) for step in one["loc"][1:])]), one["type"], one["msg"])
            for one in error.errors()
        ]
        raise InvalidContent(faults) from None


def _add(sections: list[Node], operation: Add) -> list[str]:
    siblings = _children(sections, operation.parent)
    node: Node = {"id": new_id(), "slug": operation.slug, "name": operation.name, "children": []}
    siblings.insert(len(siblings) if operation.position is None else operation.position, node)
    return [str(node["id"])]


def _rename(sections: list[Node], operation: Rename) -> list[str]:
    node = _find(sections, operation.section)
    if operation.slug is not None:
        node["slug"] = operation.slug
    if operation.name is not None:
        node["name"] = {**node["name"], **operation.name} if "*" not in operation.name else operation.name
    return []


def _reorder(sections: list[Node], operation: Reorder) -> list[str]:
    siblings = _children(sections, operation.parent)
    by_id = {node["id"]: node for node in siblings}
    if sorted(by_id) != sorted(operation.sections):
        raise LookupError("Name each section of this level once.")
    siblings[:] = [by_id[one] for one in operation.sections]
    return []


_DO: Mapping[str, Callable[[list[Node], Any], list[str]]] = {"add": _add, "rename": _rename, "reorder": _reorder}


def _children(sections: list[Node], parent: str | None) -> list[Node]:
    children: list[Node] = sections if parent is None else _find(sections, parent)["children"]
    return children


def _find(sections: list[Node], section_id: str) -> Node:
    open_nodes = list(sections)
    while open_nodes:
        node = open_nodes.pop()
        if node["id"] == section_id:
            return node
        open_nodes += node["children"]
    raise LookupError(f"There is no section '{section_id[:64]}'.")

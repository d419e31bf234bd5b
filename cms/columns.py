"""What lists may be filtered and sorted by: an allow-list per audience, made from columns and the types' fields."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, case

from cms import content_types
from cms.content_types import ContentType, Field
from cms.errors import BadQuery, NotFound
from cms.field_kinds import KINDS
from cms.json_columns import member
from cms.listing import Asked, Column

EQUALITY = frozenset({"eq", "ne", "in", "nin", "exists"})
ORDER = EQUALITY | {"lt", "lte", "gt", "gte"}
WORDS = ORDER | {"contains", "starts"}


def asked_types(asked: Asked, *, parameter: str = "filter[type]") -> tuple[ContentType, ...]:
    """The types that a list is limited to by equality; all when it is not. Raises `BadQuery` for an unknown one."""
    named: list[str] = []
    for condition in asked.conditions:
        if condition.field == "type" and condition.operator in ("eq", "in"):
            named += condition.values
    try:
        return tuple(content_types.find(name) for name in named) or tuple(content_types.BUILT_IN.values())
    except NotFound as missing:
        raise BadQuery(parameter, "unknown_type", f"There is no content type '{missing.id}'.") from None


def field_columns(
    types: Iterable[ContentType], *, fields: Any, type_column: ColumnElement[str], public: bool
) -> dict[str, Column]:
    """The fields of some types as columns. A field that one type keeps private is offered only for the others."""
    owners: dict[str, list[tuple[str, Field]]] = {}
    for content_type in types:
        for field in content_type.fields:
            owners.setdefault(field.name, []).append((content_type.name, field))
    columns = {}
    for name, owned in owners.items():
        offered = [(owner, field) for owner, field in owned if field.public or not public]
        kinds = {KINDS[field.kind].compares_as for _, field in offered}
        if len(kinds) == 1:
            guard = None if len(offered) == len(owned) else type_column.in_([owner for owner, _ in offered])
            columns[name] = _column(offered, fields=fields, guard=guard)
    return columns


def _column(offered: list[tuple[str, Field]], *, fields: Any, guard: ColumnElement[bool] | None) -> Column:
    _, first = offered[0]
    kind = KINDS[first.kind].compares_as
    expression = member(fields, first.name, kind=kind)
    if guard is not None:
        expression = case((guard, expression))
    return Column(expression, kind, frozenset.intersection(*(KINDS[field.kind].operators for _, field in offered)))

"""What lists may be filtered and sorted by: an allow-list per audience, made from columns and the types' fields."""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, case
from sqlalchemy.orm import Session

from cms.content_types import ContentType, Field
from cms.custom_types import site_types
from cms.custom_types.field_indexes import indexed
from cms.errors import BadQuery, NotFound
from cms.field_kinds import KINDS
from cms.json_columns import member
from cms.listing import Asked, Column

EQUALITY = frozenset({"eq", "ne", "in", "nin", "exists"})
ORDER = EQUALITY | {"lt", "lte", "gt", "gte"}
WORDS = ORDER | {"contains", "starts"}


def asked_types(session: Session, asked: Asked, *, parameter: str = "filter[type]") -> tuple[ContentType, ...]:
    """The types that a list is limited to by equality; all when it is not. Raises `BadQuery` for an unknown one."""
    named: list[str] = []
    for condition in asked.conditions:
        if condition.field == "type" and condition.operator in ("eq", "in"):
            named += condition.values
    try:
        found = tuple(site_types.find(session, name) for name in dict.fromkeys(named))
    except NotFound as missing:
        raise BadQuery(parameter, "unknown_type", f"There is no content type '{missing.id}'.") from None
    return found or tuple(site_types.all_of(session).values())


EMPTY: Mapping[str, Column] = MappingProxyType({})


class FieldColumns(Mapping[str, Column]):
    """A list's own columns, and the fields of some types as columns, made when asked for: a site may have thousands.

    A field that one type keeps from this audience is offered only for the others."""

    def __init__(
        self,
        types: Iterable[ContentType],
        *,
        own: Mapping[str, Column] = EMPTY,
        fields: Any,
        type_column: ColumnElement[str],
        public: bool,
    ) -> None:
        self._types = tuple(types)
        self._own = own
        self._fields = fields
        self._type_column = type_column
        self._public = public

    def __iter__(self) -> Iterator[str]:
        names = (field.name for content_type in self._types for field in content_type.fields)
        return (name for name in dict.fromkeys([*self._own, *names]) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._own or (isinstance(name, str) and self._offered(name) is not None)

    def __getitem__(self, name: str) -> Column:
        if name in self._own:
            return self._own[name]
        offered = self._offered(name)
        if offered is None:
            raise KeyError(name)
        guard = None
        if len(offered) < sum(1 for one in self._types if one.field(name) is not None):
            guard = self._type_column.in_([owner for owner, _ in offered])
        fields = [field for _, field in offered]
        kind = KINDS[fields[0].kind].compares_as
        expression = member(self._fields, name, kind=kind)
        return Column(
            expression if guard is None else case((guard, expression)),
            kind,
            reduce(frozenset.intersection, (self._operators(field) for field in fields)),
            sortable=all(field.offers("sortable", public=self._public) for field in fields),
            nullable=True,
            index="field" if self._has_index(name) else None,
        )

    def _has_index(self, name: str) -> bool:
        one_of_staff_s = len(self._types) == 1 and self._types[0].revision is not None
        return one_of_staff_s and name in indexed(self._types[0], public=self._public)

    def _offered(self, name: str) -> list[tuple[str, Field]] | None:
        owned = ((one.name, field) for one in self._types if (field := one.field(name)) is not None)
        seen = [(owner, field) for owner, field in owned if field.public or not self._public]
        offered = [(owner, field) for owner, field in seen if self._is_used(field)] or seen
        return offered if len({KINDS[field.kind].compares_as for _, field in offered}) == 1 else None

    def _is_used(self, field: Field) -> bool:
        return any(field.offers(use, public=self._public) for use in ("filterable", "sortable"))

    def _operators(self, field: Field) -> frozenset[str]:
        return KINDS[field.kind].operators if field.offers("filterable", public=self._public) else frozenset()

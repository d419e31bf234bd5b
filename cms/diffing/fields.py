"""Two mappings of fields compared by the kind of each field."""

import json
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Protocol

from cms.diffing.alignment import align, gaps
from cms.diffing.blocks import compare_rich_text, freeze
from cms.diffing.pairing import edits
from cms.diffing.shapes import FieldDiff, ItemDiff, Op, Run
from cms.diffing.words import joined, runs_of, whole_runs, word_runs

Fields = Mapping[str, Any]
Kinds = Mapping[str, str]
Steps = Iterator[tuple[int | None, int | None]]


class Comparison(Protocol):
    """Compares two values of one kind; None when nothing differs."""

    def __call__(self, old: Any, new: Any, *, kind: str, pointer: str) -> FieldDiff | None: ...


def compare(old: Fields, new: Fields, *, kinds: Kinds, prefix: str = "/fields") -> list[FieldDiff]:
    """The fields that differ, in the order of `kinds`; those it does not name come last, as the kind they look like.

    `kinds` gives a field's kind by name, and the kind of a group's field as "group/field". A changed group is listed as
    its changed fields. Absent, null and empty text, list or document are the same. Every item has `pointer`, `kind` and
    `runs`; rich text adds `blocks`, lists `items`, other values `from` and `to`.
    """
    return list(_compared(old, new, kinds=kinds, prefix=prefix))


def _compared(old: Fields, new: Fields, *, kinds: Kinds, prefix: str) -> Iterator[FieldDiff]:
    named = [name for name in kinds if "/" not in name]
    others = sorted({*old, *new} - set(named))
    for name in [*named, *others]:
        before, after = old.get(name), new.get(name)
        if before == after and type(before) is type(after):
            continue
        kind = kinds.get(name) or _apparent_kind(after if before is None else before)
        inner = {key[len(name) + 1 :]: value for key, value in kinds.items() if key.startswith(f"{name}/")}
        pointer = f"{prefix}/{_escaped(name)}"
        if kind == "group" and inner:
            yield from _compared(_group(before), _group(after), kinds=inner, prefix=pointer)
        elif diff := _compared_by_kind(before, after, kind=kind, inner=inner, pointer=pointer):
            yield diff


def _compared_by_kind(old: Any, new: Any, *, kind: str, inner: Kinds, pointer: str) -> FieldDiff | None:
    if kind in ("groups", "menu_items"):
        return _compare_groups(
            old, new, inner=_MENU_ITEM if kind == "menu_items" else inner, pointer=pointer, kind=kind
        )
    comparison: Comparison = COMPARISONS.get(kind, _compare_values)
    return comparison(old, new, kind=kind, pointer=pointer)


def _compare_text(old: Any, new: Any, *, kind: str, pointer: str) -> FieldDiff | None:
    before, after = _text(old), _text(new)
    return None if before == after else {"pointer": pointer, "kind": kind, "runs": word_runs(before, after)}


def _compare_rich_text(old: Any, new: Any, *, kind: str, pointer: str) -> FieldDiff | None:
    found = compare_rich_text(old, new)
    return {"pointer": pointer, "kind": kind, "runs": found[1], "blocks": found[0]} if found else None


def _compare_values(old: Any, new: Any, *, kind: str, pointer: str) -> FieldDiff | None:
    before, after = _text(old), _text(new)
    if before == after:
        return None
    return {"pointer": pointer, "kind": kind, "runs": whole_runs(before, after), "from": old, "to": new}


def _compare_list(old: Any, new: Any, *, kind: str, pointer: str) -> FieldDiff | None:
    before, after = _items(old), _items(new)
    items: list[ItemDiff] = []
    for removed, added, match in gaps(align(_keys(before), _keys(after)), len(before), len(after)):
        items += [{"op": "removed", "value": before[at]} for at in removed]
        items += [{"op": "added", "value": after[to]} for to in added]
        items += [{"op": "kept", "value": value} for value in after[match.to : match.to + match.size]]
    return _listed(items, [runs_of(_text(item["value"]), item["op"]) for item in items], kind=kind, pointer=pointer)


# A menu's items have items of their own kind.
_MENU_ITEM: Kinds = {"label": "text", "url": "text", "items": "menu_items"}


def _compare_groups(old: Any, new: Any, *, inner: Kinds, pointer: str, kind: str) -> FieldDiff | None:
    before, after = [_group(item) for item in _items(old)], [_group(item) for item in _items(new)]
    items: list[ItemDiff] = []
    runs: list[list[Run]] = []
    for at, to in _group_steps(before, after):
        one, other = (before[at] if at is not None else {}), (after[to] if to is not None else {})
        op: Op = "added" if at is None else "removed" if to is None else "kept"
        fields = compare(one, other, kinds=inner, prefix=f"{pointer}/{to}") if op == "kept" else []
        items.append({"op": op, "value": one if to is None else other, "fields": fields})
        runs.append(word_runs(_flat(one), _flat(other)))
    return _listed(items, runs, kind=kind, pointer=pointer)


def _group_steps(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Steps:
    for removed, added, match in gaps(align(_keys(old), _keys(new)), len(old), len(new)):
        for at, to in _edited_groups(old[removed.start : removed.stop], new[added.start : added.stop]):
            yield None if at is None else removed[at], None if to is None else added[to]
        yield from ((match.at + step, match.to + step) for step in range(match.size))


def _edited_groups(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Steps:
    def share_a_value(at: int, to: int) -> bool:
        return any(value not in (None, "", [], {}) and new[to].get(key) == value for key, value in old[at].items())

    return edits([_flat(group) for group in old], [_flat(group) for group in new], related=share_a_value)


def _listed(items: list[ItemDiff], runs: list[list[Run]], *, kind: str, pointer: str) -> FieldDiff | None:
    if all(item["op"] == "kept" and not item.get("fields") for item in items):
        return None
    parts = zip((item["op"] for item in items), runs, strict=True)
    return {"pointer": pointer, "kind": kind, "runs": joined(parts, ", "), "items": items}


def _apparent_kind(value: Any) -> str:
    if isinstance(value, Mapping) and value.get("type") == "doc":
        return "rich_text"
    if isinstance(value, list):
        return "groups" if value and all(isinstance(item, Mapping) for item in value) else "topics"
    return "text" if isinstance(value, str) else "value"


def _text(value: Any) -> str:
    """A value as a reader sees it in a run."""
    if value is None or value == [] or value == {}:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _flat(group: Mapping[str, Any]) -> str:
    return ", ".join(text for value in group.values() if (text := _text(value)))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _group(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    return {} if value is None else {"value": value}


def _keys(items: list[Any]) -> list[Hashable]:
    return [freeze(item) for item in items]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


COMPARISONS: Mapping[str, Comparison] = {
    "text": _compare_text,
    "long_text": _compare_text,
    "rich_text": _compare_rich_text,
    "topics": _compare_list,
    "references": _compare_list,
}

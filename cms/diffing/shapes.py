"""What a diff looks like: JSON-ready shapes."""

from typing import Any, Literal, NotRequired, TypedDict

Op = Literal["kept", "added", "removed"]


class Run(TypedDict):
    """A stretch of text. Kept and removed runs spell the old text, kept and added runs the new one."""

    op: Op
    text: str


class BlockDiff(TypedDict):
    """One leaf block of rich text, such as a paragraph, a table cell's paragraph or an image.

    `type` is the container's for a paragraph of a list item or a table cell, else the node's own. `path` names the
    containers from the outside in. A kept block that differs says how in `changed`: "marks", "type", "path" or an
    attribute's name; its `attrs` are the new ones and `attrs_before` the old ones (null when they are the same).
    """

    op: Op
    type: str
    path: str
    runs: list[Run]
    attrs: dict[str, Any]
    attrs_before: dict[str, Any] | None
    changed: list[str]


class ItemDiff(TypedDict):
    """One item of a list. Groups have `fields`: what changed inside a kept item, with pointers into the new list."""

    op: Op
    value: Any
    fields: NotRequired[list["FieldDiff"]]


FieldDiff = TypedDict(
    "FieldDiff",
    {
        "pointer": str,
        "kind": str,
        "runs": list[Run],
        "from": NotRequired[Any],
        "to": NotRequired[Any],
        "items": NotRequired[list[ItemDiff]],
        "blocks": NotRequired[list[BlockDiff]],
    },
)

"""Rich text compared block by block, and inside an edited block word by word."""

from array import array
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cms.diffing.alignment import Match, align, gaps
from cms.diffing.pairing import edits
from cms.diffing.shapes import BlockDiff, Op, Run
from cms.diffing.words import joined, matching_text, runs_between, runs_of

# What stands inside a line of text; an inline thing that is not text shows as U+FFFC, a line break as a line break.
TEXT_BLOCKS = frozenset({"paragraph", "heading", "codeBlock"})
OF_THEIR_CONTAINER = frozenset({"listItem", "taskItem", "tableCell", "tableHeader"})
INLINE = frozenset({"text", "hardBreak"})
OBJECT = "\ufffc"
PLAIN: Hashable = ()


class _Block(NamedTuple):
    type: str
    path: str
    attrs: Mapping[str, Any]
    frozen_attrs: Hashable
    text: str
    # One number a character: which marks it wears.
    styles: "array[int]"
    # Which containers begin with this block: what tells two paragraphs in one item from two items.
    begins: Hashable

    @property
    def key(self) -> Hashable:
        return self.path, self.type, self.frozen_attrs, self.text, self.styles.tobytes()


def compare_rich_text(old: object, new: object) -> tuple[list[BlockDiff], list[Run]] | None:
    """The blocks and the joined runs of two ProseMirror documents; None when nothing differs.

    Where only the grouping of blocks differs (two list items became one), all blocks are kept without a change.
    """
    styles: dict[Hashable, int] = {PLAIN: 0}
    before, after = list(_blocks(old, styles)), list(_blocks(new, styles))
    if [(block.key, block.begins) for block in before] == [(block.key, block.begins) for block in after]:
        return None
    diffs = list(_compared(before, after))
    return diffs, joined(((diff["op"], diff["runs"]) for diff in diffs), "\n")


def freeze(value: object) -> Hashable:
    """A JSON value as something that can be compared in a set, whatever the order of its keys."""
    if isinstance(value, Mapping):
        return tuple((str(key), freeze(value[key])) for key in sorted(value, key=str))
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return value if isinstance(value, Hashable) else repr(value)


def _compared(old: Sequence[_Block], new: Sequence[_Block]) -> Iterator[BlockDiff]:
    matches = align([block.key for block in old], [block.key for block in new])
    for removed, added, match in gaps(matches, len(old), len(new)):
        yield from _rewritten(old[removed.start : removed.stop], new[added.start : added.stop])
        for block in new[match.to : match.to + match.size]:
            yield _whole(block, "kept")


def _rewritten(old: Sequence[_Block], new: Sequence[_Block]) -> Iterator[BlockDiff]:
    def related(at: int, to: int) -> bool:
        return _same_object(old[at], new[to])

    for at, to in edits([block.text for block in old], [block.text for block in new], related=related):
        if at is not None and to is not None:
            yield _edited(old[at], new[to])
        elif at is not None:
            yield _whole(old[at], "removed")
        elif to is not None:
            yield _whole(new[to], "added")


def _same_object(old: _Block, new: _Block) -> bool:
    """Images and embeds are the same when they show the same thing; other blocks when they say the same."""
    if old.type != new.type:
        return False
    shown = [key for key in ("entry", "src", "url") if old.attrs.get(key) is not None]
    return any(old.attrs[key] == new.attrs.get(key) for key in shown) if shown else old.text == new.text


def _whole(block: _Block, op: Op) -> BlockDiff:
    return {
        "op": op,
        "type": block.type,
        "path": block.path,
        "runs": runs_of(block.text, op),
        "attrs": dict(block.attrs),
        "attrs_before": None,
        "changed": [],
    }


def _edited(old: _Block, new: _Block) -> BlockDiff:
    same_attrs = old.frozen_attrs == new.frozen_attrs
    matches = matching_text(old.text, new.text)
    return {
        "op": "kept",
        "type": new.type,
        "path": new.path,
        "runs": runs_between(old.text, new.text, matches),
        "attrs": dict(new.attrs),
        "attrs_before": None if same_attrs else dict(old.attrs),
        "changed": list(_changes(old, new, matches)),
    }


def _changes(old: _Block, new: _Block, matches: list[Match]) -> Iterator[str]:
    if old.type != new.type:
        yield "type"
    elif old.path != new.path:
        yield "path"
    if _restyled(old, new, matches):
        yield "marks"
    for name in sorted({*old.attrs, *new.attrs}):
        if freeze(old.attrs.get(name)) != freeze(new.attrs.get(name)):
            yield name


def _restyled(old: _Block, new: _Block, matches: list[Match]) -> bool:
    return any(
        old.styles[match.at : match.at + match.size] != new.styles[match.to : match.to + match.size]
        for match in matches
    )


class _Place(NamedTuple):
    node: Mapping[str, Any]
    path: tuple[str, ...]
    begins: tuple[Hashable, ...]


def _blocks(document: object, styles: dict[Hashable, int]) -> Iterator[_Block]:
    """The leaf blocks in reading order. A stack, because a hostile document may be deeper than Python's own."""
    stack = [_Place(node, (), ()) for node in reversed(_children(document))]
    while stack:
        place = stack.pop()
        children = _children(place.node)
        if _is_leaf(place.node, children):
            yield _block(place, children, styles)
            continue
        path = (*place.path, _type(place.node))
        begins = (*place.begins, _type(place.node), freeze(_attrs(place.node)))
        stack += [_Place(child, path, ()) for child in reversed(children[1:])]
        stack.append(_Place(children[0], path, begins))


def _is_leaf(node: Mapping[str, Any], children: Sequence[Mapping[str, Any]]) -> bool:
    return not children or _type(node) in TEXT_BLOCKS or any(_type(child) in INLINE for child in children)


def _block(place: _Place, children: Sequence[Mapping[str, Any]], styles: dict[Hashable, int]) -> _Block:
    own, attrs = _type(place.node), _attrs(place.node)
    container = place.path[-1] if place.path else ""
    texts = [_inline_text(child) for child in children]
    worn: array[int] = array("I")
    for child, text in zip(children, texts, strict=True):
        worn.extend(array("I", [styles.setdefault(_style(child), len(styles))]) * len(text))
    return _Block(
        type=container if own == "paragraph" and container in OF_THEIR_CONTAINER else own,
        path="/".join((*place.path, own)),
        attrs=attrs,
        frozen_attrs=freeze(attrs) if attrs else (),
        text="".join(texts) if children else _caption(attrs),
        styles=worn,
        begins=place.begins,
    )


def _inline_text(node: Mapping[str, Any]) -> str:
    text = node.get("text") if node.get("type") == "text" else None
    if isinstance(text, str):
        return text
    return "\n" if node.get("type") == "hardBreak" else OBJECT


def _style(node: Mapping[str, Any]) -> Hashable:
    if node.get("type") not in ("text", "hardBreak"):
        return freeze({**node, "text": ""})
    marks = node.get("marks")
    return freeze(marks) if marks else PLAIN


def _caption(attrs: Mapping[str, Any]) -> str:
    return next((text for key in ("alt", "title", "caption") if isinstance(text := attrs.get(key), str) and text), "")


def _children(node: object) -> list[Mapping[str, Any]]:
    if isinstance(node, str):
        return [{"type": "paragraph", "content": [{"type": "text", "text": node}]}] if node else []
    content = node.get("content") if isinstance(node, dict) else None
    return [child for child in content if isinstance(child, dict)] if isinstance(content, list) else []


def _type(node: Mapping[str, Any]) -> str:
    kind = node.get("type")
    return kind if isinstance(kind, str) else ""


def _attrs(node: Mapping[str, Any]) -> Mapping[str, Any]:
    attrs = node.get("attrs")
    return attrs if isinstance(attrs, dict) else {}

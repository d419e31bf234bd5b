"""What differs between two revisions: field by field, block by block, item by item, word by word, as data."""

from cms.diffing.fields import compare
from cms.diffing.shapes import BlockDiff, FieldDiff, ItemDiff, Op, Run

__all__ = ["BlockDiff", "FieldDiff", "ItemDiff", "Op", "Run", "compare"]

"""The items of a menu as a value: a tree of links to entries, sections and addresses, checked for what it may say.

Pure: what items point at is looked up by who saves and by who shows them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from slugify import slugify

from cms.identity import is_id
from cms.pictures import unsigned

MAX_LEVELS = 5
MAX_ITEMS = 1_000
LONGEST_NAME = 200
# How many levels of sections "and its children" may reach.
MAX_DEPTH = 5

# Browsers read //host and /\host as another site, and drop tabs and line ends before they look.
_ON_THIS_SITE = re.compile(r"/(?![/\\])[^\s\x00-\x1f\x7f\\]*")
_ELSEWHERE = re.compile(r"https?://[^\s\x00-\x1f\x7f\\/?#]+[^\s\x00-\x1f\x7f\\]*", re.IGNORECASE)
_REACHING = re.compile(r"(mailto|tel):[^\s\x00-\x1f\x7f<>\"\\]+", re.IGNORECASE)


def is_address(value: str, *, reaching: bool = False) -> bool:
    """Whether this is a path on this site or a web address; with `reaching`, mailto: and tel: are taken, too."""
    patterns = (_ON_THIS_SITE, _ELSEWHERE, *((_REACHING,) if reaching else ()))
    return any(pattern.fullmatch(value) for pattern in patterns) and _can_be_read(value)


def _can_be_read(address: str) -> bool:
    """Whether its host is one: `http://[::1` opens what it does not close."""
    try:
        return urlsplit(address) is not None
    except ValueError:
        return False


def _address(value: str) -> str:
    if not is_address(value, reaching=True):
        raise ValueError("is no address: give a path that starts with '/', or https://, http://, mailto: or tel:")
    return unsigned(value)


def _entry(value: str) -> str:
    if not is_id(value):
        raise ValueError("is not an entry's id")
    return value


_Label = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True, pattern=r"^[^\x00]*$")]
_Locale = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9*_-]+$")]


class MenuItem(BaseModel):
    """A link or a heading. `label` for all locales or by locale; without one it is called as its target is.

    `depth`: how many levels of the section's own sections follow below it."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[
        _Label | Annotated[dict[_Locale, _Label], Field(min_length=1, max_length=50)] | None,
        BeforeValidator(lambda value: None if value == "" else value),
    ] = None
    entry: Annotated[str, AfterValidator(_entry)] | None = None
    section: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    url: Annotated[str, StringConstraints(max_length=2_000, strip_whitespace=True), AfterValidator(_address)] | None = (
        None
    )
    depth: Annotated[int, Field(ge=0, le=MAX_DEPTH)] | None = None
    items: Annotated[list[Self], BeforeValidator(lambda value: [] if value is None else value)] = Field(
        default_factory=list
    )

    @model_validator(mode="after")
    def _leads_to_one_thing(self) -> Self:
        targets = sum(target is not None for target in (self.entry, self.section, self.url))
        if targets > 1:
            raise PydanticCustomError("several_targets", "An item leads to an entry, a section or a url: give only one")
        if targets == 0 and self.label is None:
            raise PydanticCustomError("no_label", "An item that leads nowhere is a heading: give it a label")
        if self.depth is not None and self.section is None:
            raise PydanticCustomError("needless_depth", "Only a section has sections below it: leave out the depth")
        return self


def within_limits(items: list[MenuItem]) -> list[MenuItem]:
    """The items of a whole menu. Raises `PydanticCustomError` when they are too many or too deep."""
    total = 0
    level, depth = items, 0
    while level:
        total += len(level)
        depth += 1
        level = [below for item in level for below in item.items]
    if depth > MAX_LEVELS:
        raise PydanticCustomError("too_deep", f"A menu is at most {MAX_LEVELS} levels deep")
    if total > MAX_ITEMS:
        raise PydanticCustomError("too_many", f"A menu has at most {MAX_ITEMS} items")
    return items


def walk(items: Sequence[Mapping[str, Any]], *, at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every item as it is kept, with its JSON pointer, those above first."""
    for index, item in enumerate(items):
        pointer = f"{at}/{index}"
        yield pointer, item
        yield from walk(item.get("items") or (), at=f"{pointer}/items")


def labels(items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Every label in every locale."""
    for _, item in walk(items, at=""):
        label = item.get("label")
        yield from (label.values() if isinstance(label, Mapping) else (label,) if label else ())


def name_from(title: str) -> str:
    """The name of a menu that was given none."""
    return slugify(title, max_length=LONGEST_NAME - 10, word_boundary=True) or "menu"

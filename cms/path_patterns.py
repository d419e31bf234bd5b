"""Patterns of paths, for what is shown on some pages only: `*` stands for what one step holds, `**` for any steps.

`/news/*` is every page right below `/news`, `/news/**` is `/news` and all below it, `/news/2026-*` every step that
begins so. Nothing is matched by trying again and again: a pattern costs its length times the path's, whatever it says.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cms.errors import Fault
from cms.paths import before_query, normal

LONGEST_PATTERN = 500
MOST_PATTERNS = 100
_ANY_STEPS = "**"


def matches(pattern: str, path: str) -> bool:
    """Whether a path, in any of its spellings, with or without a query, is one of those that the pattern means."""
    return _matches(_steps(pattern), normal(before_query(path)).strip("/").split("/"))


def matches_any(patterns: Iterable[str], path: str) -> bool:
    """Whether one of the patterns means the path."""
    asked = normal(before_query(path)).strip("/").split("/")
    return any(_matches(_steps(pattern), asked) for pattern in patterns)


def matches_below(patterns: Sequence[str], path: str) -> bool | None:
    """Whether some patterns mean everything right below a path, or nothing of it; None: it depends on the last step."""
    below = [*(step for step in normal(path).strip("/").split("/") if step), None]
    if any(_matches(_steps(pattern), below) for pattern in patterns):
        return True
    return None if any(_matches(_steps(pattern), below, maybe=True) for pattern in patterns) else False


def faults(scope: Mapping[str, Any], *, at: str) -> Iterator[Fault]:
    """What is wrong with the `paths` and `except_paths` of what is shown on some pages only."""
    for name in ("paths", "except_paths"):
        patterns = scope.get(name) or ()
        if len(patterns) > MOST_PATTERNS:
            yield Fault(f"{at}/{name}", "too_many", f"There are at most {MOST_PATTERNS} patterns.")
        for index, pattern in enumerate(patterns):
            if (wrong := fault(pattern)) is not None:
                yield Fault(f"{at}/{name}/{index}", "malformed_pattern", wrong)


def fault(pattern: str) -> str | None:
    """What is wrong with a pattern, in words; None: nothing is."""
    if not pattern.startswith("/"):
        return "A pattern of paths starts with '/': /news/* is what is right below /news, /news/** all of it."
    if len(pattern) > LONGEST_PATTERN:
        return f"A pattern has at most {LONGEST_PATTERN} characters."
    if "?" in pattern or "#" in pattern:
        return "A pattern is of the path alone: leave out '?' and '#' and what follows them."
    if any(_ANY_STEPS in step and step != _ANY_STEPS for step in pattern.split("/")):
        return "'**' is a whole step, such as /news/**; within a step write '*'."
    return None


@lru_cache(maxsize=4_096)
def _steps(pattern: str) -> tuple[str, ...]:
    return tuple(normal(pattern).strip("/").split("/"))


def _matches(pattern: tuple[str, ...], path: Sequence[str | None], *, maybe: bool = False) -> bool:
    """`None` is a step that is not known: it is what any pattern of one means, or with `maybe` what some mean."""
    # What of the path may be left when this much of the pattern is used up: a row of the table for each step of it.
    left = {0}
    for step in pattern:
        if step == _ANY_STEPS:
            left = set(range(min(left), len(path) + 1))
        else:
            left = {at + 1 for at in left if at < len(path) and _step_matches(step, path[at], maybe)}
        if not left:
            return False
    return len(path) in left or (list(path) == [""] and pattern == (_ANY_STEPS,))


def _step_matches(step: str, said: str | None, maybe: bool) -> bool:
    if said is None:
        return maybe or step == "*"
    if "*" not in step:
        return step == said
    if not said:
        return False
    first, *middle, last = step.split("*")
    if len(said) < len(first) + len(last) or not said.startswith(first) or not said.endswith(last):
        return False
    at, end = len(first), len(said) - len(last)
    for piece in middle:
        # The first place where it fits leaves most for the pieces after it.
        found = said.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True

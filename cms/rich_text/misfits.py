"""Counts what did not fit, so that a thousand causes of one kind make one line for the editor."""

from cms.rich_text.document import Misfit

MOST_CAUSES = 50
LONGEST_DETAIL = 80

_MESSAGES = {
    "element_dropped": "{n} × <{detail}>: removed, only its text was kept",
    "content_dropped": "{n} × <{detail}>: removed with its content",
    "attribute_dropped": "{n} × {detail}: the attribute was removed",
    "embed_not_allowed": "{n} × embed from {detail}: replaced by a link, the site is not on the list",
    "external_image": "{n} × image outside the library, replaced by its text or a link (first: {detail})",
    "unsafe_link": "{n} × link with the address {detail}: the link was removed, its text was kept",
    "unknown_entry": "{n} × {detail}: names no entry by its id",
    "unknown_node": "{n} × node {detail}: removed, only its text was kept",
    "unknown_mark": "{n} × mark {detail}: removed, the text was kept",
    "image_link_dropped": "{n} × link around an image: removed (first: {detail})",
    "formatting_in_code": "{n} × <{detail}> in a code block: only its text was kept",
    "formatting_in_caption": "{n} × <{detail}> in a caption: only its text was kept",
    "nested_too_deeply": "{n} × {detail} beyond the deepest nesting: its content was moved up",
    "other": "{n} × other things that did not fit",
}
# These have one cause whatever the address is; the first one stands as the example.
_BY_FIRST_EXAMPLE = frozenset({"external_image", "image_link_dropped"})


class Misfits:
    """Collects misfits while a text is read."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}
        self._examples: dict[str, str] = {}

    def add(self, code: str, detail: str = "") -> None:
        detail = _shortened(detail)
        if code in _BY_FIRST_EXAMPLE:
            detail = self._examples.setdefault(code, detail)
        cause = (code, detail)
        if cause not in self._counts and len(self._counts) >= MOST_CAUSES:
            cause = ("other", "")
        self._counts[cause] = self._counts.get(cause, 0) + 1

    def listed(self) -> tuple[Misfit, ...]:
        return tuple(
            Misfit(code, _MESSAGES[code].format(n=count, detail=detail), count)
            for (code, detail), count in self._counts.items()
        )


def _shortened(detail: str) -> str:
    if len(detail) > LONGEST_DETAIL:
        detail = detail[:LONGEST_DETAIL] + "…"
    return detail if detail.isprintable() else "".join(c for c in detail if c.isprintable())

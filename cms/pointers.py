"""JSON pointers (RFC 6901), and where in a value an error of Pydantic's stands."""

from collections.abc import Mapping, Sequence


def existing(steps: Sequence[str | int], body: object, *, missing: bool) -> list[str | int]:
    """The steps that lead somewhere in the body: Pydantic mixes the tags of unions into its locations."""
    found: list[str | int] = []
    for number, step in enumerate(steps, start=1):
        inside, body = _step_into(body, step)
        if inside or (missing and number == len(steps)):
            found.append(step)
    return found


def _step_into(body: object, step: str | int) -> tuple[bool, object]:
    if isinstance(body, Mapping) and step in body:
        return True, body[step]
    if isinstance(body, list) and isinstance(step, int) and step < len(body):
        return True, body[step]
    return False, body


def json_pointer(steps: Sequence[str | int]) -> str:
    """The RFC 6901 pointer to a place in a document, `/fields/title`; empty for the document itself."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)

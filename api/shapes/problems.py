"""What every error answers."""

from pydantic import BaseModel

from api.shapes.shape import Shape


class Fault(Shape):
    """One thing wrong with one value: `pointer` is a JSON pointer, or names a header or `?parameter`."""

    pointer: str
    code: str
    message: str


class Problem(BaseModel):
    """What every error answers (RFC 9457). Some have further members, such as `current` and `changed` of a 412."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None
    errors: list[Fault]

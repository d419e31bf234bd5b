"""The parts of the application that serves a public request."""

from starlette.requests import Request

from api.parts import Parts


def parts_of(request: Request) -> Parts:
    """The parts of the application that serves this request."""
    parts: Parts = request.app.state.parts
    return parts

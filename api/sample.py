"""The sample site."""

from api.parts import Parts
from cms.attribution import By


def load(parts: Parts, *, by: By) -> None:
    """Load."""

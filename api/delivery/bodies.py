"""What the Delivery API takes, as models that refuse every key they do not name."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST_PATHS = 100


class MissedPath(BaseModel):
    """A path that a front end could not show, and where its visitor came from."""

    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, StringConstraints(min_length=1, max_length=4_000, pattern="^/")]
    referrer: Annotated[str, StringConstraints(max_length=4_000)] | None = None
    locale: Annotated[str, StringConstraints(min_length=1, max_length=35)] | None = None


class Beacons(BaseModel):
    """What front ends tell of their visitors."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "missing_paths": [
                        {"path": "/news/office-hours.html", "referrer": "https://example.org/", "locale": "ru"}
                    ]
                }
            ]
        },
    )

    missing_paths: Annotated[list[MissedPath], Field(max_length=MOST_PATHS)]

"""What the Delivery API takes, as models that refuse every key they do not name."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST_PATHS = 100
MOST_VIEWS = 100
VIEW_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class MissedPath(BaseModel):
    """A path that a front end could not show, and where its visitor came from."""

    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, StringConstraints(min_length=1, max_length=4_000, pattern="^/")]
    referrer: Annotated[str, StringConstraints(max_length=4_000)] | None = None
    locale: Annotated[str, StringConstraints(min_length=1, max_length=35)] | None = None


class SeenBanner(BaseModel):
    """That a banner was shown, stood in view, or was clicked. `view`: an id that the front end makes up for each
    showing, so that the same news is counted once."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["impression", "viewable", "click"]
    banner: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    placement: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    view: Annotated[str, StringConstraints(pattern=f"^{VIEW_ID.pattern}$")]


class Beacons(BaseModel):
    """What front ends tell of their visitors: paths that were not found, and what became of banners."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "missing_paths": [
                        {"path": "/news/office-hours.html", "referrer": "https://example.org/", "locale": "ru"}
                    ]
                },
                {
                    "banners": [
                        {
                            "kind": "impression",
                            "banner": "01900000-0000-7000-8000-000000000001",
                            "placement": "top",
                            "view": "Vx3k9-0001",
                        }
                    ]
                },
            ]
        },
    )

    missing_paths: Annotated[list[MissedPath], Field(max_length=MOST_PATHS)] = []
    banners: Annotated[list[SeenBanner], Field(max_length=MOST_VIEWS)] = []

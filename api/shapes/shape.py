"""What every shape is: all keys are always there, and no others."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """All keys are always there, and no others."""

    model_config = ConfigDict(extra="forbid")

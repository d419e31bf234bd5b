"""What a provider of counters is: one row of `cms.counters.providers.PROVIDERS`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from cms.counters.code import Code

# Where in a page code may stand, in the order of the page.
POSITIONS = ("head", "body_start", "body_end")


class Options(BaseModel):
    """What a counter is set to. A provider's own are members of a subclass; what it does not name is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


_HOST = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+(:[0-9]{1,5})?"
# Of a server that staff run themselves, with a folder on it perhaps; nothing in it can end a text or a tag.
ServerUrl = Annotated[str, StringConstraints(pattern=rf"^https://{_HOST}(/[A-Za-z0-9._~-]+)*/?$", max_length=300)]
CookieDomain = Annotated[str, StringConstraints(pattern=rf"^(auto|none|\.?{_HOST})$", max_length=253)]
# A name of a variable of JavaScript.
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=60)]


@dataclass(frozen=True)
class Provider:
    """How one provider's counters are made. `id`: what its ids look like (None: it has none), with an example.

    `position` and `category` hold unless the counter says otherwise. `consent_mode`: its code asks for the signals
    of Google's Consent Mode by itself."""

    title: str
    options: type[Options]
    code: Callable[[str, Any], Code]
    position: str
    category: str
    id: re.Pattern[str] | None = None
    example: str | None = None
    consent_mode: bool = False

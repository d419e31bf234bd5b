"""Code of any other vendor: HTML as it stands, read for what it loads."""

from typing import Annotated

from pydantic import Field, StringConstraints

from cms.counters.code import Code
from cms.counters.custom_code import read
from cms.counters.provider import Options, Provider

# What a policy may be told: a host, maybe with a star for those below it, or one of two schemes.
_SOURCE = r"^((https|wss)://(\*\.)?[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?|data:|blob:|'self')$"
_Directive = Annotated[
    str, StringConstraints(pattern=r"^(script|connect|img|style|font|frame|child|worker|media)-src$")
]
_Source = Annotated[str, StringConstraints(pattern=_SOURCE, max_length=300)]


class Custom(Options):
    """`csp`: what the code loads besides and cannot be read from it: sources by directive."""

    csp: dict[_Directive, Annotated[list[_Source], Field(max_length=50)]] = Field(default_factory=dict)


def _code(code: str, options: Custom) -> Code:
    return read(code, besides=options.csp)


# Instead of an id it is given the code.
PROVIDER = Provider("HTML", Custom, _code, "body_end", "marketing")

"""What files are kept under, in every store."""

import re


class BadKey(ValueError):
    """A key that is neither 64 lower-case hexadecimal digits nor these with `/` and a plain name behind."""


class NotStored(LookupError):
    """Nothing is kept under this key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Unreachable(Exception):
    """Where the files are kept does not answer, or lets us in no more; the message tells why."""


def checked(key: str, *, whole: bool = False) -> str:
    """The key. Raises `BadKey`; `whole`: also when it is a derived one."""
    if not (SHA256 if whole else _KEY).fullmatch(key):
        raise BadKey(f"Not a SHA-256 in lower-case hexadecimal, with or without a name behind it: {key!r}.")
    return key


SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[0-9a-f]{64}(?:/[a-z0-9][a-z0-9_.,-]{0,120})?")

"""Passwords and tokens: hashed going in, compared in constant time, never read back."""

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# 19 MiB, two passes: 56 ms here. The library's default takes 409 ms, and two sign-ins fill the machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Checked when there is no such user, so that the time taken does not tell.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(24))


def hashed(password: str) -> str:
    """A password as it is kept."""
    return _HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one. Takes as long when there is nothing to compare with."""
    try:
        _HASHER.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def new_token(prefix: str) -> str:
    """A secret of 256 bits to hand out once, recognisable by its prefix."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> str:
    """A token as it is kept: it has 256 bits of its own, so one round is enough."""
    return hashlib.sha256(token.encode()).hexdigest()

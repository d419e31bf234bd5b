"""Whether a JSON text holds only what the rest of the program can take: depth, 64-bit integers, Unicode, no NUL.

The common case is settled by scanning bytes, at the speed of C; only a text with something odd in it is built as
Python objects, with the same parser that will read it later, to find out what is wrong and where.
"""

import json
import math
import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

import orjson

from cms.errors import Fault
from cms.pointers import json_pointer

INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**63 - 1
# A double written out needs at most 25 characters; hundreds of digits are only ever an attack on int() or float().
NUMBER_LENGTH = 100

# The end of the text also ends a string: otherwise an open quote would be searched for again from every `\"`.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_ODD_NUMBER = re.compile(rb"[0-9]{19}|[eE][+-]?[0-9]{3}")
_ODD_ESCAPE = re.compile(
    rb"\\u(?:0000|[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u)[dD][c-fC-F])"
)
# Read as signed bytes: an opening bracket is a step down, a closing one a step up.
_STEPS = bytes.maketrans(b"[]{}", b"\x01\xff\x01\xff")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def find_json_fault(body: bytes, *, depth: int) -> Fault | None:
    """The first thing wrong with a JSON text, or None. Codes: malformed_json, too_deep, integer_out_of_range,
    number_too_long, number_not_finite, nul_character, lone_surrogate."""
    if _has_plain_escapes(body) and _is_plain(_STRING.sub(b"", body), depth):
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError:
            return _examine(body, depth)
        return None
    return _examine(body, depth)


def _has_plain_escapes(body: bytes) -> bool:
    if b"\\u" not in body:
        return True
    # `\\u0000` is a backslash and a word; take the pair away so that what stays are escapes.
    return _ODD_ESCAPE.search(body.replace(b"\\\\", b"__")) is None


def _is_plain(bare: bytes, depth: int) -> bool:
    return _ODD_NUMBER.search(bare) is None and _fits(bare.translate(_STEPS, _NOT_BRACKETS), depth)


def _fits(brackets: bytes, depth: int) -> bool:
    return brackets.count(1) <= depth or max(accumulate(array("b", brackets))) <= depth


@dataclass(frozen=True)
class _Odd:
    """Stands in the document for a number that is refused."""

    code: str
    message: str


def _examine(body: bytes, depth: int) -> Fault | None:
    try:
        document = json.loads(
            body.decode("utf-8"), parse_int=_integer, parse_float=_float, parse_constant=lambda _: _NOT_FINITE
        )
    except UnicodeDecodeError as error:
        return Fault("", "malformed_json", f"The body is not UTF-8 at byte {error.start}.")
    except json.JSONDecodeError as error:
        return Fault("", "malformed_json", f"{error.msg}: line {error.lineno}, column {error.colno}.")
    except RecursionError:
        return Fault("", "too_deep", _too_deep(depth))
    return _search(document, (), depth)


_NOT_FINITE = _Odd("number_not_finite", "The number is not finite.")
_TOO_LONG = _Odd("number_too_long", f"A number has at most {NUMBER_LENGTH} characters.")
_OUT_OF_RANGE = _Odd("integer_out_of_range", "An integer is between -2^63 and 2^63-1.")


def _integer(digits: str) -> int | _Odd:
    if len(digits) > 20:
        return _OUT_OF_RANGE
    number = int(digits)
    return number if INTEGER_MIN <= number <= INTEGER_MAX else _OUT_OF_RANGE


def _float(digits: str) -> float | _Odd:
    if len(digits) > NUMBER_LENGTH:
        return _TOO_LONG
    number = float(digits)
    return number if math.isfinite(number) else _NOT_FINITE


def _search(value: object, at: tuple[str | int, ...], levels: int) -> Fault | None:
    if isinstance(value, _Odd):
        return Fault(json_pointer(at), value.code, value.message)
    if isinstance(value, str):
        return _search_text(value, at)
    if isinstance(value, dict):
        names = (_search_text(name, at) for name in value)
        return next((fault for fault in names if fault), None) or _search_members(value.items(), at, levels)
    if isinstance(value, list):
        return _search_members(enumerate(value), at, levels)
    return None


def _search_members(
    members: Iterable[tuple[str | int, object]], at: tuple[str | int, ...], levels: int
) -> Fault | None:
    if levels == 0:
        return Fault(json_pointer(at), "too_deep", _too_deep(len(at)))
    for step, member in members:
        if member is None or isinstance(member, int | float):
            continue
        fault = _search(member, (*at, step), levels - 1)
        if fault:
            return fault
    return None


def _search_text(text: str, at: tuple[str | int, ...]) -> Fault | None:
    if "\0" in text:
        return Fault(json_pointer(at), "nul_character", "Text holds no NUL character.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return Fault(json_pointer(at), "lone_surrogate", "Half of a surrogate pair is not a character.")
    return None


def _too_deep(depth: int) -> str:
    return f"Objects and arrays nest at most {depth} deep."

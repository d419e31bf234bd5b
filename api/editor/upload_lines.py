"""What is said of a file beside its bytes: as lines of a form, as metadata of a resumable upload, or in JSON."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.upload_form import described
from cms.errors import Fault, InvalidContent

# The most characters of each; what their fields take besides, the content type says.
LINES: Mapping[str, int] = {
    "title": 500,
    "alt": 1_000,
    "locale": 35,
    "caption": 50_000,
    "credit": 1_000,
    "licence": 1_000,
    "folder": 1_000,
    "topics": 20_000,
    "rights_until": 64,
}
NO_FILE = "Send the bytes as a part named 'file', with a file name."
_MANY_LINES = frozenset({"caption"})
_ALT = re.compile(r"alts\[([A-Za-z0-9-]{1,35})\]")


@dataclass(frozen=True)
class Lines:
    """What an entry gets besides its file. `others`: further fields of images and files, by name."""

    title: str | None = None
    alt: str | None = None
    locale: str | None = None
    others: Mapping[str, Any] = field(default_factory=dict)


def lines_of(given: Iterable[tuple[str, str]], *, strange: Iterable[str] = ()) -> Lines:
    """Read the lines of a form: `topics` may come more than once or with commas, `alts[en]` is the alternative text
    in English. `strange`: names that are known to be none. Raises `InvalidContent`."""
    said = list(given)
    faults = [unknown_part(name, known=_KNOWN) for name in strange]
    faults += [fault for name, value in said for fault in _faults(name, value)]
    if faults:
        raise InvalidContent(faults)
    single = {name: value for name, value in said if name in LINES}
    others: dict[str, Any] = {name: single[name] for name in single if name not in ("title", "alt", "locale", "topics")}
    topics = [topic.strip() for name, value in said if name == "topics" for topic in value.split(",")]
    alts = {match[1]: value for name, value in said if (match := _ALT.fullmatch(name))}
    if any(topics):
        others["topics"] = [topic for topic in topics if topic]
    if alts:
        others["alts"] = alts
    # An empty line says nothing.
    others = {name: value for name, value in others.items() if value}
    return Lines(single.get("title") or None, single.get("alt"), single.get("locale") or None, others)


def unknown_part(name: str, *, known: Iterable[str]) -> Fault:
    """The fault of a part that no form has."""
    return Fault(f"/{name[:100]}", "unknown_field", f"There is no such part. There are: {', '.join(known)}.")


_KNOWN = ("file", *LINES, "alts[…]")


def _faults(name: str, value: str) -> Iterable[Fault]:
    at = f"/{name[:100]}"
    longest = LINES.get(name) or (LINES["alt"] if _ALT.fullmatch(name) else None)
    if name == "file":
        yield Fault("/file", "missing", NO_FILE)
    elif longest is None:
        yield unknown_part(name, known=_KNOWN)
    elif len(value) > longest:
        yield Fault(at, "too_long", f"At most {longest} characters.")
    elif not (value if name not in _MANY_LINES else re.sub(r"[\r\n\t]", "", value)).isprintable():
        yield Fault(at, "not_printable", "Plain text, without control characters.")


def form_schema() -> dict[str, Any]:
    """The form, for the documentation."""
    texts = {name: {"type": "string", "maxLength": longest} for name, longest in LINES.items()}
    alts = {r"^alts\[[A-Za-z0-9-]{1,35}\]$": {"type": "string", "maxLength": LINES["alt"]}}
    return described(texts, file="the bytes; several parts of this name: several", patternProperties=alts)

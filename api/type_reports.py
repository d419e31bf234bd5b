"""What a change of a content type does, as the API tells it."""

from dataclasses import asdict
from typing import Any

from cms.custom_types.retyping import Report


def type_report(report: Report) -> dict[str, Any]:
    """`{entries, confirm, invalid: {total, first}, dropped: {total, fields, first}}`."""
    invalid = [{"entry": entry, **asdict(fault)} for entry, fault in report.first_invalid]
    dropped = [{"entry": entry, "field": field, "value": value} for entry, field, value in report.first_dropped]
    return {
        "entries": report.entries,
        "confirm": report.confirm,
        "invalid": {"total": report.invalid, "first": invalid},
        "dropped": {"total": report.dropped, "fields": dict(report.dropped_fields), "first": dropped},
    }

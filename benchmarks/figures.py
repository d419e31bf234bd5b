"""What a benchmark tells."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value, and what was promised."""

    what: str
    measured: str
    promised: str


def table(figures: list[Figure]) -> str:
    """Figures as a Markdown table."""
    lines = [f"| {figure.what} | {figure.measured} | {figure.promised} |" for figure in figures]
    return "\n".join(["| What | Measured | Promised |", "|---|---|---|", *lines])

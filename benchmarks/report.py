"""Results of a run as plain tables and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement: ``measured`` must be at most ``bound``, or at least, in the unit that ``text`` names."""

    text: str
    measured: float
    bound: float
    at_most: bool

    @property
    def passed(self) -> bool:
        """Whether the requirement is met."""
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound

    def __str__(self) -> str:
        verdict = "PASS" if self.passed else "FAIL"
        bound = "at most" if self.at_most else "at least"
        return f"{verdict}  {self.text}: {self.measured:.2f} (required: {bound} {self.bound:g})"


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the requirements: a table with a line for each contender, and what is required of it."""

    name: str
    title: str
    columns: tuple[str, ...]
    lines: dict[str, tuple[float, ...]]
    checks: list[Check] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every requirement is met."""
        return all(check.passed for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """The same in types that JSON has."""
        checks = [{**asdict(check), "passed": check.passed} for check in self.checks]
        lines = {name: dict(zip(self.columns, values, strict=True)) for name, values in self.lines.items()}
        return {"name": self.name, "title": self.title, "lines": lines, "checks": checks, "passed": self.passed}

    def __str__(self) -> str:
        first = max(len(name) for name in self.lines)
        widths = [max(len(column), 8) for column in self.columns]
        head = " " * first + "".join(f"  {column:>{width}}" for column, width in zip(self.columns, widths, strict=True))
        body = [
            f"{name:<{first}}" + "".join(f"  {value:{width}.2f}" for value, width in zip(values, widths, strict=True))
            for name, values in self.lines.items()
        ]
        underline = "-" * len(self.title)
        return "\n".join([f"{self.title}  [{self.name}]", underline, head, *body, "", *map(str, self.checks)])

"""Axes: where their ticks are, which are round numbers, and what is written there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from .._terminal import clock_text

if TYPE_CHECKING:
    from ._statistics_series import Throughput

STEPS: Final = (1, 2, 5)
"""Of a decade: what people count in."""

TIMES: Final = (
    *(step * 10.0**power for power in (-3, -2, -1, 0) for step in STEPS),
    *(10.0, 20.0, 30.0),
    *(60.0 * minutes for minutes in (1, 2, 5, 10, 20, 30)),
    *(3600.0 * hours for hours in (1, 2, 3, 6, 12)),
    *(86400.0 * days for days in (1, 2, 5, 10, 20, 50, 100)),
)
"""Seconds between two ticks, as clocks and calendars have them."""

UNITS: Final = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"))


class Tick(NamedTuple):
    """A place on an axis, and what is written there."""

    value: float
    label: str


def number_ticks(most: float, *, about: int = 5, whole: bool = False) -> list[Tick]:
    """From 0 to the first one that is not below ``most``, some ``about`` of them.

    :param whole: of something that is counted: there is nothing between 0 and 1
    """
    rough = max(most, 1e-9) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * one for one in STEPS if power * one >= rough * 0.999), power * 10)
    if whole:
        step = max(1.0, step)
    count = max(1, math.ceil(most / step - 1e-9))
    return [Tick(number * step, number_text(number * step)) for number in range(count + 1)]


def number_text(value: float) -> str:
    """A number that is read at a glance: ``0.25``, ``12``, ``1,200``, ``150k``, ``2.5M``."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e5, "k")):
        if value >= size:
            return f"{value / (1e3 if unit == 'k' else size):,.6g}{unit}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def time_ticks(most: float, *, about: int = 8) -> list[Tick]:
    """Seconds from 0 to ``most``, no more than ``about`` of them besides 0, in one unit."""
    step = next((one for one in TIMES if most / one <= about), TIMES[-1] * math.ceil(most / TIMES[-1] / about))
    size, unit = next((pair for pair in UNITS if step >= pair[0] or (most >= pair[0] == 1)), UNITS[-1])
    return [Tick(n * step, f"{n * step / size:.6g} {unit}" if n else "0") for n in range(int(most / step + 1e-9) + 1)]


def moment_text(point: Throughput) -> str:
    """When ``point`` begins, as a clock shows it, with hundredths of a second where it is that short."""
    shown = round(point.at, 2)
    return clock_text(shown) if point.seconds >= 10 else f"{clock_text(shown)}{f'{shown % 1:.2f}'[1:]}"


def latency_ticks(least: float, most: float, *, about: int = 9) -> list[Tick]:
    """Seconds from ``least`` to ``most`` on a logarithmic axis: 1, 2 and 5 of each decade, or only the 1."""
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    values = [step * 10.0**power for power in powers for step in STEPS]
    values = [value for value in values if least * 0.999 <= value <= most * 1.001]
    if len(values) > about:
        values = [value for value in values if math.isclose(math.log10(value) % 1, 0, abs_tol=1e-6)]
    return [Tick(value, latency_text(value)) for value in values]


def latency_text(seconds: float) -> str:
    """Seconds as short as can be: ``500 µs``, ``20 ms``, ``1.23 s``, ``1,000 s``."""
    if seconds >= 100:
        return f"{number_text(seconds)} s"
    size, unit = next((pair for pair in ((1.0, "s"), (1e-3, "ms")) if seconds >= pair[0] * 0.9995), (1e-6, "µs"))
    return f"{seconds / size:.3g} {unit}"

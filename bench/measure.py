"""Taking times in pairs, and the rows of the table that they become. All times are in seconds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

Call: TypeAlias = Callable[[int], float]
"""Does something once and returns its seconds; the argument numbers the calls of a measurement from 0."""

Pair: TypeAlias = "tuple[float, float]"
"""What ours and the other took, one right after the other."""

Round: TypeAlias = "tuple[list[float], list[float]]"
"""What each call of a round took: ours, the other's."""


@dataclass(frozen=True)
class Row:
    """One line of the table, as text. `met` is None where there is no aim."""

    what: str
    ours: str
    other: str = ""
    ratio: str = ""
    aim: str = ""
    met: bool | None = None


def timed(work: Callable[[], object]) -> float:
    """Return the seconds of wall time that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def pairs(rounds: int, calls: int, ours: Call, other: Call, *, warm_up: int = 10) -> list[Round]:
    """Return, for each round, the seconds of `calls` calls of either, after `warm_up` calls that do not count.

    The two alternate call by call, and so does which of them comes first.
    """
    found = []
    number = 0
    for size in [warm_up, *[calls] * rounds]:
        mine: list[float] = []
        others: list[float] = []
        for _ in range(size):
            order = [(mine, ours), (others, other)]
            for times, call in order if number % 2 else reversed(order):
                times.append(call(number))
            number += 1
        found.append((mine, others))
    return found[1:]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least of `values` that a `share` (0 to 1) of them do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def at(share: float, rounds: Sequence[Round]) -> list[Pair]:
    """Return one pair for each round: the percentile `share` of ours and of the other."""
    return [(percentile(mine, share), percentile(others, share)) for mine, others in rounds]


def ratio_row(what: str, found: Sequence[Pair], *, at_most: float | None = None) -> Row:
    """Return the row that compares two times: medians, and the median, least and greatest ratio of a pair."""
    ratios = [mine / other for mine, other in found]
    return Row(
        what,
        seconds(median(mine for mine, _ in found)),
        seconds(median(other for _, other in found)),
        f"{number(median(ratios))} ({number(min(ratios))} to {number(max(ratios))})",
        f"≤ {at_most:g}" if at_most else "",
        median(ratios) <= at_most if at_most else None,
    )


def time_row(what: str, samples: Sequence[float], *, below: float | None = None) -> Row:
    """Return the row of something that has nothing to be compared with: median, least and greatest seconds."""
    spread = f" ({seconds(min(samples))} to {seconds(max(samples))})" if len(samples) > 1 else ""
    return Row(
        what,
        seconds(median(samples)) + spread,
        aim=f"< {below:g} s" if below else "",
        met=median(samples) < below if below else None,
    )


def count_row(what: str, ours: float, other: float, *, at_most: float | None = None) -> Row:
    """Return the row that compares two counts; `at_most` bounds our own count, not the ratio."""
    return Row(
        what,
        f"{ours:,.0f}",
        f"{other:,.0f}",
        number(ours / other) if other else "",
        f"≤ {at_most:,.0f} of ours" if at_most else "",
        ours <= at_most if at_most else None,
    )


def seconds(value: float) -> str:
    """Return a time with the unit that suits it: s, ms or µs."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{_digits(value * factor)} {unit}"
    return f"{value * 1e6:.0f} µs"


def number(value: float) -> str:
    """Return a ratio with the digits that mean something."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"

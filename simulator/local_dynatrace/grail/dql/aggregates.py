"""Aggregation functions of ``summarize`` and ``makeTimeseries``: each is an object that sees values one by one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .operations import add
from .values import NUMBERS, ORDERED, Duration, Sortable, Value, duration, identity


class Aggregate(Protocol):
    def add(self, *values: Value) -> None: ...

    def result(self) -> Value: ...


class Count:
    def __init__(self) -> None:
        self.n = 0

    def add(self, *values: Value) -> None:
        self.n += 1

    def result(self) -> Value:
        return self.n


class CountIf(Count):
    def add(self, *values: Value) -> None:
        self.n += values[0] is True


class Distinct:
    """The distinct values that are not null, in order of appearance."""

    def __init__(self) -> None:
        self.seen: dict[object, Value] = {}

    def add(self, *values: Value) -> None:
        if values[0] is not None:
            self.seen.setdefault(identity(values[0]), values[0])

    def result(self) -> Value:
        return list(self.seen.values())


class CountDistinct(Distinct):
    def result(self) -> Value:
        return len(self.seen)


class Collect:
    def __init__(self) -> None:
        self.values: list[Value] = []

    def add(self, *values: Value) -> None:
        if values[0] is not None:
            self.values.append(values[0])

    def result(self) -> Value:
        return self.values


class Sum:
    def __init__(self) -> None:
        self.total: Value = None
        self.n = 0

    def add(self, *values: Value) -> None:
        if type(values[0]) in (*NUMBERS, Duration):
            self.total = values[0] if self.total is None else add(self.total, values[0])
            self.n += 1

    def result(self) -> Value:
        return self.total


class Avg(Sum):
    def result(self) -> Value:
        if self.total is None:
            return None
        return duration(int(self.total) / self.n) if type(self.total) is Duration else float(self.total) / self.n


class Extreme:
    """The lowest or highest value that is not null."""

    def __init__(self, highest: bool, only_numbers: bool) -> None:
        self.highest, self.only_numbers = highest, only_numbers
        self.best: Sortable | None = None

    def add(self, *values: Value) -> None:
        value = values[0]
        if value is None or type(value) not in ORDERED or (self.only_numbers and type(value) in (str, bool)):
            return
        place = Sortable(value)
        if self.best is None or (self.best < place if self.highest else place < self.best):
            self.best = place

    def result(self) -> Value:
        return self.best.value if self.best else None


class Take:
    """The first or last value that is not null."""

    def __init__(self, last: bool) -> None:
        self.last, self.value = last, None

    def add(self, *values: Value) -> None:
        if values[0] is not None and (self.last or self.value is None):
            self.value = values[0]

    def result(self) -> Value:
        return self.value


class Percentile(Collect):
    """By linear interpolation between neighbours [D: Grail estimates]."""

    def __init__(self, percent: float | None = None) -> None:
        super().__init__()
        self.percent = percent

    def add(self, *values: Value) -> None:
        if type(values[0]) in (*NUMBERS, Duration):
            self.values.append(values[0])
        if len(values) > 1 and type(values[1]) in NUMBERS:
            self.percent = float(values[1])

    def result(self) -> Value:
        if not self.values or self.percent is None or not math.isfinite(self.percent):
            return None
        ordered = sorted(self.values)
        place = min(max(self.percent, 0.0), 100.0) / 100 * (len(ordered) - 1)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        value = low + (high - low) * (place - math.floor(place))
        return duration(value) if type(low) is Duration else float(value)


@dataclass(frozen=True)
class Kind:
    new: Callable[[], Aggregate]
    arguments: int = 1


AGGREGATES: dict[str, Kind] = {
    "count": Kind(Count, 0),
    "countIf": Kind(CountIf),
    "countDistinct": Kind(CountDistinct),
    "countDistinctExact": Kind(CountDistinct),
    "countDistinctApprox": Kind(CountDistinct),
    "collectDistinct": Kind(Distinct),
    "collectArray": Kind(Collect),
    "sum": Kind(Sum),
    "avg": Kind(Avg),
    "min": Kind(lambda: Extreme(False, True)),
    "max": Kind(lambda: Extreme(True, True)),
    "takeMin": Kind(lambda: Extreme(False, False)),
    "takeMax": Kind(lambda: Extreme(True, False)),
    "takeFirst": Kind(lambda: Take(False)),
    "takeLast": Kind(lambda: Take(True)),
    "takeAny": Kind(lambda: Take(False)),
    "median": Kind(lambda: Percentile(50.0)),
    "percentile": Kind(Percentile, 2),
}

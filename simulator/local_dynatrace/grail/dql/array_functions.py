"""DQL's functions of arrays. Null elements are left out of what is computed, as everywhere (docs: array-functions)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

from .aggregates import Avg, Percentile, Sum
from .functions import MANY, dql, to_string
from .operations import add, equal, subtract
from .values import NUMBERS, Duration, Sortable, Value, identity

Values = list[Value]


def on_array(
    name: str, arguments: int = 1, named: dict[str, Value] | None = None
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Enter a function whose first argument is an array; it is null for anything else."""

    def enter(call: Callable[..., Value]) -> Callable[..., Value]:
        @dql(name, arguments, named=named)
        def checked(values: Value, *rest: Value, **more: Value) -> Value:
            return call(values, *rest, **more) if isinstance(values, list) else None

        return checked

    return enter


def numbers(values: Values) -> Values:
    return [value for value in values if type(value) in (*NUMBERS, Duration)]


@dql("array", 0, MANY, strict=False)
def array(*values: Value) -> Values:
    return list(values)


@on_array("arrayFirst")
def array_first(values: Values) -> Value:
    return next((value for value in values if value is not None), None)


@on_array("arrayLast")
def array_last(values: Values) -> Value:
    return array_first(values[::-1])


@on_array("arraySize")
def array_size(values: Values) -> int:
    return len(values)


@on_array("arrayDistinct")
def array_distinct(values: Values) -> Values:
    first: dict[object, Value] = {}
    for value in values:
        first.setdefault(identity(value), value)
    return list(first.values())


@dql("arrayConcat", 1, MANY)
def array_concat(*arrays: Value) -> Value:
    if not all(isinstance(each, list) for each in arrays):
        return None
    return [value for each in arrays for value in each]


@on_array("arrayReverse")
def array_reverse(values: Values) -> Values:
    return values[::-1]


@on_array("arrayRemoveNulls")
def array_remove_nulls(values: Values) -> Values:
    return [value for value in values if value is not None]


@on_array("arraySort", named={"direction": "ascending"})
def array_sort(values: Values, *, direction: Value) -> Values:
    return sorted(values, key=Sortable, reverse=direction == "descending")


@on_array("arraySlice", named={"from": 0, "to": None})
def array_slice(values: Values, **bounds: Value) -> Values:
    """``from`` inclusive, ``to`` exclusive; negative positions count from the end."""
    return values[bounds["from"] : bounds["to"]]


@on_array("arrayIndexOf", 2)
def array_index_of(values: Values, wanted: Value) -> int:
    return next((place for place, value in enumerate(values) if equal(value, wanted)), -1)


@on_array("arrayToString", named={"delimiter": ""})
def array_to_string(values: Values, *, delimiter: Value) -> str:
    return str(delimiter).join(str(to_string(value)) for value in values if value is not None)


# numbers


@on_array("arraySum")
def array_sum(values: Values) -> Value:
    return _aggregated(Sum(), values)


@on_array("arrayAvg")
def array_avg(values: Values) -> Value:
    return _aggregated(Avg(), values)


@on_array("arrayMin")
def array_min(values: Values) -> Value:
    return min(numbers(values), default=None)


@on_array("arrayMax")
def array_max(values: Values) -> Value:
    return max(numbers(values), default=None)


@on_array("arrayMedian")
def array_median(values: Values) -> Value:
    return _aggregated(Percentile(50.0), values)


@on_array("arrayPercentile", 2)
def array_percentile(values: Values, percent: Value) -> Value:
    return _aggregated(Percentile(float(percent)), values) if type(percent) in NUMBERS else None


@on_array("arrayCumulativeSum")
def array_cumulative_sum(values: Values) -> Values:
    total: Value = None
    sums = []
    for value in values:
        if type(value) in (*NUMBERS, Duration):
            total = value if total is None else add(total, value)
        sums.append(total)
    return sums


@on_array("arrayDelta")
def array_delta(values: Values) -> Values:
    """The increase to the next element; a decrease counts as 0. The first element has none: 0."""
    increases = [subtract(after, before) for before, after in itertools.pairwise(values)]
    first = [0] if values else []
    return first + [None if delta is None else max(delta, type(delta)(0)) for delta in increases]


def _moving(name: str, aggregate: Callable[[], Any]) -> None:
    @on_array(name, 2)
    def moving(values: Values, window: Value) -> Value:
        """Each element with those before it, ``window`` in all."""
        if type(window) is not int or not 1 <= window <= 60:
            return None
        return [
            _aggregated(aggregate(), values[max(0, place - window + 1) : place + 1]) for place in range(len(values))
        ]


_moving("arrayMovingSum", Sum)
_moving("arrayMovingAvg", Avg)


def _aggregated(aggregate: Any, values: Values) -> Value:
    for value in values:
        aggregate.add(value)
    result = aggregate.result()
    return None if isinstance(result, float) and not math.isfinite(result) else result

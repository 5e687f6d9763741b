"""``summarize`` and ``makeTimeseries``: many records become few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .aggregates import Aggregate
from .errors import DqlError, Span, unknown
from .expressions import Aggregation, Compiled, constant, evaluator
from .pipeline import Pipeline
from .syntax import Braces, Item, name_of
from .values import Duration, Row, Timeframe, Timestamp, Value, identity

DEFAULT_BINS = 120
MAX_BINS = 1_500
ROUND_MINUTES = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 360, 720, 1440)
DAY_NS = 86_400 * 1_000_000_000


@dataclass
class Plan:
    """What to compute: result fields, the aggregations they are made of, and the groups."""

    outputs: list[tuple[str, Compiled]]
    aggregations: list[Aggregation]
    groups: list[tuple[str, Compiled]]

    def new(self) -> list[Aggregate]:
        return [aggregation.new() for aggregation in self.aggregations]

    def add(self, aggregates: list[Aggregate], row: Row) -> None:
        for aggregate, aggregation in zip(aggregates, self.aggregations, strict=True):
            aggregate.add(*[argument(row) for argument in aggregation.arguments])

    def results(self, aggregates: list[Aggregate]) -> Row:
        slots = {a.slot: aggregate.result() for a, aggregate in zip(self.aggregations, aggregates, strict=True)}
        return {name: output(slots) for name, output in self.outputs}

    def key(self, row: Row) -> tuple[Any, Row]:
        values = {name: value(row) for name, value in self.groups}
        return tuple(identity(value) for value in values.values()), values

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in (*self.groups, *self.outputs))


def plan(
    items: tuple[Item, ...], command: str, parameters: tuple[str, ...], pipeline: Pipeline, span: Span
) -> tuple[Plan, dict[str, Item]]:
    """Sort the items of a command into aggregations, groups and other parameters."""
    aggregations: list[Aggregation] = []
    outputs: list[tuple[str, Compiled]] = []
    given: dict[str, Item] = {}
    for item in items:
        if item.parameter:
            if item.parameter not in parameters:
                raise unknown(f"parameter of {command}", item.parameter, parameters, item.span)
            if item.parameter in given:
                raise DqlError(f"{item.parameter} is given twice.", item.span, "DUPLICATE_PARAMETER")
            given[item.parameter] = item
            continue
        for each in item.value.items if isinstance(item.value, Braces) and item.alias is None else (item,):
            if each.order or each.parameter:
                raise DqlError(f"{command} takes aggregations, or name = aggregation.", each.span, "UNEXPECTED_ITEM")
            before = len(aggregations)
            # Outside of an aggregation function there is no single record whose fields one could mean.
            scope = replace(pipeline.scope(), aggregations=aggregations)
            output = evaluator(each.value, scope)
            if len(aggregations) == before:
                raise DqlError(
                    f"{command} needs an aggregation function such as count() here.", each.span, "AGGREGATION_EXPECTED"
                )
            outputs.append((name_of(each), output))
    if not outputs and command == "makeTimeseries":
        raise DqlError(f"{command} needs at least one aggregation.", span, "MISSING_PARAMETER")
    groups = _groups(given.get("by"), command, pipeline)
    if not outputs and not groups:
        raise DqlError(f"{command} needs an aggregation or by:.", span, "MISSING_PARAMETER")
    return Plan(outputs, aggregations, groups), given


def _groups(by: Item | None, command: str, pipeline: Pipeline) -> list[tuple[str, Compiled]]:
    if by is None:
        return []
    items = by.value.items if isinstance(by.value, Braces) else (replace(by, parameter=None),)
    for item in items:
        if item.order or item.parameter:
            raise DqlError(f"by: of {command} takes expressions, or name = expression.", item.span, "UNEXPECTED_ITEM")
    return [(name_of(item), evaluator(item.value, pipeline.scope())) for item in items]


def summarize(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    what, _ = plan(items, "summarize", ("by",), pipeline, span)

    def summary(rows: Iterable[Row]) -> Iterator[Row]:
        groups: dict[Any, tuple[Row, list[Aggregate]]] = {}
        if not what.groups:
            groups[()] = ({}, what.new())  # one record even of nothing
        for row in rows:
            key, values = what.key(row)
            group = groups.get(key)
            if group is None:
                group = groups[key] = (values, what.new())
            what.add(group[1], row)
        for values, aggregates in groups.values():
            yield {**values, **what.results(aggregates)}

    pipeline.stages.append(summary)
    pipeline.fields = what.names


def make_timeseries(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    """Arrays with one element for each interval of the timeframe; an interval without records has the default.

    With ``spread``, a timeframe, a record counts in every interval that it touches. With ``nonempty: true`` there is a
    series even of nothing (facts: alerting 7); its groups are null [D].
    """
    parameters = ("by", "interval", "bins", "time", "spread", "from", "to", "nonempty")
    what, given = plan(items, "makeTimeseries", parameters, pipeline, span)
    start, end = _bounds(given, pipeline)
    size = _interval(given, pipeline, start, end, span)
    start -= start % size
    count = max(1, -(-(end - start) // size))
    if count > MAX_BINS:
        where = given["interval"].span if "interval" in given else span
        raise DqlError(
            f"{count} intervals are more than {MAX_BINS}: take a longer interval.", where, "TOO_MANY_INTERVALS"
        )
    if "time" in given and "spread" in given:
        raise DqlError("makeTimeseries takes time or spread, not both.", given["spread"].span, "UNEXPECTED_ITEM")
    when = given.get("spread") or given.get("time")
    time = evaluator(when.value, pipeline.scope()) if when else lambda row: row.get("timestamp")
    frame = Timeframe(Timestamp(start), Timestamp(start + count * size))
    nonempty = _flag(given, "nonempty", pipeline)

    def series(rows: Iterable[Row]) -> Iterator[Row]:
        groups: dict[Any, tuple[Row, dict[int, list[Aggregate]]]] = {}
        for row in rows:
            first, last = _places(time(row), start, size, count)
            if first > last:
                continue
            key, values = what.key(row)
            _, bins = groups.setdefault(key, (values, {}))
            for place in range(first, last + 1):
                if place not in bins:
                    bins[place] = what.new()
                what.add(bins[place], row)
        if nonempty and not groups:
            groups[()] = (dict.fromkeys(name for name, _ in what.groups), {})
        empty = {name: output({a.slot: a.default for a in what.aggregations}) for name, output in what.outputs}
        for values, bins in groups.values():
            at_place = {place: what.results(aggregates) for place, aggregates in bins.items()}
            arrays = {name: [at_place.get(n, empty)[name] for n in range(count)] for name, _ in what.outputs}
            yield {"timeframe": frame, "interval": Duration(size), **values, **arrays}

    pipeline.stages.append(series)
    pipeline.fields = what.names | {"timeframe", "interval"}


def _places(at: Value, start: int, size: int, count: int) -> tuple[int, int]:
    """The first and the last interval that a moment or a timeframe touches. None: first > last."""
    if isinstance(at, Timeframe):
        # A timeframe does not contain its end (whether one that ends on a border touches the next is UNVERIFIED).
        return max(0, (int(at.start) - start) // size), min(count - 1, (int(at.end) - start - 1) // size)
    if type(at) is not Timestamp or not 0 <= (place := (int(at) - start) // size) < count:
        return 1, 0
    return place, place


def _flag(given: dict[str, Item], name: str, pipeline: Pipeline) -> bool:
    if name not in given:
        return False
    value = constant(given[name].value, pipeline.scope(), name)
    if type(value) is not bool:
        raise DqlError(f"{name} is true or false.", given[name].span, "INVALID_PARAMETER")
    return value


def _bounds(given: dict[str, Item], pipeline: Pipeline) -> tuple[int, int]:
    bounds = list(pipeline.analysis)
    for place, name in enumerate(("from", "to")):
        if name in given:
            value = constant(given[name].value, pipeline.scope(), name)
            if type(value) is Duration:
                value = Timestamp(pipeline.now_ns + int(value))
            if type(value) is not Timestamp:
                raise DqlError(f"{name} is not a point in time.", given[name].span, "INVALID_TIMEFRAME")
            bounds[place] = int(value)
    if bounds[0] > bounds[1]:
        raise DqlError("The timeframe ends before it starts.", given[name].span, "INVALID_TIMEFRAME")
    return bounds[0], bounds[1]


def _interval(given: dict[str, Item], pipeline: Pipeline, start: int, end: int, span: Span) -> int:
    if "interval" in given:
        value = constant(given["interval"].value, pipeline.scope(), "interval")
        if type(value) is not Duration or value <= 0:
            raise DqlError("interval is a duration such as 1h.", given["interval"].span, "INVALID_PARAMETER")
        return int(value)
    bins = constant(given["bins"].value, pipeline.scope(), "bins") if "bins" in given else DEFAULT_BINS
    if type(bins) is not int or not 0 < bins <= MAX_BINS:
        raise DqlError(f"bins is a number from 1 to {MAX_BINS}.", given["bins"].span, "INVALID_PARAMETER")
    # Whether Grail rounds the interval up to these is UNVERIFIED; the docs call ``bins`` the desired maximum.
    minute = 60 * 1_000_000_000
    least = -(-(end - start) // bins)
    return next((size * minute for size in ROUND_MINUTES if size * minute >= least), -(-least // DAY_NS) * DAY_NS)

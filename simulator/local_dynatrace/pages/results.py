"""A query's records as a page shows them: a table, a chart over time, bars by category, a single value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import axes, charts
from .render import duration, moment

if TYPE_CHECKING:
    from ..grail.dql.values import Row, Value

MOST_CELL = 400
NOTHING = "\u2013"


def is_series(rows: list[Row]) -> bool:
    """Whether the records came out of ``makeTimeseries``: each has a timeframe, an interval and arrays."""
    from ..grail.dql.values import Duration, Timeframe

    return bool(rows) and all(
        isinstance(row.get("timeframe"), Timeframe) and isinstance(row.get("interval"), Duration) for row in rows
    )


def over_time(
    rows: list[Row], kind: charts.Kind, units: Mapping[str, str] | None = None, most_times: int = axes.MOST_TIMES
) -> dict[str, Any] | None:
    """A chart of series; names come from the groups, and from the fields where there are several."""
    from ..grail.dql.values import Duration

    arrays = list(dict.fromkeys(name for row in rows for name, value in row.items() if isinstance(value, list)))
    durations = [
        abs(int(v)) / 1e9 for row in rows for name in arrays for v in row.get(name) or () if isinstance(v, Duration)
    ]
    size, unit = axes.duration_unit(max(durations)) if durations else (1.0, "")
    series = []
    for row in rows:
        groups = [shown(value) for name, value in row.items() if name not in ("timeframe", "interval", *arrays)]
        for name in arrays:
            words = [*groups, name] if len(arrays) > 1 or not groups else groups
            values = [as_number(value, size) for value in row.get(name) or ()]
            series.append(charts.Series(" · ".join(words), values))
    named = {units[name] for name in arrays if units and name in units}
    unit = unit or (named.pop() if len(named) == 1 else "")
    frame = rows[0]["timeframe"]
    start, step = int(frame.start) // 1000, int(rows[0]["interval"]) // 1000
    return charts.chart(series, start, step, kind, unit=unit, most_times=most_times)


def by_category(rows: list[Row]) -> dict[str, Any] | None:
    """Horizontal bars: the first number of each record, named by its other fields. None if there is no number."""
    measure = next((name for row in rows for name, value in row.items() if is_number(value)), None)
    if measure is None:
        return None
    bars: list[dict[str, Any]] = []
    for row in rows:
        value = as_number(row.get(measure), 1.0) or 0.0
        name = " · ".join(shown(each) for field, each in row.items() if field != measure and not is_number(each))
        bars.append({"name": name or measure, "value": value, "text": shown(row.get(measure))})
    highest = max((abs(bar["value"]) for bar in bars), default=0) or 1.0
    ticks = axes.values(0, highest, whole=all(bar["value"] == int(bar["value"]) for bar in bars))
    for bar in bars:
        bar["width"] = round(max(0.0, bar["value"]) / ticks[-1] * 100, 2)
    return {"measure": measure, "bars": bars}


def single(rows: list[Row], field: str | None) -> Value:
    """The field of the first record (the first number, unless it is named); of an array its last value."""
    if not rows:
        return None
    row = rows[0]
    name = field if field in row else next((name for name, value in row.items() if is_number(value)), None)
    value = row.get(name) if name else next(iter(row.values()), None)
    if isinstance(value, list):
        value = next((each for each in reversed(value) if each is not None), None)
    return value


def table(rows: list[Row]) -> dict[str, Any]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return {
        "columns": [(name, all(is_number(row.get(name)) or row.get(name) is None for row in rows)) for name in columns],
        "rows": [[shown(row.get(name)) for name in columns] for row in rows],
    }


def is_number(value: Value) -> bool:
    from ..grail.dql.values import Duration

    return type(value) in (int, float, Duration)


def as_number(value: Value, size_s: float) -> float | None:
    """Durations in units of so many seconds."""
    from ..grail.dql.values import Duration

    if isinstance(value, Duration):
        return int(value) / 1e9 / size_s
    return float(value) if is_number(value) and abs(value) < 1e300 else None


def shown(value: Value) -> str:
    """A value as text; times without the fraction of a second, durations in words."""
    from ..grail.dql.values import Duration, Timeframe, Timestamp, encode

    match value:
        case None:
            return NOTHING
        case Timestamp():
            return moment(int(value) // 1000)
        case Duration():
            return duration(int(value) / 1e9)
        case Timeframe():
            return f"{moment(int(value.start) // 1000)} to {moment(int(value.end) // 1000)}"
        case bool():
            return "true" if value else "false"
        case int():
            return charts.plain(value) if abs(value) < 1e6 else f"{value:,}".replace(",", "\u202f")
        case float():
            return f"{value:,.2f}".rstrip("0").rstrip(".").replace(",", "\u202f")
        case str():
            return value if len(value) <= MOST_CELL else value[: MOST_CELL - 1] + "…"
        case list():
            return ", ".join(shown(each) for each in value[:12]) + (", …" if len(value) > 12 else "")
    return str(encode(value))

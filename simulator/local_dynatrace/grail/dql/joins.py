"""``append``, ``lookup`` and ``join``: records of a subquery beside or behind those of the query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .errors import DqlError, Span, unknown
from .expressions import Compiled, Scope, constant, evaluator
from .pipeline import Pipeline
from .pipeline import Subquery as Prepared
from .syntax import Binary, Braces, Element, Expr, Field, Item, Subquery, name_of
from .values import Row, identity

KINDS = ("inner", "leftOuter", "outer")


def append(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    """The records of the subquery follow those of the query."""
    inner, _ = _subquery(items, (), "append", pipeline, span)
    theirs = inner.fields

    def both(rows: Iterable[Row]) -> Iterator[Row]:
        yield from rows
        yield from (dict(row) for row in inner.rows)

    pipeline.stages.append(both)
    pipeline.fields = None if pipeline.fields is None or theirs is None else pipeline.fields | theirs


def lookup(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    """Adds the fields of the first record of the subquery that has the same key; null never matches."""
    known = ("sourceField", "lookupField", "prefix", "fields", "executionOrder")
    inner, given = _subquery(items, known, "lookup", pipeline, span)
    if missing := [name for name in ("sourceField", "lookupField") if name not in given]:
        raise DqlError(f"lookup needs {' and '.join(missing)}.", span, "MISSING_PARAMETER")
    source = evaluator(given["sourceField"].value, pipeline.scope())
    key = evaluator(given["lookupField"].value, inner.pipeline.scope())
    chosen = _chosen(given, "lookup.", inner, pipeline)

    def looked_up(rows: Iterable[Row]) -> Iterator[Row]:
        first: dict[Any, Row] = {}
        for row in inner.rows:
            if (value := key(row)) is not None:
                first.setdefault(identity(value), row)
        names = chosen.names(inner.rows)
        for row in rows:
            value = source(row)
            found = None if value is None else first.get(identity(value))
            yield {**row, **(dict.fromkeys(names) if found is None else chosen.of(found, names))}

    pipeline.stages.append(looked_up)
    pipeline.fields = _together(pipeline.fields, chosen.known(inner))


def join(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    """A record for each pair with the same keys; ``leftOuter`` and ``outer`` keep records without a partner."""
    inner, given = _subquery(items, ("on", "kind", "prefix", "fields", "executionOrder"), "join", pipeline, span)
    if "on" not in given:
        raise DqlError("join needs on: {left[a] == right[b]}, or on: {a}.", span, "MISSING_PARAMETER")
    kind = _kind(given)
    left, right = _keys(given["on"], pipeline.scope(), inner.pipeline.scope())
    chosen = _chosen(given, "right.", inner, pipeline)

    def joined(rows: Iterable[Row]) -> Iterator[Row]:
        partners: dict[Any, list[Row]] = {}
        for row in inner.rows:
            if (values := _key(right, row)) is not None:
                partners.setdefault(values, []).append(row)
        names, met = chosen.names(inner.rows), set()
        for row in rows:
            values = _key(left, row)
            met.add(values)
            found = partners.get(values, []) if values is not None else []
            yield from ({**row, **chosen.of(partner, names)} for partner in found)
            if not found and kind != "inner":
                yield {**row, **dict.fromkeys(names)}
        if kind == "outer":
            yield from (chosen.of(row, names) for row in inner.rows if _key(right, row) not in met - {None})

    pipeline.stages.append(joined)
    pipeline.fields = _together(pipeline.fields, chosen.known(inner))


def _subquery(
    items: tuple[Item, ...], known: tuple[str, ...], command: str, pipeline: Pipeline, span: Span
) -> tuple[Prepared, dict[str, Item]]:
    """The subquery that has to come first, put together, and the parameters behind it."""
    if not items or not isinstance(items[0].value, Subquery) or items[0].parameter or items[0].alias:
        raise DqlError(f"{command} needs a subquery first: {command} [fetch logs].", span, "MISSING_PARAMETER")
    given: dict[str, Item] = {}
    for item in items[1:]:
        if item.parameter not in known:
            raise unknown(f"parameter of {command}", item.parameter or name_of(item), known, item.span)
        given[item.parameter] = item
    return pipeline.subquery(items[0].value.query), given


class _Chosen:
    """Which fields of the subquery's records are added, and under which names."""

    def __init__(self, prefix: str, fields: dict[str, Compiled] | None) -> None:
        self.prefix, self.fields = prefix, fields

    def names(self, rows: list[Row]) -> list[str]:
        own = self.fields if self.fields is not None else dict.fromkeys(name for row in rows for name in row)
        return [self.prefix + name for name in own]

    def of(self, row: Row, names: list[str]) -> Row:
        if self.fields is None:
            return {**dict.fromkeys(names), **{self.prefix + name: value for name, value in row.items()}}
        return {self.prefix + name: value(row) for name, value in self.fields.items()}

    def known(self, inner: Prepared) -> frozenset[str] | None:
        own = inner.fields if self.fields is None else self.fields
        return None if own is None else frozenset(self.prefix + name for name in own)


def _chosen(given: dict[str, Item], default_prefix: str, inner: Prepared, pipeline: Pipeline) -> _Chosen:
    """Fields that are named get no prefix unless one is given [D]."""
    fields = None
    if "fields" in given:
        value = given["fields"].value
        items = value.items if isinstance(value, Braces) else (given["fields"],)
        fields = {name_of(item): evaluator(item.value, inner.pipeline.scope()) for item in items}
    prefix: object = "" if fields is not None else default_prefix
    if "prefix" in given:
        prefix = constant(given["prefix"].value, pipeline.scope(), "prefix")
    if not isinstance(prefix, str):
        raise DqlError("prefix is a string.", given["prefix"].span, "INVALID_PARAMETER")
    return _Chosen(prefix, fields)


def _kind(given: dict[str, Item]) -> str:
    if "kind" not in given:
        return "inner"
    value = given["kind"].value
    name = value.name if isinstance(value, Field) else ""
    if name not in KINDS:
        raise DqlError(f"kind is one of {', '.join(KINDS)}.", given["kind"].span, "INVALID_PARAMETER")
    return name


def _keys(on: Item, left_scope: Scope, right_scope: Scope) -> tuple[list[Compiled], list[Compiled]]:
    """``left[a] == right[b]``, or the name of a field that both have; several in braces or joined by ``and``."""
    left: list[Compiled] = []
    right: list[Compiled] = []
    waiting: list[Expr] = [item.value for item in on.value.items] if isinstance(on.value, Braces) else [on.value]
    while waiting:
        match waiting.pop(0):
            case Binary("and", one, other):
                waiting = [one, other, *waiting]
            case Binary("==", Element(Field("left"), Field() as a), Element(Field("right"), Field() as b)):
                left.append(evaluator(a, left_scope))
                right.append(evaluator(b, right_scope))
            case Binary("==", Element(Field("right"), Field() as b), Element(Field("left"), Field() as a)):
                left.append(evaluator(a, left_scope))
                right.append(evaluator(b, right_scope))
            case Field() as both:
                left.append(evaluator(both, left_scope))
                right.append(evaluator(both, right_scope))
            case other:
                raise DqlError("on takes left[a] == right[b], or the name of a field.", other.span, "UNSUPPORTED_JOIN")
    return left, right


def _key(parts: list[Callable[[Row], Any]], row: Row) -> tuple[Any, ...] | None:
    values = [part(row) for part in parts]
    return None if any(value is None for value in values) else tuple(identity(value) for value in values)


def _together(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other

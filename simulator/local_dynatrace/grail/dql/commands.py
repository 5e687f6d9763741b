"""Commands after the pipe. Each checks its items when the query is compiled, then works on a stream of records."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from . import sources
from .errors import DqlError, Span, unknown
from .expressions import Compiled, constant, evaluator, iterating, plain, search_condition
from .joins import append, join, lookup
from .pipeline import Pipeline
from .summaries import make_timeseries, summarize
from .syntax import Binary, Braces, Command, Constant, DurationLiteral, Expr, Field, Item, Query, name_of, render
from .values import Row, Sortable, identity

Handler = Callable[[tuple[Item, ...], Pipeline, Span], None]
SOURCES: dict[str, Handler] = {"fetch": sources.fetch, "data": sources.data}
ELSEWHERE = {
    "joinNested", "parse", "fieldsSummary", "timeseries", "describe", "load", "metrics", "traverse", "smartscapeNodes",
    "smartscapeEdges",
}  # fmt: skip
"""Commands of DQL that are not simulated."""
ONE_BY_ONE = {"fetch", "filter", "filterOut", "search", "fieldsAdd", "fields"}
"""Commands that look at one record at a time."""


def build(query: Query, pipeline: Pipeline) -> None:
    """Put a query together. Raises DqlError."""
    for number, command in enumerate(query.commands):
        table = COMMANDS if number else SOURCES
        if command.name in ELSEWHERE:
            raise DqlError(
                f"The command {command.name} is not part of the local environment. Available: "
                f"{', '.join(sorted({*SOURCES, *COMMANDS}))}.",
                command.span,
                "UNSUPPORTED_COMMAND",
                (command.name,),
            )
        if command.name not in table:
            raise _misplaced(command, bool(number))
        table[command.name](command.items, pipeline, command.span)
        if all(each.name in ONE_BY_ONE for each in query.commands[: number + 1]):
            pipeline.begins.append((render(Query(query.commands[: number + 1])), len(pipeline.stages)))
        if number and command.name not in ("filter", "filterOut", "search"):
            pipeline.narrowing = False


def _misplaced(command: Command, piped: bool) -> DqlError:
    name = command.name
    if not piped and name in COMMANDS:
        return DqlError(
            f"A query cannot begin with {name}; begin with fetch logs.", command.span, "MISPLACED_COMMAND", (name,)
        )
    if piped and name in SOURCES:
        return DqlError(f"{name} can only begin a query.", command.span, "MISPLACED_COMMAND", (name,))
    return unknown("command", name, COMMANDS if piped else SOURCES, command.span)


# which records


def filter_(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    condition = filter_condition(items, "filter", span)
    evaluator(condition, pipeline.scope())
    rest: Expr | None = condition
    if pipeline.logs and pipeline.narrowing:
        rest = pipeline.logs.take(condition)
    if rest is not None:
        keep = evaluator(rest, pipeline.scope())
        pipeline.stages.append(lambda rows: (row for row in rows if keep(row) is True))


def filter_out(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    """Only records for which the condition holds are left out: null keeps a record."""
    drop = evaluator(filter_condition(items, "filterOut", span), pipeline.scope())
    pipeline.stages.append(lambda rows: (row for row in rows if drop(row) is not True))


def search(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    keep = search_condition(_only(items, "search", span), pipeline.scope())
    pipeline.stages.append(lambda rows: (row for row in rows if keep(row) is True))


def filter_condition(items: tuple[Item, ...], command: str, span: Span) -> Expr:
    node = _only(items, command, span)
    no_condition = isinstance(node, DurationLiteral | Braces) or (
        isinstance(node, Constant) and not isinstance(node.value, bool)
    )
    if no_condition or (isinstance(node, Binary) and node.operator in "+-*/%"):
        raise DqlError(f"{command} needs a condition, not {render(node)}.", node.span, "BOOLEAN_EXPECTED")
    return node


def _only(items: tuple[Item, ...], command: str, span: Span) -> Expr:
    if len(items) != 1:
        raise DqlError(f"{command} takes one expression, not {len(items)}.", span, "WRONG_NUMBER_OF_ARGUMENTS")
    return plain(items[0], command)


def limit(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    node = _only(items, "limit", span)
    count = constant(node, pipeline.scope(), "limit")
    if type(count) is not int or count < 0:
        raise DqlError("limit takes a whole number from 0.", node.span, "INVALID_PARAMETER")
    if pipeline.logs and pipeline.ordered and not pipeline.stages and pipeline.logs.limit is None:
        pipeline.logs.limit = count
    pipeline.stages.append(lambda rows: itertools.islice(rows, count))


def sort(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    if not items:
        raise DqlError("sort needs at least one expression.", span, "MISSING_PARAMETER")
    order = sort_order(items, pipeline)
    if pipeline.logs and pipeline.narrowing and len(items) == 1 and items[0].value == Field("timestamp"):
        pipeline.logs.newest_first = items[0].order == "desc"
        pipeline.ordered = True
        return
    pipeline.stages.append(order)


def sort_order(items: Iterable[Item], pipeline: Pipeline) -> Callable[[Iterable[Row]], list[Row]]:
    keys: list[tuple[Compiled, bool]] = []
    for item in items:
        if item.alias is not None or item.parameter:
            raise DqlError("sort takes expressions, each with asc or desc.", item.span, "UNEXPECTED_ITEM")
        keys.append((evaluator(item.value, pipeline.scope()), item.order == "desc"))

    def ordered(rows: Iterable[Row]) -> list[Row]:
        result = list(rows)
        for key, descending in reversed(keys):
            result.sort(key=lambda row, key=key: Sortable(key(row)), reverse=descending)  # type: ignore[misc]
        return result

    return ordered


def dedup(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    """One record for each combination of values: the first in the given order."""
    nodes: list[Expr] = []
    order = None
    for item in items:
        if item.parameter == "sort":
            order = sort_order(
                item.value.items if isinstance(item.value, Braces) else [replace(item, parameter=None)], pipeline
            )
        elif item.parameter:
            raise unknown("parameter of dedup", item.parameter, ["sort"], item.span)
        elif isinstance(item.value, Braces):
            nodes += [plain(each, "dedup") for each in item.value.items]
        else:
            nodes.append(plain(item, "dedup"))
    if not nodes:
        raise DqlError("dedup needs at least one expression.", span, "MISSING_PARAMETER")
    keys = [evaluator(node, pipeline.scope()) for node in nodes]

    def distinct(rows: Iterable[Row]) -> Iterator[Row]:
        seen = set()
        for row in order(rows) if order else rows:
            key = tuple(identity(each(row)) for each in keys)
            if key not in seen:
                seen.add(key)
                yield row

    pipeline.stages.append(distinct)


# which fields


def _named(items: tuple[Item, ...], command: str, pipeline: Pipeline, span: Span) -> list[tuple[str, Compiled]]:
    """(name, value) of each ``expression`` or ``name = expression``; braces around the list are allowed."""
    flat = [
        each
        for item in items
        for each in (item.value.items if isinstance(item.value, Braces) and item.alias is None else (item,))
    ]
    if not flat:
        raise DqlError(f"{command} needs at least one field.", span, "MISSING_PARAMETER")
    named = []
    for item in flat:
        if item.parameter or item.order:
            raise DqlError(f"{command} takes fields, or name = expression.", item.span, "UNEXPECTED_ITEM")
        named.append((name_of(item), iterating(item.value, pipeline.scope())))
    return named


def fields(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    named = _named(items, "fields", pipeline, span)
    pipeline.stages.append(lambda rows: ({name: value(row) for name, value in named} for row in rows))
    pipeline.fields = frozenset(name for name, _ in named)


def fields_add(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    """Later expressions see the fields that earlier ones have added."""
    named = []
    for item in items:
        one = _named((item,), "fieldsAdd", pipeline, span)
        named += one
        if pipeline.fields is not None:
            pipeline.fields |= {name for name, _ in one}
    if not named:
        raise DqlError("fieldsAdd needs at least one field.", span, "MISSING_PARAMETER")

    def added(rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            for name, value in named:
                row[name] = value(row)
            yield row

    pipeline.stages.append(added)


def _names(items: tuple[Item, ...], command: str, pipeline: Pipeline, span: Span) -> frozenset[str]:
    flat = [each for item in items for each in (item.value.items if isinstance(item.value, Braces) else (item,))]
    names = []
    for item in flat:
        node = plain(item, command)
        if not isinstance(node, Field):
            raise DqlError(f"{command} takes names of fields.", node.span, "FIELD_EXPECTED")
        evaluator(node, pipeline.scope())
        names.append(node.name)
    if not names:
        raise DqlError(f"{command} needs at least one field.", span, "MISSING_PARAMETER")
    return frozenset(names)


def fields_keep(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    names = _names(items, "fieldsKeep", pipeline, span)
    pipeline.stages.append(lambda rows: ({k: v for k, v in row.items() if k in names} for row in rows))
    pipeline.fields = names


def fields_remove(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    names = _names(items, "fieldsRemove", pipeline, span)
    pipeline.stages.append(lambda rows: ({k: v for k, v in row.items() if k not in names} for row in rows))
    if pipeline.fields is not None:
        pipeline.fields -= names


def fields_rename(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    renamed: dict[str, str] = {}
    for item in items:
        if item.alias is None or not isinstance(item.value, Field) or item.parameter:
            raise DqlError("fieldsRename takes new_name = old_name.", item.span, "UNEXPECTED_ITEM")
        evaluator(item.value, pipeline.scope())
        renamed[item.value.name] = item.alias
    if not renamed:
        raise DqlError("fieldsRename needs at least one new_name = old_name.", span, "MISSING_PARAMETER")

    def rename(row: Row) -> Row:
        kept: dict[str, Any] = {name: value for name, value in row.items() if name not in renamed}
        kept.update({new: row[old] for old, new in renamed.items() if old in row})
        return kept

    pipeline.stages.append(lambda rows: map(rename, rows))
    if pipeline.fields is not None:
        pipeline.fields = frozenset(renamed.get(name, name) for name in pipeline.fields)


# arrays and records become records and fields


def expand(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    """A record for each element of an array; none for an empty one (docs: structuring-commands), nor for null [D]."""
    given, rest = _parameters(items, ("limit",), "expand")
    if len(rest) != 1:
        raise DqlError("expand takes one expression, or name = expression.", span, "WRONG_NUMBER_OF_ARGUMENTS")
    name, values = name_of(rest[0]), evaluator(rest[0].value, pipeline.scope())
    most = constant(given["limit"].value, pipeline.scope(), "limit") if "limit" in given else None
    if most is not None and (type(most) is not int or most < 0):
        raise DqlError("limit takes a whole number from 0.", given["limit"].span, "INVALID_PARAMETER")

    def expanded(rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            found = values(row)
            for value in found[:most] if isinstance(found, list) else [] if found is None else [found]:
                yield {**row, name: value}

    pipeline.stages.append(expanded)
    if pipeline.fields is not None:
        pipeline.fields |= {name}


def fields_flatten(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    """The members of a record become fields, by default with the record's name as prefix."""
    given, rest = _parameters(items, ("prefix",), "fieldsFlatten")
    if len(rest) != 1:
        raise DqlError("fieldsFlatten takes one expression.", span, "WRONG_NUMBER_OF_ARGUMENTS")
    value = evaluator(rest[0].value, pipeline.scope())
    before = f"{name_of(rest[0])}." if "prefix" not in given else _text(given["prefix"], pipeline)

    def flat(rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            members = value(row)
            found = members.items() if isinstance(members, dict) else ()
            yield {**row, **{before + str(name): member for name, member in found}}

    pipeline.stages.append(flat)
    pipeline.fields = None  # which members there are is known only when it runs


def _parameters(items: tuple[Item, ...], known: tuple[str, ...], command: str) -> tuple[dict[str, Item], list[Item]]:
    """The items that are named parameters, and the others."""
    for item in items:
        if item.parameter and item.parameter not in known:
            raise unknown(f"parameter of {command}", item.parameter, known, item.span)
    return {item.parameter: item for item in items if item.parameter}, [item for item in items if not item.parameter]


def _text(item: Item, pipeline: Pipeline) -> str:
    value = constant(item.value, pipeline.scope(), str(item.parameter))
    if not isinstance(value, str):
        raise DqlError(f"{item.parameter} is a string.", item.span, "INVALID_PARAMETER")
    return value


COMMANDS: dict[str, Handler] = {
    "filter": filter_,
    "filterOut": filter_out,
    "search": search,
    "sort": sort,
    "limit": limit,
    "dedup": dedup,
    "fields": fields,
    "fieldsAdd": fields_add,
    "fieldsKeep": fields_keep,
    "fieldsRemove": fields_remove,
    "fieldsRename": fields_rename,
    "expand": expand,
    "fieldsFlatten": fields_flatten,
    "summarize": summarize,
    "makeTimeseries": make_timeseries,
    "append": append,
    "lookup": lookup,
    "join": join,
}

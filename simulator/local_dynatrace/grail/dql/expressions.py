"""Expressions: a tree becomes a Python function of one record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from . import array_functions, text_functions, time_functions  # noqa: F401  (they enter their functions into the table)
from .aggregates import AGGREGATES, Aggregate
from .errors import DqlError, Span, unknown
from .functions import FUNCTIONS, Function
from .operations import OPERATIONS, align, both, either, negate, one_of_two, opposite
from .search import holds
from .syntax import (
    Align,
    Binary,
    Braces,
    Call,
    Constant,
    DurationLiteral,
    Each,
    Element,
    Expr,
    Field,
    Item,
    Node,
    Query,
    Subquery,
    Unary,
    children,
    render,
)
from .values import UNITS, Duration, Row, Timestamp, Value, duration, moment

Compiled = Callable[[Row], Value]
LOGIC = {"and": both, "or": either, "xor": one_of_two}


@dataclass
class Aggregation:
    """One call of an aggregation function in a ``summarize``; its result is kept in the record under ``slot``."""

    slot: str
    new: Callable[[], Aggregate]
    arguments: list[Compiled]
    default: Value = None


class Rows(Protocol):
    """A subquery that has been put together."""

    rows: list[Row]

    @property
    def fields(self) -> frozenset[str] | None: ...


@dataclass(frozen=True)
class Scope:
    """What an expression may refer to."""

    now_ns: int
    fields: frozenset[str] | None = None
    """The only fields there can be, or None where records may carry any."""
    aggregations: list[Aggregation] | None = None
    """Where aggregation functions are allowed: the list that takes them."""
    elements: list[tuple[str, Compiled]] | None = None
    """Where ``array[]`` is allowed: the list that takes the arrays, each with the slot of its present element."""
    subquery: Callable[[Query], Rows] | None = None
    """Puts a subquery together."""


def evaluator(node: Expr, scope: Scope) -> Compiled:
    """Raises DqlError for anything that cannot work, whatever the records hold."""
    match node:
        case Constant(value):
            return lambda row: value
        case DurationLiteral(amount, unit):
            span = duration(amount * UNITS[unit])
            if span is None:
                raise DqlError(f"{amount}{unit} is too long.", node.span, "LITERAL_OUT_OF_RANGE")
            return lambda row: span
        case Field(name):
            return _field(name, scope, node.span)
        case Unary(operator, operand):
            inner, change = evaluator(operand, scope), negate if operator == "-" else opposite
            return lambda row: change(inner(row))
        case Binary("~", left, Constant(str() as term)):
            within, found = evaluator(left, scope), holds(term)
            return lambda row: None if (value := within(row)) is None else found(value)
        case Binary("~"):
            raise DqlError("The right side of ~ must be a string.", node.right.span, "STRING_EXPECTED")
        case Binary(operator, left, right):
            return binary(operator, evaluator(left, scope), evaluator(right, scope))
        case Align(inner_node, unit):
            return _align(evaluator(inner_node, scope), unit, scope.now_ns)
        case Element(array, index):
            return _element(evaluator(array, scope), evaluator(index, scope))
        case Each(array):
            return _each(array, scope, node.span)
        case Braces(items):
            values = [evaluator(plain(item, "an array"), scope) for item in items]
            return lambda row: [value(row) for value in values]
        case Call():
            return _call(node, scope)
        case Subquery(query):
            return _column(query, scope, node.span)
    raise AssertionError(node)


def iterating(node: Expr, scope: Scope) -> Compiled:
    """As ``evaluator``, for a place where ``array[]`` may stand: then the result is an array."""
    if not _iterates(node):
        return evaluator(node, scope)
    arrays: list[tuple[str, Compiled]] = []
    element = evaluator(node, replace(scope, elements=arrays))

    def elements(row: Row) -> Value:
        given = {slot: array(row) for slot, array in arrays}
        if not all(isinstance(values, list) for values in given.values()):
            return None
        # Whether arrays of different lengths are cut or filled up is UNVERIFIED.
        count = min(len(values) for values in given.values())
        return [element(row | {slot: values[n] for slot, values in given.items()}) for n in range(count)]

    return elements


ITERATED = ("iAny", "iCollectArray")
"""Functions that take an expression with ``array[]`` for themselves."""


def _iterates(node: Node) -> bool:
    if isinstance(node, Call) and node.name in ITERATED:
        return False
    return isinstance(node, Each) or any(_iterates(child) for child in children(node) if not isinstance(child, Query))


def _each(array: Expr, scope: Scope, span: Span) -> Compiled:
    if scope.elements is None:
        raise DqlError(
            f"An expression with [] can be used only in fields, fieldsAdd, {' and '.join(ITERATED)}.",
            span, "ITERATIVE_EXPRESSION_NOT_ALLOWED",
        )  # fmt: skip
    slot = f"\0element {len(scope.elements)}"
    scope.elements.append((slot, evaluator(array, replace(scope, elements=None))))
    return lambda row: row[slot]


def _column(query: Query, scope: Scope, span: Span) -> Compiled:
    """The values of a subquery with a single field, as an array: what ``in`` takes."""
    if scope.subquery is None:
        raise DqlError("A subquery cannot be used here.", span, "SUBQUERY_NOT_ALLOWED")
    found = scope.subquery(query)
    if found.fields is None or len(found.fields) != 1:
        raise DqlError("A subquery here must give one field: end it with fields.", span, "ONE_FIELD_EXPECTED")

    def column(row: Row) -> Value:
        return [next(iter(record.values()), None) for record in found.rows]

    return column


def search_condition(node: Expr, scope: Scope) -> Compiled:
    """The condition of ``search``: as any other, but a bare string in it looks into every field."""
    match node:
        case Constant(str() as term):
            found = holds(term)
            return lambda row: any(map(found, row.values()))
        case Binary(("and" | "or" | "xor") as operator, left, right):
            return binary(operator, search_condition(left, scope), search_condition(right, scope))
        case Unary("not", operand):
            inner = search_condition(operand, scope)
            return lambda row: opposite(inner(row))
    return evaluator(node, scope)


def plain(item: Item, where: str) -> Expr:
    """The expression of an item that may be nothing else."""
    if item.alias is not None or item.parameter or item.order:
        raise DqlError(f"Only a plain expression can stand in {where}.", item.span, "UNEXPECTED_ITEM")
    return item.value


def constant(node: Expr, scope: Scope, what: str) -> Value:
    """The value of an expression that must not depend on a record."""

    def none_here(name: str) -> DqlError:
        return DqlError(f"{what} must be constant, but refers to the field {name}.", node.span, "CONSTANT_EXPECTED")

    try:
        return evaluator(node, replace(scope, fields=frozenset(), aggregations=None, subquery=None))({})
    except DqlError as error:
        raise none_here(error.arguments[0]) if error.type == "FIELD_DOES_NOT_EXIST" else error from None


def _field(name: str, scope: Scope, span: Span) -> Compiled:
    if scope.fields is not None and name not in scope.fields:
        raise DqlError(f"The field {name} doesn't exist.", span, "FIELD_DOES_NOT_EXIST", (name,))
    return lambda row: row.get(name)


def binary(operator: str, left: Compiled, right: Compiled) -> Compiled:
    if operator == "and":
        return lambda row: False if (a := left(row)) is False else both(a, right(row))
    if operator == "or":
        return lambda row: True if (a := left(row)) is True else either(a, right(row))
    operation = LOGIC.get(operator) or OPERATIONS[operator]
    return lambda row: operation(left(row), right(row))


def _align(inner: Compiled, text: str, now_ns: int) -> Compiled:
    digits = len(text) - len(text.lstrip("0123456789"))
    count, unit = int(text[:digits] or 1), text[digits:]

    def aligned(row: Row) -> Value:
        value = inner(row)
        if type(value) is Duration:  # an offset from now (docs: fetch)
            value = moment(now_ns + int(value))
        return align(int(value), unit, count) if type(value) is Timestamp else None

    return aligned


def _element(array: Compiled, index: Compiled) -> Compiled:
    def element(row: Row) -> Value:
        values, place = array(row), index(row)
        if isinstance(values, dict):
            return values.get(place) if isinstance(place, str) else None
        if not isinstance(values, list) or type(place) is not int:
            return None
        return values[place] if -len(values) <= place < len(values) else None

    return element


def _call(node: Call, scope: Scope) -> Compiled:
    if node.name in AGGREGATES:
        return _aggregation(node, scope)
    if node.name == "now" and not node.items:
        now = Timestamp(scope.now_ns)
        return lambda row: now
    if node.name == "record":
        return _record(node, scope)
    if node.name in ITERATED and len(node.items) == 1:
        values = iterating(plain(node.items[0], node.name), scope)
        if node.name == "iCollectArray":
            return values
        return lambda row: any(value is True for value in found) if (found := values(row)) is not None else None
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise unknown("function", node.name, {*FUNCTIONS, *AGGREGATES, *ITERATED, "now", "record"}, node.span)
    positional, named = _arguments(node, scope, function)
    call = function.call
    if all(isinstance(item.value, Constant) for item in node.items if item.parameter):
        # Known before the first record; nearly always so.
        defaults = {**function.named, **{name: value({}) for name, value in named.items()}}
    else:

        def with_names(row: Row) -> Value:
            given = [argument(row) for argument in positional]
            if function.strict and any(g is None for g in given):
                return None
            return call(*given, **{**function.named, **{name: value(row) for name, value in named.items()}})

        return with_names
    if len(positional) == 1 and function.strict:
        only = positional[0]
        return lambda row: None if (value := only(row)) is None else call(value, **defaults)
    if len(positional) == 2 and function.strict:
        first, second = positional

        def of_two(row: Row) -> Value:
            one, other = first(row), second(row)
            return None if one is None or other is None else call(one, other, **defaults)

        return of_two

    def without_names(row: Row) -> Value:
        given = [argument(row) for argument in positional]
        return None if function.strict and any(g is None for g in given) else call(*given, **defaults)

    return without_names


def _arguments(node: Call, scope: Scope, function: Function) -> tuple[list[Compiled], dict[str, Compiled]]:
    positional, named = [], {}
    for item in node.items:
        if item.parameter:
            name = item.parameter
            if name not in function.named:
                raise unknown(f"parameter of {node.name}", name, function.named, item.span)
            if name in named:
                raise DqlError(f"{name} is given twice.", item.span, "DUPLICATE_PARAMETER")
            named[name] = evaluator(item.value, scope)
        else:
            positional.append(evaluator(plain(item, f"the arguments of {node.name}"), scope))
    if not function.least <= len(positional) <= function.most:
        wanted = str(function.least) if function.least == function.most else f"at least {function.least}"
        raise DqlError(
            f"{node.name} takes {wanted} argument{'s' * (wanted != '1')}, not {len(positional)}.",
            node.span,
            "WRONG_NUMBER_OF_ARGUMENTS",
        )
    return positional, named


def _record(node: Call, scope: Scope) -> Compiled:
    members = {}
    for item in node.items:
        if item.parameter or item.order:
            raise DqlError("A record is made of name = value.", item.span, "UNEXPECTED_ITEM")
        members[item.alias if item.alias is not None else render(item.value)] = evaluator(item.value, scope)
    return lambda row: {name: value(row) for name, value in members.items()}


def _aggregation(node: Call, scope: Scope) -> Compiled:
    if scope.aggregations is None:
        raise DqlError(
            f"The aggregation function {node.name} can be used only in summarize and makeTimeseries.",
            node.span,
            "AGGREGATION_NOT_ALLOWED",
        )
    kind, inner = AGGREGATES[node.name], replace(scope, aggregations=None)
    default: Value = None
    arguments = []
    for item in node.items:
        if item.parameter == "default":
            default = constant(item.value, inner, "default")
        elif item.parameter:
            raise unknown(f"parameter of {node.name}", item.parameter, ["default"], item.span)
        else:
            arguments.append(evaluator(plain(item, f"the arguments of {node.name}"), inner))
    if len(arguments) != kind.arguments:
        plural = "" if kind.arguments == 1 else "s"
        raise DqlError(
            f"{node.name} takes {kind.arguments} argument{plural}, not {len(arguments)}.",
            node.span,
            "WRONG_NUMBER_OF_ARGUMENTS",
        )
    slot = f"\0{len(scope.aggregations)}"
    scope.aggregations.append(Aggregation(slot, kind.new, arguments, default))
    return lambda row: row[slot]

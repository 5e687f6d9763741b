"""The syntax tree of a query. ``render`` writes it back as canonical DQL."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Literal

from .errors import Span

PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*\Z", re.ASCII)
RESERVED = {"and", "or", "xor", "not", "in", "true", "false", "null", "asc", "desc"}
NOWHERE = Span(0, 0)


@dataclass(frozen=True)
class Node:
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Constant(Node):
    value: str | int | float | bool | None


@dataclass(frozen=True)
class DurationLiteral(Node):
    amount: int
    unit: str


@dataclass(frozen=True)
class Field(Node):
    name: str


@dataclass(frozen=True)
class Unary(Node):
    operator: Literal["-", "not"]
    operand: Expr


@dataclass(frozen=True)
class Binary(Node):
    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Align(Node):
    """``moment @ unit``: the moment moved back to the start of its unit."""

    moment: Expr
    unit: str


@dataclass(frozen=True)
class Element(Node):
    array: Expr
    index: Expr


@dataclass(frozen=True)
class Each(Node):
    """``array[]``: the expression around it is computed for each element."""

    array: Expr


@dataclass(frozen=True)
class Item(Node):
    """One entry of a list: ``expr``, ``name = expr``, ``name: expr``, ``expr desc``."""

    value: Expr
    alias: str | None = None
    parameter: str | None = None
    order: Literal["asc", "desc"] | None = None


@dataclass(frozen=True)
class Call(Node):
    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Braces(Node):
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Subquery(Node):
    """``[fetch …]``, as ``lookup``, ``join``, ``append`` and ``in`` take it."""

    query: Query


Expr = Constant | DurationLiteral | Field | Unary | Binary | Align | Element | Each | Call | Braces | Subquery


@dataclass(frozen=True)
class Command(Node):
    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Query(Node):
    commands: tuple[Command, ...]


def deeper_than(query: Query, levels: int) -> Span | None:
    """Where the tree goes deeper than that, if anywhere."""
    waiting: list[tuple[Node, int]] = [(query, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > levels:
            return node.span
        waiting += [(child, depth + 1) for child in children(node)]
    return None


def children(node: Node) -> list[Node]:
    """The nodes directly below."""
    values = (value if isinstance(value, tuple) else (value,) for value in vars(node).values())
    return [child for several in values for child in several if isinstance(child, Node)]


def render(node: Query | Command | Item | Expr) -> str:
    """Canonical text. Parsing it gives an equal tree."""
    match node:
        case Query(commands):
            return "\n| ".join(render(command) for command in commands)
        case Command(name, items):
            return f"{name} {_list(items)}".rstrip()
        case Item(value, alias, parameter, order):
            before = f"{quoted(alias)} = " if alias is not None else f"{parameter}: " if parameter else ""
            return before + render(value) + (f" {order}" if order else "")
        case Constant(value):
            return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else _plain(value)
        case DurationLiteral(amount, unit):
            return f"{amount}{unit}"
        case Field(name):
            return quoted(name)
        case Unary(operator, operand):
            return f"not {_inner(operand)}" if operator == "not" else f"-{_inner(operand)}"
        case Binary(operator, left, right):
            return f"{_inner(left)} {operator} {_inner(right)}"
        case Align(moment, unit):
            return f"{_inner(moment)}@{unit}"
        case Element(array, index):
            return f"{_inner(array)}[{render(index)}]"
        case Each(array):
            return f"{_inner(array)}[]"
        case Call(name, items):
            return f"{name}({_list(items)})"
        case Braces(items):
            return "{" + _list(items) + "}"
        case Subquery(query):
            return f"[{render(query)}]"
    raise AssertionError(node)


def name_of(item: Item) -> str:
    """The field an item fills: its alias, its own name, or its text."""
    if item.alias is not None:
        return item.alias
    return item.value.name if isinstance(item.value, Field) else render(item.value)


def quoted(name: str) -> str:
    if PLAIN_NAME.match(name) and name.lower() not in RESERVED:
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _list(items: tuple[Item, ...]) -> str:
    return ", ".join(render(item) for item in items)


def _plain(value: float | None) -> str:
    if value is None:
        return "null"
    text = repr(value)
    # 1e+16 and 1e16 read alike; a double keeps its point.
    return text if isinstance(value, int) or "." in text or "e" in text else text + ".0"


def _inner(node: Expr) -> str:
    text = render(node)
    return f"({text})" if isinstance(node, Binary | Unary | Align) else text

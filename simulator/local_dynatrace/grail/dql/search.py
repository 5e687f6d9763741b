"""``search "term"`` and ``field ~ "term"``: text found anywhere, in any case, with ``*`` as wildcard."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .errors import DqlError
from .expressions import Compiled, Scope, binary, evaluator
from .syntax import Binary, Constant, Expr, Unary
from .text_functions import wildcard
from .values import Row, Value, opposite


def compile_search(node: Expr, scope: Scope) -> Compiled:
    """A search expression; a bare string in it looks into every field."""
    match node:
        case Constant(str() as term):
            pattern = _pattern(term)
            return lambda row: any(pattern.search(text) for value in row.values() for text in _texts(value))
        case Binary("~", left, Constant(str() as term)):
            within, pattern = evaluator(left, scope), _pattern(term)

            def found(row: Row) -> bool | None:
                value = within(row)
                return None if value is None else any(pattern.search(text) for text in _texts(value))

            return found
        case Binary("~"):
            raise DqlError("The right side of ~ must be a string.", node.right.span, "STRING_EXPECTED")
        case Binary(("and" | "or" | "xor") as operator, left, right):
            return binary(operator, compile_search(left, scope), compile_search(right, scope))
        case Unary("not", operand):
            inner = compile_search(operand, scope)
            return lambda row: opposite(inner(row))
    return evaluator(node, scope)


def _pattern(term: str) -> re.Pattern[str]:
    return wildcard(term.strip("*"), "*", "", re.IGNORECASE)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, int | float):
        yield str(value)

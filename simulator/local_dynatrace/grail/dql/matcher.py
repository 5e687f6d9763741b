"""DQL matchers: conditions on one record, as triggers and pipelines take them (docs: dql-matcher-in-openpipeline)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .commands import filter_condition
from .errors import DqlError, unknown
from .expressions import Scope, evaluator
from .parser import parse
from .syntax import Call, Expr, Node
from .values import Row

FUNCTIONS = ("matchesValue", "matchesPhrase", "isNull", "isNotNull")
"""The only ones that a matcher takes."""


def matcher(text: str) -> Callable[[Row], bool]:
    """Whether a record matches. Raises DqlError."""
    tree = parse(f"data record(a = 1)\n| filter {text}\n")
    if len(tree.commands) != 2:
        raise DqlError("A matcher is one condition, without commands.")
    command = tree.commands[1]
    condition: Expr = filter_condition(command.items, "A matcher", command.span)
    for name in functions(condition):
        if name not in FUNCTIONS:
            raise unknown("function of a matcher", name, FUNCTIONS, None)
    test = evaluator(condition, Scope(0, None))
    return lambda record: test(record) is True


def functions(node: Node) -> Iterator[str]:
    """Names of all functions that an expression calls."""
    if isinstance(node, Call):
        yield node.name
    for value in vars(node).values():
        for child in value if isinstance(value, tuple) else (value,):
            if isinstance(child, Node):
                yield from functions(child)

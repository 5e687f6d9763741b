"""The filter of list calls: text to a test of one document's wire form."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

Test = Callable[[dict[str, Any]], bool]
MAX_LENGTH, MAX_NESTING = 1024, 3
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "=": operator.eq, "!=": operator.ne,
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "starts-with": str.startswith,
    "ends-with": str.endswith,
}
"""These ignore case; equality does not (SDO)."""


def test_of(text: str, fields: Collection[str]) -> Test:
    """Raises ValueError that says what is wrong with the filter."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"longer than {MAX_LENGTH} characters")
    try:
        tree = _lark().parse(text)
        if max((depth for depth, _ in _nesting(text)), default=0) > MAX_NESTING:
            raise ValueError(f"nested deeper than {MAX_NESTING}")
        test: Test = _Tests(fields).transform(tree)
    except UnexpectedInput as error:
        raise ValueError(f"cannot be read at character {(error.pos_in_stream or 0) + 1}") from None
    except VisitError as error:
        if isinstance(error.orig_exc, ValueError):
            raise error.orig_exc from None
        raise
    return test


@cache
def _lark() -> Lark:
    grammar = Path(__file__).with_name("filters.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


def _nesting(text: str) -> list[tuple[int, str]]:
    """Each bracket outside of strings with its depth."""
    depth, found = 0, []
    for char in re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "", text):
        if char in "()":
            depth += 1 if char == "(" else -1
            found.append((depth, char))
    return found


def field(document: dict[str, Any], name: str) -> Any:
    """``modificationInfo.createdBy`` of a document's wire form; None where it is not there."""
    value: Any = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


@v_args(inline=True)
class _Tests(Transformer[Token, Test]):
    def __init__(self, fields: Collection[str]) -> None:
        super().__init__()
        self.fields = fields

    def _known(self, name: Token) -> str:
        if name not in self.fields:
            raise ValueError(f"unknown field {name}; expected {', '.join(self.fields)}")
        return str(name)

    def value(self, token: Token) -> str:
        return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.type == "STRING" else str(token)

    def either(self, left: Test, right: Test) -> Test:
        return lambda document: left(document) or right(document)

    def both(self, left: Test, right: Test) -> Test:
        return lambda document: left(document) and right(document)

    def opposite(self, inner: Test) -> Test:
        return lambda document: not inner(document)

    def nested(self, inner: Test) -> Test:
        return inner

    def exists(self, name: Token) -> Test:
        known = self._known(name)
        return lambda document: field(document, known) is not None

    def one_of(self, name: Token, *values: str) -> Test:
        known = self._known(name)
        return lambda document: str(field(document, known)) in values

    def compare(self, name: Token, sign: Token, value: str) -> Test:
        known = self._known(name)
        if sign in TEXT_TESTS:
            test, part = TEXT_TESTS[sign], value.lower()
            return lambda document: test(str(field(document, known) or "").lower(), part)
        if known == "version" and not re.fullmatch(r"-?[0-9]+", value):
            raise ValueError(f"version is a number, not {value!r}")

        holds, number = COMPARISONS[sign], known == "version"

        def compared(document: dict[str, Any]) -> bool:
            found = field(document, known)
            return bool(holds(int(found), int(value)) if number else holds(str(found), value))

        return compared

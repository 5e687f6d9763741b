"""Text to syntax tree, by the grammar in ``grammar.lark``."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError
from lark.visitors import Transformer_NonRecursive

from .errors import DqlError, Span
from .syntax import (
    Align,
    Binary,
    Braces,
    Call,
    Command,
    Constant,
    DurationLiteral,
    Each,
    Element,
    Expr,
    Field,
    Item,
    Query,
    Subquery,
    Unary,
    deeper_than,
)

GRAMMAR = Path(__file__).with_name("grammar.lark")
MAX_QUERY = 100_000
MAX_NESTING = 200
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
SHOWN = {
    "NAME": "a name", "QUOTED_NAME": "a name", "STRING": "a string", "LONG_STRING": "a string", "LONG": "a number",
    "DOUBLE": "a number", "DURATION": "a duration", "ALIGN": "@unit", "LPAR": "(", "RPAR": ")", "LBRACE": "{",
    "RBRACE": "}", "LSQB": "[", "RSQB": "]", "COMMA": ",", "COLON": ":", "EQUAL": "=", "VBAR": "|",
    "COMPARE": "a comparison", "$END": "the end",
    "PLUS": "+", "MINUS": "-", "STAR": "*", "SLASH": "/", "PERCENT": "%", "SEARCH": "~",
}  # fmt: skip


@lru_cache(maxsize=200)
def parse(text: str) -> Query:
    """The tree of a query, which nobody changes. Raises DqlError."""
    if len(text) > MAX_QUERY:
        raise DqlError(f"The query is longer than {MAX_QUERY} characters.", None, "QUERY_TOO_LONG")
    try:
        query: Query = _Builder(visit_tokens=False).transform(_lark().parse(text))
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    except VisitError as error:
        if isinstance(error.orig_exc, DqlError):
            raise error.orig_exc from None
        raise
    if (span := deeper_than(query, MAX_NESTING)) is not None:
        # Later steps walk the tree recursively.
        raise DqlError(f"The query is nested deeper than {MAX_NESTING} levels.", span, "QUERY_TOO_DEEP")
    return query


@cache
def _lark() -> Lark:
    return Lark(
        GRAMMAR.read_text(encoding="utf-8"), start="query", parser="lalr", propagate_positions=True,
        maybe_placeholders=True,
    )  # fmt: skip


def _syntax_error(text: str, error: UnexpectedInput) -> DqlError:
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        span = Span(error.token.start_pos or 0, error.token.end_pos or 0)
        found = f"'{error.token}'"
    elif isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream or 0
        span, found = Span(at, at + 1), f"'{text[at]}'"
    else:
        span, found = Span(len(text), len(text)), "the end of the query"
    names = error.expected if isinstance(error, UnexpectedToken | UnexpectedEOF) else getattr(error, "allowed", None)
    wanted = sorted({SHOWN.get(name, name.lower()) for name in names or ()})
    hint = f" Expected {', '.join(wanted[:-1]) + ' or ' if wanted[:-1] else ''}{wanted[-1]}." if wanted else ""
    return DqlError(f"Unexpected {found}.{hint}", span, "PARSE_ERROR", (found,))


def _unquote(text: str, span: Span) -> str:
    def plain(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] == "u":
            if len(code) != 5:
                raise DqlError("\\u needs four hexadecimal digits.", span, "PARSE_ERROR")
            return chr(int(code[1:], 16))
        return ESCAPES.get(code, code)

    plain_text = re.sub(r"\\(u[0-9a-fA-F]{4}|.)", plain, text)
    # Two escapes may be the halves of one character; a half alone stays what it is.
    return (
        plain_text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") if "\\u" in text else plain_text
    )


def _name(token: Token) -> str:
    if token.type != "QUOTED_NAME":
        return str(token)
    return re.sub(r"\\(.)", r"\1", str(token)[1:-1])


@v_args(meta=True)
class _Builder(Transformer_NonRecursive[Token, Query]):
    """Without recursion, so that any depth gets as far as being refused."""

    def __init__(self, visit_tokens: bool) -> None:
        super().__init__(visit_tokens)
        self._closed: dict[int, Expr] = {}
        """Expressions in parentheses, by identity."""

    def _span(self, meta: Any) -> Span:
        return Span(0, 0) if meta.empty else Span(meta.start_pos, meta.end_pos)

    def query(self, meta: Any, children: list[Any]) -> Query:
        return Query(tuple(children), span=self._span(meta))

    def command(self, meta: Any, children: list[Any]) -> Command:
        name, items = children
        return Command(str(name), items or (), span=Span(name.start_pos, name.end_pos))

    def items(self, meta: Any, children: list[Any]) -> tuple[Item, ...]:
        return tuple(c if isinstance(c, Item) else Item(c, span=c.span) for c in children)

    def named(self, meta: Any, children: list[Any]) -> Item:
        return Item(children[1], parameter=str(children[0]), span=self._span(meta))

    def target(self, meta: Any, children: list[Any]) -> str:
        return _name(children[0])

    def assigned(self, meta: Any, children: list[Any]) -> Item:
        return Item(children[1], alias=children[0], span=self._span(meta))

    def ascending(self, meta: Any, children: list[Any]) -> Item:
        return Item(children[0], order="asc", span=self._span(meta))

    def descending(self, meta: Any, children: list[Any]) -> Item:
        return Item(children[0], order="desc", span=self._span(meta))

    def parenthesis(self, meta: Any, children: list[Any]) -> Expr:
        inner: Expr = children[0]
        self._closed[id(inner)] = inner
        return inner

    def binary(self, meta: Any, children: list[Any]) -> Expr:
        left, operator, right = children
        span = self._span(meta)
        loose = isinstance(right, Align) and id(right) not in self._closed
        if operator in ("+", "-") and loose and isinstance(right.moment, DurationLiteral):
            # `now()-1d@d`: @ binds tighter (docs: dql-operators), but only a moment can be aligned. Not in parentheses.
            return Align(Binary(str(operator), left, right.moment, span=span), right.unit, span=span)
        return Binary(str(operator).lower(), left, right, span=span)

    def unary(self, meta: Any, children: list[Any]) -> Expr:
        return Unary("-" if children[0] == "-" else "not", children[1], span=self._span(meta))

    def is_in(self, meta: Any, children: list[Any]) -> Call:
        span = self._span(meta)
        return Call("in", tuple(Item(c, span=c.span) for c in (children[0], children[2])), span=span)

    def is_not_in(self, meta: Any, children: list[Any]) -> Unary:
        span = self._span(meta)
        items = tuple(Item(c, span=c.span) for c in (children[0], children[3]))
        return Unary("not", Call("in", items, span=span), span=span)

    def subquery(self, meta: Any, children: list[Any]) -> Subquery:
        return Subquery(children[0], span=self._span(meta))

    def align(self, meta: Any, children: list[Any]) -> Align:
        return Align(children[0], str(children[1])[1:], span=self._span(meta))

    def element(self, meta: Any, children: list[Any]) -> Element:
        return Element(children[0], children[1], span=self._span(meta))

    def each(self, meta: Any, children: list[Any]) -> Each:
        return Each(children[0], span=self._span(meta))

    def long(self, meta: Any, children: list[Any]) -> Constant:
        value = int(str(children[0]), 16 if str(children[0])[:2].lower() == "0x" else 10)
        if value >= 2**63:
            raise DqlError(f"{children[0]} is too large for a long.", self._span(meta), "LITERAL_OUT_OF_RANGE")
        return Constant(value, span=self._span(meta))

    def double(self, meta: Any, children: list[Any]) -> Constant:
        value = float(str(children[0]))
        if value == float("inf"):
            raise DqlError(f"{children[0]} is too large for a double.", self._span(meta), "LITERAL_OUT_OF_RANGE")
        return Constant(value, span=self._span(meta))

    def duration(self, meta: Any, children: list[Any]) -> DurationLiteral:
        amount, unit = re.fullmatch(r"(\d+)([a-z]+)", str(children[0])).groups()  # type: ignore[union-attr]
        return DurationLiteral(int(amount), unit, span=self._span(meta))

    def string(self, meta: Any, children: list[Any]) -> Constant:
        span = self._span(meta)
        return Constant(_unquote(str(children[0])[1:-1], span), span=span)

    def long_string(self, meta: Any, children: list[Any]) -> Constant:
        return Constant(str(children[0])[3:-3], span=self._span(meta))

    def true(self, meta: Any, children: list[Any]) -> Constant:
        return Constant(True, span=self._span(meta))

    def false(self, meta: Any, children: list[Any]) -> Constant:
        return Constant(False, span=self._span(meta))

    def null(self, meta: Any, children: list[Any]) -> Constant:
        return Constant(None, span=self._span(meta))

    def field(self, meta: Any, children: list[Any]) -> Field:
        return Field(_name(children[0]), span=self._span(meta))

    def call(self, meta: Any, children: list[Any]) -> Call:
        return Call(str(children[0]), children[1] or (), span=self._span(meta))

    def braces(self, meta: Any, children: list[Any]) -> Braces:
        return Braces(children[0] or (), span=self._span(meta))

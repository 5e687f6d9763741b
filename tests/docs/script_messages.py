"""What workflow_src/sync.js says when it stops, fails or warns: the fixed words of each message."""

from __future__ import annotations

import re

SAID = re.compile(r"\bnew (?:Failure|Stop)\(|(?<!function )(?<![.\w])warn\(")


def messages(source: str) -> list[str]:
    """Texts with ``…`` for what differs; those without any words of their own are left out."""
    found = [Reader(source, said.end()).call() for said in SAID.finditer(source)]
    return [text for text in found if re.search(r"[A-Za-z]{4}", text)]


class Reader:
    """Goes through the arguments of a call, past brackets in strings and strings in templates."""

    def __init__(self, source: str, at: int) -> None:
        self.source, self.at = source, at

    def next(self) -> str:
        self.at += 1
        return self.source[self.at - 1]

    def call(self, closing: str = ")") -> str:
        """The string literals up to the bracket that closes the call, joined."""
        found, depth = "", 0
        while True:
            character = self.next()
            if character in "\"'":
                found += self.plain(character)
            elif character == "`":
                found += self.template()
            elif character in "([{":
                depth += 1
            elif character in ")]}":
                if depth == 0:
                    assert character == closing
                    return found
                depth -= 1

    def plain(self, quote: str) -> str:
        text = ""
        while (character := self.next()) != quote:
            text += self.next() if character == "\\" else character
        return text

    def template(self) -> str:
        text = ""
        while (character := self.next()) != "`":
            if character == "$" and self.source[self.at] == "{":
                self.next()
                self.call("}")
                text += "…"
            else:
                text += self.next() if character == "\\" else character
        return text

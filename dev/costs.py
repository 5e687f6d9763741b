"""``python -m dev.costs``: what each rule of the sync script costs in lines, as a table in its docs.

A line belongs to the rules (L1 to L29, docs/how-the-sync-script-works.md) that the comment above it names: a banner
speaks for its module, any other comment for the statement below it, a comment at a line's end for that statement.
The innermost comment decides, so no line counts twice, unless its comment names two rules.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from dev import ROOT
from dev.link import ORDER, SOURCES

PAGE = ROOT / "docs" / "how-the-sync-script-works.md"
HEADING = "## What each rule costs\n"
LABEL = re.compile(r"\bL\d+\b")
COMMENT = re.compile(r"^\s*(?://|/\*\*|\*)")


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def statement(lines: list[str], first: int) -> int:
    """The line after the statement that begins here, by the indentation that ``deno fmt`` gives."""
    depth = indent(lines[first])
    last = first
    for number in range(first + 1, len(lines)):
        if not (line := lines[number].strip()):
            continue
        if indent(lines[number]) < depth or (indent(lines[number]) == depth and line[0] not in ")}]"):
            break
        last = number
    return last + 1


def comments(lines: list[str]) -> Iterator[tuple[int, int, set[str]]]:
    """First line, end and labels of what each comment with a label speaks for, outer ones first."""
    number = 0
    while number < len(lines):
        begin = number
        while number < len(lines) and COMMENT.match(lines[number]):
            number += 1
        if number == begin:
            if found := set(LABEL.findall(lines[number].partition("//")[2])):
                yield number, statement(lines, number), found
            number += 1
            continue
        if found := set(LABEL.findall("".join(lines[begin:number]))):
            is_banner = lines[begin].startswith("// ---")
            yield begin, len(lines) if is_banner else statement(lines, number), found


def costs() -> tuple[dict[str, Counter[str]], int]:
    """By rule: lines in each module. And the lines of no rule."""
    found: dict[str, Counter[str]] = {}
    others = 0
    for name in ORDER:
        lines = (SOURCES / f"{name}.js").read_text(encoding="utf-8").splitlines()
        owners: list[set[str]] = [set() for _ in lines]
        for first, end, labels in comments(lines):
            owners[first:end] = [labels] * (end - first)
        for labels in owners:
            for label in labels:
                found.setdefault(label, Counter())[name] += 1
            others += not labels
    return found, others


def table() -> str:
    found, others = costs()
    rows = [
        f"| {label} | {found[label].total()} | {', '.join(f'`{name}` {n}' for name, n in found[label].most_common())} |"
        for label in sorted(found, key=lambda label: int(label[1:]))
    ]
    head = ["| rule | lines | module and lines |", "|---|---|---|"]
    return "\n".join([*head, *rows, f"| none of them | {others} | |", ""])


def written(page: str) -> str:
    """The page with this table."""
    before, heading, after = page.partition(HEADING)
    intro, old, rest = re.split(r"^((?:\|.*\n)+)", after, maxsplit=1, flags=re.MULTILINE)
    assert heading and old, f"{PAGE.name} has no section {HEADING.strip()} with a table"
    return before + heading + intro + table() + rest


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

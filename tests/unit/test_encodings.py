"""Text is UTF-8 wherever this repository's tools read or write it: the locale's encoding decides nothing."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

FOLDERS = ("providers", "operations", "workflow_src", "dev", "simulator/local_dynatrace", "simulator/local_sectigo")
FILES = sorted(
    file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py") if "tests" not in file.relative_to(ROOT).parts
)
TEXT_FILES = ("read_text", "write_text", "open")
PROCESSES = ("run", "Popen", "check_output")


def implicit(call: ast.Call) -> bool:
    """Whether a call reads or writes text in the locale's encoding."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    owner = call.func.value.id if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) else ""
    keywords = {one.arg: one.value for one in call.keywords}
    if "encoding" in keywords or owner in ("os", "webbrowser", "urllib"):
        return False
    if name in PROCESSES:
        return any(isinstance(keywords.get(key), ast.Constant) for key in ("text", "universal_newlines"))
    if name not in TEXT_FILES:
        return False
    if name != "open":
        return True
    # Of a path, or of the built-in: its mode is the first or the second argument; an opener of addresses has none.
    place = 0 if isinstance(call.func, ast.Attribute) else 1
    mode = call.args[place] if len(call.args) > place else keywords.get("mode")
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and "b" not in mode.value


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_file_and_process_names_its_encoding(file: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.Call)]

    assert [f"line {call.lineno}" for call in calls if implicit(call)] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [("p.read_text()", True), ("p.open('w')", True), ("open(p, 'a')", True), ("run(c, text=True)", True),
     ("p.open('wb')", False), ("p.read_text(encoding='utf-8')", False), ("run(c)", False), ("os.open(p, 1)", False)],
)  # fmt: skip
def test_the_search_finds_what_is_implicit(code: str, found: bool) -> None:
    call = ast.parse(code).body[0]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)

    assert implicit(call.value) is found


def test_commands_print_utf_8_and_pass_arguments_unchanged_in_any_locale() -> None:
    program = (
        "import sys; from operations import streams; streams.restart_in_utf_8(['--help']); print(sys.flags.utf8_mode)"
    )
    other = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, **other}, capture_output=True, check=True
    )

    # The process was replaced by the command itself, whose help holds what Latin-1 cannot print.
    assert "python -m operations" in done.stdout.decode("utf-8")
    assert b"Traceback" not in done.stderr

"""A script that does not parse never reaches an environment: previews and deployments check it first.

The script of a release was loaded when it was linked, and its hash is committed beside it; the same text needs no
second look. A changed script is loaded by Deno, or parsed by Node.js, whichever is there; without either it is refused,
because nothing else that a deployment needs can read JavaScript.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import pulumi

FOLDER = Path(__file__).parent
HASH_FILE = FOLDER / "sync.js.sha256"
LIMIT_S = 30
IMPORT = re.compile(r"""^\s*import\b([^"';]*)["']([^"'\n]+)["']""", re.MULTILINE)
NAME = re.compile(r"(\w+)(?:\s+as\s+\w+)?\s*(?=[,}])")
PLACE = re.compile(r":(\d+)(?::\d+)?$", re.MULTILINE)


class ScriptError(pulumi.RunError):
    """The script does not parse, or nothing here can tell."""


def checked(script: str) -> str:
    """The script itself. Raises ScriptError."""
    if hash_line(script) == committed():
        return script
    if deno := find("deno"):
        problem = loaded_by(deno, script)
    elif node := find("node"):
        problem = parsed_by(node, script)
    else:
        raise ScriptError(
            "workflow_src/sync.js is not the script that was released, and nothing here can check that it parses: "
            "put deno or node on PATH, or run make setup"
        )
    if problem:
        raise ScriptError(f"workflow_src/sync.js does not parse, so nothing was deployed: {problem}")
    return script


def hash_line(script: str) -> str:
    """As ``sha256sum`` writes it."""
    return f"{hashlib.sha256(script.encode()).hexdigest()}  sync.js\n"


def committed() -> str:
    return HASH_FILE.read_text(encoding="utf-8") if HASH_FILE.is_file() else ""


def find(name: str) -> str:
    """The command beside this Python, or on PATH; or empty."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(name) or ""


def loaded_by(deno: str, script: str) -> str:
    """Load the script as a module without any permission, with stand-ins for the SDK; returns what is wrong, or "".

    Only this finds names that are declared twice: ``deno fmt`` and ``deno lint`` accept them.
    """
    imports: dict[str, set[str]] = {}
    for clause, module in IMPORT.findall(script):
        braces = clause[clause.find("{") :] if "{" in clause else ""
        imports.setdefault(module, set()).update(name for name in NAME.findall(braces) if name != "default")
    stand_ins = {
        module: "data:text/javascript,"
        + quote("export default 0;" + "".join(f"export const {name} = 0;" for name in sorted(names)))
        for module, names in imports.items()
    }
    flags = ["--no-config", "--no-lock", "--no-remote", "--no-npm", "--no-prompt", "--no-check", "--import-map"]
    with tempfile.TemporaryDirectory() as folder:
        file, map_file = Path(folder) / "sync.js", Path(folder) / "imports.json"
        file.write_text(script, encoding="utf-8")
        map_file.write_text(json.dumps({"imports": stand_ins}), encoding="utf-8")
        return said([deno, "run", *flags, str(map_file), str(file)])


def parsed_by(node: str, script: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sync.mjs"
        file.write_text(script, encoding="utf-8")
        return said([node, "--check", str(file)])


def said(command: list[str]) -> str:
    """The error of a command, with the line of the script; empty if there is none."""
    env = {**os.environ, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=env,
        timeout=LIMIT_S,
        check=False,
    )
    if not done.returncode:
        return ""
    lines = [line.strip() for line in done.stderr.splitlines()]
    error = next((line for line in lines if "Error" in line), lines[0] if lines else "no reason given")
    error = re.sub(r"^error: (?:Uncaught )?(?:\(in promise\) )?", "", error)
    place = PLACE.search(done.stderr)
    return f"line {place[1]}: {error}" if place else error

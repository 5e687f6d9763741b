"""``python -m dev.new_resource LogBucket``: the files of a new resource, from the templates in ``dev/templates``.

Writes the API client, the resource with its provider, its package of the local environment and the test, and adds the
rows that connect them. The result passes the linters and its own test: an object with a name and a description. The
lines marked EXAMPLE are what the author replaces.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
from pathlib import Path
from string import Template

from . import ROOT

TEMPLATES = Path(__file__).resolve().parent / "templates"
FILES = {
    "api.py.txt": "providers/api/${names}.py",
    "provider.py.txt": "providers/${name}.py",
    "local.py.txt": "simulator/local_dynatrace/${names}/__init__.py",
    "test.py.txt": "tests/provider/test_${name}.py",
}
APP = "simulator/local_dynatrace/app.py"
ROWS = [
    (APP, r"^from \. import \([^)]*?\n    logs,\n", "    ${names},\n"),
    (APP, r"^APIS: [^)]*?\n    logs,\n", "    ${names},\n"),
    ("simulator/pyproject.toml", r'^ +"automation \| ', "${names} | "),
]
"""File, the text after which a row is inserted, and the row."""
COVERAGE = "simulator/COVERAGE.md"
NEXT = """
Next:
  1. Replace the lines marked EXAMPLE with your API:  grep -rn EXAMPLE providers simulator
  2. Scopes: a row each in providers/api/scopes.py; the tests name the other places.
  3. Create it in __main__.py. Config keys: Pulumi.yaml, providers/configuration.py and docs/configuration.md.
  4. make quick, then make lint. More in CONTRIBUTING.md.
"""


class CannotWriteError(Exception):
    """Why nothing was written."""


def names(name: str) -> dict[str, str]:
    """The spellings of a resource's name: LogBucket, log_bucket, log_buckets, log-buckets, logBucket, log bucket, …"""
    if not re.fullmatch(r"([A-Z][a-z0-9]+)+", name):
        raise CannotWriteError(f"{name!r} is not a name like LogBucket: give NAME in CamelCase, singular")
    parts = [part.lower() for part in re.findall(r"[A-Z][a-z0-9]+", name)]
    if keyword.iskeyword(parts[0]) and len(parts) == 1:
        raise CannotWriteError(f"{name!r} would be the module {parts[0]}, a keyword of Python: choose another NAME")
    many = [*parts[:-1], plural(parts[-1])]
    return {
        "Name": name,
        "name": "_".join(parts),
        "Names": "".join(part.capitalize() for part in many),
        "names": "_".join(many),
        "key": name[0].lower() + name[1:],
        "path": "-".join(many),
        "words": " ".join(parts),
        "Words": " ".join(parts).capitalize(),
        "plural": " ".join(many),
        "Plural": " ".join(many).capitalize(),
    }


def plural(noun: str) -> str:
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search(r"(s|x|z|ch|sh)$", noun) else f"{noun}s"


def module_of(path: Path) -> Path:
    """The module or package that a file is or belongs to."""
    return path.parent if path.name == "__init__.py" else path.with_suffix("")


def write(root: Path, name: str) -> list[str]:
    """Write everything below ``root``; returns the files written and changed. Raises CannotWriteError before."""
    spelled = names(name)

    def filled(text: str) -> str:
        return Template(text).substitute(spelled)

    files = {
        filled(path): filled((TEMPLATES / template).read_text(encoding="utf-8")) for template, path in FILES.items()
    }
    # A module and a package of one name would hide each other.
    modules = [module_of(root / path) for path in files]
    if existing := [str(one.relative_to(root)) for one in modules if one.is_dir() or one.with_suffix(".py").exists()]:
        raise CannotWriteError(
            f"nothing was written: {', '.join(existing)} exists already; choose another NAME, or extend what is there"
        )
    changed: dict[str, str] = {}
    for path, after, row in ROWS:
        text = changed.get(path) or (root / path).read_text(encoding="utf-8")
        found = re.search(after, text, re.MULTILINE)
        if not found:
            raise CannotWriteError(f"{path} has no line {after!r}; adapt dev/new_resource.py")
        changed[path] = text[: found.end()] + filled(row) + text[found.end() :]
    for path, text in {**files, **changed}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    tidy(root, [*files, *(path for path in changed if path.endswith(".py"))])
    return [*files, *changed]


def tidy(root: Path, files: list[str]) -> None:
    """Sort imports and format."""
    for words in (["check", "--quiet", "--select", "I,RUF022", "--fix"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *words, *files], cwd=root, check=True)


def update_coverage(root: Path) -> None:
    command = [sys.executable, "-m", "local_dynatrace", "coverage"]
    done = subprocess.run(command, cwd=root / "simulator", capture_output=True, encoding="utf-8", check=True)
    (root / COVERAGE).write_text(done.stdout, encoding="utf-8")


def main(arguments: list[str]) -> int:
    try:
        written = write(ROOT, arguments[0] if arguments else "")
    except CannotWriteError as error:
        print(f"new-resource: {error}", file=sys.stderr)
        return 1
    update_coverage(ROOT)
    print("\n".join(["Written:", *(f"  {path}" for path in (*written, COVERAGE))]), NEXT, sep="\n", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

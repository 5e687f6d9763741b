"""The modules that scripts can import: the unmodified @dynatrace-sdk packages, by a lock file with hashes.

In a checkout the setup installs them beside the lock file. From a wheel they are installed on first need into a folder
of the user's cache (``kernel.options.script_modules``), by the Deno of the package.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from ..kernel.options import SDK

SCOPE = "@dynatrace-sdk/"
FILES = ("package.json", "deno.json", "deno.lock")
LIMIT_S = 110.0
"""Below the time limit of a script, as the first one waits."""


class ModulesError(OSError):
    """The modules could not be installed; the text is one line."""


def install(deno: Path, folder: Path) -> None:
    """Install the locked packages as ``folder`` (a node_modules folder), whole or not at all. Raises ModulesError.

    The registry is the user's own configuration (.npmrc, NPM_CONFIG_REGISTRY).
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="install-") as scratch:
            for name in FILES:
                shutil.copy(SDK / name, scratch)
            environment = {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
            finished = subprocess.run(
                [str(deno), "install", "--quiet", "--frozen"], cwd=scratch, env=environment, timeout=LIMIT_S,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                check=False,
            )  # fmt: skip
            if finished.returncode:
                raise ModulesError(_why(finished.stdout))
            try:
                (Path(scratch) / "node_modules").rename(folder)
            except OSError:
                if not folder.is_dir():  # another process was quicker
                    raise
    except subprocess.TimeoutExpired:
        raise ModulesError(_why(f"no answer within {LIMIT_S:.0f} s")) from None
    except ModulesError:
        raise
    except OSError as error:
        raise ModulesError(_why(str(error))) from None


def _why(said: str) -> str:
    lines = [line.strip().removeprefix("error: ") for line in said.splitlines() if line.strip()]
    reason = ": ".join(dict.fromkeys([lines[0], lines[-1]])) if lines else "Deno gave no reason"
    return (
        f"The {SCOPE}* modules for scripts could not be installed: {reason} "
        "(behind a mirror, set NPM_CONFIG_REGISTRY; the next script tries again)"
    )


def packages(modules: Path) -> Iterator[tuple[str, str]]:
    """Package names and the URL of each one's ES module."""
    for pattern in ("*/package.json", "@*/*/package.json"):
        for file in sorted(modules.glob(pattern)):
            package = json.loads(file.read_text(encoding="utf-8"))
            entry = package.get("module") or package.get("main")
            if "name" in package and entry:
                yield package["name"], file.parent.as_uri() + "/" + quote(os.path.normpath(entry))

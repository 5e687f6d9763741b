"""Package mirrors: pip's configuration translated for uv, and what to say if no registry answers.

uv reads neither pip.conf nor PIP_*, so a mirror that is configured for pip would be bypassed. Addresses of mirrors
can contain passwords: they are never printed.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping
from pathlib import Path

from .commands import Finished, run

VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "no-index": "UV_NO_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
}
"""pip's option: the variable from which uv reads the same."""
INDEXES = {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_NO_INDEX", "UV_FIND_LINKS"}
SECTIONS = ("global", "install", ":env:")
"""Where pip finds an option; the last one wins."""

UNREACHABLE = re.compile(
    r"error sending request|[Ff]ailed to establish a new connection|client error \(Connect\)|dns error|"
    r"[Cc]onnection refused|Network is unreachable|[Nn]ame or service not known|[Nn]ame resolution|"
    r"no such host|dial tcp|timed out|operation timeout"
)
MIRRORS = "no package registry answers; if you use mirrors, set PIP_INDEX_URL or UV_DEFAULT_INDEX (Python), "
MIRRORS += "NPM_CONFIG_REGISTRY (JavaScript) and GOPROXY (Go)"


def for_uv(python: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that make uv use the mirrors configured for this Python's pip.

    Variables that are set already are left alone. If one of them names an index, no index of pip is taken over.
    """
    listed = run([python, "-m", "pip", "config", "list", "--disable-pip-version-check"], env=environment)
    found = from_pip(listed.lines)
    taken = INDEXES if INDEXES & environment.keys() else set()
    return {name: value for name, value in found.items() if name not in taken and name not in environment}


def from_pip(lines: list[str]) -> dict[str, str]:
    """uv's variables from the lines of ``pip config list``, such as ``global.index-url='https://...'``."""
    options: dict[str, str] = {}
    for section in SECTIONS:
        for line in lines:
            name, _, value = line.partition("=")
            if name.startswith(f"{section}.") and value[:1] in ("'", '"'):
                options[name.removeprefix(f"{section}.").replace("_", "-")] = str(ast.literal_eval(value)).strip()
    options.setdefault("timeout", options.get("default-timeout", ""))
    found = {variable: options.get(option, "") for option, variable in VARIABLES.items()}
    # pip takes the best version of all indexes. The locked hashes say which files are good, wherever they are.
    found["UV_INDEX_STRATEGY"] = "unsafe-best-match" if found["UV_INDEX"] else ""
    for variable in ("UV_INDEX", "UV_INSECURE_HOST"):
        found[variable] = " ".join(found[variable].split())
    # pip skips folders that do not exist, uv fails.
    places = [place for place in found["UV_FIND_LINKS"].split() if "://" in place or Path(place).exists()]
    found["UV_FIND_LINKS"] = ",".join(places)
    return {variable: value for variable, value in found.items() if value}


def reason(finished: Finished) -> str:
    """Why a package manager failed, without addresses: one line if no registry answered, else its last lines."""
    if any(UNREACHABLE.search(line) for line in finished.lines):
        return MIRRORS
    return "\n" + re.sub(r"\w+://[^\s'\"`)>]+", "<address>", finished.last(8))

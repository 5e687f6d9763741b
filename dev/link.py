"""``python -m dev.link``: the modules of ``workflow_src/sync`` become the one script that a workflow's task can hold.

No bundler: bundlers drop comments, and people read this text in Dynatrace's editor.
"""

from __future__ import annotations

import re
from collections import Counter

from dev import ROOT

SOURCES = ROOT / "workflow_src" / "sync"
SCRIPT = ROOT / "workflow_src" / "sync.js"
ORDER = (
    "platform", "parameters", "limits", "assumptions", "errors", "run", "clock", "vault", "config", "chain", "lock",
    "checkpoint", "windows", "paging", "pages", "scm", "records", "events", "ingest", "ledger", "requests", "output",
    "time", "text",
)  # fmt: skip
"""The order in which a person reads the script."""
LOCAL_IMPORT = re.compile(
    r'^(?:import \{[^}]*\} from "\./\w+\.js";|/\*\* @import \{[^}]*\} from "\./\w+\.js" \*/)\n', re.M
)
EXPORT = re.compile(r"^export (?:\{[^}]*\};\n|(?!default))", re.M)
TOP_LEVEL = re.compile(r"^(?:export (?:default )?)?(?:async )?(?:function\*?|class|const|let) (\w+)", re.M)


def link() -> str:
    """The linked script. Raises ValueError if a module is not in ``ORDER`` or two modules share a name."""
    files = {file.stem: file.read_text(encoding="utf-8") for file in SOURCES.glob("*.js")}
    if set(files) != set(ORDER):
        raise ValueError(f"ORDER in dev/link.py must list every module: {sorted(set(files) ^ set(ORDER))}")
    names = Counter(name for text in files.values() for name in TOP_LEVEL.findall(text))
    if twice := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"two modules of {SOURCES.name}/ define {', '.join(twice)}; rename one")
    return "\n".join(EXPORT.sub("", LOCAL_IMPORT.sub("", files[name])).strip("\n") + "\n" for name in ORDER)


if __name__ == "__main__":
    SCRIPT.write_text(link(), encoding="utf-8")

"""Our objects under other names, where the state is lost: somebody has renamed them, or they were the vendor's.

The workflow's mark leads to them: its script names the entries that it uses.
"""

from __future__ import annotations

from workflow_src.render import TASK, unrender_script

from .api.automation import Json
from .api.environment import Environment
from .api.vault import Entry
from .lifecycle import Props
from .ownership import mark_of

TITLE = "Integration"
"""Last word of the workflow's title, behind the connector's name."""


def own_workflow(environment: Environment, props: Props) -> Json | None:
    """The one workflow that bears our mark, whatever its title.

    Where it is titled as another connector's, it is that one's: a stack's name may occur in two Pulumi backends.
    """
    ours = f"{props['connector']} {TITLE}"
    marked = [w for w in environment.automation.workflows() if mark_of(w.get("description") or "")[0] == props["stack"]]
    mine = [w for w in marked if w["title"] == ours or not w["title"].endswith(f" {TITLE}")]
    return mine[0] if len(mine) == 1 else None


def entry_in_use(environment: Environment, props: Props, entries: dict[str, Entry]) -> Entry | None:
    """The entry that our live workflow uses for this purpose, unless it bears another stack's mark."""
    listed = own_workflow(environment, props)
    workflow = environment.automation.workflow(listed["id"]) if listed else None
    task = ((workflow or {}).get("tasks") or {}).get(TASK) or {}
    script = (task.get("input") or {}).get("script") or ""
    _, parameters = unrender_script(script, script)
    entry = entries.get(str(parameters.get(f"{props['adoptKey']}CredentialId")))
    return entry if entry and mark_of(entry.description)[0] in ("", props["stack"]) else None

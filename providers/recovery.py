"""Our objects under other names, after a lost state: somebody has renamed them, or they were the vendor's.

The workflow's mark leads to them: its script names the entries that it uses.
"""

from __future__ import annotations

from workflow_src.render import TASK, unrender_script

from .api.automation import Json
from .api.environment import Environment
from .api.vault import Entry
from .claims import mark_of
from .configuration import EntryProperties, Properties
from .ownership import is_ours
from .parts import BY_KEY, WORKFLOW


def own_workflow(environment: Environment, place: Properties) -> Json | None:
    """The one workflow that has our mark, whatever its title.

    One that is titled like another connector's belongs to that connector: a stack of the same name may exist in another
    Pulumi backend.
    """
    last_word = f" {WORKFLOW.name}"
    marked = [
        workflow
        for workflow in environment.automation.workflows()
        if is_ours(workflow.get("description") or "", place["stack"], place.get("formerStack", ""))
    ]
    mine = [
        workflow
        for workflow in marked
        if workflow["title"] == place["connector"] + last_word or not workflow["title"].endswith(last_word)
    ]
    return mine[0] if len(mine) == 1 else None


def entry_in_use(environment: Environment, props: EntryProperties, entries: dict[str, Entry]) -> Entry | None:
    """The entry that our deployed workflow uses for this purpose, unless it has another stack's mark.

    A mark of another owner does not count on an entry of our name: checkpoint, lock and config keep the mark that they
    were created with, as nobody can write it without their values.
    """
    listed = own_workflow(environment, props)
    workflow = environment.automation.workflow(listed["id"]) if listed else None
    task = ((workflow or {}).get("tasks") or {}).get(TASK) or {}
    script = (task.get("input") or {}).get("script") or ""
    _, parameters = unrender_script(script, script)
    entry = entries.get(str(parameters.get(BY_KEY[props["adoptKey"]].parameter)))
    if entry is None or not mark_of(entry.description).stack or entry.name == props["name"]:
        return entry
    return entry if is_ours(entry.description, props["stack"], props.get("formerStack", "")) else None

"""Workflows and their executions (``/platform/automation/v1``, OAuth bearer tokens)."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from .errors import NotFound, RunFailed

PATH = "/platform/automation/v1"
FINAL_STATES = ("SUCCESS", "ERROR", "CANCELLED")
PAGE_SIZE = 100
LONGEST_LEG_S = 180.0
"""After it an execution is not waited for any more; the platform ends a script at 120 s."""
CHECK_EVERY_S = 1.0
WRAPPER = re.compile(r"(?:An error occurred: ?)?\{")
MESSAGE = re.compile(r'"message"\s*:\s*"((?:[^"\\]|\\.)*)')

Json = dict[str, Any]


def started_at(execution: Json) -> datetime | None:
    return moment(execution.get("startedAt"))


def moment(text: str | None) -> datetime | None:
    """A time as the platform writes it; None for none."""
    return datetime.fromisoformat(text) if text else None


def sentence(state_info: str | None) -> str:
    """What went wrong, for people, out of an execution's or a task's ``stateInfo``; complete, on one line.

    The platform wraps it in JSON (facts: dynatrace-api 5.4)::

        An error occurred: {"code":540,"message":"Execution crashed.","details":
        {"type":"UNCAUGHT_EXCEPTION","name":"Error","message":"SCM audit API: 403 …","stack":…}}

    540 is an error in JavaScript. Without a text of the script, the platform's own follows, with code and type:
    ``Execution crashed. (540, KILLED)``. What is not JSON, or was cut, is searched for its innermost message.
    """
    text = " ".join(str(state_info or "").split())
    begin = WRAPPER.match(text)
    if begin is None:
        return text  # also a text of the script that has JSON inside
    try:
        error = json.loads(text[begin.end() - 1 :])
    except ValueError:
        messages = MESSAGE.findall(text)
        return str(messages[-1]).replace('\\"', '"') if messages else text
    details = error.get("details")
    if isinstance(details, str) and details:
        return sentence(details)
    details = details if isinstance(details, dict) else {}
    if thrown := details.get("message"):
        name = str(details.get("name") or "Error")
        return ("" if name in ("Error", "Failure") else f"{name}: ") + sentence(str(thrown))
    message = error.get("message") or error.get("error")
    if isinstance(message, dict):
        return sentence(json.dumps(message))
    if not message:
        return text
    marks = ", ".join(str(mark) for mark in (error.get("code"), details.get("type")) if mark)
    return sentence(str(message)) + (f" ({marks})" if marks else "")


class Automation:
    """Workflows and executions of one environment, as the OAuth client's user sees them."""

    def __init__(self, call: Callable[..., Any], sleep: Callable[[float], None]) -> None:
        self._call, self._sleep = call, sleep
        self._listing = threading.Lock()
        self._listed: list[Json] | None = None

    def _all(self, path: str, query: Json) -> list[Json]:
        found: list[Json] = []
        while True:
            page = self._call("GET", path, query={**query, "limit": PAGE_SIZE, "offset": len(found)})
            found += page["results"]
            if not page["results"] or len(found) >= page["count"]:
                return found

    # workflows

    def workflows(self) -> list[Json]:
        """All workflows that the user may see, as they were when this process first asked."""
        with self._listing:
            if self._listed is None:
                self._listed = self._all(f"{PATH}/workflows", {})
            return self._listed

    def workflows_titled(self, title: str) -> list[Json]:
        """Workflows of exactly this title; titles are not unique."""
        return [workflow for workflow in self.workflows() if workflow["title"] == title]

    def probe(self) -> None:
        """Raises what a first call raises: wrong address, missing scope or permission."""
        self._call("GET", f"{PATH}/workflows", query={"limit": 1})

    def workflow(self, id: str) -> Json | None:
        """The workflow; None if it is gone."""
        try:
            found: Json = self._call("GET", f"{PATH}/workflows/{id}")
        except NotFound:
            return None
        return found

    def create_workflow(self, body: Json) -> Json:
        created: Json = self._call("POST", f"{PATH}/workflows", body=body)
        return created

    def update_workflow(self, id: str, body: Json) -> Json:
        """PUT; root fields that are left out keep their value (it behaves like a PATCH)."""
        updated: Json = self._call("PUT", f"{PATH}/workflows/{id}", body=body)
        return updated

    def delete_workflow(self, id: str) -> None:
        """Delete a workflow; one that is gone already is a success."""
        with suppress(NotFound):
            self._call("DELETE", f"{PATH}/workflows/{id}")

    def permissions(self) -> list[str]:
        """What the OAuth client's user may do with workflows, as far as the platform says (a deprecated endpoint)."""
        found: list[str] = self._call("GET", f"{PATH}/settings/user-permissions")
        return found

    # executions

    def run(self, workflow: str, *, input: Json, unique_qualifier: str) -> Json:
        """Start a run. A qualifier that was used before starts nothing; the answer is the run that it started then."""
        body = {"input": input, "uniqueQualifier": unique_qualifier}
        execution: Json = self._call("POST", f"{PATH}/workflows/{workflow}/run", body=body)
        return execution

    def newest_executions(self, workflow: str, **filters: str) -> list[Json]:
        """The newest executions, at most 100: a schedule leaves thousands."""
        query = {"workflow": workflow, "ordering": "-startedAt", "limit": PAGE_SIZE, **filters}
        found: list[Json] = self._call("GET", f"{PATH}/executions", query=query)["results"]
        return found

    def execution(self, id: str) -> Json:
        found: Json = self._call("GET", f"{PATH}/executions/{id}")
        return found

    def await_end(self, execution: Json) -> Json:
        """The execution, ended. Raises RunFailed if it goes on for longer than a script may run."""
        until = time.monotonic() + LONGEST_LEG_S
        while execution["state"] not in FINAL_STATES:
            if time.monotonic() >= until:
                raise RunFailed(
                    f"execution {execution['id']} is still {execution['state']} after {LONGEST_LEG_S:.0f} s; "
                    "look at it in Dynatrace, then try again"
                )
            self._sleep(CHECK_EVERY_S)
            execution = self.execution(execution["id"])
        return execution

    def task(self, execution: str, task: str) -> Json:
        found: Json = self._call("GET", f"{PATH}/executions/{execution}/tasks/{task}")
        return found

    def task_log(self, execution: str, task: str) -> str:
        """The task's log: everything the script printed, as one text."""
        return str(self._call("GET", f"{PATH}/executions/{execution}/tasks/{task}/log") or "")

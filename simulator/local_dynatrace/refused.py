"""Documented routes that are refused on purpose, with what to use instead: a 501 that helps, and a line of COVERAGE.md.

Names are those of the vendors' documents (facts: dynatrace-api 3, 4, 5, 7, 8; dynatrace-runtime 5, 10). A path may end
in ``*``, which stands for anything.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

VAULT, SETTINGS = "/platform/classic/environment-api/v2/credentials", "/platform/classic/environment-api/v2/settings"
AUTOMATION = "/platform/automation/v1"
DOCUMENTS = "/platform/document/v1"
QUERY = "/platform/storage/query/v1/query:execute"


@dataclass(frozen=True)
class Refused:
    methods: str
    path: str
    why: str
    instead: str = ""
    """The closest route; empty: there is none."""

    def matches(self, method: str, path: str) -> bool:
        return method in self.methods.split() and fnmatch.fnmatchcase(path, self.path)


REFUSED: tuple[Refused, ...] = (
    Refused(
        "GET POST PUT DELETE", "/platform/credential-vault/v1/*",
        "the new vault API is early access: how it sees classic entries and who may read details is not documented",
        VAULT,
    ),
    Refused(
        "GET POST PUT DELETE", "/platform/settings/v1/*",
        "the new settings API takes one object, with optimistic-locking-version", f"{SETTINGS}/objects",
    ),
    Refused("POST", "/api/v2/otlp/v1/logs", "OTLP (protobuf) is not read", "/api/v2/logs/ingest"),
    Refused("GET", "/api/v2/logs/*", "logs of Grail are read by DQL", QUERY),
    Refused(
        "GET PUT", "/api/v2/apiTokens*", "the lookup describes a token, PATCH /_sim/api-tokens/{id} changes one",
        "/api/v2/apiTokens/lookup",
    ),
    Refused("GET POST", "/api/v2/problems*", "problems are read by DQL: fetch dt.davis.problems", QUERY),
    Refused("GET POST", "/api/v2/events*", "events come from anomaly detectors and are read by DQL", QUERY),
    Refused("GET POST PUT DELETE", "/api/config/v1/*", "the Configuration API v1 has no part here"),
    Refused(
        "GET POST PUT PATCH DELETE", f"{AUTOMATION}/business-calendars/*", "there are no business calendars",
        f"{AUTOMATION}/business-calendars",
    ),
    Refused(
        "POST", f"{AUTOMATION}/business-calendars", "business calendars cannot be made",
        f"{AUTOMATION}/business-calendars",
    ),
    Refused(
        "GET POST PUT PATCH DELETE", f"{AUTOMATION}/scheduling-rules/*", "there are no scheduling rules",
        f"{AUTOMATION}/scheduling-rules",
    ),
    Refused(
        "POST", f"{AUTOMATION}/scheduling-rules", "scheduling rules cannot be made", f"{AUTOMATION}/scheduling-rules"
    ),
    Refused(
        "GET", f"{AUTOMATION}/schedules/holiday-calendars*", "there are no business calendars",
        f"{AUTOMATION}/business-calendars",
    ),
    Refused(
        "POST", f"{AUTOMATION}/event-triggers/filter-preview", "what a trigger would have started is not looked up",
        f"{AUTOMATION}/schedules/preview",
    ),
    Refused(
        "GET", f"{AUTOMATION}/workflows/*/template", "templates are a form of the web interface",
        f"{AUTOMATION}/workflows/{{id}}/export",
    ),
    Refused(
        "POST", f"{AUTOMATION}/executions/*/pause", "an execution has one script at a time and nothing to pause before",
        f"{AUTOMATION}/executions/{{id}}/cancel",
    ),
    Refused(
        "POST", f"{AUTOMATION}/executions/*/resume", "executions are never paused",
        f"{AUTOMATION}/executions/{{id}}/cancel",
    ),
    Refused(
        "POST", f"{AUTOMATION}/executions/*/tasks/*/cancel", "a task ends with its script",
        f"{AUTOMATION}/executions/{{id}}/cancel",
    ),
    Refused(
        "GET", f"{AUTOMATION}/executions/*/all-event-logs", "event logs are not kept",
        f"{AUTOMATION}/executions/{{id}}/log",
    ),
    Refused(
        "GET", f"{AUTOMATION}/executions/*/transitions", "transitions are not kept",
        f"{AUTOMATION}/executions/{{id}}/tasks",
    ),
    Refused(
        "GET", f"{AUTOMATION}/settings/*", "there are no groups and no consent",
        f"{AUTOMATION}/settings/user-permissions",
    ),
    Refused("GET", f"{AUTOMATION}/actions-sample-result/*", "sample results are a help of the editor"),
    Refused(
        "GET POST PUT DELETE", f"{DOCUMENTS}/environment-shares*",
        "there are no shares: make the document public", f"{DOCUMENTS}/documents/{{id}}:makePublic",
    ),
    Refused(
        "GET POST PUT DELETE", f"{DOCUMENTS}/direct-shares*",
        "there are no shares: make the document public", f"{DOCUMENTS}/documents/{{id}}:makePublic",
    ),
    Refused("GET POST DELETE", f"{DOCUMENTS}/documents/*/snapshots*", "there are no snapshots"),
    Refused("POST", f"{DOCUMENTS}/documents/*lock", "there are no editor locks; versions guard each write"),
    Refused("PATCH", f"{DOCUMENTS}/documents/*/metadata", "deprecated", f"{DOCUMENTS}/documents/{{id}}"),
    Refused("GET POST PUT DELETE", "/platform/state/v1/*", "the state service needs an app", VAULT),
    Refused(
        "GET POST", "/platform/app-engine/function-executor/v1/*", "scripts run as tasks of workflows only",
        f"{AUTOMATION}/workflows/{{id}}/run",
    ),
    Refused("POST PUT DELETE", "/platform/storage/management/v1/*", "there is one bucket, default_logs", QUERY),
    Refused("GET POST", "/platform/storage/query/v1/query:autocomplete", "a help of the editor", QUERY),
    Refused("GET POST", "/platform/storage/query/v1/query:parse", "a help of the editor", QUERY),
    Refused("GET POST PUT DELETE", "/platform/openpipeline/v1/*", "records are stored as they come", QUERY),
    Refused("GET POST PUT DELETE", "/iam/v1/*", "users and policies come from the seed or from POST /_sim/identities"),
)  # fmt: skip


def refusal(method: str, path: str) -> Refused | None:
    """Why this documented route is not there."""
    return next((entry for entry in REFUSED if entry.matches(method, path)), None)

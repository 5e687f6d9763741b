"""Every kind of page of an environment, by name."""

from __future__ import annotations

from urllib.parse import urlencode

from local_dynatrace.pages.render import navigation
from local_dynatrace.plugins import found as plugins
from local_dynatrace.testing import Local

AUTOMATION = "/ui/apps/dynatrace.automations"
SERIES = "fetch logs | makeTimeseries n = count(), by: {loglevel}"


def pages(local: Local) -> dict[str, str]:
    """Name -> path; a problem, a workflow, an execution and a leg of a chain only where there are any."""
    found = {entry.key: entry.href for entry in navigation(plugins())}
    found["requests"] += "?limit=40"
    found |= {"permissions": f"{AUTOMATION}/settings", "missing": "/ui/apps/dynatrace.notebooks"}
    dump = local.sim("GET", "dump", all="true")
    for event in dump["davis_events"]:
        found["problem"] = f"/ui/apps/dynatrace.davis.problems/problem/{event['problem_id']}"
    for document in dump["documents"]:
        found[f"dashboard-{document['id']}"] = f"/ui/apps/dynatrace.dashboards/dashboard/{document['id']}"
    opened = [line["number"] for line in local.sim("GET", "requests")["requests"]]
    if opened:
        found["request"] = f"/_sim/ui/requests/{opened[-1]}"
    found["series"] = "/ui/apps/dynatrace.logs?" + urlencode({"query": SERIES, "from": "now()-24h"})
    executions = dump["executions"]
    executions.sort(key=lambda execution: execution["number"])
    if executions:
        found["workflow"] = f"{AUTOMATION}/workflows/{executions[0]['workflow']}"
        found["execution"] = f"{AUTOMATION}/executions/{executions[0]['id']}"
    for execution in executions:
        if execution["state"] == "ERROR":
            found["failed"] = f"{AUTOMATION}/executions/{execution['id']}"
        if "previous" in execution["input"]:
            found["leg"] = f"{AUTOMATION}/executions/{execution['id']}"
    return found

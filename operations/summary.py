"""``summary``: what was deployed, as in the manual's summary, and the proof that it works."""

from __future__ import annotations

import argparse
from datetime import timedelta

from providers import parts
from providers.api.automation import started_at
from workflow_src.render import TASK

from .logs import arguments, newest, table
from .stack import Stack

LINE = "=" * 64
ONE_SECOND = timedelta(seconds=1)


__all__ = ["arguments", "run"]


def run(stack: Stack, options: argparse.Namespace) -> int:
    show(stack, options.most)
    return 0


def show(stack: Stack, most: int) -> None:
    """Print the manual's summary, the first run's own log and the newest records; raises DynatraceError."""
    out, (changed, ago) = stack.outputs, stack.last_update()
    execution = out["firstRun"]["execution"]
    started = started_at(stack.environment.automation.execution(execution)) if changed else None
    # Each by its own clock: the environment's may be another one.
    ran = started is not None and stack.environment.now() - started <= ago + ONE_SECOND
    title = "✅ DEPLOYMENT COMPLETE!" if changed else "Nothing to deploy: everything was up to date."
    print(f"\n{LINE}\n  {title}\n{LINE}\n\n📋 Summary:")
    for label, value in (
        ("SCM Credential:", out[parts.SCM.output]),
        ("DT Credential:", out[parts.LOG_INGEST.output]),
        ("Checkpoint Credential:", out[parts.CHECKPOINT.output]),
        ("Lock Credential:", out[parts.EXECUTION_LOCK.output]),
        ("Workflow Config:", f"{out[parts.WORKFLOW_CONFIG.output]} (runtime editable)"),
        ("Workflow ID:", out[parts.WORKFLOW.output]),
        ("Schedule:", out["schedule"]),
    ):
        print(f"  • {label:<22} {value}")
    print(f"\n🔗 View Workflow:\n  {out['workflowUrl']}\n")
    schedule = out["schedule"]
    runs = (
        "does not run automatically"
        if schedule == "off"
        else f"will run automatically {schedule[0].lower()}{schedule[1:]}"
    )
    print(f"🎯 Workflow {runs}{' (and was started once by the deployment)' if ran else ''}\n")
    if ran:
        print(f"▶  Log of the first run ({execution}):")
        for line in stack.environment.automation.task_log(execution, TASK).splitlines():
            print(f"  {line}")
    records = newest(stack, most, wait=ran)
    print(f"{chr(10) if ran else ''}📊 The newest {len(records)} records of: {out['logQuery']}\n")
    print(table(records) if records else "No records are visible yet; try `make logs` in a minute.")
    show_next(stack)


def show_next(stack: Stack) -> None:
    out, name = stack.outputs, stack.name
    print("\nNext:")
    if name == "dev":
        print(f"  1. Open the workflow's page:  {out['workflowUrl']}")
        print("  2. Change a setting and preview the effect:  set triggerIntervalMinutes to 5 in Pulumi.dev.yaml,")
        print("     then  make preview")
        print("  3. Deploy to a real environment: README, “Deploy to a real environment”")
        if out["schedule"] == "off":
            print("\nThe schedule is off: nothing runs until triggerEnabled is true (docs/pause.md).")
        else:
            print("\nThe workflow keeps running on schedule in the background until `make down`.")
    else:
        print(f"  1. Open the workflow's page:  {out['workflowUrl']}")
        print(f"  2. Look at new records:       python -m operations logs --stack {name}")
        print(f"  3. Preview a change:          pulumi preview --stack {name}")

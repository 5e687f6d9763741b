"""Values that only scripts and customers write: whether an interrupted and repeated operation has left them alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_dynatrace.testing import Local
from tests.engine import inside

Json = dict[str, Any]
ENTRIES = ("Checkpoint", "Lock", "Config")
"""Last words of their names, in the vendor's installation as in ours."""
WRITING = ("PUT", "DELETE", "PATCH")
"""Not POST: an entry that is new may be created."""


@dataclass(frozen=True)
class LiveValues:
    """What stood before an operation. Compared with all that happened since, as a run after it hides what it did."""

    ids: dict[str, str]
    """By last word of the name; none before a first deployment."""
    values: dict[str, str]
    request: int
    """Number of the last request."""
    run: int
    """Number of the last run."""

    @classmethod
    def of(cls, local: Local) -> LiveValues:
        ids = live_ids(local)
        values = {word: inside.value(local, id) for word, id in ids.items()}
        request = local.sim("GET", "requests", limit=1)["last"]
        return cls(ids, values, request, max((row["number"] for row in inside.runs(local)), default=0))

    def runs(self, local: Local) -> list[Json]:
        """Those that were started since, oldest first."""
        return sorted((r for r in inside.runs(local) if r["number"] > self.run), key=lambda r: int(r["number"]))

    def lost(self, local: Local) -> list[str]:
        now = live_ids(local)
        problems = [f"{word} {id} is now {now.get(word)}" for word, id in self.ids.items() if now.get(word) != id]
        problems += self.written(local, {id: word for ids in (self.ids, now) for word, id in ids.items()})
        if "Checkpoint" in now:
            tasks = local.sim("GET", "dump", all="true")["task_executions"]
            ran = [found for run in self.runs(local) if (found := result(tasks, run))]
            problems += broken(self.values.get("Checkpoint", "NONE"), ran, inside.value(local, now["Checkpoint"]))
        if "Config" in self.ids and "Config" in now:
            config = inside.value(local, now["Config"])
            problems += [f"workflow config {config}"] if config != self.values["Config"] else []
        if "Lock" in now:
            alive = {run["id"] for run in inside.runs(local) if run["state"] == "RUNNING"}
            lock = inside.value(local, now["Lock"])
            problems += [f"the lock is {lock}"] if lock != "IDLE" and not alive & set(lock.split("|")) else []
        return problems

    def written(self, local: Local, entries: dict[str, str]) -> list[str]:
        """Writes by anybody but scripts, at any time, whatever was answered."""
        lines = local.sim("GET", "requests", caller="outside", since=self.request, limit=20_000)["requests"]
        return [
            f"{line['method']} of {entries[id]} {id} by {line['caller']} ({line['status']})"
            for line in lines
            if line["method"] in WRITING and (id := line["path"].rsplit("/", 1)[-1]) in entries
        ]


def live_ids(local: Local) -> dict[str, str]:
    rows = local.sim("GET", "dump")["credentials"]
    return {word: row["id"] for row in rows if (word := row["name"].rsplit(" ", 1)[-1]) in ENTRIES}


def result(tasks: list[Json], run: Json) -> Json | None:
    """What a run that has read the checkpoint returned."""
    found = next((task["result"] for task in tasks if task["execution"] == run["id"]), None)
    return found if isinstance(found, dict) and found.get("outcome") != "skipped" else None


def shown(checkpoint: str) -> str:
    """A checkpoint as a run's result shows it: time and the first characters of the id."""
    if checkpoint == "NONE":
        return "none"
    at, _, id = checkpoint.split("\n", 1)[0].partition("|")
    return f"{at}|{id[:8]}..." if len(id) > 8 else f"{at}|{id}"


def broken(stood: str, ran: list[Json], stands: str) -> list[str]:
    """Where a checkpoint is not what was last left: each run found what the one before left, the first what stood."""
    left, problems = shown(stood), []
    for found in ran:
        if found["checkpointBefore"] != left:
            problems.append(f"a run found checkpoint {found['checkpointBefore']} instead of {left}")
        left = found["checkpointAfter"]
    if shown(stands) != left:
        problems.append(f"checkpoint {shown(stands)} instead of {left}")
    return problems

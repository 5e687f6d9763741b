"""Evaluates the anomaly detectors on the simulated clock, minute by minute, however far it is stepped.

A detector is due each minute (or each ``delay``). Then each minute since the last time is judged by its own window, as
the platform evaluates minutes in between retroactively (facts: alerting 2); after a long step, those of the last day.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..automation import event_triggers
from ..kernel.clock import MICROSECONDS, iso
from ..kernel.store import Row
from ..kernel.world import World
from ..settings import analyzers, objects
from ..settings.analyzers import StaticThreshold
from ..settings.objects import SettingsObject
from ..settings.schema import DETECTORS
from . import records, samples, series, templates
from .samples import Sample, Verdict
from .series import MINUTE_US, FailedError, Found, Window

MOST_MINUTES = 24 * 60
NO_DIMENSIONS = "{}"


@dataclass(frozen=True)
class Due:
    """One detector and the minutes that it is to be evaluated for."""

    detector: SettingsObject
    rule: StaticThreshold
    windows: list[Window]
    next_us: int

    @property
    def actor(self) -> str:
        return str(self.detector.value["executionSettings"].get("actor") or self.detector.modified_by)


class Detection:
    """An agenda of ``kernel.scheduler``."""

    kinds = ("settings",)

    def __init__(self, world: World) -> None:
        self.world = world

    def next_us(self) -> int | None:
        now, states, enabled = self.world.clock.now_us(), self._states(), self._enabled()
        if self._known() - enabled.keys():
            return now
        due = [now if is_due(each, states.get(id), now) else states[id]["due_us"] for id, each in enabled.items()]
        return min(due, default=None)

    async def tick(self) -> None:
        now, states, enabled = self.world.clock.now_us(), self._states(), self._enabled()
        with self.world.store.transaction():
            for object_id in self._known() - enabled.keys():
                self._forget(object_id)
            for object_id, detector in enabled.items():
                state = states.get(object_id)
                if state is None or state["revision"] != detector.revision:
                    self._plan(detector, state)
        for object_id, state in self._states().items():
            if is_due(enabled[object_id], state, now):
                await self._evaluate(planned(enabled[object_id], state, now))

    def _enabled(self) -> dict[str, SettingsObject]:
        found = objects.of_schema(self.world, DETECTORS)
        return {each.object_id: each for each in found if each.value["enabled"]}

    def _states(self) -> dict[str, Row]:
        return {row["object_id"]: row for row in self.world.store.all("SELECT * FROM davis_detectors")}

    def _known(self) -> set[str]:
        """Detectors that have been evaluated, or that have an active event."""
        sql = "SELECT object_id FROM davis_detectors UNION SELECT object_id FROM davis_events WHERE status = 'ACTIVE'"
        return {row["object_id"] for row in self.world.store.all(sql)}

    def _forget(self, object_id: str) -> None:
        """A detector was deleted or switched off: its events close at once [D]."""
        self.world.store.run("DELETE FROM davis_detectors WHERE object_id = ?", object_id)
        for row in self._active(object_id):
            self._close(row, self.world.clock.now_us())

    def _plan(self, detector: SettingsObject, state: Row | None) -> None:
        """A detector is first evaluated when the minute in which it was created or changed is over [D]."""
        minute = detector.modified_us // MINUTE_US * MINUTE_US
        evaluated = state["evaluated_us"] if state else minute - offset_us(detector)
        health = (state["status"], state["message"]) if state else ("OK", "")
        self.world.store.run(
            "INSERT OR REPLACE INTO davis_detectors VALUES (?, ?, ?, ?, ?, ?)",
            detector.object_id, detector.revision, evaluated, minute + MINUTE_US, *health,
        )  # fmt: skip

    async def _evaluate(self, due: Due) -> None:
        found: list[Found] = []
        problem = ""
        try:
            found = await series.read(self.world, due.rule.query, due.actor, due.windows)
        except FailedError as error:
            problem = str(error)
        present = objects.find(self.world, due.detector.object_id)
        if present == due.detector:  # else it was changed while the query ran
            with self.world.store.transaction():
                self._note(due, problem)
                for each in found:
                    self._judge(due, each)
                for row in self._active(due.detector.object_id) if found else ():
                    if row["updated_us"] < self.world.clock.now_us():
                        self._refresh(row["number"])
            self.world.changed("davis", due.detector.object_id)

    def _note(self, due: Due, problem: str) -> None:
        """Write down how far a detector has been evaluated, and its health where that has changed."""
        object_id, status = due.detector.object_id, "ERROR" if problem else "OK"
        former = self._states()[object_id]
        self.world.store.run(
            "INSERT OR REPLACE INTO davis_detectors VALUES (?, ?, ?, ?, ?, ?)",
            object_id, due.detector.revision, due.windows[-1].to_us, due.next_us, status, problem,
        )  # fmt: skip
        if (former["status"], former["message"]) != (status, problem):
            self.world.store.run(
                "INSERT INTO davis_detector_status VALUES (NULL, ?, ?, ?, ?)",
                object_id, self.world.clock.now_us(), status, problem,
            )  # fmt: skip

    def _judge(self, due: Due, found: Found) -> None:
        """Open and close events by the samples of one window."""
        active = {row["dimensions"]: row for row in self._active(due.detector.object_id)}
        nothing: list[Sample] = [None] * found.window.minutes
        every = {**dict.fromkeys(active, nothing), **found.series}
        if not every and not found.grouped:
            every[NO_DIMENSIONS] = nothing
        for dimensions, values in every.items():
            verdict = samples.judged(due.rule, values)
            if verdict.opens and dimensions not in active:
                self._open(due, found.window, verdict, values, dimensions)
            elif verdict.closes and dimensions in active:
                self._close(active[dimensions], found.window.to_us)

    def _active(self, object_id: str) -> list[Row]:
        return self.world.store.all(
            "SELECT * FROM davis_events WHERE status = 'ACTIVE' AND object_id = ? ORDER BY number", object_id
        )

    def _open(self, due: Due, window: Window, verdict: Verdict, values: list[Sample], dimensions: str) -> None:
        world, start = self.world, window.from_us + verdict.first * MINUTE_US
        template = due.detector.value["eventTemplate"]
        properties = templates.filled(template, due.rule, verdict, values[verdict.last], dimensions)
        problem: tuple[str | None, str | None] = (None, None)
        if properties["event.type"] != records.INFORMATIONAL:
            problem = f"{identifier(world, start)}V2", display_id(world)
        world.store.run(
            "INSERT INTO davis_events (id, object_id, dimensions, status, transition, start_us, updated_us, "
            "properties, query, problem_id, display_id) VALUES (?, ?, ?, 'ACTIVE', 'CREATED', ?, ?, ?, ?, ?, ?)",
            identifier(world, start), due.detector.object_id, dimensions, start, world.clock.now_us(),
            json.dumps(properties), due.rule.query, *problem,
        )  # fmt: skip
        row = world.store.one("SELECT * FROM davis_events ORDER BY number DESC LIMIT 1")
        assert row is not None
        self._tell(row)

    def _refresh(self, number: int) -> None:
        """An event that goes on is reported again."""
        self.world.store.run(
            "UPDATE davis_events SET transition = 'REFRESHED', updated_us = ? WHERE number = ?",
            self.world.clock.now_us(), number,
        )  # fmt: skip

    def _close(self, row: Row, at_us: int) -> None:
        self.world.store.run(
            "UPDATE davis_events SET status = 'CLOSED', transition = 'CLOSED', end_us = ?, updated_us = ? "
            "WHERE number = ?",
            max(at_us, row["start_us"]), self.world.clock.now_us(), row["number"],
        )  # fmt: skip
        closed = self.world.store.one("SELECT * FROM davis_events WHERE number = ?", row["number"])
        assert closed is not None
        self._tell(closed)

    def _tell(self, row: Row) -> None:
        """Workflows may wait for the problem."""
        if row["problem_id"] is not None:
            event_triggers.happened(self.world, records.wire(records.problem(row)))


def is_due(detector: SettingsObject, state: Row | None, now: int) -> bool:
    """Also if it is new or was changed, or if the clock has been set back since."""
    if state is None or state["revision"] != detector.revision:
        return True
    return not now < state["due_us"] <= now + delay_us(detector)


def planned(detector: SettingsObject, state: Row, now: int) -> Due:
    """The minutes that have passed since a detector was evaluated; at least the last one."""
    rule = analyzers.read(detector.value["analyzer"])
    minute = now // MINUTE_US * MINUTE_US
    end = minute - offset_us(detector)
    since = state["evaluated_us"] if state["evaluated_us"] < end else end - MINUTE_US
    count = min(MOST_MINUTES, (end - since) // MINUTE_US)
    ends = range(end - (count - 1) * MINUTE_US, end + 1, MINUTE_US)
    windows = [Window(each - rule.window * MINUTE_US, each) for each in ends]
    return Due(detector, rule, windows, minute + delay_us(detector))


def delay_us(detector: SettingsObject) -> int:
    return int(detector.value["executionSettings"].get("delay") or 60) * MICROSECONDS


def offset_us(detector: SettingsObject) -> int:
    return int(detector.value["executionSettings"].get("queryOffset") or 0) * MINUTE_US


def display_id(world: World) -> str:
    """Year and month, then a number that goes up."""
    row = world.store.one("SELECT count(*) AS n FROM davis_events WHERE problem_id IS NOT NULL")
    at = iso(world.clock.now_us())
    return f"P-{at[2:4]}{at[5:7]}{(row['n'] if row else 0) + 1:05d}"


def identifier(world: World, start_us: int) -> str:
    """As Davis forms them: a number, then the start in milliseconds."""
    return f"{int(world.ids.hex(16), 16) - 2**63}_{start_us // 1000}"

"""``detectors.yaml`` into what the settings schema ``builtin:davis.anomaly-detectors`` holds (facts: alerting 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from .dashboard import WORKFLOW
from .words import condition, groups, source

SINCE = "[[since]]"
"""Stands for the moment at which the connector was deployed or resumed."""
LONGEST_WINDOW = 60
"""Samples of one minute. A silence of three intervals can be seen by a detector only where it is no longer."""
SLACK_MINUTES = 3
"""A run may take two minutes, and its report some seconds more."""
LATE_MINUTES = 8
"""SCM may show a record five minutes late, and the run that sends it takes some time."""
RUNS = f'fetch logs\n| filter log.source == "sectigo-scm-connector" and connector.workflow == "{WORKFLOW}"'
FAILED = '(audit.result == "Failed" or loglevel == "ERROR")'
DIMENSIONS = {
    "actor": 'actor = coalesce(audit.identity, scm.actor, "none")',
    "ip": 'ip = coalesce(client.ip, scm.ip, "none")',
    "target": 'target = coalesce(object.name, object.id, "none")',
}


class Samples(TypedDict):
    violating: int
    window: int
    dealerting: int


@dataclass(frozen=True)
class Detector:
    """One anomaly detector. ``query`` has ``WORKFLOW`` and ``SINCE`` in it."""

    key: str
    title: str
    description: str
    query: str
    condition: str
    threshold: int
    samples: Samples
    event_type: str


def runs_within(interval: int, runs: int) -> int:
    """Minutes in which so many runs report, as far as a window reaches."""
    return min(LONGEST_WINDOW, runs * interval + SLACK_MINUTES)


def samples(what: str, interval: int) -> Samples:
    """How many samples count, for the words that ``detectors.yaml`` uses. ``interval``: minutes between runs."""
    window = runs_within(interval, 3)
    # Two runs of a long interval do not fit into one window: then each one counts.
    two = 2 if 2 * interval + SLACK_MINUTES <= LONGEST_WINDOW else 1
    if what == "silence":
        return {"violating": window, "window": window, "dealerting": 1}
    if what == "two of three runs":
        return {"violating": two, "window": window, "dealerting": window}
    if what == "two runs":
        # Chains of catch-up runs take up to an hour, and only the first run of each counts.
        return {"violating": two, "window": LONGEST_WINDOW, "dealerting": LONGEST_WINDOW}
    if what == "at once":
        return {"violating": 1, "window": 1, "dealerting": 1}
    return {"violating": 1, "window": window, "dealerting": window}  # one run


def silence_fits(interval: int) -> bool:
    """Whether a detector can see a silence of three intervals."""
    return 3 * interval <= LONGEST_WINDOW


def own_detectors(interval: int) -> list[Detector]:
    """The detectors about the connector itself, for an interval in minutes."""
    described = source("detectors")["own"]
    return [own(key, described[key], interval) for key in described if key != "silent" or silence_fits(interval)]


def alert_test() -> Detector:
    """A detector that opens a problem at once."""
    return own("test", source("detectors")["test"], 1)


def own(key: str, described: Mapping[str, Any], interval: int) -> Detector:
    return Detector(
        key, described["title"], described["description"], described["query"].replace("[[runs]]", RUNS),
        described["condition"], described["threshold"], samples(described["samples"], interval), described["type"],
    )  # fmt: skip


def detection_names() -> list[str]:
    return list(source("detectors")["records"])


def record_detectors(asked: Mapping[str, int], interval: int) -> list[Detector]:
    """The detectors about audit records. ``asked``: number of records that opens a problem, by name."""
    described = source("detectors")["records"]
    return [detection(key, described[key], asked[key], interval) for key in described if key in asked]


def needed(described: Mapping[str, Any], interval: int) -> int:
    """Minutes that a detection has to look back, as a record arrives with the next run and keeps SCM's time."""
    return int(described["minutes"]) + interval + LATE_MINUTES


def detection(key: str, described: Mapping[str, Any], number: int, interval: int) -> Detector:
    words = {"failed": FAILED, **{group: condition(group) for group in groups()}}
    match = re.sub(r"\[\[(\w+)\]\]", lambda found: words[found[1]], described["match"])
    dimensions = described.get("by", [])
    by = f", by: {{{', '.join(DIMENSIONS[name] for name in dimensions)}}}" if dimensions else ""
    minutes = described["minutes"]
    lines = [
        "fetch logs",
        # A record that was too old to keep its time has that of its arrival: hundreds may seem to happen at once.
        f'| filter log.source == "sectigo-scm" and isNull(scm.backfill) and {match}',
        f"| makeTimeseries records = count(default: 0), interval: 1m{by}",
    ]
    if minutes > 1:
        lines.append(f"| fieldsAdd records = arrayMovingSum(records, {minutes})")
    seen = "Each record counts" if number == 1 else f"{number} records or more within {minutes} min"
    window = min(LONGEST_WINDOW, needed(described, interval))
    whose = "".join(f", {name} {{dims:{name}}}" for name in dimensions)
    return Detector(
        key, described["title"], f"{described['title']}{whose}. {seen}. Look at the dashboard or the log records.",
        "\n".join(lines), "ABOVE", number - 1,
        {"violating": 1, "window": window, "dealerting": window}, "CUSTOM_ALERT",
    )  # fmt: skip

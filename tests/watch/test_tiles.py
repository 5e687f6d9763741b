"""Every tile of the dashboard: what it shows of records that were sent, and that it shows nothing of none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local_dynatrace.testing import Local
from tests.watch.dql import ANOTHER, TILES, Row, audit, choices, failed, report, send, tile, totals

COMPANY = [
    audit("issue", **{"event.category": "ssl", "object.type": "scm.ssl", "audit.identity": "ann"}),
    audit("renew", **{"event.category": "ssl", "object.type": "scm.ssl"}),
    audit("revoke", **{"event.category": "ssl", "object.type": "scm.ssl", "audit.identity": "bob"}),
    audit("REVOKE_ALL", **{"audit.identity": "bob", "event.service": "api"}),
    failed("issue", **{"object.type": "scm.smime"}),
    audit("update", **{"event.category": "admin", "object.type": "scm.admin", "object.name": "Cleo"}),
    audit("create", **{"object.type": "scm.audit.apikey", "object.name": "siem"}),
    audit("login", **{"scm.actor": "ann", "client.ip": "192.0.2.1"}),
    failed("login_failure", **{"audit.identity": "eve", "client.ip": "198.51.100.7"}),
    failed("login_failure", **{"audit.identity": "eve", "client.ip": "198.51.100.7"}),
    failed("webhook_send_failure", **{"object.name": "pager", "event.service": "notification.sender"}),
    audit("flux_capacitated", **{"customer.id": "7"}),
]
RUNS = [
    report("caught up", sent="40", repeated="2", lagSeconds="120"),
    report("failed", setAside="5", clamped="1", reason="SCM answered 503"),
    report("caught up", workflow=ANOTHER, sent="1000"),
]


@pytest.fixture
def company(local: Local) -> Local:
    send(local, *COMPANY, *RUNS)
    return local


def columns(*names: str) -> Callable[[list[Row]], Any]:
    return lambda rows: [tuple(str(row.get(name)) for name in names) for row in rows]


SHOWN: dict[str, tuple[Callable[[list[Row]], Any], Any]] = {
    "Records": (columns("records"), [("12",)]),
    "Failed": (columns("percent"), [("33.3",)]),
    "Actors": (columns("actors"), [("3",)]),
    "Revocations": (columns("revocations"), [("2",)]),
    "Admin changes": (columns("changes"), [("2",)]),
    "Newest record": (columns("minutes"), [("5",)]),
    "Last report": (columns("minutes"), [("5",)]),
    "Runs by outcome": (totals, {"caught up": 1, "failed": 1}),
    "Lag in minutes": (lambda rows: max(one for one in rows[0]["lag"] if one is not None), 2.0),
    "Records sent": (totals, {"sent": 43}),
    "Set aside, repeated, older than 24 h": (totals, {"setAside": 5, "repeated": 2, "tooOld": 1}),
    "Latest runs": (lambda rows: sorted(columns("outcome", "reason")(rows)),
                    [("caught up", "None"), ("failed", "SCM answered 503")]),
    "Records by service": (totals, {"scm": 10, "api": 1, "notification.sender": 1}),
    "Records by category": (totals, {"ssl": 3, "admin": 1, "none": 8}),
    "Records by outcome": (totals, {"Succeeded": 8, "Failed": 4}),
    "Most frequent actions": (lambda rows: columns("action", "records")(rows)[:2],
                              [("issue", "2"), ("login_failure", "2")]),
    "Most active actors": (lambda rows: {row["actor"]: str(row["failed"]) for row in rows},
                           {"ann": "0", "bob": "0", "eve": "2"}),
    "Actions by first occurrence": (len, 10),
    "Issued, renewed, revoked, failed": (totals, {"issued": 2, "renewed": 1, "revoked": 2, "failed": 1}),
    "Revocations by actor": (columns("actor", "revocations"), [("bob", "2")]),
    "Object types": (lambda rows: {row["type"]: str(row["records"]) for row in rows},
                     {"scm.ssl": "3", "scm.smime": "1", "scm.admin": "1", "scm.audit.apikey": "1"}),
    "Administrators, roles, API keys, access, policies": (
        lambda rows: {(row["action"], row["object"]) for row in rows}, {("update", "Cleo"), ("create", "siem")}),
    "Sign-ins by outcome": (totals, {"Succeeded": 1, "Failed": 2}),
    "Failed sign-ins by actor and address": (columns("actor", "ip", "failed"), [("eve", "198.51.100.7", "2")]),
    "Failed notifications by target": (columns("target", "failed"), [("pager", "1")]),
    "Actions that the other tiles do not know": (columns("action"), [("flux_capacitated",)]),
    "Latest failures": (len, 4),
}  # fmt: skip
"""What each tile shows of COMPANY and RUNS: how to look at its rows, and what is seen."""
NOTHING: dict[str, Any] = {
    "Records": [("0",)], "Actors": [("0",)], "Revocations": [("0",)], "Admin changes": [("0",)],
}  # fmt: skip
"""What counts without records; all other tiles have no rows, and Dynatrace says so in the tile."""


def title(start: str) -> str:
    return next(each for each in TILES if each.startswith(start))


def test_every_tile_has_a_case() -> None:
    assert sorted(title(start) for start in SHOWN) == sorted(TILES)


@pytest.mark.parametrize("start", SHOWN)
def test_a_tile_shows_what_was_sent(company: Local, start: str) -> None:
    look, seen = SHOWN[start]

    assert look(tile(company, title(start))) == seen


@pytest.mark.parametrize("start", SHOWN)
def test_a_tile_shows_nothing_of_nothing(local: Local, start: str) -> None:
    rows = tile(local, title(start))

    assert (SHOWN[start][0](rows) if start in NOTHING else rows) == NOTHING.get(start, [])


@pytest.mark.parametrize(
    ("chosen", "records"),
    [
        ({"customer": "7"}, "1"),
        ({"service": "api"}, "1"),
        ({"category": "ssl"}, "3"),
        ({"category": "none"}, "8"),
        ({"outcome": "Failed"}, "4"),
        ({"actor": "EV"}, "2"),
        ({"actor": "nobody at all"}, "0"),
        ({"customer": "31846", "outcome": "Succeeded", "actor": "ann"}, "2"),
    ],
)
def test_a_variable_selects(company: Local, chosen: dict[str, str], records: str) -> None:
    assert [str(row["records"]) for row in tile(company, "Records", **chosen)] == [records]


def test_a_variable_offers_what_there_is_and_is_never_empty(local: Local) -> None:
    assert choices(local, "service") == ["none"]

    send(local, *COMPANY)

    assert set(choices(local, "service")) == {"scm", "api", "notification.sender", "none"}
    assert set(choices(local, "customer")) == {"31846", "7", "none"}


def test_records_that_state_no_result_are_counted_as_such(local: Local) -> None:
    send(local, audit(**{"audit.result": None}), audit("x_failed", loglevel="ERROR", **{"audit.result": None}))

    assert totals(tile(local, "Records by outcome")) == {"not stated": 1, "Failed": 1}


def test_a_new_action_comes_first(local: Local) -> None:
    send(local, audit("old"), ago=timedelta(minutes=90))
    send(local, audit("old"), audit("new"))

    assert columns("action", "records")(tile(local, title("Actions by first"))) == [("new", "1"), ("old", "2")]

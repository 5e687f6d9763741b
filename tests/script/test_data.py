"""Records and configuration as they should not be: cases 36 to 42 of the torture list (facts: sectigo 4)."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from local_dynatrace.testing.flows import API, settle
from providers.configuration import KEYS

from .connector import RECORDS, SECRET, Connector, moment, record

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("details", "content"),
    [
        ("証明書を失効", "証明書を失効"),
        ("שלום", "שלום"),
        ("a\u0000b", "a\\u0000b"),
        ("\ud800 alone", "\ufffd alone"),
        ("ok\n2026 ERROR forged", "ok\\u000a2026 ERROR forged"),
        ("\u001b[31mred", "\\u001b[31mred"),
        ("\u202eevil", "\\u202eevil"),
    ],
    ids=["CJK", "RTL", "NUL", "lone surrogate", "newline", "ANSI", "override"],
)
def test_36_any_text_makes_one_valid_record_that_forges_nothing(
    connector: Connector, details: str, content: str
) -> None:
    connector.issue(record("text", connector.now - 2 * MINUTE, details=details))

    connector.run()

    (entry,) = connector.arrived()
    assert entry["content"] == f"[scm] issue: {content}"


def test_36_an_id_of_control_characters_forges_no_line_in_log_and_checkpoint(connector: Connector) -> None:
    at = connector.now - 2 * MINUTE
    evil = 'x\n{"v":1,"hw":"2027-01-01T00:00:00Z"}'
    connector.issue(record(evil, at), record(evil, at, details="again"))

    ran = connector.run()

    assert len(connector.read("checkpoint").split("\n")) == 2
    assert connector.reached == connector.now - MINUTE
    assert all(line[0] in "=RME✓WI " or line.startswith(("Check", "Lock", "First")) for line in ran.log.splitlines())
    assert connector.arrived()[0]["event.id"] == evil


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"id": None}, {"event.id.synthetic": "true"}),
        ({"timestamp": None}, {"event.id": "r0"}),
        ({"timestamp": "last Tuesday"}, {"scm.event.time_raw": "last Tuesday"}),
        ({"timestamp": 1769680680}, {"scm.event.timestamp": "2026-01-29T09:58:00Z"}),
        ({"timestamp": 1769680680123}, {"scm.event.timestamp": "2026-01-29T09:58:00.123000Z"}),
        ({"timestamp": 1769680680123456}, {"scm.event.timestamp": "2026-01-29T09:58:00.123456Z"}),
        ({"service": None, "action": None}, {"event.service": "unknown", "event.action": "unknown"}),
        ({"status": "FAILURE"}, {"loglevel": "ERROR", "scm.status": "FAILURE"}),
        ({"action": "revoke"}, {"loglevel": "WARN", "log.level": "WARN"}),
        ({"action": {"id": 7, "actionName": "login"}}, {"event.action": "login", "scm.action.id": "7"}),
        ({"id": 9007199254740993}, {"event.id": "9007199254740993"}),
        ({"new": True, "level": "x", "body": "y"}, {"scm.new": "true", "scm.level": "x", "scm.body": "y"}),
        ({"details": {"a": [1, {"b": 2}]}}, {"content": '[scm] issue: {"a":[1,{"b":2}]}'}),
    ],
    ids=lambda value: json.dumps(value) if len(str(value)) < 60 else None,
)
def test_37_records_with_odd_fields_are_sent_with_what_they_have(
    connector: Connector, change: dict[str, Any], expected: dict[str, str]
) -> None:
    body = {**record("r0", connector.now - 2 * MINUTE), **change}
    connector.issue({key: value for key, value in body.items() if value is not None})
    connector.pass_time(3)  # SCM shows a record without a readable time where it came in

    ran = connector.run()

    assert ran.outcome == "caught up"
    (entry,) = connector.arrived()
    assert {key: entry.get(key) for key in expected} == expected


def test_37_ids_beyond_the_exact_numbers_of_a_double_stay_apart(connector: Connector) -> None:
    at = moment(connector.now - 2 * MINUTE)
    connector.issue(*({**record("", at, details="same"), "id": 2**53 + n} for n in range(4)))

    connector.run()

    assert connector.ids_arrived() == [str(2**53 + n) for n in range(4)]


def test_37_deep_and_wide_records_are_flattened_and_capped(connector: Connector) -> None:
    deep: Any = "bottom"
    for level in range(8, 0, -1):
        deep = {f"l{level}": deep}
    wide = {f"field{n:03}": n for n in range(600)}
    connector.issue(record("r0", connector.now - 2 * MINUTE, deep=deep, **wide))

    assert connector.run().outcome == "caught up"
    (entry,) = connector.arrived()
    assert entry["scm.deep.l1.l2.l3.l4"] == '{"l5":{"l6":{"l7":{"l8":"bottom"}}}}'
    assert 400 <= len(entry) <= 500
    assert int(entry["content.dropped"]) >= 200


def test_37_things_that_are_no_records_arrive_as_what_they_are(connector: Connector) -> None:
    connector.pages(([1, "text", None, [2], {}], "t1"), ([], None))

    assert connector.run().outcome == "caught up"
    assert sorted(entry["content"] for entry in connector.arrived()) == [
        "[unknown] unknown: ", "[unknown] unknown: ", "[unknown] unknown: 1", "[unknown] unknown: [2]",
        "[unknown] unknown: text",
    ]  # fmt: skip


def test_37_no_field_of_a_record_takes_the_place_of_one_of_ours(connector: Connector) -> None:
    forged = {"event": {"timestamp": "1999", "type": "FORGED"}, "backfill": "true", "log.source": "elsewhere"}
    connector.issue(record("r0", connector.now - 2 * MINUTE, **forged))

    connector.run()

    (entry,) = connector.arrived()
    assert entry["scm.event.type"] == "LOG" and entry["log.source"] == "sectigo-scm"
    assert entry["scm.event.timestamp"] != "1999"


@pytest.mark.parametrize(
    ("config", "warnings"),
    [
        ("{", 1), ("[]", 1), ("null", 1), ('"text"', 1), ('{"maxRetries":"9999999"}', 1), ('{"maxRetries":-1}', 1),
        ('{"maxRetries":3.5}', 1), ('{"maxRetries":11}', 1), ('{"maxRetries":0}', 0), ('{"other":1,"more":2}', 1),
        ('\ufeff{"maxRetries":2}', 0), ('{"initHistoryDuration":' + '"' + "9" * 1_000 + '"}', 1),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_38_a_config_that_was_edited_badly_gives_defaults_and_a_warning(
    connector: Connector, config: str, warnings: int
) -> None:
    connector.write("config", config)

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert len(ran.warnings) == warnings
    assert connector.ledger()[-1]["connector.warnings"] == str(warnings)


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("2026-01-29T09:30:00Z|x\nnot json", True),
        ("2026-01-29T09:30:00Z|x\n[]", True),
        ('2026-01-29T09:30:00Z|x\n{"v":1,"hw":7,"seen":3,"from":"x","token":{}}', False),
        ("2026-01-29T09:30:00.123456789+00:00|a|b|c", False),
        ("2026-01-29T09:30:00Z", False),
        ("garbage", True),
        ("{}", True),
        ("|", True),
    ],
)
def test_38_a_checkpoint_that_was_edited_badly_repeats_rather_than_loses(
    connector: Connector, text: str, warned: bool
) -> None:
    connector.issue(record("r0", connector.now - 20 * MINUTE))
    connector.write("checkpoint", text)

    ran = connector.run()

    assert ran.outcome == "caught up" and bool(ran.warnings) is warned
    assert connector.ids_arrived() == ["r0"]


def test_39_forty_days_are_caught_up_in_slices_over_several_legs(connector: Connector) -> None:
    begin = connector.now - timedelta(days=40)
    connector.write("checkpoint", f"{moment(begin)}|x")
    connector.issue(*(record(f"d{day}", begin + timedelta(days=day, hours=1)) for day in range(40)))
    connector.page_fault(times=None, delay_s=2)

    connector.run()

    legs = [connector.ran(leg["id"]) for leg in connector.executions()]
    assert len(legs) > 3 and legs[-1].outcome == "caught up"
    assert connector.ids_arrived() == sorted(f"d{day}" for day in range(40))
    reached = [leg.result["coveredTo"] for leg in legs]
    assert reached == sorted(set(reached))


def test_40_a_burst_of_50_000_records_in_an_hour_is_caught_up_by_legs(connector: Connector) -> None:
    connector.options(scm_page_size=1000, scm_token_lifetime_s=60)
    connector.issue(*connector.records_before(50_000, apart_s=0.072))
    connector.page_fault(times=None, delay_s=8)

    connector.run()
    connector.pass_time(2)
    connector.run()

    legs = [leg["input"].get("leg", 1) for leg in connector.executions()]
    assert legs == [1, 2, 1], "in two legs, as five pages are requested at once"
    arrived, different = connector.count()
    assert different == 50_000
    assert sum(int(entry["connector.sent"]) for entry in connector.ledger()) == arrived


def test_L16_no_density_of_records_makes_a_run_repeat_them(connector: Connector) -> None:
    connector.issue(*connector.records_before(6_000, apart_s=0.04))

    connector.run()
    connector.pass_time(0.5)
    second = connector.run()

    assert len(connector.read("checkpoint").encode()) <= 8_000
    assert (second.result["sent"], second.result["notRemembered"]) == (0, 0)
    assert connector.count() == (6_000, 6_000)


def test_L16_a_late_record_in_a_dense_second_arrives(connector: Connector) -> None:
    connector.issue(*connector.records_before(6_000, apart_s=0.04))
    connector.run()
    connector.issue(record("late", connector.now - 3 * MINUTE - timedelta(milliseconds=500)))
    connector.pass_time(0.5)

    second = connector.run()

    assert "late" in connector.ids_arrived() and second.result["sent"] <= 30


def test_L16_a_checkpoint_of_the_first_release_is_understood(connector: Connector) -> None:
    known = connector.records_before(3)
    connector.issue(*known)
    marks = [
        b64encode(sha256(json.dumps(each, separators=(",", ":")).encode()).digest()[:6]).decode() for each in known[:2]
    ]
    human = f"{known[1]['timestamp']}|r1"
    connector.write("checkpoint", f"{human}\n{json.dumps({'v': 1, 'seen': ''.join(marks)})}")

    ran = connector.run()

    assert (connector.ids_arrived(), ran.result["repeated"]) == (["r2"], 2)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://audit.demo.sectigo.com/", "https://audit.demo.sectigo.com"),
        ("https://AUDIT.Demo.sectigo.com", "https://audit.demo.sectigo.com"),
        ("https://audit.demo.sectigo.com:8443", "https://audit.demo.sectigo.com:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://audit.demo.sectigo.com/api/v1", None),
        ("http://audit.demo.sectigo.com", None),
        ("audit.demo.sectigo.com", None),
        ("https://user@audit.demo.sectigo.com", None),
    ],
)
def test_41_the_address_of_scm_is_normalised_or_refused_before_any_secret_is_used(given: str, used: str | None) -> None:
    rule = KEYS["scmApiUrl"].rule
    if used is None:
        with pytest.raises(ValueError, match="must"):
            rule(given)
    else:
        assert rule(given) == used


def test_42_a_deployment_under_a_running_script_keeps_checkpoint_and_lock(connector: Connector) -> None:
    connector.issue(*connector.records_before(20))
    connector.run()
    connector.pass_time(10)
    before = connector.checkpoint
    connector.issue(record("new", connector.now - 2 * MINUTE))
    execution = connector.freeze_at(RECORDS)
    lock = connector.read("lock")
    answer = connector.local.call(
        "PUT", f"{API}/workflows/{connector.workflow}", headers=connector.headers, json=connector.definition()
    )
    assert answer.status_code == 200, answer.text

    assert (connector.checkpoint, connector.read("lock")) == (before, lock)
    connector.thaw(execution)
    assert connector.ran(execution).outcome == "caught up"
    assert connector.ids_arrived().count("new") == 1


def test_42_a_secret_that_is_rotated_under_a_run_fails_it_cleanly_and_the_next_one_works(connector: Connector) -> None:
    connector.options(scm_page_size=5)
    connector.issue(*connector.records_before(10))
    execution = connector.freeze_at(RECORDS)
    client = {"id": "7d1f3a52-9c0b-4e0e-8a44-5ec719000001", "secret": "a new one"}
    connector.local.sim("POST", "identities", {"scmClients": [client]})
    connector.page_fault(status=401, body={"code": -16, "description": "Unknown user"})
    connector.thaw(execution)

    ran = connector.ran(execution)
    assert ran.state == "ERROR" and "SCM refused the OAuth client (401" in ran.info
    assert "a new one" not in ran.log and SECRET not in ran.log
    assert connector.read("lock") == "IDLE"
    connector.rotate(client["id"], client["secret"])
    assert connector.run().outcome == "caught up"
    assert set(connector.ids_arrived()) == {f"r{i}" for i in range(10)}
    settle(connector.local)

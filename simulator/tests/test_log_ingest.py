"""Log ingest: what becomes of a record, and what is answered."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from local_dynatrace.logs import severity, structure, timestamps
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import SEED, add_user, api_token, bearer, with_token

PATH = "/api/v2/logs/ingest"
INGEST = with_token(SEED["api_tokens"][1]["token"])
ORIGIN = ".".join(SEED["api_tokens"][1]["token"].split(".")[:2])
HOUR_MS = 3_600_000


def send(local: Local, body: Any, query: dict[str, Any] | None = None, **headers: str) -> requests.Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    whole = {**INGEST, "Content-Type": "application/json; charset=utf-8", **headers}
    return local.call("POST", PATH, headers=whole, data=data, params=query)


def stored(local: Local) -> list[dict[str, Any]]:
    """What lies in the table, oldest first; attributes without the origin that every record has."""
    with closing(sqlite3.connect(f"file:{local.folder / 'local-dynatrace.sqlite'}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        rows = [dict(row) for row in db.execute("SELECT * FROM logs ORDER BY id")]
    for row in rows:
        row["attributes"] = json.loads(row["attributes"])
        row["attributes"].pop("dt.auth.origin", None)
    return rows


def one(local: Local, record: Any, **query: Any) -> dict[str, Any]:
    """Send one record that is stored whole, and return its row."""
    answer = send(local, record, query)
    assert answer.status_code == 204, answer.text
    return stored(local)[-1]


def now_ms(local: Local) -> int:
    return int(local.sim("GET", "clock")["nowUs"]) // 1000


# answers


def test_a_stored_batch_is_answered_by_204(local: Local) -> None:
    records = [{"content": "first", "loglevel": "INFO", "log.source": "sectigo-scm"}, {"content": "second"}]
    answer = send(local, records)

    assert (answer.status_code, answer.content) == (204, b"")
    assert [(row["content"], row["source"], row["loglevel"]) for row in stored(local)] == [
        ("first", "sectigo-scm", "INFO"),
        ("second", None, "NONE"),
    ]


def test_the_public_part_of_the_token_is_added(local: Local) -> None:
    send(local, {"content": "x", "dt.auth.origin": "forged"})
    with closing(sqlite3.connect(local.folder / "local-dynatrace.sqlite")) as db:
        ((attributes,),) = db.execute("SELECT attributes FROM logs").fetchall()

    assert json.loads(attributes) == {"dt.auth.origin": ORIGIN}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[]", "application/json"),
        (b"", "application/json"),
        (b"", "text/plain"),
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b'{"a": NaN}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'["text", 1]', "application/json"),
        (b"broken\nlines", "application/x-ndjson"),
        (b"<log/>", "application/xml"),
        (b"{}", ""),
    ],
)
def test_a_batch_without_a_record_is_refused(local: Local, body: bytes, content_type: str) -> None:
    answer = send(local, body, **{"Content-Type": content_type})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)
    assert stored(local) == []


def test_what_is_no_record_is_left_out_and_the_answer_says_so(local: Local) -> None:
    answer = send(local, b'[{"content": "good"}, "bad", {"content": "huge number", "n": 1e999}]')

    assert (answer.status_code, answer.json()["details"]["code"]) == (200, 200)
    assert "2 records" in answer.json()["details"]["message"]
    assert [row["content"] for row in stored(local)] == ["good"]


def test_json_lines_plain_text_and_gzip_are_read(local: Local) -> None:
    send(local, b'{"content": "1"}\n\n{"content": "2"}\r\n', **{"Content-Type": "application/x-ndjson"})
    send(local, "ünï\nline".encode(), **{"Content-Type": "text/plain; charset=utf-8"})
    send(local, gzip.compress(b'{"content": "packed"}'), **{"Content-Encoding": "gzip"})
    send(local, b'{"content": "by query"}', {"content-type": "application/json"}, **{"Content-Type": "text/plain"})

    assert [row["content"] for row in stored(local)] == ["1", "2", "ünï\nline", "packed", "by query"]


def test_what_is_no_gzip_is_refused(local: Local) -> None:
    assert send(local, b"{}", **{"Content-Encoding": "gzip"}).status_code == 400
    assert send(local, b"{}", **{"Content-Encoding": "br"}).status_code == 400


def test_rights_are_checked(local: Local) -> None:
    platform = "/platform/classic/environment-api/v2/logs/ingest"
    record = {"content": "by the SDK"}

    refused = local.call("POST", PATH, headers=api_token(local, "settings.read"), json=record)
    assert refused.json()["error"]["message"].endswith("Use one of: logs.ingest (Ingest logs)")
    assert local.call("POST", platform, headers=bearer(local, "storage:logs:write"), json=record).status_code == 204
    assert stored(local)[-1]["content"] == "by the SDK"
    add_user(local, "guest@nordhav.example")
    guest = bearer(local, "storage:logs:write", user="guest@nordhav.example")
    assert local.call("POST", platform, headers=guest, json=record).status_code == 403


# limits


def test_ten_megabytes_are_the_limit_of_a_request(local: Local) -> None:
    assert send(local, b'{"content": "' + b"x" * (10 * 1024 * 1024) + b'"}').status_code == 413
    assert send(local, gzip.compress(b" " * 20_000_000), **{"Content-Encoding": "gzip"}).status_code == 413


@pytest.mark.slow
def test_fifty_thousand_records_are_the_limit_of_a_request(local: Local) -> None:
    body = [{"content": f"record {number}", "log.source": "bulk", "event.id": str(number)} for number in range(50_000)]

    assert send(local, body).status_code == 204
    assert send(local, [*body, {}]).status_code == 413
    assert len(stored(local)) == 50_000


@pytest.mark.slow
def test_sixteen_megabytes_are_the_limit_after_processing(local: Local) -> None:
    body = [{"c": "x"}] * 40_000
    answer = send(local, body, {"note": "n" * 500})

    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == ("Message size limit exceeded after preprocessing on ingest endpoint")
    assert stored(local) == []


def test_what_is_too_long_is_trimmed_between_characters_and_reported(local: Local) -> None:
    row = one(local, {"k" * 120: "v", "long": "ü" * 20_000, "many": list(range(40)), "content": "x"})

    assert row["attributes"] == {
        "k" * 100: "v",
        "long": "ü" * 16_384,
        "many": list(range(32)),
        "dt.ingest.warnings": ["attr_key_trimmed", "attr_val_size_trimmed", "attr_val_count_trimmed"],
    }


def test_a_record_keeps_five_hundred_attributes(local: Local) -> None:
    row = one(local, {f"key{number}": number for number in range(600)})

    assert len([key for key in row["attributes"] if key.startswith("key")]) == 500
    assert row["attributes"]["dt.ingest.warnings"] == ["attr_count_trimmed"]


# time


def test_a_record_without_time_gets_the_time_of_ingest(local: Local) -> None:
    row = one(local, {"content": "x"})

    assert row["timestamp_us"] == row["ingested_us"] == row["visible_us"]


@pytest.mark.parametrize("key", timestamps.KEYS)
def test_each_time_key_is_read_in_any_case(local: Local, key: str) -> None:
    at = now_ms(local) - 5_000
    row = one(local, {key.upper(): at, "content": "x"})

    assert (row["timestamp_us"], row["attributes"]) == (at * 1000, {})


def test_the_first_time_key_of_the_list_is_taken_and_the_others_stay(local: Local) -> None:
    at = now_ms(local)
    row = one(local, {"time": "noon", "date": at - 2, "@timestamp": at - 1})

    assert row["timestamp_us"] == (at - 1) * 1000
    assert row["attributes"] == {"time": "noon", "date": at - 2}


def test_a_time_that_cannot_be_read_is_kept_beside_the_time_of_ingest(local: Local) -> None:
    row = one(local, {"timestamp": "yesterday noon"})

    assert row["timestamp_us"] == row["ingested_us"]
    assert row["attributes"] == {"unparsed_timestamp": "yesterday noon"}


NOW_US = 1_769_680_000_000_000  # 2026-01-29T09:46:40Z


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-29T09:44:11.611092Z", 1_769_679_851_611_092),
        ("2026-01-29T09:44:11.611092999Z", 1_769_679_851_611_092),
        ("2026-01-29T10:44:11+01:00", 1_769_679_851_000_000),
        ("2026-01-29T09:44:11.6110", 1_769_679_851_611_000),
        (1_769_679_851_611, 1_769_679_851_611_000),
        ("1769679851611", 1_769_679_851_611_000),
        (1_769_679_851, 1_769_679_851_000_000),
        ("1769679851.611", 1_769_679_851_611_000),
        ("Jan 29 09:44:11", 1_769_679_851_000_000),
        ("Dec 31 23:59:59", 1_767_225_599_000_000),
        ("2026-02-30T00:00:00Z", None),
        ("Feb 30 00:00:00", None),
        ("soon", None),
        (True, None),
        (-1, None),
        (float("inf"), None),
        ({}, None),
    ],
)
def test_epoch_numbers_rfc_3339_and_rfc_3164_are_read(value: Any, expected: int | None) -> None:
    assert timestamps.parse_us(value, NOW_US) == expected


def test_a_time_far_ahead_is_set_to_now(local: Local) -> None:
    at = now_ms(local)
    near = one(local, {"timestamp": at + 9 * 60_000})
    far = one(local, {"timestamp": at + 11 * 60_000})

    assert near["timestamp_us"] == (at + 9 * 60_000) * 1000
    assert far["timestamp_us"] == far["ingested_us"]
    assert far["attributes"] == {"dt.ingest.warnings": ["timestamp_corrected"]}


@pytest.mark.parametrize(
    ("switch", "status", "kept"), [("drop", 200, ["young"]), ("silent", 204, ["young"]), ("refuse", 400, [])]
)
def test_what_happens_to_records_of_yesterday_is_a_switch(
    local: Local, switch: str, status: int, kept: list[str]
) -> None:
    at = now_ms(local)
    body = [
        {"content": "old", "timestamp": at - 24 * HOUR_MS - 60_000},
        {"content": "young", "timestamp": at - 24 * HOUR_MS + 60_000},
    ]
    local.sim("PATCH", "options", {"old_records": switch})
    try:
        answer = send(local, body)
    finally:
        local.sim("PATCH", "options", {"old_records": "drop"})

    assert answer.status_code == status
    assert [row["content"] for row in stored(local)] == kept


def test_records_can_become_visible_later(local: Local) -> None:
    local.sim("PATCH", "options", {"logs_visible_after_s": 10.0})
    try:
        row = one(local, {"content": "x"})
    finally:
        local.sim("PATCH", "options", {"logs_visible_after_s": 0.0})

    assert row["visible_us"] - row["ingested_us"] == 10_000_000


# severity


@pytest.mark.parametrize(
    ("value", "level", "status"),
    [
        ("emergency", "EMERGENCY", "ERROR"),
        ("FATAL", "EMERGENCY", "ERROR"),
        ("Error", "ERROR", "ERROR"),
        ("alert", "ALERT", "ERROR"),
        ("crit", "CRITICAL", "ERROR"),
        ("severe", "SEVERE", "ERROR"),
        ("SUCCESS", "SEVERE", "ERROR"),
        ("warning", "WARN", "WARN"),
        ("notice", "NOTICE", "INFO"),
        ("information", "INFO", "INFO"),
        ("debug", "DEBUG", "INFO"),
        ("TRACE", "DEBUG", "INFO"),
        ("verbose", "DEBUG", "INFO"),
        ("NONE", "NONE", "NONE"),
        ("?", "NONE", "NONE"),
        (7, "NONE", "NONE"),
    ],
)
def test_a_level_is_read_by_its_first_letters(value: Any, level: str, status: str) -> None:
    assert severity.loglevel(value) == level
    assert severity.STATUS[level] == status


def test_log_level_is_no_severity_but_status_is(local: Local) -> None:
    """The records of the manual (``log.level`` and ``status: SUCCESS``) show as errors."""
    row = one(local, {"content": "x", "log.level": "INFO", "status": "SUCCESS"})

    assert (row["loglevel"], row["status"]) == ("SEVERE", "ERROR")
    assert row["attributes"] == {"log.level": "INFO"}


def test_the_first_severity_key_is_taken_and_status_is_computed_always(local: Local) -> None:
    row = one(local, {"severity": "warn", "level": "error", "Status": "SUCCESS", "loglevel": "info"})

    assert (row["loglevel"], row["status"]) == ("INFO", "INFO")
    assert row["attributes"] == {"severity": "warn", "level": "error"}


# content and attributes


def test_the_first_content_key_is_taken(local: Local) -> None:
    row = one(local, {"body": "b", "message": "m", "log": {"a": 1}})

    assert (row["content"], row["attributes"]) == ("m", {"body": "b", "log": '{"a":1}'})


def test_attributes_keep_their_types_and_case_and_null_is_none(local: Local) -> None:
    row = one(local, {"Number": 1.5, "flag": True, "null": None, "list": ["a", 1], "big": 2**70})

    assert row["attributes"] == {"Number": 1.5, "flag": True, "list": ["a", 1], "big": 2**70}


def test_nested_values_are_json_text(local: Local) -> None:
    row = one(local, {"object": {"type": "ssl", "deep": {"n": 1}}, "list": [{"a": 1}, "b"]})

    assert row["content"] == ""
    assert row["attributes"] == {"object": '{"type":"ssl","deep":{"n":1}}', "list": ['{"a":1}', "b"]}


def test_nested_values_are_spread_over_keys_where_asked_for(local: Local) -> None:
    record = {"object": {"type": "ssl", "deep": {"n": 1}}, "object.type": "taken"}
    row = one(local, record, structure="flattened")

    assert json.loads(row["content"]) == record
    assert row["attributes"] == {
        "object.type": "ssl",
        "object.deep.n": 1,
        "overwritten1.object.type": "taken",
    }
    too_deep = {"1": {"2": {"3": {"4": {"5": {"6": "gone"}, "5b": "kept"}}}}}
    answer = send(local, [{}, too_deep], **{"X-Dynatrace-Options": "structure=flattened"})
    assert answer.json()["details"]["message"] == "Event(s) has attributes which are too nested for records: 1"
    assert stored(local)[-1]["attributes"] == {"1.2.3.4.5b": "kept"}
    assert send(local, {}, {"structure": "tree"}).status_code == 400


def test_names_that_clash_are_numbered() -> None:
    record = {"service.instance.id": "abc", "service": {"instance.id": "xyz", "instance": {"id": "123"}}}

    assert structure.flatten(record) == (
        {
            "service.instance.id": "abc",
            "overwritten1.service.instance.id": "xyz",
            "overwritten2.service.instance.id": "123",
        },
        False,
    )


def test_every_other_query_parameter_becomes_an_attribute(local: Local) -> None:
    query = {"team": ["pki", "soc"], "stage": "query", "api-token": "dt0c01.SECRET", "log.source": "by-query"}
    headers = {"X-Dynatrace-Attr": "stage=header&zone=dmz"}
    send(local, {"content": "x", "log.source": "by-record"}, query, **headers)

    assert stored(local)[-1]["attributes"] == {
        "stage": "query",
        "zone": "dmz",
        "team": ["pki", "soc"],
        "log.source": "by-record",
    }


def test_half_a_surrogate_pair_does_no_harm(local: Local) -> None:
    row = one(local, {"content": "a\ud800b", "x": "\udfff", "log.source": "s\udc00", "good": "\U0001f600"})

    assert (row["content"], row["source"]) == ("a?b", "s?")
    assert row["attributes"] == {"x": "?", "log.source": "s?", "good": "\U0001f600"}


def test_a_record_of_today_by_the_simulated_clock_is_young(local: Local) -> None:
    local.sim("POST", "clock", {"jump": "2030-05-05T05:05:05Z"})
    row = one(local, {"timestamp": "2030-05-04T06:00:00Z"})

    assert datetime.fromtimestamp(row["timestamp_us"] / 1e6, UTC).year == 2030

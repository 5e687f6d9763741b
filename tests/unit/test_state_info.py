"""The human sentence inside the platform's ``stateInfo``, complete, whatever is around it."""

from __future__ import annotations

import json

import pytest

from providers.api.automation import sentence

LONG = "Log ingest: 401; check logIngestToken and its scope logs.ingest. " + "x" * 900


def crash(**details: object) -> str:
    return "An error occurred: " + json.dumps({"code": 540, "message": "Execution crashed.", "details": details})


@pytest.mark.parametrize(
    ("state_info", "shown"),
    [
        (crash(type="UNCAUGHT_EXCEPTION", name="Error", message=LONG, stack="Error: at sync:1"), LONG),
        (crash(type="UNCAUGHT_EXCEPTION", name="TypeError", message="x is null"), "TypeError: x is null"),
        (crash(type="KILLED"), "Execution crashed. (540, KILLED)"),
        (crash(), "Execution crashed. (540)"),
        (crash(message='he said "no"'), 'he said "no"'),
        (crash(message=crash(message="inner")), "inner"),
        ('An error occurred: {"code":540,"message":"Execution crashed.","details":"out of luck"}', "out of luck"),
        ('{"error":{"code":403,"message":"Forbidden"}}', "Forbidden (403)"),
        (crash(message="SCM refused")[:-6] + "…", "SCM refu…"),
        (crash(message='SCM: 500 {"message":"down"}'), 'SCM: 500 {"message":"down"}'),
        ("Actor lacks a permission", "Actor lacks a permission"),
        ("{not json", "{not json"),
        ('[{"x": 1}] odd', '[{"x": 1}] odd'),
        ("two\nlines", "two lines"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_sentence_is_found_and_not_cut(state_info: str | None, shown: str) -> None:
    assert sentence(state_info) == shown

"""The operator's SCM client reads what the sync script reads, and says whose fault a failure is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import SEED
from operations import scm
from providers.api import destination
from tests import ROOT

CLIENT = SEED["scm_clients"][0]
NOW = datetime(2026, 1, 29, 10, tzinfo=UTC)
STRIPPED = {"api": "scm", "path": "/api/v1/records", "strip_headers": ["token"], "times": None}
SCRIPT = (ROOT / "workflow_src" / "sync.js").read_text(encoding="utf-8")


def field(name: str) -> tuple[str, ...]:
    """A list of alternatives in the script's ``SCM`` constant."""
    found = re.search(rf"^\s+{name}: \[([^\]]*)\]", SCRIPT, re.MULTILINE)
    assert found, f"workflow_src/sync.js has no list {name}"
    return tuple(re.findall(r'"([^"]+)"', found[1]))


def test_path_cursor_and_names_are_those_of_the_script() -> None:
    assert field("lists") == scm.LISTS
    assert field("id") == scm.IDS
    assert field("time") == scm.TIMES
    assert field("errors") == scm.ERRORS
    for name, pattern in {"outcomes": scm.OUTCOMES, "trouble": scm.TROUBLE, "fine": scm.FINE}.items():
        assert f"{name}: /{pattern}/i," in SCRIPT
    assert f'path: "{scm.PATH}"' in SCRIPT
    assert f'cursorHeader: "{scm.CURSOR}"' in SCRIPT


@pytest.fixture
def client(local: Local, monkeypatch: pytest.MonkeyPatch) -> scm.Scm:
    monkeypatch.setenv(destination.VARIABLE, local.url.removeprefix("http://"))
    token_url = "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token"
    return scm.Scm("https://audit.enterprise.sectigo.com", token_url, CLIENT["id"], CLIENT["secret"])


def test_all_pages_come_also_when_the_last_one_brings_no_cursor(client: scm.Scm, local: Local) -> None:
    times = [NOW - timedelta(minutes=50, seconds=-n) for n in range(250)]
    records = [{"id": f"{n}", "timestamp": at.isoformat()} for n, at in enumerate(times)]
    local.sim("POST", "scm/records", {"records": records})
    for option in (True, False):
        local.sim("PATCH", "options", {"scm_last_page_token": option})
        pages = list(client.pages(NOW - timedelta(hours=1), NOW))
        assert [len(page) for page in pages] == [100, 100, 50]
        assert [record.id for page in pages for record in page] == [record["id"] for record in records]


def ids(pages: Iterable[list[scm.AuditRecord]]) -> list[str]:
    return [record.id for page in pages for record in page]


@pytest.mark.parametrize("bounds", ["inclusive", "exclusive"])
def test_where_a_proxy_removes_the_cursor_reading_goes_on_by_time(client: scm.Scm, local: Local, bounds: str) -> None:
    local.sim("PATCH", "options", {"scm_from": bounds})
    times = [NOW - timedelta(minutes=50) + n * timedelta(milliseconds=40) for n in range(350)]
    local.sim(
        "POST", "scm/records", {"records": [{"id": f"{n}", "timestamp": at.isoformat()} for n, at in enumerate(times)]}
    )
    local.sim("POST", "faults", STRIPPED)

    assert ids(client.pages(NOW - timedelta(hours=1), NOW)) == [f"{n}" for n in range(350)], "each once"


def test_more_records_of_one_moment_than_a_page_holds_are_no_end_without_a_cursor(
    client: scm.Scm, local: Local
) -> None:
    at = (NOW - timedelta(minutes=50)).isoformat()
    local.sim("POST", "scm/records", {"records": [{"id": f"{n}", "timestamp": at} for n in range(150)]})
    local.sim("POST", "faults", STRIPPED)

    with pytest.raises(scm.ScmError, match=r"than fit in a page of 100, .* whether a proxy removes the header"):
        ids(client.pages(NOW - timedelta(hours=1), NOW))


def test_pages_that_come_newest_first_are_no_proof_without_a_cursor() -> None:
    stored = [{"id": f"{n}", "timestamp": (NOW - timedelta(minutes=n)).isoformat()} for n in range(30)]

    class NewestFirst(scm.Scm):
        def _get(self, query: dict[str, str], headers: dict[str, str]) -> Any:
            since, until = scm.moment(query["from"]), scm.moment(query["to"])
            assert since and until
            return [one for one in stored if since <= scm.audit_record(one).at <= until][: self.most]  # type: ignore[operator]

    reader = NewestFirst("", "", "", "")
    reader.most = 100
    assert len(ids(reader.pages(NOW - timedelta(hours=1), NOW))) == 30, "a last page in any order is one"
    reader.most = 20
    with pytest.raises(scm.ScmError, match="not sorted oldest first"):
        ids(reader.pages(NOW - timedelta(hours=1), NOW))


def test_a_token_that_expires_between_two_pages_is_renewed(client: scm.Scm, local: Local) -> None:
    records = [{"id": f"{n}", "timestamp": (NOW - timedelta(minutes=50)).isoformat()} for n in range(150)]
    local.sim("POST", "scm/records", {"records": records})
    pages = client.pages(NOW - timedelta(hours=1), NOW)
    assert len(next(pages)) == 100
    local.sim("POST", "clock", {"step": 301})
    assert len(next(pages)) == 50


def test_a_refused_client_names_the_keys_and_no_secret(client: scm.Scm, local: Local) -> None:
    wrong = scm.Scm(client.api_url, client.token_url, CLIENT["id"], "wrong-canary")
    with pytest.raises(scm.ScmError, match="check sectigoClientId and sectigoClientSecret") as refused:
        next(wrong.pages(NOW - timedelta(hours=1), NOW))
    assert "wrong-canary" not in str(refused.value)


def test_an_answer_that_is_no_list_is_an_error_and_not_an_empty_page(client: scm.Scm, local: Local) -> None:
    local.sim("POST", "faults", {"api": "scm", "path": "/api/v1/records", "status": 200, "body": {"code": -16}})
    with pytest.raises(scm.ScmError, match="did not return a list of records"):
        next(client.pages(NOW - timedelta(hours=1), NOW))
    local.sim("DELETE", "faults")


@pytest.mark.parametrize(
    "body",
    [
        "",
        {"error": "backend timeout", "data": []},
        {"records": [], "errors": [{"code": -1}]},
        {"success": False, "items": []},
        {"status": {"code": 500}, "content": []},
        {"data": [], "records": []},
    ],
    ids=str,
)
def test_L2_an_answer_with_a_sign_of_an_error_is_no_empty_page(client: scm.Scm, local: Local, body: Any) -> None:
    local.sim("POST", "faults", {"api": "scm", "path": "/api/v1/records", "status": 200, "body": body})
    with pytest.raises(scm.ScmError, match="did not return a list of records"):
        list(client.pages(NOW - timedelta(hours=1), NOW))
    local.sim("DELETE", "faults")


def test_L26_a_204_and_an_object_that_says_that_all_is_well_are_pages(client: scm.Scm, local: Local) -> None:
    for answer in ({"status": 204}, {"status": 200, "body": {"code": 0, "error": None, "message": "OK", "data": []}}):
        local.sim("POST", "faults", {"api": "scm", "path": "/api/v1/records", **answer})
        assert list(client.pages(NOW - timedelta(hours=1), NOW)) == []
    local.sim("DELETE", "faults")


def test_L18_a_time_that_scm_does_not_filter_by_is_no_proof_without_a_cursor(client: scm.Scm, local: Local) -> None:
    shown = [{"id": f"{n}", "timestamp": (NOW - timedelta(minutes=30, seconds=-n)).isoformat()} for n in range(12)]
    for nth, body in ((1, shown), (2, [])):
        local.sim("POST", "faults", {"api": "scm", "path": "/api/v1/records", "nth": nth, "status": 200, "body": body})
    with pytest.raises(scm.ScmError, match="filters by other times"):
        list(client.pages(NOW - timedelta(hours=1), NOW))
    local.sim("DELETE", "faults")


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (1769679851, "2026-01-29T09:44:11+00:00"),
        ("1769679851611", "2026-01-29T09:44:11.611000+00:00"),
        (1769679851611092, "2026-01-29T09:44:11.611092+00:00"),
        ("2026-01-29T09:44:11.611092Z", "2026-01-29T09:44:11.611092+00:00"),
        (12, None),
        ("soon", None),
    ],
)
def test_times_are_read_as_the_script_reads_them(value: object, meant: str | None) -> None:
    at = scm.audit_record({"id": "a", "timestamp": value}).at
    assert (at and at.isoformat()) == meant

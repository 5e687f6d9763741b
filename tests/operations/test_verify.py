"""``make verify`` against the local environment: claims are confirmed, a refuted one names its line, nothing stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, DEPLOY_TOKEN, SEED
from operations.verify import command
from operations.verify.facts import CHECKS
from operations.verify.recording import Scrubber, shape
from tests import ROOT
from tests.engine import inside
from tests.operations.conftest import Operated

UNSUPPORTED = {"script-limit", "vault-by-bearer"}
"""Not checked by default: it takes minutes; the seed's OAuth client lacks the scope."""


@pytest.fixture(scope="module")
def stack(running: Local, tmp_path_factory: pytest.TempPathFactory) -> Operated:
    """A stack that is not deployed: the checks need its config alone."""
    return Operated(tmp_path_factory.mktemp("verified"), running)


@pytest.fixture
def options(running: Local) -> Iterator[Any]:
    def change(**values: Any) -> None:
        running.sim("PATCH", "options", values)

    yield change
    change(vault_put_unknown="create", settings_post_existing="update", old_records="drop")


def verdicts(done: Any) -> dict[str, dict[str, str]]:
    text = done.text[done.text.index("[\n") : done.text.rindex("]") + 1]
    return {one["name"]: one for one in json.loads(text)}


def test_the_local_environment_confirms_every_claim_and_nothing_is_left(
    stack: Operated, running: Local, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    records = [
        {"id": f"audit-{n}", "timestamp": (now - timedelta(minutes=3 * n)).isoformat(), "customerId": "Nordhav"}
        for n in range(250)
    ]
    running.sim("POST", "scm/records", {"records": records})
    before = inside.names(running)

    done = stack.operate("verify", "--with-logs", "--json", "--record", str(tmp_path), check=False)

    found = verdicts(done)
    assert list(found) == list(CHECKS)
    told = {name: (one["verdict"], one["note"]) for name, one in found.items() if one["verdict"] != "confirmed"}
    assert {name for name, (verdict, _) in told.items() if verdict == "refuted"} == set(), told
    assert set(told) == UNSUPPORTED, told
    assert done.code == 0
    assert inside.names(running) == before
    (file,) = tmp_path.glob("*.json")
    text = file.read_text(encoding="utf-8")
    assert json.loads(text)["exchanges"]
    seeded = [*(user["email"] for user in SEED["users"]), *(user["id"] for user in SEED["users"])]
    secrets = [DEPLOY_TOKEN, CLIENT["secret"], CLIENT["id"], SEED["scm_clients"][0]["secret"], SEED["account"]]
    others = [SEED["others"]["credentials"][0]["name"], SEED["others"]["workflows"][0]["title"], *seeded]
    for word in (*secrets, *others, str(running.port), "CREDENTIALS_VAULT-", "Nordhav", "audit.demo"):
        assert word not in text, word


def test_a_refuted_claim_is_named_with_its_line_and_the_exit_code_tells(stack: Operated, options: Any) -> None:
    options(vault_put_unknown="refuse", settings_post_existing="conflict", old_records="refuse")
    names = "vault-put-unknown,settings-post-existing,ingest-old"

    done = stack.operate("verify", "--with-logs", "--only", names, check=False)

    assert done.code == 1
    assert "0 confirmed, 3 refuted, 0 not checked" in done.text
    lines = (ROOT / "simulator/local_dynatrace/kernel/options.py").read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "vault_put_unknown:" in line)
    assert f"To change: simulator/local_dynatrace/kernel/options.py:{number}" in done.text
    assert "it answers 404" in done.text


def test_a_wrong_token_stops_it_before_anything_is_judged(stack: Operated) -> None:
    config = stack.file.read_text()
    stack.configure_secret("dynatraceApiToken", f"dt0c01.{'A' * 24}.{'B' * 64}")
    try:
        done = stack.operate("verify", check=False)
    finally:
        stack.file.write_text(config)

    assert done.code == 2
    assert "preflight of" in done.text
    assert "confirmed" not in done.text


@pytest.mark.parametrize("name", CHECKS)
def test_each_claim_has_one_line_to_change_and_a_page(name: str) -> None:
    fact, _ = CHECKS[name]
    text = (ROOT / fact.change.file).read_text(encoding="utf-8")
    page, section = fact.page.split()

    assert text.count(fact.change.text) >= 1, f"{fact.change.file} does not contain {fact.change.text}"
    assert fact.change.shown.rpartition(":")[2].isdigit()
    assert f"# {section}" in (ROOT / "docs" / "facts" / f"{page}.md").read_text(encoding="utf-8").replace("#### ", "# ")


def test_the_page_for_a_first_tenant_lists_every_claim() -> None:
    page = (ROOT / "docs" / "first-contact.md").read_text(encoding="utf-8")

    assert [name for name in CHECKS if f"`{name}`" not in page] == []
    assert command.MODULES


def test_a_recording_keeps_neither_names_nor_other_peoples_objects() -> None:
    scrubber = Scrubber(("s3cret", "abc12345.live.dynatrace.com"), "ours")

    kept = scrubber.value(
        {"results": [{"title": "ours 1"}, {"title": "Payroll"}], "who": "a.b@c.example", "host": "x.sectigo.com s3cret"}
    )

    assert kept == {"results": [{"title": "ours 1"}, "<1 of others>"], "who": "<e-mail 1>", "host": "<host 1> <secret>"}
    assert shape([{"id": "x", "n": 1}, {}]) == [{"id": "<str>", "n": "<int>"}, "<2 in all>"]

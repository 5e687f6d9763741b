"""The connector page against ledgers, records and vault entries made for the purpose: what it shows, what it hides."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local_dynatrace.kernel.clock import iso
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY
from local_sectigo.pages import chain, health, timeline
from local_sectigo.pages.delivery import Delivery
from local_sectigo.pages.ledger import Run

from .test_pages import EXECUTIONS, WORKFLOWS, deploy, ingest, page, run

PAGE = "/_sim/ui/connector"
SCRIPT = "export default async () => { /* log.source: sectigo-scm-connector */ };"
MARK = "Made for a test. [Pulumi sectigo-dynatrace/dev]"
EVERY_10_MINUTES = {
    "schedule": {"isActive": True, "timezone": "UTC", "trigger": {"type": "interval", "intervalMinutes": 10}}
}
SECOND = 1_000_000


def now_us(local: Local) -> int:
    return int(local.sim("GET", "clock")["nowUs"])


def connector(local: Local, **more: Any) -> str:
    return deploy(local, SCRIPT, trigger=EVERY_10_MINUTES, isPrivate=False, **more)


def report(
    local: Local, workflow: str, *, sent: int = 0, lag_s: int = 60, outcome: str = "caught up", **more: Any
) -> str:
    """A run with its ledger, as the connector would write it; returns the execution's id."""
    execution = run(local, workflow, **more)
    now = now_us(local)
    members = {
        "workflow": workflow, "executionId": execution, "outcome": outcome, "sent": str(sent), "lagSeconds": str(lag_s),
        "windowFrom": iso(now - 7200 * SECOND),
    }  # fmt: skip
    ingest(
        local,
        {"content": "Run", "log.source": "sectigo-scm-connector", **{f"connector.{k}": v for k, v in members.items()}},
    )
    return execution


def happened(local: Local, id: str, ago_s: int) -> None:
    """An audit record at SCM, visible from now on."""
    record = {"id": id, "timestamp": iso(now_us(local) - ago_s * SECOND), "action": "issue"}
    local.sim("POST", "scm/records", {"records": [record]})


def arrived(local: Local, *ids: str) -> None:
    ingest(local, *({"content": id, "log.source": "sectigo-scm", "event.id": id} for id in ids))


def figure(text: str, name: str) -> tuple[str, str]:
    """The value of a figure and the line below it."""
    found = re.search(rf"<dt>{name}</dt><dd><span[^>]*>([^<]*)</span><span class=\"note\">([^<]*)</span>", text)
    assert found, name
    return found[1], found[2]


def verdict(text: str) -> tuple[str, str]:
    found = re.search(r'<span class="chip \w*">([^<]*)</span>\s*</h1>\s*<p class="lead" id="verdict">([^<]*)</p>', text)
    assert found
    return found[1], found[2]


def legend(text: str) -> dict[str, int]:
    return {kind: int(number) for kind, number in re.findall(r'<i class="(\w+)"></i>[A-Z][a-z ]* (\d+)</li>', text)}


def test_without_a_connector_the_page_says_how_one_is_found(local: Local) -> None:
    deploy(local, "export default async () => 1;")

    assert "No connector is deployed." in page(local, PAGE)


def test_a_connector_is_found_by_its_script_and_several_can_be_chosen_from(local: Local) -> None:
    first, second = connector(local, title="A"), connector(local, title="B")

    assert f"{PAGE}?workflow={second}" in page(local, PAGE)
    assert "<title>A ·" in page(local, PAGE)
    assert "<title>B ·" in page(local, f"{PAGE}?workflow={second}")
    assert f"{PAGE}?workflow={first}" in page(local, f"{WORKFLOWS}/{first}")
    page(local, f"{PAGE}?workflow=none", 404)


def test_what_became_of_each_record_is_told_apart(local: Local) -> None:
    workflow = connector(local)
    for id in ("there", "twice", "lost"):
        happened(local, id, 0)
    local.sim("POST", "clock", {"step": 700})
    happened(local, "too-late", 600)
    happened(local, "new", 10)
    happened(local, "before-its-time", 30_000)
    arrived(local, "there", "twice", "twice")
    report(local, workflow, sent=3)

    text = page(local, f"{PAGE}?range=2h")

    assert figure(text, "Delivered") == ("2", "of 5 at SCM, 1 waiting")
    assert figure(text, "Missing") == ("1", "1 more came too late")
    assert figure(text, "Duplicates")[0] == "1"
    assert legend(text) == {"delivered": 2, "waiting": 1, "late": 1, "missing": 1, "extra": 1}


def test_a_run_in_order_makes_the_connector_healthy_and_its_lag_is_reported(local: Local) -> None:
    workflow = connector(local)
    report(local, workflow, sent=5)

    text = page(local, PAGE)

    assert verdict(text) == ("Healthy", "Everything up to 2026-01-29 09:59:00 is in the logs.")
    assert figure(text, "Lag") == ("1 min", "complete to 09:59:00")
    local.sim("POST", "clock", {"step": 900})
    assert figure(page(local, PAGE), "Lag")[0] == "16 min"


def test_failed_runs_are_reported_with_the_script_s_own_reason(local: Local) -> None:
    failing = "export default async () => { throw new Error('SCM said no'); }; // sectigo-scm-connector"
    workflow = deploy(local, failing, trigger=EVERY_10_MINUTES)
    run(local, workflow)
    run(local, workflow)

    text = page(local, PAGE)

    assert verdict(text) == ("Failing", "The last 2 runs failed: SCM said no")
    assert figure(text, "Runs") == ("2", "2 failed")
    assert text.count('<rect class="bad"') == 2


def test_runs_that_failed_for_different_reasons_are_reported_with_all_of_them(local: Local) -> None:
    failing = """export default async () => { // sectigo-scm-connector
        throw new Error(new Date() < new Date("2026-01-29T10:05:00Z") ? "SCM said no" : "The vault said no"); };"""
    workflow = deploy(local, failing, trigger=EVERY_10_MINUTES)
    run(local, workflow)
    run(local, workflow)
    local.sim("POST", "clock", {"step": 600})
    run(local, workflow)

    said = verdict(page(local, PAGE))

    assert said == ("Failing", "The last 3 runs failed: The vault said no (1 run); SCM said no (2 runs)")


def test_silence_is_shaded_in_every_lane_and_named(local: Local) -> None:
    workflow = connector(local)
    report(local, workflow)
    local.sim("POST", "clock", {"step": 3000})

    text = page(local, f"{PAGE}?range=2h")

    assert verdict(text) == ("Silent", "No run has begun for 50 min, though one is due every 10 min.")
    assert figure(text, "Longest silence")[0] == "50 min"
    assert text.count('<rect class="silence"') == 3


def test_a_switched_off_schedule_is_a_pause_and_no_silence(local: Local) -> None:
    off = {"schedule": {**EVERY_10_MINUTES["schedule"], "isActive": False}}
    workflow = deploy(local, SCRIPT, trigger=off)
    report(local, workflow)
    local.sim("POST", "clock", {"step": 3000})

    text = page(local, PAGE)

    assert verdict(text)[0] == "Paused"
    assert figure(text, "Longest silence")[0] == "None"


def entry(local: Local, name: str, token: str, description: str = MARK) -> str:
    body = {"name": name, "description": description, "type": "TOKEN", "token": token, "scopes": ["APP_ENGINE"]}
    made = local.call("POST", "/api/v2/credentials", json=body, headers=DEPLOY)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def test_checkpoint_lock_and_config_of_the_script_are_shown(local: Local) -> None:
    checkpoint = '2026-01-29T09:58:00.5Z|abc\n{"v":1,"hw":"2026-01-29T09:59:00Z","seen":"1234567812345678"}'
    config = '{"maxRetries": 3, "initHistoryDuration": "2h"}'
    execution = "0f4db006-c3f4-4173-9126-73cd37b1f760"
    held = f"RUNNING|{execution}|2026-01-29T09:59:00Z|2026-01-29T10:02:00Z"
    ids = [entry(local, "X Checkpoint", checkpoint), entry(local, "X Execution Lock", held)]
    ids.append(entry(local, "X Workflow Config", config))
    deploy(local, SCRIPT + " // " + " ".join(ids))

    text = page(local, PAGE)

    assert '<dt>Complete up to</dt><dd class="mono">2026-01-29T09:59:00Z</dd>' in text
    assert '<dt>Records remembered</dt><dd class="mono">2</dd>' in text
    assert f'Held by <a href="{EXECUTIONS}/{execution}">this execution</a> for 1 min.' in text
    assert '<rect class="passed" x="0" y="0" width="333"' in text
    assert "initHistoryDuration" in text
    vault = page(local, "/ui/apps/dynatrace.credential.vault")
    assert vault.count('<code class="raw">') == 3


@pytest.mark.parametrize(
    ("name", "value", "description"),
    [
        ("X Checkpoint", "NONE-OF-YOUR-BUSINESS", MARK),
        ("X Execution Lock", "RUNNING|a-secret", MARK),
        ("X Workflow Config", '{"maxRetries": 3, "password": "HIDDEN"}', MARK),
        ("X Workflow Config", "{HIDDEN}", MARK),
        ("X Checkpoint", "NONE", "not marked"),
        ("X Log Ingest Token", "NONE", MARK),
        ("Checkpoint", "NONE", MARK),
    ],
)
def test_whatever_may_be_a_secret_stays_hidden(local: Local, name: str, value: str, description: str) -> None:
    id = entry(local, name, value, description)
    deploy(local, f"{SCRIPT} // {id}")

    for path in (PAGE, "/ui/apps/dynatrace.credential.vault"):
        text = page(local, path)
        assert 'class="raw' not in text
        assert "HIDDEN" not in text


def test_legs_are_shown_as_a_chain_from_any_of_them(local: Local) -> None:
    workflow = connector(local)
    first = report(local, workflow, sent=10, outcome="more waiting")
    legs = [first]
    for number in (2, 3):
        legs.append(report(local, workflow, sent=number, input={"leg": number, "previous": legs[-1]}))
    alone = report(local, workflow)

    for number, leg in enumerate(legs, 1):
        text = page(local, f"{EXECUTIONS}/{leg}")
        assert "Chain of 3 legs" in text
        assert "15 records sent" in text
        assert f"<dd>{number} of 3" in text
        assert re.findall(r'aria-current="step">\s*<span class="number">(\d)', text) == [str(number)]
    assert "Chain of" not in page(local, f"{EXECUTIONS}/{alone}")


def test_a_chain_that_bites_its_own_tail_ends(local: Local) -> None:
    workflow = connector(local)
    first = run(local, workflow, input={"previous": "none"})
    loop = run(local, workflow, input={"previous": first, "leg": 2})

    assert "Chain of 2 legs" in page(local, f"{EXECUTIONS}/{loop}")
    assert chain.previous({"input": '{"previous": 7}'}) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "members",
    [
        {"sent": "many", "lagSeconds": "-"},
        {"sent": "99999999999999999999", "lagSeconds": "1e400"},
        {"coveredTo": "tomorrow", "windowFrom": "x"},
        {"outcome": "</span><script>"},
    ],
)
def test_no_ledger_breaks_the_page(local: Local, members: dict[str, str]) -> None:
    workflow = connector(local)
    execution = run(local, workflow)
    told = {"workflow": workflow, "executionId": execution, **members}
    ingest(
        local,
        {"content": "Run", "log.source": "sectigo-scm-connector", **{f"connector.{k}": v for k, v in told.items()}},
    )

    assert "<script>" not in page(local, PAGE)


def one(
    started_s: int, *, state: str = "SUCCESS", said: str = "caught up", sent: int = 0, covered_s: int | None = None
) -> Run:
    covered = None if covered_s is None else covered_s * SECOND
    at = started_s * SECOND
    return Run("id", state, at, at, "Schedule", 1, said, "", 0, sent, sent, 0, 0, 0, covered)


def test_lag_grows_with_the_time_and_falls_when_a_run_has_covered_more() -> None:
    scale = timeline.Scale(0, 1000 * SECOND)

    made = timeline.lag([one(500, covered_s=440), one(600, said="failed")], scale, None)

    assert made is not None
    assert made["now_s"] == made["highest_s"] == 560
    assert made["line"] == "M500.0 90.1 L1000.0 8.0"
    assert timeline.lag([], scale, None) is None


def test_one_giant_run_does_not_flatten_the_others() -> None:
    scale = timeline.Scale(0, 10_000 * SECOND)
    runs = [one(0, sent=5000), *(one(number * 600, sent=10) for number in range(1, 16))]

    made = timeline.work(runs, scale, 600)

    assert made["cut"] and made["highest"] == 5000
    assert {bar["height"] for bar in made["bars"] if bar["kind"] == "sent"} == {92.0, 46.0}
    assert timeline.work([], scale, 600)["bars"] == []


def test_a_silence_is_a_gap_of_more_than_two_intervals() -> None:
    scale = timeline.Scale(0, 4000 * SECOND)

    found = timeline.silences([one(600), one(1700), one(3500)], scale, 600, 0)

    assert [each["seconds"] for each in found] == [1800]
    assert timeline.silences([], scale, None, 0) == []


def test_every_bar_stays_inside_its_picture() -> None:
    scale = timeline.Scale(1000 * SECOND, 2000 * SECOND)
    runs = [one(0, sent=3), one(1000, sent=1, state="ERROR", said=""), one(2000, sent=9)]
    times = [1000 * SECOND, 1500 * SECOND, 2000 * SECOND]
    bars = [
        *timeline.work(runs, scale, None)["bars"],
        *timeline.events(Delivery(times, times, times, times, times, False), scale)["bars"],
        *({"y": 100 - mark["height"], **mark} for mark in timeline.marks(runs, scale, 60)),
    ]

    assert all(bar["x"] >= 0 and bar["x"] + bar["width"] <= 1000 for bar in bars)
    assert all(bar["y"] >= -0.1 and bar["y"] + bar["height"] <= 100.1 for bar in bars)
    assert [mark["kind"] for mark in timeline.marks(runs, scale, 60)] == ["good", "bad", "good"]


def test_a_verdict_names_the_worst_that_is_true() -> None:
    workflow = {"deployed": True, "next": 1}
    fine, failed = one(1000, covered_s=940), one(1000, state="ERROR", said="")

    def word(runs: list[Run], covered_s: int | None = 940, **more: Any) -> str:
        covered = None if covered_s is None else covered_s * SECOND
        return health.verdict({**workflow, **more}, runs, covered, 1060 * SECOND, 600)[1]

    assert word([fine]) == "Healthy"
    assert word([fine, failed]) == "Failing"
    assert word([failed, fine]) == "Healthy"
    assert word([failed, one(1000, said="skipped")]) == "Failing"
    assert word([one(1000, said="more waiting")]) == "Catching up"
    assert word([one(1050, state="RUNNING", said="")]) == "Running"
    assert word([fine], covered_s=-2000) == "Behind"
    assert word([], covered_s=None) == "Waiting"
    assert word([fine], next=None) == "Paused"
    assert word([fine], deployed=False) == "Paused"

"""Every page says what is broken on purpose, and runs and requests name the rule that hit them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape

import pytest

from local_dynatrace.control.causes import clock_shift
from local_dynatrace.kernel.faults import Rule
from local_dynatrace.kernel.options import Options
from local_dynatrace.kernel.store import Store
from local_dynatrace.kernel.world import World
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY
from local_dynatrace.testing.flows import author, create, play, settle, start

EXECUTIONS = "/ui/apps/dynatrace.automations/executions"
LOGS = "/platform/storage/query/v1/query:execute"
QUERY = f"""
import {{ queryExecutionClient }} from "@dynatrace-sdk/client-query";
export default async () => {{
  const response = await fetch("{LOGS}", {{ method: "POST", body: JSON.stringify({{ query: "fetch logs" }}) }});
  return {{ status: response.status }};
}}""".replace('import { queryExecutionClient } from "@dynatrace-sdk/client-query";\n', "")


def page(local: Local, path: str = "/") -> str:
    answer = local.call("GET", path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def chip(text: str) -> str:
    found = re.search(r'<form class="cause".*?</form>', text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", found[0]).split()) if found else ""


def test_the_chip_counts_presets_rules_and_options_and_repairs_where_one_is(local: Local) -> None:
    local.sim("POST", "clock", {"jump": datetime.now(UTC).isoformat()})
    assert chip(page(local)) == ""

    local.sim("POST", "presets/script-killed")
    assert chip(page(local)) == "1 fault on repair"
    local.sim("POST", "faults", {"api": "sso", "status": 503})
    local.sim("PATCH", "options", {"script_parallel": 3})
    text = page(local, "/ui/apps/dynatrace.logs")
    assert chip(text) == "3 faults on repair"
    assert "Option script_parallel is 3" in text

    form = {"back": "/ui/apps/dynatrace.logs"}
    repaired = local.call("POST", "/_sim/ui/controls/repair", data=form, allow_redirects=False)

    assert repaired.headers["location"] == "/ui/apps/dynatrace.logs"
    assert chip(page(local)) == ""
    assert local.sim("GET", "options")["script_parallel"] == 10


@pytest.mark.parametrize("back", ["//example.com", "https://example.com/", "/api/v2/credentials", "", "/ui/\\x"])
def test_repair_leads_to_no_other_place(local: Local, back: str) -> None:
    answer = local.call("POST", "/_sim/ui/controls/repair", data={"back": back}, allow_redirects=False)

    assert answer.headers["location"].startswith(("/_sim/ui/controls", "/ui/"))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, ""), (59, ""), (120, "+2 min"), (3 * 3600, "+3 h"), (-3600, "\u22121 h"), (86_400 * 2.2, "+2 d")],
)
def test_the_clock_s_distance_from_the_real_time_is_said(
    tmp_path_factory: pytest.TempPathFactory, seconds: float, words: str
) -> None:
    world = World(Options(seed=1), Store(tmp_path_factory.mktemp("shift") / "world.sqlite"))
    world.clock.jump(world.clock.now_us() + round(seconds * 1_000_000) + 200_000)

    assert clock_shift(world) == words
    world.store.close()


def test_a_run_that_a_rule_killed_names_the_rule_even_after_it_is_gone(local: Local) -> None:
    local.sim("POST", "presets/script-killed")
    local.sim("POST", "faults", {"api": "grail", "caller": "script", "script": "kill", "when": "before"})
    who = author(local, "storage:logs:read", "storage:buckets:read")

    killed = play(local, QUERY, who)
    local.sim("DELETE", "faults")

    assert killed.state == "ERROR"
    text = page(local, f"{EXECUTIONS}/{killed.execution}")
    rule = re.search(r"Killed by (fault rule \d+)", text)
    assert rule
    assert re.search(rf'href="/_sim/ui/requests/\d+">POST {LOGS}</a>: {rule[1]} killed the script', text)
    assert f"Killed by {rule[1]}" in page(local, EXECUTIONS)


def test_a_run_says_which_of_its_requests_a_rule_hit_and_by_which_preset(local: Local) -> None:
    local.sim("POST", "faults", {"api": "grail", "caller": "script", "status": 503, "delay_s": 2, "note": "of mine"})
    who = author(local, "storage:logs:read", "storage:buckets:read")

    done = play(local, QUERY, who)

    assert done.result == {"status": 503}
    text = page(local, f"{EXECUTIONS}/{done.execution}")
    assert re.search(r"fault rule \d+ \(of mine\) delayed it by 2 s and answered 503", text)


def test_a_run_that_was_killed_by_hand_says_so(local: Local) -> None:
    local.sim("POST", "clock", {"mode": "frozen"})  # else it would jump to the limit of 120 s
    who = author(local)
    execution = start(local, who, create(local, who, "export default () => new Promise(() => {});")["id"])
    local.sim("POST", f"executions/{execution}/kill")
    settle(local)
    local.sim("POST", "clock", {"mode": "auto"})

    assert "Killed on the page of the run, or through the control API" in page(local, f"{EXECUTIONS}/{execution}")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"status": 503}, "answered 503"),
        ({"cut": "after"}, "cut the connection after it was handled"),
        ({"script": "freeze"}, "froze the script"),
        ({"delay_s": 1.5, "truncate": 40}, "delayed it by 1.5 s and cut the answer after 40 bytes"),
        (
            {"headers": {"X-A": "1"}, "gzip": True, "stale": True},
            "gave an earlier answer and compressed the answer and changed the headers X-A",
        ),
        ({"strip_headers": ["date"]}, "removed the headers date"),
    ],
)
def test_what_a_rule_does_is_told_in_words(rule: dict[str, object], words: str) -> None:
    assert Rule(**rule).effect() == words  # type: ignore[arg-type]


def test_a_refused_request_of_a_client_names_its_rule(local: Local) -> None:
    local.sim("POST", "presets/delete-fails")
    local.call("DELETE", "/api/v2/credentials/x", headers=DEPLOY)

    number = local.sim("GET", "requests")["last"]
    newest = max(line["number"] for line in local.sim("GET", "requests")["requests"])

    assert newest <= number
    text = page(local, f"/_sim/ui/requests/{newest}")
    assert re.search(r"Broken on purpose: fault rule \d+ \(Vault entries cannot be deleted\) answered 500", text)

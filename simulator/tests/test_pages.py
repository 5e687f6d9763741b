"""The web pages: each is there with and without data, escapes what it shows, and shows no secret."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from local_dynatrace.pages import executions
from local_dynatrace.pages.render import duration, navigation
from local_dynatrace.plugins import found
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, DEPLOY_TOKEN, SEED, api_token, bearer

HOSTILE = "</span><script>alert('x')</script> & \"quoted\""
WORKFLOWS = "/ui/apps/dynatrace.automations/workflows"
EXECUTIONS = "/ui/apps/dynatrace.automations/executions"
PATHS = [*(entry.href for entry in navigation(found())), "/ui/apps/dynatrace.automations/settings"]
VOID = {"meta", "link", "input", "br", "img", "rect"}


class Html(HTMLParser):
    """Checks that every element is closed in order, and collects what the tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.inline: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID or tag == "rect":
            self.open.append(tag)
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [str(given[name]) for name in ("href", "src", "action") if name in given]
        if (tag == "script" and "src" not in given) or tag == "style" or "style" in given:
            self.inline.append(tag)
        self.inline += [name for name in given if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(local: Local, path: str, status: int = 200) -> str:
    answer = local.call("GET", path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "same-origin"  # else forms would come without an origin and be refused
    found = Html(answer.text)
    assert found.inline == []
    assert len(found.ids) == len(set(found.ids))
    assert not [link for link in found.links if "//" in link]
    return answer.text


def live_ms(text: str) -> int:
    found = re.search(r'id="live" data-poll-ms="(\d+)"', text)
    assert found
    return int(found[1])


def deploy(local: Local, script: str, **more: Any) -> str:
    """A workflow of one script; returns its id."""
    caller = bearer(local, "automation:workflows:write")
    action = "dynatrace.automations:run-javascript"
    task = {"name": "sync", "action": action, "input": {"script": script}, "position": {"x": 0, "y": 1}}
    body = {"title": "Sectigo SCM Integration", "tasks": {"sync": task}, **more}
    made = local.call("POST", "/platform/automation/v1/workflows", json=body, headers=caller)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def run(local: Local, workflow: str, **body: Any) -> str:
    """Run a workflow to its end; returns the execution's id."""
    caller = bearer(local, "automation:workflows:run")
    started = local.call("POST", f"/platform/automation/v1/workflows/{workflow}/run", json=body, headers=caller)
    assert started.status_code == 201, started.text
    assert local.sim("GET", "idle", timeout_s=30)["idle"]
    return str(started.json()["id"])


def ingest(local: Local, *records: dict[str, Any]) -> None:
    answer = local.call("POST", "/api/v2/logs/ingest", json=list(records), headers=api_token(local, "logs.ingest"))
    assert answer.status_code == 204, answer.text


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_there_in_a_fresh_environment(local: Local, path: str) -> None:
    text = page(local, path)

    assert live_ms(text) == 0
    assert "Local environment" in text


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_there_with_data(local: Local, path: str) -> None:
    run(local, deploy(local, "export default async function () { console.log('one'); return { sent: 3 }; }"))
    ingest(local, {"content": "hello", "log.source": "sectigo-scm", "loglevel": "WARN"})
    local.sim("POST", "faults", {"api": "scm", "status": 503})

    page(local, path)


def test_every_link_of_the_pages_leads_somewhere(local: Local) -> None:
    run(local, deploy(local, "export default async function () { return 1; }"))
    links = {link for path in PATHS for link in Html(page(local, path)).links}

    for link in links:
        if not link.startswith("#") and "/controls/" not in link and not link.endswith(("/run", "/kill", "/freeze")):
            assert local.call("GET", link).status_code == 200, link


def test_a_workflow_shows_schedule_identity_script_and_executions(local: Local) -> None:
    schedule = {"isActive": True, "timezone": "UTC", "trigger": {"type": "interval", "intervalMinutes": 10}}
    script = "export default async function () {\n  console.log('one < two');\n  return { pages: 2, sent: 130 };\n}"
    workflow = deploy(local, script, trigger={"schedule": schedule}, isPrivate=False)
    run(local, workflow, input={"leg": 1})
    run(local, workflow, input={"leg": 2})

    text = page(local, f"{WORKFLOWS}/{workflow}")

    assert "Every 10 minutes" in text
    assert "<time>2026-01-29 10:10:00</time>" in text
    assert "Automation (service user)" in text
    assert '<span id="L2"><a href="#L2" tabindex="-1">2</a>  console.log(&#39;one &lt; two&#39;);</span>' in text
    assert text.count("pages 2 · sent 130") == 2
    assert "↳ 2" in text


def test_a_workflow_without_schedule_runs_on_demand(local: Local) -> None:
    assert "On demand" in page(local, f"{WORKFLOWS}/{deploy(local, 'export default async () => 1;')}")


def test_the_run_button_starts_the_workflow_and_leads_to_its_execution(local: Local) -> None:
    workflow = deploy(local, "export default async function () { console.log('by hand'); }", isPrivate=False)

    answer = local.call("POST", f"{WORKFLOWS}/{workflow}/run", allow_redirects=False)

    assert answer.status_code == 303
    assert local.sim("GET", "idle", timeout_s=30)["idle"]
    text = page(local, answer.headers["location"])
    assert "by hand" in text
    assert "Manual by Mara Lindqvist" in text


def test_the_run_button_says_when_the_hourly_limit_is_hit(local: Local) -> None:
    workflow = deploy(local, "export default async () => 1;", hourlyExecutionLimit=1)
    run(local, workflow)

    answer = local.call("POST", f"{WORKFLOWS}/{workflow}/run", allow_redirects=False)

    assert answer.status_code == 429
    assert "Not started" in answer.text


def test_an_execution_shows_its_log_by_severity_and_its_result(local: Local) -> None:
    script = """export default async function () {
      console.log("=== Start ===");
      console.log("✓ fetched");
      console.log("⚠ late");
      console.log("✗ refused");
      return { sent: 130, window: { from: "2026-01-29T08:00:00Z" } };
    }"""
    execution = run(local, deploy(local, script))

    text = page(local, f"{EXECUTIONS}/{execution}?task=sync")

    for kind, line in (("strong", "=== Start ==="), ("good", "✓ fetched"), ("warn", "⚠ late"), ("bad", "✗ refused")):
        assert f'<span class="{kind}">{line}</span>' in text
    assert "&#34;sent&#34;: 130" in text
    assert live_ms(text) == 0


def test_a_failed_execution_says_why_in_the_script_s_own_words(local: Local) -> None:
    execution = run(local, deploy(local, "export default async function () { throw new Error('no such client'); }"))

    text = page(local, f"{EXECUTIONS}/{execution}")

    assert '<dd class="outcome tone-bad">no such client</dd>' in text
    assert "no such client" in text.partition("As the platform reports it")[2]
    assert "no such client" in page(local, EXECUTIONS)


def test_a_page_refreshes_itself_only_while_something_runs(local: Local) -> None:
    local.sim("POST", "clock", {"mode": "frozen"})
    script = "export default async () => { await new Promise((done) => setTimeout(done, 60000)); }"
    workflow = deploy(local, script, isPrivate=False)
    answer = local.call("POST", f"{WORKFLOWS}/{workflow}/run", allow_redirects=False)
    shown = ["/", WORKFLOWS, f"{WORKFLOWS}/{workflow}", EXECUTIONS, answer.headers["location"]]

    assert [live_ms(page(local, path)) for path in shown] == [2000] * 5
    local.sim("POST", "clock", {"mode": "auto"})
    assert local.sim("GET", "idle", timeout_s=30)["idle"]
    assert [live_ms(page(local, path)) for path in shown] == [0] * 5


def test_the_log_page_runs_the_manual_s_query(local: Local) -> None:
    ingest(
        local,
        {"content": "kept", "log.source": "sectigo-scm", "loglevel": "ERROR", "event.action": "revoke"},
        {"content": "of another source", "log.source": "other"},
    )

    text = page(local, "/ui/apps/dynatrace.logs")

    assert "1 record" in text
    assert "kept" in text
    assert "<dt>event.action</dt><dd>revoke</dd>" in text
    assert '<rect class="bad"' in text
    assert "of another source" not in text


def test_the_log_page_shows_sums_as_a_table(local: Local) -> None:
    ingest(local, {"content": "one", "loglevel": "INFO"}, {"content": "two", "loglevel": "INFO"})

    text = page(local, "/ui/apps/dynatrace.logs?" + urlencode({"query": "fetch logs | summarize n = count()"}))

    assert '<th scope="col" class="number">n</th>' in text
    assert '<td class="number">2</td>' in text


def test_a_wrong_query_is_answered_with_its_place(local: Local) -> None:
    query = 'fetch logs\n| filtr log.source == "x"'

    text = page(local, "/ui/apps/dynatrace.logs?" + urlencode({"query": query}), 400)

    assert "line 2, column 3" in text
    assert "| filtr log.source == &#34;x&#34;\n  ^^^^^</pre>" in text


@pytest.mark.parametrize("query", ["", "|", "fetch logs | filter '", "fetch logs\n| limit -1", HOSTILE, "\x00", "é🙂|"])
def test_no_query_breaks_the_log_page(local: Local, query: str) -> None:
    answer = local.call("GET", "/ui/apps/dynatrace.logs?" + urlencode({"query": query}))

    assert answer.status_code in (200, 400)
    assert HOSTILE not in answer.text


def test_hostile_text_is_escaped_everywhere(local: Local) -> None:
    local.sim("POST", "faults", {"api": "scm", "status": 500, "note": HOSTILE})
    ingest(local, {"content": HOSTILE, "log.source": "sectigo-scm", HOSTILE[:20]: HOSTILE})
    text = HOSTILE.replace("\\", "\\\\").replace("'", "\\'")
    script = f"export default async function () {{ console.log('{text}'); return '{text}'; }}"
    workflow = deploy(local, script, title=HOSTILE, description=HOSTILE)
    execution = run(local, workflow, input={"note": HOSTILE})
    entry = {"name": HOSTILE, "description": HOSTILE, "type": "TOKEN", "token": "t", "scopes": ["APP_ENGINE"]}
    assert local.call("POST", "/api/v2/credentials", json=entry, headers=DEPLOY).status_code == 201
    local.call("GET", "/api/v2/<script>?q=<script>")

    for path in [*PATHS, f"{WORKFLOWS}/{workflow}", f"{EXECUTIONS}/{execution}", "/_sim/ui/requests?path=<script>"]:
        shown = page(local, path)
        assert "<script>" not in shown
        assert "</span><script" not in shown


def test_no_page_shows_a_secret(local: Local) -> None:
    secrets = [
        "VERY-SECRET-TOKEN",
        "VERY-SECRET-PASSWORD",
        DEPLOY_TOKEN.split(".")[2],
        SEED["scm_clients"][0]["secret"],
    ]
    secrets.append(SEED["others"]["credentials"][0]["token"])
    for secret in (
        {"type": "TOKEN", "token": secrets[0]},
        {"type": "USERNAME_PASSWORD", "user": "u", "password": secrets[1]},
    ):
        entry = {"name": "Mine", "scopes": ["APP_ENGINE"], **secret}
        assert local.call("POST", "/api/v2/credentials", json=entry, headers=DEPLOY).status_code == 201

    for path in PATHS:
        text = page(local, path)
        assert not [secret for secret in secrets if secret in text]


def test_the_vault_page_shows_names_owner_and_access(local: Local) -> None:
    entry = {"name": "Mine", "type": "TOKEN", "token": "t", "scopes": ["APP_ENGINE"], "ownerAccessOnly": True}
    assert local.call("POST", "/api/v2/credentials", json=entry, headers=DEPLOY).status_code == 201

    text = page(local, "/ui/apps/dynatrace.credential.vault")

    assert "<strong>Mine</strong>" in text
    assert "Owner only" in text
    assert "CMDB read token" in text


def test_the_allowlist_page_tells_settling_hosts_from_those_in_effect(local: Local) -> None:
    local.sim("PATCH", "options", {"allowlist_settles_s": 10.0})
    schema = "builtin:dt-javascript-runtime.allowed-outbound-connections"
    value = {"allowedOutboundConnections": {"enforced": True, "hostList": ["new.example.com"]}}
    body = [{"schemaId": schema, "scope": "environment", "value": value}]
    assert local.call("POST", "/api/v2/settings/objects", json=body, headers=DEPLOY).status_code == 200

    path = "/ui/apps/dynatrace.settings/settings/external-requests"
    before = page(local, path)
    local.sim("POST", "clock", {"step": 11})
    after = page(local, path)

    assert "Settling" in before
    assert "Being removed" in before
    assert live_ms(before) == 2000
    assert "Settling" not in after
    assert "api.cmdb.nordhav.example" not in after


def test_the_permissions_page_tells_granted_from_missing(local: Local) -> None:
    text = page(local, "/ui/apps/dynatrace.automations/settings")

    assert "Granted" in text
    assert "Missing" in text


def test_the_request_page_filters(local: Local) -> None:
    local.call("GET", "/api/v2/credentials")
    local.call("POST", "/sso/oauth2/token")

    text = page(local, "/_sim/ui/requests?api=vault&caller=&path=&status=")

    assert "/api/v2/credentials" in text
    assert "/sso/oauth2/token" not in text
    assert page(local, "/_sim/ui/requests?status=599").count("No request matches") == 1


def test_the_controls_page_steps_the_clock_and_handles_faults(local: Local) -> None:
    def post(path: str, **form: str) -> requests.Response:
        return local.call("POST", f"/_sim/ui/controls/{path}", data=form, allow_redirects=False)

    assert post("clock", step="600").status_code == 303
    assert local.sim("GET", "clock")["now"] == "2026-01-29T10:10:00.000Z"
    assert post("clock", mode="frozen").status_code == 303
    assert local.sim("GET", "clock")["mode"] == "frozen"
    assert post("clock", mode="auto").status_code == 303
    assert post("clock").status_code == 400
    assert post("faults", rule='{"api": "scm", "status": 503}').status_code == 303
    rule = local.sim("GET", "faults")["faults"][0]["id"]
    assert "503" in page(local, "/_sim/ui/controls")
    assert post(f"faults/{rule}/remove").status_code == 303
    assert local.sim("GET", "faults")["faults"] == []
    assert post("clock", to="next run").status_code == 400  # nothing is due
    refused = post("faults", rule='{"api": "scm", "stauts": 503}')
    assert refused.status_code == 400
    assert "stauts: unknown" in refused.text
    assert post("faults", rule="{").status_code == 400


def test_the_clock_jumps_to_a_time_that_a_form_names(local: Local) -> None:
    def post(**form: str) -> requests.Response:
        return local.call("POST", "/_sim/ui/controls/clock", data=form, allow_redirects=False)

    assert 'name="at" value="2026-01-29T10:00:00Z"' in page(local, "/_sim/ui/controls")
    assert post(at=" 2026-03-01T12:00:00+02:00 ").status_code == 303
    assert local.sim("GET", "clock")["now"] == "2026-03-01T10:00:00.000Z"
    for given, problem in (
        ("soon", "is no ISO 8601 time"),
        ("1999-12-31", "The clock can be set from 2000-01-01 to 2100-01-01 only."),
        ("", "Choose a mode, a step or a time."),
    ):
        refused = post(at=given)
        assert refused.status_code == 400
        assert problem in refused.text.partition('class="notice bad" role="alert">')[2].partition("</p>")[0]
        assert not given or f'name="at" value="{given}"' in refused.text
    for step in ("99999999", "1e300", "-5", "nan"):
        assert post(step=step).status_code == (303 if step == "99999999" else 400)
    assert post(step="9999999999").status_code == 400
    assert local.sim("GET", "clock")["now"] == "2029-05-01T19:46:39.000Z"


def test_a_preset_is_broken_and_repaired_by_a_button(local: Local) -> None:
    def press(path: str) -> str:
        answer = local.call("POST", f"/_sim/ui/controls/{path}", allow_redirects=False)
        assert answer.status_code == 303
        return str(answer.headers["location"])

    assert press("presets/ingest-unavailable") == "/_sim/ui/controls#preset-ingest-unavailable"
    assert press("presets/history-refused").endswith("#preset-history-refused")
    waiting = page(local, "/_sim/ui/controls")
    assert local.call("POST", "/api/v2/logs/ingest", json=[{"content": "x"}]).status_code == 503
    struck = page(local, "/_sim/ui/controls")
    press("repair")

    assert "Not triggered yet." in waiting
    assert waiting.count('aria-label="Repair: ') == 2
    assert "Triggered once." in struck
    assert 'aria-label="Repair: ' not in page(local, "/_sim/ui/controls")
    assert local.sim("GET", "options")["old_records"] == "drop"
    assert local.call("POST", "/_sim/ui/controls/presets/none").status_code == 404


def test_every_preset_has_its_button_in_a_group_and_can_be_found(local: Local) -> None:
    text = page(local, "/_sim/ui/controls")
    running, _, deploying = text.partition("<h3>While something is deployed</h3>")

    def names(shown: str) -> set[str]:
        return set(re.findall(r'action="/_sim/ui/controls/presets/([a-z0-9-]+)"', shown))

    assert names(text) == {preset["name"] for preset in local.sim("GET", "presets")["presets"]}
    assert "script-killed" in names(running)
    assert "delete-fails" in names(deploying)
    scripts = running.partition("<h3>Scripts</h3>")[2].partition("</details>")[0]
    assert names(scripts) == {"script-killed", "script-frozen", "clock-ahead"}
    assert names(page(local, "/_sim/ui/controls?find=vault+cannot+be+DELETED")) == {"delete-fails"}
    assert "No preset matches." in page(local, "/_sim/ui/controls?find=xyzzy")


def test_options_are_changed_by_a_form_all_or_none(local: Local) -> None:
    def change(**form: str) -> requests.Response:
        return local.call("POST", "/_sim/ui/controls/options", data=form, allow_redirects=False)

    done = change(script_parallel="3", old_records="refuse", document_make_public="false")
    assert (done.status_code, done.headers["location"]) == (303, "/_sim/ui/controls#options")
    options = local.sim("GET", "options")
    assert (options["script_parallel"], options["old_records"]) == (3, "refuse")
    assert options["document_make_public"] is False
    assert "at the start 10" in page(local, "/_sim/ui/controls")
    for wrong, words in (({"script_parallel": "many"}, "expected a number"), ({"script_parallel": "999"}, "0 to 100")):
        refused = change(logs_visible_after_s="7", **wrong)
        assert refused.status_code == 400
        assert words in refused.text
    assert local.sim("GET", "options")["logs_visible_after_s"] == 0.0


def upload(local: Local, path: str, content: str) -> requests.Response:
    return local.call("POST", f"/_sim/ui/controls/{path}", files={"file": ("any.json", content)}, allow_redirects=False)


def test_the_state_is_kept_put_back_and_compared_by_forms(local: Local) -> None:
    kept, dump = json.dumps(local.sim("GET", "state")), json.dumps(local.sim("GET", "dump"))
    entry = {"name": "Mine", "type": "TOKEN", "token": "t", "scopes": ["APP_ENGINE"]}
    assert local.call("POST", "/api/v2/credentials", json=entry, headers=DEPLOY).status_code == 201

    changed = upload(local, "diff", dump)
    restored = upload(local, "state", kept)

    assert re.search(r'credentials</td><td class="number" data-label="came">1</td>', changed.text)
    assert "Everything is back, secrets included." in restored.text
    assert "Nothing: that dump and the current state are equal." in upload(local, "diff", dump).text
    assert "Mine" not in page(local, "/ui/apps/dynatrace.credential.vault")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"logs": 1}'])
@pytest.mark.parametrize("path", ["state", "diff"])
def test_a_file_that_is_none_of_ours_is_refused_with_the_reason(local: Local, path: str, content: str) -> None:
    answer = upload(local, path, content)

    if (path, content) == ("diff", "{}"):  # a dump of nothing
        assert answer.status_code == 200
        return
    assert answer.status_code == 400
    assert 'class="notice bad" role="alert"' in answer.text


def test_starting_anew_brings_back_what_a_fresh_environment_holds(local: Local) -> None:
    workflow = deploy(local, "export default async () => 1;")

    answer = local.call("POST", "/_sim/ui/controls/reset", allow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page(local, f"{WORKFLOWS}/{workflow}", 404)


def test_a_running_script_is_frozen_thawed_and_killed_by_buttons(local: Local) -> None:
    local.sim("POST", "clock", {"mode": "frozen"})
    script = "export default async () => { await new Promise((done) => setTimeout(done, 60000)); }"
    workflow = deploy(local, script, isPrivate=False)
    started = local.call("POST", f"{WORKFLOWS}/{workflow}/run", allow_redirects=False).headers["location"]

    def press(button: str) -> str:
        assert local.call("POST", f"{started}/{button}", allow_redirects=False).status_code == 303
        return page(local, started)

    assert "Thaw the script" in press("freeze")
    assert "Freeze the script" in press("thaw")
    killed = press("kill")
    local.sim("POST", "clock", {"mode": "auto"})

    assert "Error</span>" in killed
    assert re.search(r'id="kill" disabled', killed)
    assert local.call("POST", f"{started}/kill").status_code == 404


def test_the_request_page_says_what_to_try_instead(local: Local) -> None:
    bearer_of_nothing = {"authorization": "Bearer nothing"}
    for method, path, headers in (
        ("GET", "/api/v2/credential", {}),
        ("DELETE", "/api/v2/settings/objects", {}),
        ("GET", "/api/v2/credentials", {}),
        ("GET", "/api/v2/credentials/none", DEPLOY),
        ("GET", "/platform/automation/v1/workflows", bearer_of_nothing),
        ("GET", "/platform/automation/v1/workflows", bearer(local, "automation:workflows:run")),
        ("GET", "/zzz", {}),
    ):
        assert local.call(method, path, headers=headers).status_code >= 400
    local.sim("POST", "faults", {"api": "vault", "status": 503})
    local.call("GET", "/api/v2/credentials", headers=DEPLOY)

    text = page(local, "/_sim/ui/requests")

    for hint in (
        "No such route. Closest: /api/v2/credentials or",
        "This path takes GET, POST, not DELETE.",
        "“Authorization: Api-Token dt0c01…”",
        "The route is right (/api/v2/credentials/{id}); nothing has this id.",
        "“Authorization: Bearer …”",
        "It needs the scope automation:workflows:read.",
        "No such route, and none is close.",
        "answered 503.",
    ):
        assert hint in text
    assert 'role="alert"' in page(local, "/_sim/ui/requests?status=x", 400)


@pytest.mark.parametrize("path", [f"{WORKFLOWS}/none", f"{EXECUTIONS}/none", "/ui/apps/dynatrace.notebooks", "/ui/x/y"])
def test_a_page_that_is_not_there_says_so(local: Local, path: str) -> None:
    assert "Back to the overview" in page(local, path, 404)


@pytest.mark.parametrize("name", ["style.css", "live.js", "icon.svg"])
def test_what_pages_need_comes_from_here(local: Local, name: str) -> None:
    answer = local.call("GET", f"/_sim/ui/static/{name}")

    assert answer.status_code == 200
    assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("name", ["..%2Frender.py", "%2e%2e/render.py", "none.css"])
def test_no_other_file_is_served(local: Local, name: str) -> None:
    assert local.call("GET", f"/_sim/ui/static/{name}").status_code in (404, 501)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "\u2013"), (0.84, "0.8 s"), (59.4, "59 s"), (100, "1 min 40 s"), (120, "2 min"), (7500, "2 h 5 min")],
)
def test_durations_read_naturally(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_the_reason_of_a_crash_is_the_script_s_own_message() -> None:
    crash = 'An error occurred: {"code":540,"message":"Execution crashed.","details":{"message":"no token"}}'

    assert executions.reason(crash) == "no token"
    assert executions.reason('An error occurred: {"code":540,"message":"Timed out.","details":{}}') == "Timed out."
    assert executions.reason("Timed out: after 120 s") == "Timed out: after 120 s"

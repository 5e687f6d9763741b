"""What a script's fetch reaches, and how what goes wrong on the way arrives in the script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import SEED, add_user
from local_dynatrace.testing.flows import READ, RUN, SLEEP, WRITE, Outcome, allow, author, play

INGEST_TOKEN: str = SEED["api_tokens"][1]["token"]
SCM_CLIENT: dict[str, str] = SEED["scm_clients"][0]
AUDIT = "https://audit.demo.sectigo.com/api/v1/records"
TRY = """
    const attempt = async (...call) => {
        try {
            const answer = await fetch(...call);
            return [answer.status, answer.url, await answer.text()];
        } catch (error) { return [error.name, error.message]; }
    };
"""


def fetched(local: Local, call: str, **more: Any) -> Any:
    """What one fetch with these arguments gives: [status, url, text] or [name, message]."""
    found = play(local, TRY + f"export default () => attempt({call});", **more)
    assert found.state == "SUCCESS", found.info
    return found.result


def seen(local: Local, **query: Any) -> list[dict[str, Any]]:
    """The request log."""
    lines: list[dict[str, Any]] = local.sim("GET", "requests", **query)["requests"]
    return lines


def test_a_relative_platform_url_carries_the_actors_rights(local: Local) -> None:
    status, url, text = fetched(local, "'/platform/automation/v1/settings/user-permissions'")

    assert (status, url) == (200, f"{local.url}/platform/automation/v1/settings/user-permissions")
    assert "automation:workflows:run" in json.loads(text)


def test_an_absolute_url_of_the_own_environment_is_one_of_the_world_outside(local: Local) -> None:
    url = f"{local.url}/platform/automation/v1/settings/user-permissions"
    allow(local, "audit.demo.sectigo.com")
    assert fetched(local, f"'{url}'") == ["TypeError", "Blocked request to '127.0.0.1' (host not in allowlist)"]

    allow(local, "127.0.0.1")
    assert fetched(local, f"'{url}'")[0] == 401  # nobody's rights go with it


def test_a_call_that_the_actors_permissions_do_not_cover_is_refused(local: Local) -> None:
    add_user(local, "narrow@nordhav.example", READ, WRITE, RUN, "app-engine:functions:run")

    found = play(
        local,
        TRY + "export default () => attempt('/platform/metadata/v1/classic-environment-domain');",
        author(local, user="narrow@nordhav.example"),
    )
    assert found.result[0] == 403
    assert json.loads(found.result[2])["error"]["details"] == {"missingPermissions": ["app-engine:apps:run"]}


def test_a_relative_url_beside_the_platform_apis_is_not_found(local: Local) -> None:
    assert fetched(local, "'/api/v2/credentials'")[0] == 404


@pytest.mark.parametrize("path", ["/_sim/health", "/_sim", "/ui/apps/dynatrace.automations", "/%5fsim/dump"])
def test_neither_control_api_nor_pages_are_there_for_scripts(local: Local, path: str) -> None:
    allow(local, "127.0.0.1")

    assert fetched(local, f"'{path}'")[0] == 404
    assert fetched(local, f"'{local.url}{path}'")[0] == 404


def test_a_host_that_is_not_allowed_is_blocked(local: Local) -> None:
    allow(local, "auth.sso.sectigo.com")

    assert fetched(local, f"'{AUDIT}'") == [
        "TypeError", "Blocked request to 'audit.demo.sectigo.com' (host not in allowlist)",
    ]  # fmt: skip
    assert fetched(local, f"'{local.url}/api/v2/logs/ingest'")[1].startswith("Blocked request to '127.0.0.1'")
    assert not [line for line in seen(local) if line["execution"]]


def test_an_allowed_host_that_nobody_has_does_not_resolve(local: Local) -> None:
    allow(local, "nobody.example.com")

    name, message = fetched(local, "'https://nobody.example.com/x'")
    assert name == "TypeError"
    assert "https://nobody.example.com/x" in message
    assert "dns error" in message


def test_the_sectigo_hosts_lead_to_scm_and_to_nothing_else(local: Local) -> None:
    allow(local, "audit.demo.sectigo.com", "auth.sso.sectigo.com")
    script = (
        TRY
        + f"""
        const token = "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token";
        export default async () => {{
            const form = new URLSearchParams({{ grant_type: "client_credentials",
                client_id: {json.dumps(SCM_CLIENT["id"])}, client_secret: {json.dumps(SCM_CLIENT["secret"])} }});
            const answer = await (await fetch(token, {{ method: "POST", body: form }})).json();
            const from = encodeURIComponent("2026-01-29T09:00:00Z"), to = encodeURIComponent("2026-01-29T10:00:00Z");
            const headers = {{ authorization: `Bearer ${{answer.access_token}}` }};
            return [
                (await attempt(`{AUDIT}?from=${{from}}&to=${{to}}`, {{ headers }}))[0],
                (await attempt("https://audit.demo.sectigo.com/api/v2/logs/ingest"))[0],
                (await attempt("https://auth.sso.sectigo.com/sso/oauth2/token", {{ method: "POST" }}))[0],
                (await attempt("http://audit.demo.sectigo.com/api/v1/records"))[0],
                (await attempt("https://audit.demo.sectigo.com:8443/api/v1/records"))[0],
            ];
        }};"""
    )

    found = play(local, script)
    assert found.result == [200, 404, 404, "TypeError", "TypeError"], found.info


def test_logs_can_be_sent_to_the_environment_itself_with_an_api_token(local: Local) -> None:
    allow(local, "127.0.0.1")
    records = json.dumps([{"content": "from a script", "log.source": "test"}])
    headers = json.dumps({"authorization": f"Api-Token {INGEST_TOKEN}", "content-type": "application/json"})
    options = f"{{ method: 'POST', headers: {headers}, body: JSON.stringify({records}) }}"

    assert fetched(local, f"'{local.url}/api/v2/logs/ingest', {options}")[0] == 204
    line = seen(local, api="logs")[-1]
    assert (line["path"], line["status"], line["execution"] is not None) == ("/api/v2/logs/ingest", 204, True)


def test_calls_of_a_script_are_logged_with_its_execution(local: Local) -> None:
    found = play(local, TRY + "export default () => attempt('/platform/automation/v1/version?x=1');")

    line = next(line for line in seen(local) if line["path"].endswith("/version"))
    assert (line["execution"], line["query"]) == (found.execution, "x=1")
    assert line["caller"] == f"bearer workflow:{found.execution}"


def test_method_body_headers_and_request_objects_pass_unchanged(local: Local) -> None:
    allow(local, "127.0.0.1")
    found = play(
        local,
        """const path = "/platform/automation/v1/schedules/preview";
        const schedule = { trigger: { type: "time", time: "06:30" } };
        export default async () => {
            const request = new Request(path, { method: "POST", body: JSON.stringify({ schedule }) });
            const answer = await fetch(request);
            const copy = answer.clone();
            return [answer.ok, answer.headers.get("content-type"), (await copy.json()).valid,
                (await fetch(path, { method: "DELETE" })).status, (await fetch(new URL(path, location))).status];
        };""",
    )

    assert found.result == [True, "application/json; charset=utf-8", True, 405, 405], found.info


def test_a_wrong_url_is_a_type_error(local: Local) -> None:
    assert fetched(local, "'https://'")[0] == "TypeError"


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_connection_that_is_cut_is_a_network_error_that_names_the_target(local: Local, cut: str) -> None:
    local.sim("POST", "faults", {"path": "*/version", "caller": "script", "cut": cut})

    name, message = fetched(local, "'/platform/automation/v1/version'")
    assert name == "TypeError"
    assert f"{local.url}/platform/automation/v1/version" in message
    lines = [line for line in seen(local) if line["path"].endswith("/version")]
    assert [line["status"] for line in lines] == [0]  # one call: nothing retries behind the script's back


def test_a_body_that_breaks_off_fails_when_it_is_read(local: Local) -> None:
    local.sim("POST", "faults", {"path": "*/version", "caller": "script", "truncate": 5})

    found = play(
        local,
        """export default async () => {
            const answer = await fetch("/platform/automation/v1/version");
            try { await answer.json(); } catch (error) { return [answer.status, error.name]; }
        };""",
    )
    assert found.result == [200, "TypeError"]


def test_a_fault_answers_instead_of_the_api(local: Local) -> None:
    fault = {"path": "*/version", "caller": "script", "status": 429, "headers": {"Retry-After": "7"}}
    local.sim("POST", "faults", fault)

    found = play(
        local,
        """export default async () => {
            const answer = await fetch("/platform/automation/v1/version");
            return [answer.status, answer.headers.get("retry-after")];
        };""",
    )
    assert found.result == [429, "7"]


def redirect(local: Local, options: str = "{}") -> Outcome:
    fault = {"path": "*/version", "caller": "script", "status": 302,
             "headers": {"Location": "https://audit.demo.sectigo.com/api/v1/records"}}  # fmt: skip
    local.sim("POST", "faults", fault)
    return play(local, TRY + f"export default () => attempt('/platform/automation/v1/version', {options});")


def test_a_redirect_is_followed_only_to_an_allowed_host(local: Local) -> None:
    allow(local, "127.0.0.1")
    assert redirect(local).result[1].startswith("Blocked request to 'audit.demo.sectigo.com'")

    allow(local, "audit.demo.sectigo.com")
    assert redirect(local).result[:2] == [401, AUDIT]


def test_a_redirect_can_be_refused_or_looked_at(local: Local) -> None:
    assert redirect(local, "{ redirect: 'error' }").result[0] == "TypeError"
    assert redirect(local, "{ redirect: 'manual' }").result[0] == 302


def test_the_automatic_clock_jumps_over_a_delayed_answer(local: Local) -> None:
    local.sim("POST", "faults", {"path": "*/version", "caller": "script", "delay_s": 30})

    found = play(
        local,
        """export default async () => {
            const at = Date.now();
            await fetch("/platform/automation/v1/version");
            return Date.now() - at;
        };""",
    )
    assert found.result == 30_000


def test_a_fetch_can_be_aborted_by_a_timer_while_its_answer_is_late(local: Local) -> None:
    local.sim("POST", "faults", {"path": "*/version", "caller": "script", "delay_s": 30})

    found = play(
        local,
        """export default async () => {
            const at = Date.now(), controller = new AbortController();
            setTimeout(() => controller.abort(), 20_000);
            try { await fetch("/platform/automation/v1/version", { signal: controller.signal }); }
            catch (error) { return [error.name, Date.now() - at]; }
        };""",
    )
    assert found.result == ["AbortError", 20_000]


def test_an_aborted_signal_sends_nothing(local: Local) -> None:
    assert fetched(local, "'/platform/automation/v1/version', { signal: AbortSignal.abort() }")[0] == "AbortError"
    assert not [line for line in seen(local) if line["path"].endswith("/version")]


def test_calls_side_by_side_are_waited_for_together(local: Local) -> None:
    for seconds in (10, 20):
        local.sim("POST", "faults", {"path": "*/version", "caller": "script", "delay_s": seconds})

    found = play(
        local,
        SLEEP
        + """export default async () => {
            const at = Date.now(), took = [];
            const call = async () => {
                await fetch("/platform/automation/v1/version");
                took.push(Date.now() - at);
                await crypto.subtle.digest("SHA-256", new Uint8Array(5_000_000));
            };
            await Promise.all([call(), call(), call(), sleep(15).then(() => took.push("slept"))]);
            return took;
        };""",
    )
    assert found.result == [0, 10_000, "slept", 20_000]


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
def test_a_script_is_killed_in_the_middle_of_a_call_before_or_after_its_effect(
    local: Local, when: str, stored: int
) -> None:
    fault = {"method": "POST", "path": "*/workflows", "caller": "script", "script": "kill", "when": when}
    local.sim("POST", "faults", fault)

    found = play(
        local,
        """export default async () => {
            const body = JSON.stringify({ title: "Made by a script" });
            await fetch("/platform/automation/v1/workflows", { method: "POST", body });
            console.log("came back");
        };""",
    )
    assert (found.state, found.log) == ("ERROR", "")
    listed = local.call(
        "GET", "/platform/automation/v1/workflows", headers=author(local), params={"search": "Made by a script"}
    ).json()
    assert listed["count"] == stored


def test_the_listener_of_scripts_serves_nobody_else(local: Local) -> None:
    assert len(listeners(local)) == 1
    for candidate in listeners(local):
        answer = local.session.get(f"http://127.0.0.1:{candidate}/", headers={"x-dt-execution": "guess"}, timeout=10)
        assert (answer.status_code, "scripts of workflows only" in answer.text) == (403, True)


def listeners(local: Local) -> list[int]:
    """The process's other listening ports."""
    inodes = set()
    for link in Path(f"/proc/{local.process.pid}/fd").iterdir():
        name = str(link.readlink())
        if name.startswith("socket:["):
            inodes.add(name[8:-1])
    ports = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in inodes:
            ports.append(int(fields[1].rpartition(":")[2], 16))
    return [port for port in ports if port != local.port]

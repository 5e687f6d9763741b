"""The JavaScript runtime: what a script finds, what it must not find, its limits, its clock, its end."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, SERVICE_USER
from local_dynatrace.testing.flows import (
    NOTHING,
    SLEEP,
    Outcome,
    author,
    create,
    get,
    outcome,
    play,
    settle,
    start,
    task,
)

from . import ROOT

pytestmark = pytest.mark.slow

FOREVER = "export default () => new Promise(() => {});"


def reason(found: Outcome) -> dict[str, Any]:
    """The error object in a failed task's text."""
    assert found.state == "ERROR"
    prefix, _, error = (found.info or "").partition("An error occurred: ")
    assert prefix == ""
    decoded: dict[str, Any] = json.loads(error)
    return decoded


def frozen(local: Local, script: str) -> str:
    """Start a script on a clock that stands still; returns the execution's id."""
    local.sim("POST", "clock", {"mode": "frozen"})
    headers = author(local)
    return start(local, headers, create(local, headers, script)["id"])


def wait_for_log(local: Local, execution: str, text: str) -> None:
    """Until the script has printed this: it shows while the script runs."""
    headers = author(local)
    for _ in range(2000):
        if text in get(local, headers, f"executions/{execution}/log"):
            return
    raise AssertionError(f"'{text}' was not printed")


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody collects does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_argument_names_execution_and_action_in_both_spellings(local: Local) -> None:
    found = play(local, "export default (argument) => argument;")

    assert found.result["executionId"] == found.result["execution_id"] == found.execution
    assert found.result["actionExecutionId"] == found.result["action_execution_id"]
    assert found.result["loopItemValue"] == {}


OF_DENO = re.compile(
    r"deno|--\w|\bflag\b|file:|ext:|node_modules|[0-9a-f]{16}|/work|/tmp|/home|Uncaught", re.IGNORECASE
)
NO_FILES = "Access to files is not allowed in the Dynatrace JavaScript runtime"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ('import fs from "node:fs"; export default () => fs.readFileSync("/etc/passwd");', NO_FILES),
        ('import fs from "node:fs"; export default () => fs.writeFileSync("x", "y");', NO_FILES),
        ('import fs from "node:fs/promises"; export default () => fs.readFile("/etc/passwd");', NO_FILES),
        (
            'import os from "node:os"; export default () => os.hostname();',
            "Access to system information is not allowed",
        ),
        (
            'import cp from "node:child_process"; export default () => cp.execSync("ls");',
            "is not allowed in the Dynatrace",
        ),
        (
            'import process from "node:process"; export default () => process.env.HOME;',
            "Access to environment variables",
        ),
        ('import x from "npm:lodash"; export default () => x;', "Modules from npm cannot be imported"),
        ('import x from "jsr:@std/path"; export default () => x;', 'Module "@std/path" not found'),
        ('import x from "lodash"; export default () => x;', 'Module "lodash" not found'),
        ('import x from "@dynatrace-sdk/nope"; export default () => x;', 'Module "@dynatrace-sdk/nope" not found'),
        ('import x from "https://a.example/b.js"; export default () => x;', 'Module "https://a.example/b.js"'),
        ('import x from "./other.js"; export default () => x;', 'Module "other.js" not found'),
        ('export default () => import("file:///etc/passwd");', 'Module "etc/passwd" not found'),
        ("export default async () => { Promise.reject(new TypeError('late')); await fetch('/'); };", "late"),
        ("export default () => {", "Expected '}'"),
    ],
)
def test_a_script_s_author_reads_nothing_of_deno_or_this_machine(local: Local, script: str, message: str) -> None:
    found = play(local, script)

    details = reason(found)["details"]
    told = f"{details['message']}\n{details['stack']}"
    assert message in told
    assert not OF_DENO.search(told)


def test_what_a_script_catches_logs_and_returns_names_no_file_of_this_machine(local: Local) -> None:
    found = play(
        local,
        """import fs from "node:fs"; import process from "node:process";
        export default () => { try { fs.readFileSync("/etc/passwd"); } catch (error) {
            console.log(error); return [error.name, error.message, new Error("x").stack,
                import.meta.url, process.cwd()];
        } };""",
    )

    name, message, stack, url, folder = found.result
    assert (name, message, url, folder) == ("Error", NO_FILES, "script.ts", "/")
    assert stack == "Error: x\n    at Module.default (script.ts:3:68)"
    assert found.log == f"Error: {NO_FILES}\n    at Module.default (script.ts:2:41)"


def test_a_script_may_have_five_megabytes(local: Local) -> None:
    at_the_limit = NOTHING.ljust(5 * 1024 * 1024)
    fits, exceeds = play(local, at_the_limit), play(local, at_the_limit + " ")

    assert fits.state == "SUCCESS"
    assert exceeds.state == "ERROR"
    assert reason(exceeds)["message"] == "The script has 5242881 bytes, more than 5242880."


def test_typescript_is_accepted(local: Local) -> None:
    assert play(local, "export default async (): Promise<number> => 1 as number;").result == 1


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("export default () => {};", None),
        ("export default () => [1, 'ü', null];", [1, "ü", None]),
        ("export default () => 'text';", "text"),
        ("export default () => ({at: new Date(0)});", {"at": "1970-01-01T00:00:00.000Z"}),
    ],
)
def test_the_result_is_what_json_makes_of_the_returned_value(local: Local, script: str, result: Any) -> None:
    found = play(local, script)

    assert (found.state, found.result) == ("SUCCESS", result)


def test_all_console_methods_print_to_the_log_as_a_console_would(local: Local) -> None:
    found = play(
        local,
        """export default () => {
            console.log("a", 1, {b: [2, {c: 3}]}); console.info("%s is %d", "x", 5); console.warn("warn");
            console.error("two\\nlines"); console.debug("debug");
        };""",
    )

    assert found.log == "a 1 { b: [ 2, { c: 3 } ] }\nx is 5\nwarn\ntwo\nlines\ndebug"


def test_only_what_the_platform_documents_is_there(local: Local) -> None:
    found = play(
        local,
        """const hidden = typeof Deno;
        const absent = `process WebSocket EventSource Worker eval Buffer global window setImmediate localStorage
            caches alert prompt WebAssembly SharedArrayBuffer BroadcastChannel Temporal`.split(/\\s+/);
        const present = `fetch Request Response Headers FormData URL URLSearchParams URLPattern AbortController
            TextEncoder TextDecoder ReadableStream Blob File crypto atob btoa structuredClone performance Intl location
            navigator CompressionStream`.split(/\\s+/);
        export default () => ({
            wrong: [...absent.filter((name) => name in globalThis), ...present.filter((name) => !(name in globalThis))],
            functions: (() => { try { return (() => {}).constructor("return 1")(); } catch (e) { return e.name; } })(),
            location: location.origin,
            hidden,
        });""",
    )

    assert found.result == {"wrong": [], "functions": "EvalError", "location": local.url, "hidden": "undefined"}


def test_node_modules_that_need_no_machine_work(local: Local) -> None:
    found = play(
        local,
        """import { createHash } from "node:crypto";
        import { gzipSync, gunzipSync } from "node:zlib";
        import { Buffer } from "node:buffer";
        import "node:stream"; import "node:http"; import "node:util";
        export default () => [
            createHash("sha256").update("x").digest("hex").slice(0, 8),
            gunzipSync(gzipSync(Buffer.from("text"))).toString(), typeof Deno,
        ];""",
    )

    assert found.result == ["2d711642", "text", "undefined"], found.info


def test_neither_files_nor_environment_nor_other_ports_are_reachable(local: Local) -> None:
    found = play(
        local,
        """import { readFileSync } from "node:fs";
        import { connect } from "node:net";
        import process from "node:process";
        const attempt = (what) => { try { return String(what()); } catch (e) { return "refused"; } };
        export default async () => ({
            file: attempt(() => readFileSync("/etc/hostname")),
            environment: attempt(() => process.env.PATH),
            port: await new Promise((done) => {
                try { connect(PORT, "127.0.0.1").on("connect", () => done("open")).on("error", () => done("refused")); }
                catch { done("refused"); }
            }),
        });""".replace("PORT", str(local.port)),
    )

    assert found.result == {"file": "refused", "environment": "refused", "port": "refused"}


def test_an_uncaught_exception_fails_the_task_and_shows_no_path_of_this_machine(local: Local) -> None:
    found = play(
        local,
        """export default async () => {
            console.error(new Error("printed"));

            throw new RangeError("boom");
        };""",
    )

    error = reason(found)
    assert (error["code"], error["message"]) == (540, "Execution crashed.")
    assert error["details"]["type"] == "UNCAUGHT_EXCEPTION"
    assert (error["details"]["name"], error["details"]["message"]) == ("RangeError", "boom")
    assert re.search(r"\(script\.ts:4:\d+", error["details"]["stack"])
    for text in (found.info, found.log):
        assert "file:" not in str(text)
        assert str(ROOT) not in str(text)
        assert str(local.folder) not in str(text)
        assert "\x1b" not in str(text)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("export default () => { throw 'text'; };", "text"),
        ("export default () => 1n;", "BigInt"),
        ("export const other = 1;", "default export"),
        ("export default () => {", "Expected '}'"),
        ("import x from 'left-pad'; export default () => x;", "left-pad"),
        ("import x from 'https://example.com/x.js'; export default () => x;", "example.com"),
        ("export default () => new Promise(() => Promise.reject(new Error('unheard')));", "unheard"),
        ("export default () => new Promise(() => setTimeout(() => { throw new Error('in a timer'); }));", "in a timer"),
    ],
)
def test_whatever_breaks_a_script_is_reported(local: Local, script: str, words: str) -> None:
    error = reason(play(local, script))

    assert error["message"] == "Execution crashed."
    assert words in error["details"]["message"]
    assert str(local.folder) not in json.dumps(error)


def test_a_script_is_killed_at_its_limit_without_finally(local: Local) -> None:
    found = play(
        local,
        SLEEP + "export default async () => { try { await sleep(121); } finally { console.log('finally'); } };",
    )

    assert reason(found)["details"]["type"] == "TIMEOUT"
    assert (found.runtime, found.log) == (120, "")


def test_a_script_that_waits_for_nothing_at_all_ends_at_the_limit_too(local: Local) -> None:
    found = play(local, FOREVER)

    assert (reason(found)["details"]["type"], found.runtime) == ("TIMEOUT", 120)


def test_a_task_timeout_below_the_limit_ends_the_script_earlier_and_one_above_does_not_extend_it(local: Local) -> None:
    short = play(local, "", tasks={"main": task(FOREVER, timeout=30)})
    long = play(local, "", tasks={"main": task(FOREVER, timeout="3600")})

    assert (short.state, short.runtime) == ("ERROR", 30)
    assert (long.state, long.runtime) == ("ERROR", 120)


def test_a_script_that_computes_without_pause_is_killed_although_the_clock_stands_still(local: Local) -> None:
    local.sim("PATCH", "options", {"script_limit_s": 1.0})

    found = play(local, "export default () => { for (;;); };")
    assert reason(found)["details"]["type"] == "TIMEOUT"


def test_memory_is_limited(local: Local) -> None:
    local.sim("PATCH", "options", {"script_memory_mb": 64})

    found = play(local, "export default () => { const all = []; for (;;) all.push({ a: [all.length] }); };")
    error = reason(found)
    assert (error["details"]["type"], "64 MB" in error["message"]) == ("OUT_OF_MEMORY", True)


def test_the_result_is_limited(local: Local) -> None:
    fits = play(local, "export default () => 'x'.repeat(1000 * 1000);")
    large = play(local, "export default () => 'x'.repeat(1100 * 1000);")
    huge = play(local, "export default () => 'x'.repeat(50 * 1000 * 1000);")

    assert fits.state == "SUCCESS"
    assert reason(large)["details"]["type"] == reason(huge)["details"]["type"] == "RESULT_TOO_LARGE"


def test_one_script_too_many_is_refused_at_its_start(local: Local) -> None:
    local.sim("PATCH", "options", {"script_parallel": 1})
    frozen(local, FOREVER)
    headers = author(local)

    refused = start(local, headers, create(local, headers)["id"])
    assert reason(outcome(local, headers, refused))["code"] == 429


def test_date_timers_and_performance_follow_the_simulated_clock(local: Local) -> None:
    began = time.monotonic()
    found = play(
        local,
        SLEEP
        + """export default async () => {
            const seen = [[new Date().toISOString(), Date.now(), performance.now()]];
            await sleep(90.5);
            seen.push([new Date().toISOString(), Date.now() - seen[0][1], performance.now()]);
            return seen;
        };""",
    )

    assert found.result == [
        ["2026-01-29T10:00:00.000Z", 1769680800000, 0],
        ["2026-01-29T10:01:30.500Z", 90500, 90500],
    ]
    assert time.monotonic() - began < 30


def test_dates_are_dates(local: Local) -> None:
    found = play(
        local,
        """class Mine extends Date { day() { return this.getUTCDate(); } }
        export default () => [new Date() instanceof Date, new Date(5).getTime(), typeof Date(), Date.UTC(1970, 0, 1),
            new Date().constructor === Date, new Mine().day(), structuredClone(new Date(7)).getTime(),
            Date.parse("1970-01-01T00:00:01Z"), new Date(1970, 0, 1).toISOString()];""",
    )

    assert found.result == [True, 5, "string", 0, True, 29, 7, 1000, "1970-01-01T00:00:00.000Z"]


def test_timers_fire_in_the_order_of_their_times_and_can_be_cleared(local: Local) -> None:
    found = play(
        local,
        """export default () => new Promise((done) => {
            const seen = [];
            const note = (name) => seen.push([name, performance.now()]);
            setTimeout(note, 3000, "third");
            setTimeout(note, 1000, "first");
            clearTimeout(setTimeout(note, 1500, "never"));
            const ticks = setInterval(() => {
                note("tick");
                if (performance.now() >= 4000) clearInterval(ticks);
            }, 2000);
            setTimeout(() => done(seen), 5000);
        });""",
    )

    assert found.result == [["first", 1000], ["tick", 2000], ["third", 3000], ["tick", 4000]]


def test_a_frozen_clock_holds_timers_until_it_is_stepped(local: Local) -> None:
    execution = frozen(
        local,
        SLEEP
        + """export default async () => {
            console.log("waiting"); await sleep(10); console.log("at", new Date().toISOString()); await sleep(10);
        };""",
    )
    wait_for_log(local, execution, "waiting")
    local.sim("POST", "clock", {"step": 9})
    assert local.sim("GET", "health")["runtime"]["running"] == [execution]

    local.sim("POST", "clock", {"step": 1})
    wait_for_log(local, execution, "at 2026-01-29T10:00:10.000Z")
    local.sim("POST", "clock", {"step": 10})
    settle(local)
    assert outcome(local, author(local), execution).runtime == 20


def test_a_clock_that_was_set_back_is_what_the_script_sees(local: Local) -> None:
    execution = frozen(
        local,
        """export default () => new Promise((done) => {
            console.log("ready");
            const look = () => Date.now() < 1769680800000 ? done(new Date()) : setTimeout(look, 0);
            look();
        });""",
    )
    wait_for_log(local, execution, "ready")
    local.sim("POST", "clock", {"jump": "2026-01-29T09:59:00Z"})
    settle(local)
    assert outcome(local, author(local), execution).result == "2026-01-29T09:59:00.000Z"


def test_a_clock_set_back_gives_timers_and_the_limit_no_more_time(local: Local) -> None:
    script = SLEEP + "export default async () => { console.log('ready'); await sleep(%d); return performance.now(); };"
    short, long = frozen(local, script % 60), frozen(local, script % 600)
    for execution in (short, long):
        wait_for_log(local, execution, "ready")

    local.sim("POST", "clock", {"step": 50})
    local.sim("POST", "clock", {"step": -3600})
    local.sim("POST", "clock", {"step": 10})
    for _ in range(2000):
        if get(local, author(local), f"executions/{short}")["state"] != "RUNNING":
            break
    local.sim("POST", "clock", {"step": 60})
    settle(local)

    assert outcome(local, author(local), short).result == 60_000
    assert reason(outcome(local, author(local), long))["details"]["type"] == "TIMEOUT"


def test_a_running_clock_is_real_time(local: Local) -> None:
    local.sim("POST", "clock", {"mode": "running"})

    found = play(
        local,
        SLEEP + "export default async () => { const at = Date.now(); await sleep(0.05); return Date.now() - at; };",
    )
    assert 45 <= found.result < 5000


def test_a_running_script_is_killed_on_request(local: Local) -> None:
    execution = frozen(local, FOREVER)

    local.sim("POST", f"executions/{execution}/kill")
    found = outcome(local, author(local), execution)
    assert reason(found)["details"]["type"] == "KILLED"
    assert get(local, author(local), f"executions/{execution}")["state"] == "ERROR"


def test_memory_beside_the_heap_counts_too(local: Local) -> None:
    found = play(
        local,
        """export default async () => {
            const held = [];
            while (held.length < 100) {
                held.push(new Uint8Array(20_000_000).fill(1));
                await (await fetch("/platform/metadata/v1/classic-environment-domain")).text();
            }
            return held.length;
        };""",
    )

    assert reason(found)["details"]["type"] == "OUT_OF_MEMORY"


def test_a_frozen_script_stands_still_while_others_and_the_clock_go_on(local: Local) -> None:
    execution = frozen(
        local,
        SLEEP + "export default async () => { console.log('before'); await sleep(10); return new Date(); };",
    )
    wait_for_log(local, execution, "before")
    local.sim("POST", f"executions/{execution}/freeze")
    local.sim("POST", "clock", {"mode": "auto"})
    headers = author(local)
    other = start(
        local, headers, create(local, headers, SLEEP + "export default async () => { await sleep(60); };")["id"]
    )
    for _ in range(2000):
        if get(local, headers, f"executions/{other}")["state"] != "RUNNING":
            break

    assert outcome(local, headers, other).runtime == 60
    assert local.sim("GET", "health")["runtime"]["running"] == [execution]
    local.sim("POST", f"executions/{execution}/thaw")
    settle(local)
    assert outcome(local, headers, execution).result == "2026-01-29T10:01:00.000Z"


def test_a_frozen_script_that_waits_for_an_answer_knows_the_time_when_it_takes_it(local: Local) -> None:
    ask = "/platform/metadata/v1/classic-environment-domain"
    local.sim("POST", "faults", {"path": ask, "script": "freeze", "when": "after", "times": None})
    execution = frozen(
        local,
        f"""export default async () => {{
            const waits = [];
            for (let round = 0; round < 10; round++) {{
                const asked = performance.now();
                await (await fetch("{ask}")).text();
                waits.push(performance.now() - asked);
            }}
            return waits;
        }};""",
    )
    for asked in range(1, 11):
        while len(local.sim("GET", "requests", caller="script", limit=100)["requests"]) < asked:
            pass
        local.sim("POST", "clock", {"step": 7})
        local.sim("POST", f"executions/{execution}/thaw")

    settle(local)
    assert outcome(local, author(local), execution).result == [7000] * 10


def test_the_host_of_a_script_may_be_ahead_of_the_platform(local: Local) -> None:
    local.sim("PATCH", "options", {"script_skew_s": 600})
    local.sim("POST", "clock", {"mode": "auto"})

    found = play(local, SLEEP + "export default async () => { await sleep(30); return new Date(); };")

    assert (found.result, found.runtime) == ("2026-01-29T10:10:30.000Z", 30)


def test_a_frozen_script_does_not_outlive_its_limit(local: Local) -> None:
    execution = frozen(local, FOREVER)
    local.sim("POST", f"executions/{execution}/freeze")

    local.sim("POST", "clock", {"step": 120})
    settle(local)
    assert reason(outcome(local, author(local), execution))["details"]["type"] == "TIMEOUT"


def test_the_log_shows_what_was_printed_while_the_script_still_runs(local: Local) -> None:
    execution = frozen(local, "export default () => { console.log('early'); return new Promise(() => {}); };")

    wait_for_log(local, execution, "early")
    assert local.sim("GET", "health")["runtime"]["running"] == [execution]


def test_the_automatic_clock_waits_for_work_beside_the_event_loop(local: Local) -> None:
    found = play(
        local,
        """export default async () => {
            const guard = setTimeout(() => console.log("too late"), 1000);
            let bytes = new Uint8Array(30_000_000);
            for (let round = 0; round < 5; round++) await crypto.subtle.digest("SHA-512", bytes);
            const packed = new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip")));
            await packed.arrayBuffer();
            clearTimeout(guard);
            return performance.now();
        };""",
    )

    assert (found.result, found.log) == (0, "")


def test_no_process_is_left_when_the_environment_is_killed(local: Local) -> None:
    execution = frozen(local, FOREVER + "\nconsole.log('alive');")
    wait_for_log(local, execution, "alive")
    parent = local.process.pid
    children = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    assert len(children) == 1

    local.stop(signal.SIGKILL)
    local.start()
    for _ in range(2000):
        if local.sim("GET", "clock") and not alive(children[0]):
            break
    assert not alive(children[0])


def test_the_sdk_packages_work_unmodified(local: Local) -> None:
    entry = {
        "name": "A token", "type": "TOKEN", "token": "not-a-secret", "scopes": ["APP_ENGINE"],
        "allowContextlessRequests": True, "ownerAccessOnly": False,
    }  # fmt: skip
    made = local.call("POST", "/api/v2/credentials", headers=DEPLOY, json=entry).json()["id"]
    headers = author(local)
    other = create(local, headers, title="The other")["id"]

    found = play(
        local,
        f"""
        import {{ credentialVaultClient }} from "@dynatrace-sdk/client-classic-environment-v2";
        import {{ executionsClient, workflowsClient }} from "@dynatrace-sdk/client-automation";
        import {{ execution, actionExecution, getExecutionLink, taskName, workflowId }}
            from "@dynatrace-sdk/automation-utils";
        import {{ getCurrentUserDetails, getEnvironmentId }} from "@dynatrace-sdk/app-environment";
        export default async ({{ executionId }}) => {{
            const self = await execution();
            const running = await executionsClient.getExecutions({{ workflow: [workflowId], state: ["RUNNING"] }});
            const body = {{ input: {{ leg: 2 }}, uniqueQualifier: "leg-2" }};
            const first = await workflowsClient.runWorkflow({{ id: "{other}", body }});
            const again = await workflowsClient.runWorkflow({{ id: "{other}", body }});
            return {{
                secret: (await credentialVaultClient.getCredentialsDetails({{ id: "{made}" }})).token.length,
                self: self.id === executionId && self.startedAt instanceof Date,
                running: running.results.map((one) => one.id === executionId),
                once: first.id === again.id && first.input.leg,
                action: (await actionExecution()).state, taskName, link: getExecutionLink().endsWith(executionId),
                user: getCurrentUserDetails().email, environment: getEnvironmentId(),
            }};
        }};""",
        headers,
    )

    assert found.state == "SUCCESS", found.info
    assert found.result == {
        "secret": len(entry["token"]), "self": True, "running": [True], "once": 2, "action": "RUNNING",
        "taskName": "main", "link": True, "user": SERVICE_USER["email"], "environment": "loc00001",
    }  # fmt: skip
    assert get(local, headers, "executions", workflow=other)["count"] == 1


def test_an_sdk_call_that_is_refused_throws_the_sdks_own_error(local: Local) -> None:
    found = play(
        local,
        """import { executionsClient } from "@dynatrace-sdk/client-automation";
        export default async () => {
            try { await executionsClient.getExecution({ id: "00000000-0000-4000-8000-000000000000" }); }
            catch (error) { return [error.name, error.response.status, error.body.error.code]; }
        };""",
    )

    assert found.result[1:] == [404, 404]

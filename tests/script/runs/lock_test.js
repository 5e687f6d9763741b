// Who may run: every form of the lock, with and without the right to read executions (cases 19 to 22, L22, L28).
import assert from "node:assert/strict";
import { answers, json, LOCK, MINUTE, play, records, refused, START_MS, time } from "./world.js";

const OWNER = "0wner000-0000-4000-8000-000000000000";
const at = (ms) => time(ms).replace(".000000", "");
const issued = records(3);

/** What a run does with a lock that it finds. */
function found(lock, more = {}) {
  const played = play({ issued, vault: { lock }, ...more });
  return { ...played, outcome: played.result?.outcome, warned: played.warnings.join("\n") };
}

/** What the executions API says about one execution. */
const execution = (state, startedMs) =>
  answers("GET", `executions/${OWNER}`, () => json({ id: OWNER, state, startedAt: new Date(START_MS + startedMs) }));

Deno.test("locks that are free are taken without a word and are IDLE afterwards", () => {
  for (const lock of ["", "IDLE", "idle", " idle\n"]) {
    const { outcome, warnings, lock: after, ids, lines } = found(lock);
    assert.deepEqual([outcome, warnings, after, ids.length], ["caught up", [], "IDLE", 3], lock);
    assert.ok(lines.includes("✓ Execution lock released (IDLE)"));
  }
});

Deno.test("while a run works its lock names it, its script's start and the lease", () => {
  const locks = [];
  play({
    issued,
    starts: [{ after: 0, queueMs: 30_000 }],
    gateways: [answers("GET", "/records", ({ world }) => void locks.push(world.vault.value(LOCK)))],
  });
  const [state, owner, started, expires] = locks[0].split("|");
  assert.equal(state, "RUNNING");
  assert.match(owner, /^00000001-/);
  // Late rather than early: the script began 30 s after its execution.
  assert.ok(started >= at(30_000) && started < at(32_000), started);
  const lease = (Date.parse(expires) - Date.parse(started)) / 1000;
  assert.ok(lease >= 180 && lease < 182, `${lease}`);
});

Deno.test("a lock that cannot be read counts as IDLE, with a warning", () => {
  const { outcome, warned, lines } = found("busy|x");
  assert.equal(outcome, "caught up");
  assert.match(warned, /lock is unreadable/);
  assert.ok(lines.includes("Execution lock status: UNREADABLE"));
});

Deno.test("a lock without owner is valid for 120 minutes from its time, or from now if its time is wrong", () => {
  const rows = [
    // its text; whether the run is skipped; the lock afterwards
    ["RUNNING", true, `RUNNING||${at(0)}|${at(120 * MINUTE)}`],
    [`RUNNING|${at(-119 * MINUTE)}`, true, null],
    [`running|${at(14 * MINUTE)}`, true, null],
    [`RUNNING|${at(16 * MINUTE)}`, true, `RUNNING||${at(0)}|${at(120 * MINUTE)}`],
    [`RUNNING|${at(-121 * MINUTE)}`, false, "IDLE"],
    [`RUNNING||${at(-121 * MINUTE)}|${at(1 * MINUTE)}`, true, null],
    [`RUNNING||${at(-10 * MINUTE)}|${at(-1 * MINUTE)}`, false, "IDLE"],
  ];
  for (const [lock, isSkipped, after] of rows) {
    const { outcome, lock: left, warned, lines } = found(lock);
    assert.equal(outcome, isSkipped ? "skipped" : "caught up", lock);
    const whole = left.replace(/\.\d{3}(0{3})?Z/g, "Z").replace("T10:00:01", "T10:00:00").replace(
      "T12:00:01",
      "T12:00:00",
    );
    assert.equal(whole, after ?? lock, lock);
    if (isSkipped) assert.match(lines.join("\n"), /waiting for a lock without owner until 2026-01-29T1\d:\d\d:/);
    else assert.match(warned, /taking over a lock without owner: it is older than 120 minutes/);
  }
});

Deno.test("an owner that has ended, is unknown or must be dead is taken over", () => {
  const lock = (started) => `RUNNING|${OWNER}|${at(started)}|${at(started + 180_000)}`;
  const rows = [
    ["ERROR", -20_000, lock(-20_000), true],
    ["SUCCESS", -20_000, lock(-20_000), true],
    ["CANCELLED", -120_000, lock(-120_000), false],
    ["RUNNING", -120_000, lock(-120_000), false],
    ["RUNNING", -132_000, lock(-132_000), true],
    ["CANCELLED", -132_000, lock(-132_000), true],
    // L22: its script began later than its execution; no more than 15 minutes, though.
    ["RUNNING", -200_000, lock(-100_000), false],
    ["RUNNING", -14 * MINUTE, lock(-100_000), false],
    ["RUNNING", -20 * MINUTE, lock(-100_000), true],
    ["RUNNING", -120_000, lock(-300_000), false],
  ];
  for (const [state, started, lock, isTaken] of rows) {
    const { outcome, warned, lines } = found(lock, { gateways: [execution(state, started)] });
    assert.equal(outcome, isTaken ? "caught up" : "skipped", `${state} ${lock}`);
    assert.match(
      isTaken ? warned : lines.join("\n"),
      isTaken ? /which ended without releasing it/ : /holds the lock\)/,
    );
  }
  const unknown = found(lock(-5_000), { gateways: [answers("GET", OWNER, () => refused(404))] });
  assert.equal(unknown.outcome, "caught up");
  const broken = found(lock(-5_000), {
    gateways: [answers("GET", OWNER, () => refused(500))],
    config: { maxRetries: 0 },
  });
  assert.match(broken.run.error, /asking for executions: .*Fault.* \(after 0 retries\)/);
});

Deno.test("only an owner that died at work makes the next run save that it asks for less", () => {
  const lock = `RUNNING|${OWNER}|${at(-200_000)}|${at(-20_000)}`;
  const spans = (state) =>
    found(lock, { gateways: [execution(state, -200_000)], issued: [] }).saved.map((text) => /"span":/.test(text));
  assert.ok(spans("ERROR").includes(true));
  assert.ok(!spans("SUCCESS").includes(true));
});

Deno.test("where executions cannot be read, the lease decides", () => {
  const rows = [
    [`RUNNING|${OWNER}|${at(-60_000)}|${at(120_000)}`, false],
    [`RUNNING|${OWNER}|${at(-185_000)}|${at(-5_000)}`, true],
    // A lease that is longer than any is no lease: 180 s and 15 minutes for clocks.
    [`RUNNING|${OWNER}|${at(0)}|${at(17 * MINUTE)}`, false],
    [`RUNNING|${OWNER}|${at(0)}|${at(19 * MINUTE)}`, true],
    [`RUNNING|${OWNER}|x|y`, true],
  ];
  for (const [lock, isTaken] of rows) {
    const { outcome, warned, lines, saved } = found(lock, { executions: false });
    assert.equal(outcome, isTaken ? "caught up" : "skipped", lock);
    assert.match(warned, /may not read executions/);
    assert.match(isTaken ? warned : lines.join("\n"), isTaken ? /its lease has expired/ : /holds the lock until/);
    assert.equal(saved.some((text) => text.includes('"span"')), isTaken);
  }
});

Deno.test("of two runs that start together the older one continues, then the lower id", () => {
  const rival = (id, startedMs, more = {}) =>
    answers(
      "GET",
      "/executions",
      ({ path, world }) =>
        path.endsWith("/executions")
          ? json({
            results: [{ id: world.executions[0].id, startedAt: new Date(START_MS) }, {
              id,
              state: "RUNNING",
              startedAt: new Date(START_MS + startedMs),
              ...more,
            }],
          })
          : undefined,
    );
  const rows = [
    [rival("ffffffff", -5_000), false],
    [rival("ffffffff", 5_000), true],
    [rival("00000000", 0), false],
    [rival("ffffffff", 0), true],
    [rival("00000000", 1), true],
    [rival("00000000", -129_000), false],
    [rival("00000000", -132_000), true],
    [rival("00000000", -5_000, { input: { backfill: {} } }), true],
    [rival("00000000", -5_000, { input: {} }), false],
  ];
  for (const [n, [gateway, continues]] of rows.entries()) {
    const { outcome, lock, lines } = found("IDLE", { gateways: [gateway] });
    assert.equal(outcome, continues ? "caught up" : "skipped", `row ${n}`);
    if (continues) continue;
    assert.match(lines.join("\n"), /Another run is in progress \(execution \w+ started before this one\)/);
    // The lock is the elder's now, with its lease.
    const [, owner, started, expires] = lock.split("|");
    assert.ok(["00000000", "ffffffff"].includes(owner));
    assert.equal(Date.parse(expires) - Date.parse(started), 180_000);
  }
  const leg = found("IDLE", { gateways: [rival("before", -5_000)], input: { previous: "before", leg: 2 } });
  assert.equal(leg.outcome, "caught up", "the leg before is no rival");
});

Deno.test("without executions the one that wrote last continues", () => {
  const other = `RUNNING|${OWNER}|${at(0)}|${at(180_000)}`;
  const overwritten = answers("GET", `${LOCK}/details`, ({ world }, times) => {
    if (times > 0) world.vault.entries.get(LOCK).secret.token = other;
  });
  const { outcome, lines, lock } = found("IDLE", { executions: false, gateways: [overwritten] });
  assert.equal(outcome, "skipped");
  assert.match(lines.join("\n"), /was written at the same time/);
  assert.equal(lock, other);
});

Deno.test("a leg continues under the lock of the leg before, and under its own", () => {
  const lock = (owner) => `RUNNING|${owner}|${at(-60_000)}|${at(120_000)}`;
  const running = answers(
    "GET",
    "executions/before",
    () => json({ id: "before", state: "RUNNING", startedAt: new Date(START_MS - 60_000) }),
  );
  assert.equal(found(lock("before"), { input: { previous: "before" } }).outcome, "caught up");
  assert.equal(found(lock("before"), { gateways: [running] }).outcome, "skipped");
  const own = play({
    issued,
    gateways: [answers("GET", `${LOCK}/details`, ({ world }, times) => {
      if (times === 0) world.vault.entries.get(LOCK).secret.token = lock(world.executions[0].id);
    })],
  });
  assert.equal(own.result.outcome, "caught up");
  assert.deepEqual(own.warnings, []);
});

Deno.test("a foreign lock is left alone at the end", () => {
  const other = `RUNNING|${OWNER}|${at(0)}|${at(180_000)}`;
  const taken = answers("GET", "/records", ({ world }) => void (world.vault.entries.get(LOCK).secret.token = other));
  const { outcome, lock, lines } = found("IDLE", { gateways: [taken] });
  assert.deepEqual([outcome, lock], ["caught up", other]);
  assert.match(lines.join("\n"), /Execution lock not changed: RUNNING \(execution 0wner/);
});

Deno.test("a run that fails before it has read the checkpoint restores the lock's earlier value", () => {
  const refuse = answers("GET", "0003/details", () => refused(403, "no scope"));
  const { run, lock, ledger } = found(" idle", { gateways: [refuse] });
  assert.match(run.error, /0003: no scope .*; the workflow's actor may not read it/);
  assert.equal(lock, " idle");
  assert.equal(ledger.at(-1)["connector.outcome"], "failed");
});

Deno.test("a run that could not report leaves its lock for the next one, which covers its time", () => {
  const silent = (request, next) =>
    request.api === "logs" && request.process.number === 1 && request.body.includes("sectigo-scm-connector")
      ? refused(403)
      : next();
  const { runs, ledger, lock, warnings } = play({ issued, gateways: [silent], starts: [0, 10 * MINUTE] });
  assert.equal(runs[0].result.outcome, "caught up");
  assert.match(warnings[0], /ledger record was rejected: 403/);
  assert.match(runs[0].lines.join("\n"), /Execution lock left for the next run to take over/);
  assert.equal(lock, "IDLE");
  assert.equal(ledger.length, 1);
  assert.equal(ledger[0]["connector.coveredFrom"], runs[0].result.coveredFrom);
});

Deno.test("a lock that cannot be released is a warning", () => {
  const { outcome, warned } = found("IDLE", {
    config: { maxRetries: 0 },
    gateways: [answers("PUT", LOCK, (_, times) => times > 0 ? refused(403) : undefined)],
  });
  assert.equal(outcome, "caught up");
  assert.match(warned, /the execution lock could not be released: /);
});

// Legs, backfills on request, and what the workflow's API may answer (cases 26, 40, L3, L24, L25, L26, L28).
import assert from "node:assert/strict";
import { answers, json, LOCK, MINUTE, play, record, records, refused, time } from "./world.js";

const at = (ms) => time(ms).replace(".000000", "");
/** More than two legs can read: two records a page, and a second for each call. */
const backlog = { issued: records(400), latencyMs: 1_000, pageSize: 2 };
const starts = (played) => played.world.executions.map(({ triggerType, input }) => ({ triggerType, ...input }));

Deno.test("legs carry a backlog: each begins as the last act of the one before, and none is killed", () => {
  const { runs, ids, world, ledger, lock, warnings, asked } = play({ ...backlog, input: { revision: "r7" } });
  assert.deepEqual(ids, backlog.issued.map(({ record }) => record.id), "in order, none twice");
  assert.ok(runs.length >= 3);
  assert.deepEqual(warnings, []);
  assert.equal(lock, "IDLE");
  runs.forEach((run, n) => {
    const isLast = n === runs.length - 1;
    const age = (run.endedMs - run.startedMs) / 1000;
    assert.deepEqual([run.end, run.result.leg, run.result.revision], ["ended", n + 1, "r7"]);
    assert.equal(run.result.outcome, isLast ? "caught up" : "more waiting");
    if (isLast) return assert.ok(!run.lines.some((line) => /leg \d+ started/.test(line)));
    assert.ok(age >= 100 && age < 118, `${age} s`);
    assert.match(run.result.reason, /^this leg has used 10\d of its 100 s$/);
    assert.match(run.lines.join("\n"), new RegExp(`More records are waiting: leg ${n + 2} started`));
    assert.match(
      runs[n + 1].lines.join("\n"),
      new RegExp(`Leg ${n + 2} of a catch-up that began at 2026-01-29T10:00:00Z`),
    );
  });
  const inputs = starts({ world }).slice(1);
  inputs.forEach(({ chainStarted, leg, previous, revision }, n) =>
    assert.deepEqual([chainStarted, leg, previous, revision], [at(0), n + 2, world.executions[n].id, "r7"])
  );
  assert.deepEqual(
    world.executions.slice(1).map(({ qualifier }) => qualifier),
    inputs.map(({ previous }) => `after-${previous}`),
  );
  const claims = ledger.filter((entry) => entry["connector.coveredTo"]);
  assert.match(claims[0]["connector.coveredFrom"], /^2026-01-29T07:59:0/);
  claims.slice(1).forEach((entry, n) => assert.equal(entry["connector.coveredFrom"], claims[n]["connector.coveredTo"]));
  assert.ok(asked.filter(({ method, path }) => method === "POST" && path.endsWith("/run")).length === runs.length - 1);
});

Deno.test("the time of a chain ends it: the last leg is shorter, then the schedule continues", () => {
  const { runs } = play({ ...backlog, input: { chainStarted: at(-54 * MINUTE - 20_000), leg: 30, previous: "x" } });
  const [{ lines, result, endedMs, startedMs }] = runs;
  assert.equal(runs.length, 1);
  assert.match(result.reason, /^this leg has used 4\d of its 40 s$/);
  assert.ok(endedMs - startedMs < 60_000);
  assert.match(lines.join("\n"), /Max execution time is used up: the next scheduled run continues/);
  assert.match(lines.join("\n"), /Leg 30 of a catch-up that began at 2026-01-29T09:05:40Z/);
  assert.equal(result.leg, 30);
});

Deno.test("what a leg cannot read in its input has a default", () => {
  const { runs } = play({ issued: records(2), input: { chainStarted: "soon", leg: "two", previous: 7, revision: 8 } });
  assert.deepEqual([runs[0].result.outcome, runs[0].result.leg, runs[0].result.revision], ["caught up", 1, undefined]);
  assert.ok(!runs[0].lines.some((line) => line.startsWith("Leg ")));
  const ahead = play({ ...backlog, input: { chainStarted: at(50 * MINUTE) } });
  assert.match(ahead.runs[0].result.reason, /of its 100 s$/, "a chain that begins later has used nothing");
});

Deno.test("a leg that may start no other says why", () => {
  const rows = [
    [
      { legs: false },
      /no further leg \(automation:workflows:run\): .*Missing permission.*; the next scheduled run continues/,
    ],
    [{ executions: false }, /No further leg: the next scheduled run continues/],
    [
      { gateways: [answers("GET", "/workflows/", () => json({ isDeployed: false }))] },
      /The workflow is no longer deployed: no further leg/,
    ],
  ];
  for (const [more, said] of rows) {
    const { runs } = play({ ...backlog, ...more });
    assert.deepEqual([runs.length, runs[0].end, runs[0].result.outcome], [1, "ended", "more waiting"]);
    assert.match(runs[0].lines.join("\n"), said);
  }
});

Deno.test("a call whose answer was lost starts no second leg", () => {
  const lost = answers("POST", "/run", (_, times, next) => {
    const done = next();
    return times === 0 ? refused(503) : done;
  });
  const { world, runs, ids } = play({ ...backlog, gateways: [lost] });
  assert.equal(world.executions.length, runs.length);
  assert.equal(new Set(ids).size, 400);
  assert.equal(ids.length, 400);
});

Deno.test("a leg that moves nothing starts none, and the third in a row fails with the reason", () => {
  const limited = (request, next) =>
    request.path.endsWith("/records") ? json({}, 429, { "retry-after": "200" }) : next();
  const { runs, checkpoint } = play({
    vault: { checkpoint: `${at(-30 * MINUTE)}|x` },
    issued: records(5),
    gateways: [limited],
    starts: [0, 1, 2].map((n) => n * 10 * MINUTE),
  });
  assert.deepEqual(runs.map(({ end }) => end), ["ended", "ended", "failed"]);
  assert.match(runs[0].result.reason, /but a wait of 200 s does not fit into this leg/);
  assert.ok(runs.every(({ lines }) => !lines.some((line) => /leg 2 started/.test(line))));
  assert.match(runs[2].error, /more waiting three times in a row, but nothing moves: SCM audit API: 429/);
  assert.equal(checkpoint.stalled, 3);
});

Deno.test("what moves again is no longer stalled", () => {
  const limited = answers(
    "GET",
    "/records",
    (_, times) => times < 2 ? json({}, 429, { "retry-after": "200" }) : undefined,
  );
  const { runs, checkpoint, ids } = play({
    issued: records(5),
    gateways: [limited],
    starts: [0, 10 * MINUTE, 20 * MINUTE],
  });
  assert.deepEqual(runs.map(({ result }) => result.outcome), ["more waiting", "more waiting", "caught up"]);
  assert.equal(checkpoint.stalled, undefined);
  assert.equal(ids.length, 5);
});

const backfill = (more = {}) => ({ backfill: { from: at(-60 * MINUTE), to: at(-30 * MINUTE), ...more } });

Deno.test("a backfill sends its window again, beside the lock and the checkpoint of the schedule", () => {
  const issued = [record("before", -61 * MINUTE), ...records(20, MINUTE, -31 * MINUTE), record("after", -29 * MINUTE)];
  const lock = `RUNNING|other|${at(-10_000)}|${at(170_000)}`;
  const { result, stored, saved, lock: left, asked, ledger, lines } = play({
    issued,
    vault: { lock, checkpoint: "2026-01-29T09:59:00Z|x" },
    input: backfill(),
  });
  assert.deepEqual([result.outcome, result.backfill, result.sent], ["backfilled", true, 20]);
  assert.deepEqual(saved, []);
  assert.equal(left, lock);
  assert.ok(stored.every((sent) => sent["scm.backfill_run"] === "true"));
  assert.ok(!asked.some(({ method, api }) => method === "PUT" && api === "vault"));
  assert.deepEqual([result.windowFrom, result.windowTo, result.coveredFrom, result.coveredTo], [
    at(-60 * MINUTE),
    at(-30 * MINUTE),
    at(-60 * MINUTE),
    at(-30 * MINUTE),
  ]);
  assert.deepEqual([result.reached, result.checkpointAfter, result.lagSeconds, result.nextExecution], [
    at(-30 * MINUTE),
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(ledger[0]["connector.backfill"], "true");
  assert.ok(lines.includes("Backfill on request: lock and checkpoint are not changed"));
  assert.ok(
    lines.some((line) => line.startsWith("Backfill - querying logs from 2026-01-29T09:00:00Z to 2026-01-29T09:30:00Z")),
  );
});

Deno.test("a backfill of single ids sends these and claims nothing", () => {
  const { result, ids } = play({ issued: records(20, MINUTE, -31 * MINUTE), input: backfill({ ids: ["r3", "r5"] }) });
  assert.deepEqual(ids, ["r3", "r5"]);
  assert.deepEqual([result.outcome, result.sent, result.repeated, result.coveredTo], ["backfilled", 2, 0, undefined]);
  const numbers = play({
    issued: [record(7, -40 * MINUTE, { id: 7 }), record("x", -35 * MINUTE)],
    input: backfill({ ids: [7] }),
  });
  assert.deepEqual(numbers.ids, ["7"]);
});

Deno.test("a backfill that needs legs hands over where it is, and sends each record once", () => {
  const input = { backfill: { from: at(-60 * MINUTE), to: at(-MINUTE), ids: undefined } };
  const { runs, ids, world } = play({ ...backlog, input });
  assert.ok(runs.length >= 3);
  assert.equal(ids.length, 400);
  assert.equal(new Set(ids).size, 400);
  assert.deepEqual(runs.map(({ result }) => result.nextExecution), [
    ...world.executions.slice(1).map(({ id }) => id),
    undefined,
  ]);
  const [, second] = world.executions;
  assert.deepEqual([second.input.backfill.from, second.input.backfill.to], [input.backfill.from, input.backfill.to]);
  assert.equal(second.input.backfill.ids, null);
  assert.match(second.input.backfill.reached, /^2026-01-29T09:.*\n\{"v":1/);
  assert.equal(runs[0].result.coveredTo, undefined);
  assert.ok(runs[0].result.reached > input.backfill.from && runs[0].result.reached < runs[1].result.reached);
  assert.equal(runs.at(-1).result.coveredFrom, input.backfill.from);
  const few = play({ ...backlog, input: { backfill: { ...input.backfill, ids: ["r1", "r399"] } } });
  assert.deepEqual(few.ids, ["r1", "r399"]);
  assert.deepEqual(few.world.executions[1].input.backfill.ids, ["r1", "r399"]);
});

Deno.test("a backfill that may start no leg says how to go on", () => {
  const { runs } = play({ ...backlog, input: { backfill: { from: at(-60 * MINUTE), to: at(-MINUTE) } }, legs: false });
  assert.match(runs[0].lines.join("\n"), /no further leg .*; request the rest again/);
});

Deno.test("a backfill without a window fails and sends nothing", () => {
  for (
    const given of [null, {}, { from: at(0) }, { from: at(0), to: "x" }, { from: at(0), to: at(0) }, {
      from: at(0),
      to: at(-1_000),
    }]
  ) {
    const { run, ids, saved } = play({ issued: records(3), input: { backfill: given } });
    assert.match(run.error, /input.backfill must be \{"from": TIME, "to": TIME\} in ISO 8601, from before to/);
    assert.deepEqual([ids, saved], [[], []]);
  }
  assert.equal(
    play({ issued: records(30, MINUTE), input: backfill({ reached: 5, ids: "r1" }) }).result.outcome,
    "backfilled",
  );
});

Deno.test("the id of a run comes from the platform's words for it", () => {
  const rows = [
    [({ executionId }) => ({ executionId }), true],
    [({ executionId }) => ({ execution_id: executionId }), true],
    [() => undefined, true],
    [({ executionId }) => ({ executionId, execution_id: "other" }), true],
  ];
  for (const [action] of rows) {
    const { world, result, ledger } = play({ issued: records(3), action });
    assert.equal(result.executionId, world.executions[0].id);
    assert.equal(ledger[0]["connector.executionId"], world.executions[0].id);
  }
});

Deno.test("a run whose execution the platform does not know works by its lease", () => {
  const { result, warnings } = play({
    issued: records(3),
    gateways: [answers("GET", "/executions/", () => refused(404))],
  });
  assert.equal(result.outcome, "caught up");
  assert.match(
    warnings.join("\n"),
    /automation:workflows:read\): the lock's lease decides instead, and no backfill can be recognised/,
  );
  const without = play({ issued: records(3), gateways: [answers("GET", "/executions/", () => json({ id: "x" }))] });
  assert.deepEqual([without.result.outcome, without.warnings], ["caught up", []]);
});

Deno.test("a lock is taken once and released once", () => {
  const { asked } = play({ issued: records(3) });
  const puts = asked.filter(({ method, path }) => method === "PUT" && path.endsWith(LOCK));
  assert.deepEqual(puts.map(({ body }) => JSON.parse(body).token.split("|")[0]), ["RUNNING", "IDLE"]);
});

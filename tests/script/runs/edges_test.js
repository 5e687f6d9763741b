// Order, limits and rare ways of whole runs: each is a mistake that nothing else noticed.
import assert from "node:assert/strict";
import { answers, IDS, json, LOCK, MINUTE, play, record, records, refused, split, START_MS, time } from "./world.js";

const at = (ms) => time(ms).replace(".000000", "");
const HOUR = 60 * MINUTE;
const INGEST = "/logs/ingest";
const isLedger = ({ body }) => body.includes("sectigo-scm-connector");
const dead = `RUNNING|gone|${at(-200_000)}|${at(-20_000)}`;
const checkpoint = (machine, ts = -30 * MINUTE) => `${at(ts)}|x\n${JSON.stringify({ v: 1, ...machine })}`;
const puts = ({ asked }, id) => asked.filter(({ method, path }) => method === "PUT" && path.endsWith(id));

Deno.test("a script that was paused writes nothing more after 118 s", () => {
  for (
    const rule of [{ api: "logs", method: "POST" }, { api: "scm", method: "GET" }, { api: "vault", method: "PUT" }]
  ) {
    const { run, asked } = play({
      issued: records(5),
      faults: [{ ...rule, script: "freeze", when: "after", world_thaw_s: 118.7 }],
    });
    assert.match(run.error, /this run is 119 s old and another may have taken over/, JSON.stringify(rule));
    assert.ok(asked.every(({ ms, method, api }) => ms < 5_000 || method === "GET" || api !== "vault"));
    assert.ok(asked.filter(({ ms, api }) => api === "logs" && ms > 5_000).every(isLedger));
  }
});

Deno.test("the platform is asked about this workflow", () => {
  const { asked } = play({ issued: records(300), latencyMs: 1_000, pageSize: 2 });
  const id = "5b1f4ac6-8d1c-4b54-8f4e-3a5f0e1f7c11";
  const [list] = asked.filter(({ path }) => path.endsWith("/executions"));
  assert.deepEqual(Object.fromEntries(list.query), { workflow: id, state: "RUNNING", limit: "50" });
  const paths = asked.filter(({ path }) => path.includes("/workflows")).map(({ path }) =>
    path.replace(/^.*\/workflows/, "")
  );
  assert.deepEqual(paths.slice(0, 2), [`/${id}`, `/${id}/run`]);
});

Deno.test("what must be known before the next step is waited for", () => {
  const slowly = (id) => answers("PUT", id, (_, __, next) => ({ ...next(), delayMs: 5_000 }));
  const first = (played, path) => played.asked.find((each) => each.path.endsWith(path) && each.method === "GET").ms;
  // The start of a history is saved before anything is read.
  const start = play({ issued: records(5), gateways: [slowly(IDS.checkpoint)] });
  assert.ok(first(start, "/records") >= puts(start, IDS.checkpoint)[0].ms + 5_000);
  // So is what a run after a dead one asks for.
  const less = play({
    issued: records(5),
    vault: { lock: dead, checkpoint: checkpoint({ hw: at(-30 * MINUTE), span: 20 * 60e6 }) },
    gateways: [slowly(IDS.checkpoint)],
  });
  assert.ok(first(less, "/records") >= puts(less, IDS.checkpoint)[0].ms + 5_000);
  // The checkpoint is read when the lock is ours, and the lock is released after the last save and the report.
  const lock = play({ issued: records(5), gateways: [slowly(LOCK)] });
  assert.ok(first(lock, `${IDS.checkpoint}/details`) >= puts(lock, LOCK)[0].ms + 5_000);
  const end = play({ issued: records(5), gateways: [slowly(IDS.checkpoint)] });
  const report = end.asked.find((each) => each.api === "logs" && isLedger(each));
  assert.ok(report.ms >= puts(end, IDS.checkpoint).at(-1).ms + 5_000);
  assert.ok(puts(end, LOCK).at(-1).ms > report.ms);
});

Deno.test("after runs that died, the open window is cut to what is asked for, a minute at least", () => {
  const first = (machine) => {
    const { pages, saved } = play({ issued: [], vault: { lock: dead, checkpoint: checkpoint(machine) } });
    return [pages[0].to, split(saved[0]).span];
  };
  const open = { hw: at(-2 * HOUR), from: at(-HOUR), to: at(-10 * MINUTE), ordered: true };
  assert.deepEqual(first({ ...open, span: 20 * 60e6 }), [at(-50 * MINUTE), 10 * 60e6]);
  assert.deepEqual(first({ ...open, span: 60e6 }), [at(-59 * MINUTE), 60e6]);
  assert.deepEqual(first({ ...open, to: at(-HOUR + 30_000), span: 20 * 60e6 }), [at(-59 * MINUTE), 10 * 60e6]);
  assert.deepEqual(first({ ...open, span: 6 * 3_600e6 }), [at(-10 * MINUTE), 3 * 3_600e6]);
  // The first time, all that waits is the measure: up to a slice.
  assert.deepEqual(first(open), [at(-10 * MINUTE), 64 * 60e6]);
  assert.deepEqual(first({ hw: at(-20 * HOUR) })[1], 6 * 3_600e6);
  assert.deepEqual(first({ hw: at(-62_000) })[1], 302e6);
  const said = play({ issued: [], vault: { lock: dead, checkpoint: checkpoint({ ...open, span: 20 * 60e6 }) } }).lines;
  assert.ok(said.includes("✓ The runs before died: asking for 10 minutes at a time"));
});

Deno.test("the first page that brings something ends asking for less; empty hours on the way are saved", () => {
  const vault = { lock: dead, checkpoint: checkpoint({ hw: at(-20 * HOUR), span: 2 * 60e6 }, -20 * HOUR) };
  const { checkpoint: left, saved, ids } = play({ issued: records(5), vault });
  assert.equal(left.span, undefined);
  assert.equal(ids.length, 5);
  assert.ok(saved.filter((text) => text.includes('"span":60000000')).length >= 5, `${saved.length} saves`);
});

Deno.test("the first window of a history is half of a slice, or half of the history", () => {
  const first = (history) => {
    const { from, to } = split(play({ issued: [], config: { initHistoryDuration: history } }).saved[0]);
    return (Date.parse(to) - Date.parse(from)) / HOUR;
  };
  assert.deepEqual([first("2h"), first("6h"), first("1d")], [1, 3, 3]);
});

Deno.test("a checkpoint without a record is shown by its time", () => {
  const { result } = play({ issued: [], config: { initialCheckpoint: at(-30 * MINUTE) } });
  assert.deepEqual([result.checkpointBefore, result.checkpointAfter], ["none", `${at(-MINUTE)}|`]);
  assert.equal(result.newestRecord, undefined);
  const long = play({ issued: [record("an-id-of-many-characters", -3 * MINUTE)] });
  assert.equal(long.result.checkpointAfter, `${at(-3 * MINUTE)}|an-id-of...`);
});

Deno.test("the checkpoint is saved once for 5,000 records, not with each batch after them", () => {
  const { saved, batches } = play({ issued: records(7_500, 100), pageSize: 500, latencyMs: 20 });
  assert.ok(batches.length >= 6, `${batches.length}`);
  assert.equal(saved.length, 3);
});

Deno.test("a save that failed is not tried again after the failure, nor one of an entry that was deleted", () => {
  const failed = play({
    issued: records(5),
    gateways: [answers("PUT", IDS.checkpoint, (_, times) => times > 0 ? refused(403) : undefined)],
  });
  assert.equal(puts(failed, IDS.checkpoint).length, 2);
  assert.deepEqual(failed.warnings, []);
});

Deno.test("once log ingest has refused for good, nothing more is fetched", () => {
  const { pages, run } = play({
    issued: records(600),
    gateways: [answers("POST", INGEST, (request) => isLedger(request) ? undefined : refused(403))],
  });
  assert.match(run.error, /^Log ingest: 403/);
  assert.ok(pages.length < 20, `${pages.length} of 61`);
});

Deno.test("the cause that ends a run is told, not what came of it", () => {
  let times = 0;
  const gateway = answers(
    "POST",
    INGEST,
    (request) =>
      isLedger(request) ? undefined : ++times < 3 ? json({ error: { message: "bad" } }, 400) : refused(403, "no"),
  );
  const { run } = play({ issued: [record("bad", -90 * MINUTE), ...records(40)], pageSize: 1, gateways: [gateway] });
  assert.match(run.error, /^Log ingest: 403 no/);
});

Deno.test("a first checkpoint in the future: the history is read again", () => {
  const vault = { checkpoint: `${at(3 * HOUR)}|x\n${JSON.stringify({ v: 1, from: at(2 * HOUR), to: at(3 * HOUR) })}` };
  const { pages, warnings, ids } = play({ issued: [record("old", -119 * MINUTE), ...records(3)], vault });
  assert.match(
    warnings.join("\n"),
    /checkpoint is in the future \(2026-01-29T13:00:00Z\); continuing from 2026-01-29T07:54:00Z/,
  );
  assert.equal(pages[0].from, at(-126 * MINUTE));
  assert.equal(ids.length, 4);
});

Deno.test("legs that read by time in no order repeat nothing, and neither does the run after them", () => {
  const withoutToken = answers("GET", "/records", (_, __, next) => {
    const { token: _token, ...headers } = next().headers;
    return { ...next(), headers };
  });
  const issued = records(150, 1_500);
  const { runs, ids } = play({
    issued,
    order: "newest",
    lastPageToken: false,
    pageSize: 4,
    latencyMs: 1_000,
    gateways: [withoutToken],
    starts: [0, 20 * MINUTE],
  });
  assert.ok(runs.length > 2);
  assert.equal(new Set(ids).size, 150);
  assert.equal(ids.length, 150);
  assert.equal(runs.at(-1).result.sent, 0);
});

Deno.test("a record that is rejected last, alone in its batch, is set aside at the end", () => {
  const gateway = answers(
    "POST",
    INGEST,
    (request) =>
      !isLedger(request) && JSON.parse(request.body).some((sent) => sent["event.id"] === "bad")
        ? json({ error: { message: "bad" } }, 400)
        : undefined,
  );
  const { result, ids, checkpoint: left } = play({
    issued: [...records(3, 1_000, -90 * MINUTE), record("bad", -3 * MINUTE)],
    pageSize: 1,
    latencyMs: 500,
    gateways: [gateway],
  });
  assert.deepEqual([result.outcome, result.setAsideIds, result.sent, ids.length], ["caught up", "bad", 3, 3]);
  assert.ok(left.hw >= at(-MINUTE));
});

Deno.test("an object about errors is a sign of one if anything is in it", () => {
  const page = (more) => {
    const body = { data: [{ id: "a", timestamp: at(-3 * MINUTE), action: "x" }], ...more };
    const gateway = answers("GET", "/records", ({ query }) => query.get("from") ? json(body) : undefined);
    return play({ issued: records(3), config: { maxRetries: 0 }, gateways: [gateway] }).run.end;
  };
  for (
    const fine of [{ errors: {} }, { errors: [] }, { error: "" }, { failed: 0 }, { warnings: false }, {
      meta: { size: 3 },
    }, { success: true }]
  ) assert.equal(page(fine), "ended", JSON.stringify(fine));
  for (
    const bad of [{ errors: { a: 0 } }, { errors: ["x"] }, { error: "x" }, { failed: 1 }, { warnings: true }, {
      meta: { success: false },
    }, { code: 500 }]
  ) assert.equal(page(bad), "failed", JSON.stringify(bad));
});

Deno.test("a leg that reads the last minutes again counts their seconds once: the next run repeats none", () => {
  // Without page tokens, and more records than single marks fit into the checkpoint.
  const withoutToken = answers("GET", "/records", (_, __, next) => {
    const { token: _token, ...headers } = next().headers;
    return { ...next(), headers, delayMs: 8_000 };
  });
  const { runs, ids } = play({
    issued: records(2_700, 150, -65_000),
    lastPageToken: false,
    pageSize: 150,
    gateways: [withoutToken],
    starts: [0, 60 * MINUTE],
  });
  const last = runs.filter(({ startedMs }) => startedMs >= START_MS + 60 * MINUTE).map(({ result }) => result);
  assert.ok(runs.length > last.length + 1, `${runs.length}`);
  assert.equal(new Set(ids).size, 2_700);
  // A leg without a token does not know what lies in the second that it begins with.
  assert.ok(ids.length <= 2_700 + 7, `${ids.length}`);
  assert.deepEqual(last.map(({ sent }) => sent), last.map(() => 0));
});

Deno.test("the severity of a record follows its status, then its action", () => {
  const rows = [
    [{}, "INFO"],
    [{ status: "SUCCESS" }, "INFO"],
    [{ status: "ok" }, "INFO"],
    [{ status: "FAILED" }, "ERROR"],
    [{ action: "login failed" }, "ERROR"],
    [{ action: "revoke" }, "WARN"],
    [{ action: "revoke", status: "DENIED" }, "ERROR"],
  ];
  const { stored } = play({ issued: rows.map(([more], n) => record(`s${n}`, -10 * MINUTE + n, more)) });
  assert.deepEqual(stored.map(({ loglevel }) => loglevel), rows.map(([, level]) => level));
  assert.deepEqual(stored.map((sent) => sent["log.level"]), rows.map(([, level]) => level));
});

Deno.test("each rejected record gets its second try without its time, also those that wait", () => {
  const tooOld = answers(
    "POST",
    INGEST,
    (request) =>
      !isLedger(request) &&
        JSON.parse(request.body).some((sent) => ["r3", "r7"].includes(sent["event.id"]) && sent.timestamp)
        ? json({ error: { message: "old" } }, 400)
        : undefined,
  );
  const { result, stored, warnings } = play({ issued: records(10), gateways: [tooOld] });
  assert.deepEqual([result.sent, result.clamped, result.setAside, warnings], [10, 2, 0, []]);
  assert.deepEqual(stored.filter((sent) => !sent.timestamp).map((sent) => sent["event.id"]).toSorted(), ["r3", "r7"]);
});

Deno.test("a record that is rejected in every form is skipped", () => {
  const gateway = answers(
    "POST",
    INGEST,
    (request) =>
      request.body.includes('"r3"') && !isLedger(request) ? json({ error: { message: "too large" } }, 413) : undefined,
  );
  const { result, ids, warnings } = play({ issued: records(10), gateways: [gateway] });
  assert.deepEqual([result.sent, result.setAside, ids.includes("r3")], [9, 1, false]);
  assert.match(warnings.join("\n"), /record r3 was rejected by log ingest and skipped: 413 too large/);
});

Deno.test("an execution without input is the first leg", () => {
  const gateway = answers(
    "GET",
    "/executions/",
    ({ path }) => json({ id: path.split("/").at(-1), state: "RUNNING", startedAt: at(0) }),
  );
  const { result } = play({ issued: records(3), gateways: [gateway] });
  assert.deepEqual([result.outcome, result.leg], ["caught up", 1]);
});

Deno.test("an undated record at the end of what was accepted does not move the checkpoint within a page", () => {
  const refuse = answers(
    "POST",
    INGEST,
    (request) =>
      !isLedger(request) && request.body.includes('"event.id":"r1"')
        ? (JSON.parse(request.body).length > 1 ? json({}, 413) : refused(403))
        : undefined,
  );
  // The first record that is left lies at the window's beginning: nothing is gained.
  const issued = [record("r0", -121 * MINUTE + 1_500), record("r1", -121 * MINUTE + 1_900)];
  const { checkpoint: left, ids } = play({ issued, gateways: [refuse] });
  assert.deepEqual([ids, left.from], [["r0"], at(-121 * MINUTE + 900)]);
  const early = play({
    issued: [record("r0", -121 * MINUTE + 300), record("r1", -121 * MINUTE + 900)],
    gateways: [refuse],
  });
  assert.deepEqual([early.ids, early.checkpoint.from], [["r0"], at(-121 * MINUTE)]);
});

Deno.test("what is set aside is behind the checkpoint at once, whatever comes later", () => {
  const gateway = answers("POST", INGEST, (request) => {
    const ids = isLedger(request) ? [] : JSON.parse(request.body).map((sent) => sent["event.id"]);
    if (ids.includes("r1")) return json({ error: { message: "bad" } }, 400);
    return ids.includes("r10") ? refused(403, "no") : undefined;
  });
  const { run, checkpoint: left, ledger } = play({
    issued: records(20, MINUTE),
    pageSize: 3,
    latencyMs: 1_000,
    gateways: [gateway],
  });
  assert.match(run.error, /^Log ingest: 403 no/);
  assert.match(left.human, /\|r[2-8]$/);
  assert.equal(ledger[0]["connector.setAsideIds"], "r1");
});

Deno.test("of many causes of rejection the first one is told", () => {
  let times = 0;
  const gateway = answers(
    "POST",
    INGEST,
    (request) => isLedger(request) ? undefined : json({ error: { message: `cause ${++times}` } }, 400),
  );
  assert.match(
    play({ issued: records(200), pageSize: 100, gateways: [gateway] }).run.error,
    /in a row\): 400 cause 1; none is skipped$/,
  );
});

Deno.test("a script that was paused while it waited sends no records after 118 s", () => {
  const gateways = [answers("POST", INGEST, (request, times) => {
    const { process, world: { timeline } } = request;
    if (isLedger(request) || times > 0) return;
    timeline.after(3_000, () => process.freeze(process.startedMs + 118_700 - timeline.nowMs));
    return json({}, 503, { "retry-after": "5" });
  })];
  const { asked, ids, run } = play({ issued: records(400), pageSize: 10, latencyMs: 200, gateways });
  assert.deepEqual(ids, []);
  assert.match(run.error, /records were not sent: this run is 11\d s old/);
  assert.ok(asked.filter((each) => each.api === "logs" && each.ms > 60_000).every(isLedger));
});

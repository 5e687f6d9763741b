// What is sent to log ingest, what it rejects, and what the checkpoint says meanwhile (cases 32, 33, L4, L10, L13, L23, L25).
import assert from "node:assert/strict";
import { answer, answers, json, MINUTE, play, record, records, time } from "./world.js";

const at = (ms) => time(ms).replace(".000000", "");
const INGEST = "/logs/ingest";
const isLedger = ({ body }) => body.includes("sectigo-scm-connector");
const sizes = ({ batches }) => batches.map(({ length }) => length);
/** Log ingest, but records are rejected that `is` names. */
const rejecting = (is, status = 400) =>
  answers(
    "POST",
    INGEST,
    (request) =>
      !isLedger(request) && JSON.parse(request.body).some(is)
        ? json({ error: { message: `bad ${status}` } }, status)
        : undefined,
  );
const called = (...ids) => (sent) => ids.includes(sent["event.id"]);
const seconds = ({ run }) => (run.endedMs - run.startedMs) / 1000;

Deno.test("pages that wait are sent together, 5,000 records at most, and saved after as many", () => {
  const issued = records(12_000, 100);
  const slow = answers(
    "POST",
    INGEST,
    (request, _, next) => isLedger(request) ? next() : { ...next(), delayMs: 1_500 },
  );
  const played = play({ issued, pageSize: 1_000, latencyMs: 100, gateways: [slow] });
  assert.equal(Math.max(...sizes(played)), 5_000, `${sizes(played)}`);
  assert.ok(sizes(played).length < 6, `${sizes(played)}`);
  assert.ok(played.saved.length >= 3 && played.saved.length <= 5, `${played.saved.length} saves`);
  assert.equal(played.ids.length, 12_000);
  const [{ headers }] = played.asked.filter(({ api }) => api === "logs");
  assert.equal(headers["Content-Type"], "application/json; charset=utf-8");
  assert.match(headers.Authorization, /^Api-Token dt0c01\.ORACLE/);
});

Deno.test("a slow SCM: the checkpoint is saved every ten seconds", () => {
  const { saved, run } = play({ issued: records(80), pageSize: 2, latencyMs: 1_000, legs: false });
  const expected = seconds({ run }) / 10;
  assert.ok(saved.length > expected - 3 && saved.length < expected + 3, `${saved.length} of ${expected}`);
});

Deno.test("while log ingest is slow, no more than 10,000 records wait", () => {
  let stuck = 0;
  let fetched = 0;
  play({
    issued: records(15_000, 50),
    pageSize: 1_000,
    latencyMs: 10,
    legs: false,
    gateways: [
      answers("GET", "/records", () => void (fetched += 1_000)),
      answers("POST", INGEST, (request, times, next) => {
        if (isLedger(request)) return next();
        if (times === 1) stuck = fetched;
        return { ...next(), delayMs: 15_000 };
      }),
    ],
  });
  assert.ok(stuck >= 11_000 && stuck <= 13_000, `${stuck}`);
});

Deno.test("records of many characters wait for less, and no request is larger than log ingest takes", () => {
  const issued = records(40, 1_000).map((one) => ({ ...one, record: { ...one.record, details: "x".repeat(400_000) } }));
  const { asked, ids } = play({ issued, pageSize: 20, ingestLimit: 3_100_000 });
  assert.equal(new Set(ids).size, 40);
  assert.equal(ids.length, 40);
  assert.ok(asked.filter(({ api }) => api === "logs").every(({ body }) => body.length <= 3_000_000 + 1));
});

Deno.test("a record that log ingest rejects is set aside once others are accepted, and each good one is stored", () => {
  const played = play({ issued: records(40), pageSize: 40, gateways: [rejecting(called("r7", "r30"))] });
  const { result, ids, warnings, ledger, lines, checkpoint } = played;
  assert.deepEqual(
    ids.toSorted(),
    records(40).map(({ record }) => record.id).filter((id) => !["r7", "r30"].includes(id)).toSorted(),
  );
  assert.deepEqual([result.outcome, result.setAside, result.setAsideIds, result.sent], ["caught up", 2, "r7 r30", 38]);
  assert.deepEqual(
    warnings,
    ["r7", "r30"].map((id) => `WARN record ${id} was rejected by log ingest and skipped: 400 bad 400`),
  );
  assert.equal(ledger[0]["connector.setAsideIds"], "r7 r30");
  assert.equal(ledger[0].loglevel, "WARN");
  assert.equal(checkpoint.human, `${at(-2 * MINUTE)}|r39`);
  assert.match(lines.join("\n"), /38 sent, 0 repeated, 0 older than 24 h, 2 skipped as invalid/);
  // Halved: no more than two requests for each halving of 40, and one more try without its time.
  assert.ok(played.batches.length <= 30, `${played.batches.length}`);
});

Deno.test("ten ids are named, all are counted", () => {
  const bad = Array.from({ length: 14 }, (_, n) => `r${3 * n}`);
  const { result } = play({ issued: records(60), pageSize: 60, gateways: [rejecting(called(...bad))] });
  assert.equal(result.setAside, 14);
  assert.equal(result.setAsideIds.split(" ").length, 10);
});

Deno.test("a record that log ingest finds too old is sent without its time", () => {
  const tooOld = rejecting((sent) => sent["event.id"] === "r3" && sent.timestamp !== undefined);
  const { stored, result, warnings } = play({ issued: records(10), gateways: [tooOld] });
  const [sent] = stored.filter((sent) => sent["event.id"] === "r3");
  assert.deepEqual([sent.timestamp, sent["scm.backfill"], sent["scm.event.timestamp"]], [
    undefined,
    "true",
    time(-2 * MINUTE - 6_000),
  ]);
  assert.deepEqual([result.clamped, result.setAside, result.sent, warnings], [1, 0, 10, []]);
});

Deno.test("a record that is too large alone is sent with what names it", () => {
  const { stored, result, warnings } = play({
    issued: records(10),
    gateways: [rejecting((sent) => sent["event.id"] === "r3" && sent["event.service"], 413)],
  });
  const [sent] = stored.filter((sent) => sent["event.id"] === "r3");
  assert.deepEqual(sent, {
    content: "Log ingest rejected this record: only what names it was sent",
    timestamp: time(-2 * MINUTE - 6_000),
    loglevel: "ERROR",
    "log.source": "sectigo-scm",
    "event.id": "r3",
    "event.hash": sent["event.hash"],
    "object.id": "r3",
    "scm.event.timestamp": time(-2 * MINUTE - 6_000),
    "content.truncated": "true",
  });
  assert.deepEqual([result.setAside, result.truncated, result.sent, result.setAsideIds], [1, 1, 10, "r3"]);
  assert.match(warnings[0], /record r3 was rejected by log ingest, which accepted only its id and time: 413 bad 413/);
  // A gateway's 413 may be chance.
  let times = 0;
  const chance = play({ issued: records(1), gateways: [rejecting(() => ++times === 1, 413)] });
  assert.deepEqual([chance.result.sent, chance.result.setAside, chance.result.truncated], [1, 0, 0]);
});

Deno.test("if log ingest rejects everything, the run stops after 30 requests with the first cause, and skips nothing", () => {
  let times = 0;
  const all = rejecting(() => ++times > 0);
  const { run, ids, batches, checkpoint, ledger } = play({ issued: records(400), pageSize: 400, gateways: [all] });
  assert.match(
    run.error,
    /^Log ingest rejects all records \(3[1-9] requests in a row\): 400 bad 400; none is skipped$/,
  );
  assert.deepEqual(ids, []);
  assert.ok(batches.length >= 31 && batches.length < 40, `${batches.length}`);
  assert.equal(checkpoint.hw, undefined);
  assert.equal(ledger[0]["connector.outcome"], "failed");
  assert.equal(ledger[0]["connector.setAside"], "0");
  const few = play({ issued: records(2), gateways: [rejecting(() => true)] });
  assert.match(few.run.error, /^Log ingest rejects all records \(\d requests in a row\)/);
  assert.equal(few.checkpoint.hw, undefined);
});

Deno.test("what shares a batch does not decide: one rejected record alone waits for others", () => {
  const alone = [record("bad", -90 * MINUTE), ...records(3)];
  const { result, ids, warnings, checkpoint } = play({
    issued: alone,
    pageSize: 1,
    latencyMs: 500,
    gateways: [rejecting(called("bad"))],
  });
  assert.deepEqual([result.outcome, result.setAside, ids], ["caught up", 1, ["r0", "r1", "r2"]]);
  assert.match(warnings[0], /record bad was rejected by log ingest and skipped/);
  assert.equal(checkpoint.human, `${at(-2 * MINUTE)}|r2`);
});

Deno.test("an answer that says that only a part was stored: the batch is halved, and little is repeated", () => {
  const partly = answers(
    "POST",
    INGEST,
    (request, times) =>
      times === 0 && !isLedger(request) ? json({ details: { message: "partly ingested" } }, 200) : undefined,
  );
  const { result, ids, batches } = play({ issued: records(8), gateways: [partly] });
  assert.deepEqual(batches.map(({ length }) => length), [8, 4, 4]);
  assert.deepEqual([result.sent, result.retries, new Set(ids).size], [8, 0, 8]);
  const page = answers(
    "POST",
    INGEST,
    (request, times) => times === 0 && !isLedger(request) ? answer(200, "<html>") : undefined,
  );
  const again = play({ issued: records(8), gateways: [page] });
  assert.deepEqual([again.batches.map(({ length }) => length), again.result.retries], [[8, 8], 1]);
});

Deno.test("a status that is no matter of records fails the run and names what to check", () => {
  const given = (status) =>
    play({
      issued: records(3),
      gateways: [
        answers(
          "POST",
          INGEST,
          (request) => isLedger(request) ? undefined : json({ error: { message: "no" } }, status),
        ),
      ],
    });
  for (const status of [401, 403]) {
    assert.equal(given(status).run.error, `Log ingest: ${status} no; check logIngestToken and its scope logs.ingest`);
  }
  assert.equal(given(404).run.error, "Log ingest: 404 no; check dynatraceEnvironmentUrl");
  assert.match(given(503).run.error, /^log ingest: 503 no \(after 3 retries\)$/);
  assert.equal(given(403).checkpoint.hw, undefined);
});

Deno.test("a batch whose answer is late is not sent again as it was: smaller, and with twice the time", () => {
  const slow = answers(
    "POST",
    INGEST,
    (request, _, next) => isLedger(request) ? next() : { ...next(), delayMs: 25 * JSON.parse(request.body).length },
  );
  const played = play({ issued: records(1_600), pageSize: 800, gateways: [slow], latencyMs: 20 });
  const { warnings, ids, result, runs, checkpoint } = played;
  assert.equal(new Set(ids).size, 1_600);
  assert.match(
    warnings.join("\n"),
    /log ingest: no answer within 20 s; continuing with (200|400) records in a request/,
  );
  assert.ok(ids.length <= 2 * 1_600);
  assert.equal(result.retries, 0);
  assert.equal(runs[0].end, "ended");
  assert.ok(checkpoint.batch === undefined || checkpoint.batch < 5_000);
});

Deno.test("the checkpoint remembers how much a slow log ingest takes, until it takes more", () => {
  const slow = answers(
    "POST",
    INGEST,
    (request, _, next) => isLedger(request) ? next() : { ...next(), delayMs: 28_000 },
  );
  const { runs, checkpoint, batches } = play({ issued: records(600), pageSize: 600, gateways: [slow], legs: false });
  assert.equal(runs[0].end, "ended");
  assert.equal(batches[0].length, 600);
  assert.equal(checkpoint.batch, 150);
  const machine = { v: 1, hw: at(-30 * MINUTE), batch: 100 };
  const next = play({
    issued: records(350),
    pageSize: 350,
    vault: { checkpoint: `${at(-30 * MINUTE)}|x\n${JSON.stringify(machine)}` },
  });
  assert.deepEqual([next.batches[0].length <= 100, next.ids.length], [true, 350]);
  assert.ok(next.checkpoint.batch > 100, `${next.checkpoint.batch}`);
});

Deno.test("no batch is sent that the leg cannot finish", () => {
  const slow = answers(
    "POST",
    INGEST,
    (request, _, next) => isLedger(request) ? next() : { ...next(), delayMs: 12_000 },
  );
  const { runs, ids, warnings } = play({ issued: records(300), pageSize: 2, latencyMs: 900, gateways: [slow] });
  assert.ok(runs.length > 1 && runs.every(({ end }) => end === "ended"));
  assert.equal(ids.length, 300);
  assert.deepEqual(warnings, []);
  assert.ok(runs.every(({ endedMs, startedMs }) => endedMs - startedMs < 118_000));
});

Deno.test("what was accepted before a later part failed is in the checkpoint, also within a page", () => {
  const half = answers(
    "POST",
    INGEST,
    (request) =>
      !isLedger(request) && JSON.parse(request.body).some(called("r30"))
        ? json({ error: { message: "no" } }, JSON.parse(request.body).length > 20 ? 413 : 403)
        : undefined,
  );
  const { run, ids, checkpoint } = play({ issued: records(40, MINUTE), pageSize: 40, gateways: [half] });
  assert.match(run.error, /^Log ingest: 403/);
  assert.equal(ids.length, 20);
  assert.equal(checkpoint.human, `${at(-22 * MINUTE)}|r19`);
  assert.equal(checkpoint.from, at(-21 * MINUTE - 1_000));
  assert.equal(checkpoint.to, at(-MINUTE));
  const undated = records(40, MINUTE).map((one, n) =>
    n === 20 ? { ...one, record: { ...one.record, timestamp: "x" } } : one
  );
  const without = play({ issued: undated, pageSize: 40, gateways: [half] });
  assert.equal(without.checkpoint.from, at(-121 * MINUTE), "the first one that is left has no time");
});

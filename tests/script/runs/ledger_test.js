// What a run tells of itself: its lines, its result, its record (case 8 of "one run", L5, L17, L27).
import assert from "node:assert/strict";
import { answers, IDS, json, MINUTE, play, records, refused, time } from "./world.js";

const at = (ms) => time(ms).replace(".000000", "");

Deno.test("the run's record has all that its result has, as text", () => {
  const { result, ledger, world } = play({ issued: records(3), input: { revision: "r1" } });
  const { content, loglevel, ...fields } = ledger[0];
  assert.equal(
    content,
    "Run caught up: 2 pages, 3 fetched, 3 sent, 0 repeated, 0 older than 24 h, 0 skipped as invalid",
  );
  assert.equal(loglevel, "INFO");
  assert.equal(fields["log.source"], "sectigo-scm-connector");
  assert.equal(fields["connector.workflow"], "5b1f4ac6-8d1c-4b54-8f4e-3a5f0e1f7c11");
  for (const [key, value] of Object.entries(result)) assert.equal(fields[`connector.${key}`], String(value), key);
  assert.equal(Object.keys(fields).length, Object.keys(result).length + 2);
  const { durationSeconds, lagSeconds, executionId, ...rest } = result;
  assert.deepEqual(rest, {
    outcome: "caught up",
    revision: "r1",
    leg: 1,
    windowFrom: at(-121 * MINUTE),
    windowTo: at(-MINUTE),
    coveredFrom: at(-121 * MINUTE),
    coveredTo: at(-MINUTE),
    pages: 2,
    fetched: 3,
    sent: 3,
    repeated: 0,
    clamped: 0,
    truncated: 0,
    dropped: 0,
    undated: 0,
    unknownAction: 0,
    changed: 0,
    setAside: 0,
    notRemembered: 0,
    retries: 0,
    warnings: 0,
    checkpointBefore: "none",
    checkpointAfter: `${at(-2 * MINUTE)}|r2`,
    newestRecord: at(-2 * MINUTE),
  });
  assert.equal(executionId, world.executions[0].id);
  assert.ok(lagSeconds >= 60 && lagSeconds <= 62);
  assert.ok(
    durationSeconds > 0.1 && durationSeconds < 3 && /^\d\.\d$/.test(String(durationSeconds)),
    `${durationSeconds}`,
  );
});

Deno.test("the level of a run's record: failed, with warnings, or neither", () => {
  const level = (more) => play({ issued: records(3), ...more }).ledger.at(-1).loglevel;
  assert.equal(level({}), "INFO");
  assert.equal(level({ config: { typo: 1 } }), "WARN");
  assert.equal(level({ gateways: [answers("GET", "/records", () => json({}, 403))] }), "ERROR");
});

Deno.test("a run that fails reports the reason, what it covered, and releases the lock", () => {
  const { run, ledger, lock, lines } = play({
    issued: records(3),
    vault: { checkpoint: `${at(-30 * MINUTE)}|x\n{"v":1,"hw":"${at(-30 * MINUTE)}","told":"${at(-40 * MINUTE)}"}` },
    gateways: [answers("GET", "/records", () => json({ message: "no" }, 403))],
  });
  const reason = "SCM audit API: 403 no (is audit API access enabled for this key?)";
  assert.equal(run.error, reason);
  assert.ok(lines.includes(`✗ ${reason}`));
  assert.equal(ledger[0]["connector.reason"], reason);
  assert.equal(ledger[0].content.startsWith(`Run failed (${reason}): 0 pages`), true);
  assert.equal(ledger[0]["connector.coveredTo"], at(-30 * MINUTE), "what an earlier run read and could not report");
  assert.equal(lock, "IDLE");
});

Deno.test("without a token for log ingest a run still ends with its reason", () => {
  const { run, ledger, asked } = play({
    issued: records(3),
    gateways: [answers("GET", `${IDS.ingest}/details`, () => refused(403, "no"))],
  });
  assert.match(run.error, /0002: no /);
  assert.deepEqual(ledger, []);
  assert.ok(!asked.some(({ api }) => api === "logs" || api === "scm"));
  const config = play({
    issued: records(3),
    gateways: [answers("GET", `${IDS.config}/details`, () => ({ ...refused(403, "no"), delayMs: 500 }))],
  });
  assert.equal(config.ledger[0]["connector.outcome"], "failed");
});

Deno.test("a skipped run reports that, and has no window", () => {
  const { result, ledger, pages } = play({
    issued: records(3),
    vault: { lock: `RUNNING|other|${at(0)}|${at(180_000)}` },
    executions: false,
  });
  assert.deepEqual([result.outcome, result.windowFrom, result.coveredTo, result.lagSeconds, result.checkpointBefore], [
    "skipped",
    undefined,
    undefined,
    undefined,
    "none",
  ]);
  assert.equal(ledger[0]["connector.outcome"], "skipped");
  assert.deepEqual(pages, []);
});

Deno.test("no covered time is claimed before it was saved, nor one that ends before it begins", () => {
  const unsaved = play({
    issued: records(3),
    vault: { checkpoint: `${at(-30 * MINUTE)}|x` },
    gateways: [answers("PUT", IDS.checkpoint, () => refused(403))],
  });
  assert.equal(unsaved.ledger[0]["connector.outcome"], "failed");
  assert.equal(unsaved.ledger[0]["connector.coveredTo"], at(-30 * MINUTE));
  assert.match(unsaved.ledger[0]["connector.lagSeconds"], /^180[012]$/);
  // SCM's clock shows that there is nothing to read yet.
  const early = play({ issued: [], vault: { checkpoint: `${at(-20_000)}|x` } });
  assert.deepEqual([early.result.outcome, early.result.coveredTo <= early.result.coveredFrom], ["caught up", true]);
});

Deno.test("progress is logged for ten batches, then only with a save", () => {
  const { lines } = play({ issued: records(60), pageSize: 1, latencyMs: 300, legs: false });
  const sent = lines.filter((line) => /^✓ Sent \d+ logs to Dynatrace$/.test(line));
  const fetched = lines.filter((line) => /^✓ Fetched \d+ records from SCM API$/.test(line));
  const total = (all) => all.reduce((sum, line) => sum + Number(/\d+/.exec(line)[0]), 0);
  assert.deepEqual([total(sent), total(fetched)], [60, 60]);
  assert.ok(sent.length >= 10 && sent.length <= 16, `${sent.length}`);
});

Deno.test("no secret leaves the script, whoever repeats it", () => {
  const echo = (request, next) =>
    request.path.endsWith("/records")
      ? json({ message: `${JSON.stringify(request.headers)} ${request.world.secrets.join(" ")}` }, 403)
      : next();
  const { run, lines, ledger, world } = play({ issued: records(3), gateways: [echo] });
  for (const secret of world.secrets.map((each) => each.replace(/^dt0c01\.\w+\./, ""))) {
    for (const text of [run.error, lines.join("\n"), JSON.stringify(ledger)]) {
      assert.ok(!text.includes(secret.slice(0, 8)), secret);
    }
  }
  assert.match(run.error, /\*\*\*/);
});

Deno.test("what does not fit into the checkpoint is counted and told", () => {
  // Records without a time are remembered one by one.
  const issued = records(1_200, 100).map((one) => ({ ...one, record: { ...one.record, timestamp: "x" } }));
  const { result, lines, checkpoint } = play({ issued, pageSize: 400 });
  assert.equal(result.sent, 1_200);
  assert.ok(result.notRemembered >= 200 && result.notRemembered < 300, `${result.notRemembered}`);
  assert.equal(result.notRemembered, 1_200 - checkpoint.marks.length / 8);
  assert.ok(
    lines.includes(
      `  ${result.notRemembered} records of the last minutes do not fit into the checkpoint: the next run repeats them`,
    ),
  );
});

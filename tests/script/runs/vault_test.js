// Entries of the vault, the runtime config, and how requests are repeated (cases 17, 23, 38, 42, L11, L15).
import assert from "node:assert/strict";
import { answer, answers, IDS, json, MINUTE, play, records, refused, time } from "./world.js";

const issued = records(3);
const CHECKPOINT = IDS.checkpoint;
const seconds = ({ run }) => (run.endedMs - run.startedMs) / 1000;

Deno.test("a write keeps all that people have set on an entry, and the entry keeps its name and type", () => {
  const { world, result } = play({ issued });
  assert.equal(result.outcome, "caught up");
  assert.deepEqual(world.vault.spoiled, []);
});

Deno.test("an entry without scopes is written with the scope that the script needs", () => {
  const bare = answers("GET", CHECKPOINT, ({ path }, _, next) => {
    if (path.endsWith("/details")) return next();
    return json({ id: CHECKPOINT, name: "Checkpoint", type: "TOKEN" });
  });
  const { asked } = play({ issued, gateways: [bare] });
  const [{ body }] = asked.filter(({ method, path }) => method === "PUT" && path.endsWith(CHECKPOINT));
  assert.deepEqual(JSON.parse(body).scopes, ["APP_ENGINE"]);
  assert.equal(JSON.parse(body).name, "Checkpoint");
});

Deno.test("an entry without a name is called by its id", () => {
  const unnamed = answers("GET", `${IDS.ingest}/details`, () => json({ type: "TOKEN", token: "dt0c01.A.B" }));
  const { lines } = play({ issued, gateways: [unnamed] });
  assert.ok(lines.includes(`✓ Dynatrace token retrieved from vault: ${IDS.ingest}`));
});

Deno.test("new entries are waited for up to 20 s, in one line of the log", () => {
  const late = (until) => (request, next) =>
    request.api === "vault" && request.method === "GET" &&
      request.world.timeline.nowMs - request.process.startedMs < until
      ? refused(404, "unknown")
      : next();
  const soon = play({ issued, gateways: [late(15_000)] });
  assert.equal(soon.result.outcome, "caught up");
  assert.equal(soon.lines.filter((line) => /waiting for new vault entries to become usable/.test(line)).length, 1);
  assert.equal(soon.result.retries, 0);
  assert.ok(soon.asked.filter(({ path }) => path.endsWith(`${IDS.scm}/details`)).length <= 16, "once a second");
  const never = play({ issued, gateways: [late(1e9)] });
  assert.match(never.run.error, /^vault entry CREDENTIALS_VAULT-\d+ does not exist \(unknown.*\); run pulumi up$/);
  assert.ok(seconds(never) >= 20 && seconds(never) < 23, `${seconds(never)}`);
});

Deno.test("what does not pass with time is final at once, and names the cure", () => {
  const rows = [
    [refused(403, "no"), /its scope must be AppEngine/],
    [refused(400, "Scope does not match"), /its scope must be AppEngine/],
  ];
  for (const [given, said] of rows) {
    const played = play({ issued, gateways: [answers("GET", `${IDS.config}/details`, () => given)] });
    assert.match(played.run.error, said);
    assert.ok(seconds(played) < 1, `${seconds(played)} s`);
  }
  const other = play({
    issued,
    gateways: [answers("GET", `${IDS.config}/details`, (_, times) => times < 2 ? refused(400, "id") : undefined)],
  });
  assert.equal(other.result.outcome, "caught up");
  const strange = play({ issued, gateways: [answers("GET", `${IDS.config}/details`, () => refused(402, "pay"))] });
  assert.match(strange.run.error, /^pay/);
  assert.ok(seconds(strange) < 1);
});

Deno.test("an entry deleted during a run stays deleted, and nothing more is written", () => {
  const gone = answers("GET", "/records", ({ world }) => void world.vault.entries.delete(CHECKPOINT));
  const { run, world, asked, lock, ledger } = play({
    issued,
    gateways: [gone],
    vault: { checkpoint: `${time(-10 * MINUTE)}|x` },
  });
  assert.match(
    run.error,
    /Checkpoint \(CREDENTIALS_VAULT-0000000000000003\) was deleted during this run; nothing more is written/,
  );
  assert.equal(world.vault.entries.has(CHECKPOINT), false);
  assert.match(lock, /^RUNNING/);
  assert.equal(ledger.at(-1)["connector.outcome"], "failed");
  const writes = asked.filter(({ method, api }) => api === "vault" && method !== "GET").map(({ method, path }) =>
    `${method} ${path.slice(-1)}`
  );
  assert.deepEqual(writes, ["PUT 4", "PUT 3", "DELETE 3"]);
});

Deno.test("a checkpoint that cannot be saved fails the run, keeps the lock and fetches nothing more", () => {
  const refuse = answers("PUT", CHECKPOINT, (_, times) => times > 0 ? refused(403, "read only") : undefined);
  const { run, lock, pages, lines } = play({ issued, gateways: [refuse] });
  assert.match(run.error, /^the checkpoint could not be saved: read only/);
  assert.match(lock, /^RUNNING/);
  assert.ok(lines.includes("Execution lock left for the next run to take over"));
  assert.ok(pages.length < 5);
});

Deno.test("the runtime config: what is wrong has a default and a warning", () => {
  const config = (text) => {
    const { lines, warnings, result } = play({ issued: [], config: text });
    const shown = lines.find((line) => line.startsWith("  Config values: "));
    return { ...JSON.parse(shown.slice(17)), warned: warnings.join("\n"), outcome: result.outcome };
  };
  const plain = { maxRetries: 3, initHistoryDuration: "2h", warned: "", outcome: "caught up" };
  assert.deepEqual(config("{}"), plain);
  assert.deepEqual(config('{"maxRetries":0,"initHistoryDuration":" 1D2H "}'), {
    ...plain,
    maxRetries: 0,
    initHistoryDuration: "1d2h",
  });
  assert.deepEqual(config('{"maxRetries":10,"initHistoryDuration":"365d"}'), {
    ...plain,
    maxRetries: 10,
    initHistoryDuration: "365d",
  });
  assert.deepEqual(config('{"initialCheckpoint":null}'), plain);
  assert.deepEqual(config('{"initialCheckpoint":""}'), plain);
  assert.equal(config(JSON.stringify({ initialCheckpoint: time(-MINUTE) })).initialCheckpoint, "2026-01-29T09:59:00Z");
  assert.equal(config('{"initialCheckpoint":"2025-01-30T00:00:00Z"}').initialCheckpoint, "2025-01-30T00:00:00Z");
  for (const text of ["", "null", "[]", "7", '"x"', "{"]) {
    assert.match(
      config(text).warned,
      /^WARN runtime config is not a JSON object; using \{"maxRetries":3,"initHistoryDuration":"2h"\}$/,
      text,
    );
  }
  for (const retries of ["-1", "11", "2.5", '"3"', "null"]) {
    const { maxRetries, warned } = config(`{"maxRetries":${retries}}`);
    assert.equal(maxRetries, 3);
    assert.match(warned, /maxRetries must be an integer from 0 to 10; using 3/);
  }
  for (const duration of ['"0h"', '"366d"', '"2"', "2", '"-2h"', '""']) {
    assert.match(
      config(`{"initHistoryDuration":${duration}}`).warned,
      /initHistoryDuration must look like .*; using 2h/,
    );
  }
  for (const initial of ['"x"', '"2026-01-29T10:01:00Z"', '"2025-01-28T00:00:00Z"', "7"]) {
    const { warned, initialCheckpoint } = config(`{"initialCheckpoint":${initial}}`);
    assert.match(warned, /initialCheckpoint must be a time of the last 365 days/);
    assert.equal(initialCheckpoint, undefined);
  }
  assert.match(config('{"a":1,"b":2}').warned, /^WARN runtime config has unknown keys: a, b$/);
});

Deno.test("a temporary failure is repeated maxRetries times, with waits that grow", () => {
  const failing = (times, status = 503) =>
    answers("GET", "/records", (_, before) => before < times ? refused(status, "busy") : undefined);
  const three = play({ issued, gateways: [failing(3)] });
  assert.deepEqual([three.result.outcome, three.result.retries], ["caught up", 3]);
  const waits = three.lines.flatMap((line) =>
    /busy; retry (\d) of 3 \(waiting (\d+\.\d) s\)/.exec(line)?.slice(1) ?? []
  ).map(Number);
  assert.deepEqual([waits[0], waits[2], waits[4]], [1, 2, 3]);
  assert.ok(waits[1] <= 1 && waits[3] <= 2 && waits[5] <= 4, `${waits}`);
  const four = play({ issued, gateways: [failing(4)] });
  assert.match(four.run.error, /^SCM audit API: 503 busy \(after 3 retries\)$/);
  assert.match(play({ issued, gateways: [failing(1)], config: { maxRetries: 0 } }).run.error, /\(after 0 retries\)$/);
  for (const status of [408, 425, 500, 502, 507, 520, 529]) {
    assert.equal(play({ issued, gateways: [failing(1, status)] }).result?.retries, 1, `${status}`);
  }
  for (const status of [402, 501, 505]) {
    assert.match(
      play({ issued, gateways: [failing(1, status)] }).run.error,
      new RegExp(`^SCM audit API: ${status} busy`),
    );
  }
});

Deno.test("a rate limit is no failure: it waits as long as the server says and the leg has time", () => {
  const limited = (headers, times) =>
    answers("GET", "/records", (_, before) => before < times ? json({}, 429, headers) : undefined);
  const seven = play({ issued, gateways: [limited({ "retry-after": "7" }, 6)], config: { maxRetries: 0 } });
  assert.deepEqual([seven.result.outcome, seven.result.retries], ["caught up", 6]);
  assert.ok(seconds(seven) >= 42, `${seconds(seven)}`);
  assert.match(seven.lines.join("\n"), /SCM audit API: 429 .*; rate limit \(waiting (7\.0|[89]\.\d|[12]\d\.\d) s\)/);
  const bare = play({ issued, gateways: [limited({}, 4)], config: { maxRetries: 0 } });
  assert.deepEqual([bare.result.outcome, bare.result.retries], ["caught up", 4]);
  const long = play({ issued, gateways: [limited({ "retry-after": "101" }, 1)] });
  assert.deepEqual([long.result.outcome, long.runs.length], ["more waiting", 1]);
  assert.match(long.result.reason, /rate limit, but a wait of 101 s does not fit into this leg/);
  const date = (ms) => new Date(Date.UTC(2026, 0, 29, 10) + ms).toUTCString();
  const dated = play({ issued, gateways: [limited({ "retry-after": date(30_000), date: date(0) }, 1)] });
  assert.ok(seconds(dated) >= 30 && seconds(dated) < 33, `${seconds(dated)}`);
  // Without a Date of its own, only the host's clock tells: a minute at most.
  const ahead = play({ issued, gateways: [limited({ "retry-after": date(300 * MINUTE) }, 1)] });
  assert.ok(seconds(ahead) >= 60 && seconds(ahead) < 63, `${seconds(ahead)}`);
  const past = play({ issued, gateways: [limited({ "retry-after": date(-MINUTE), date: date(0) }, 1)] });
  assert.ok(seconds(past) < 3);
});

Deno.test("a host that is not allowed yet is waited for up to 20 s, without counting as a retry", () => {
  const broken = (until) =>
    answers(
      "GET",
      "/records",
      ({ process, world }) =>
        world.timeline.nowMs - process.startedMs < until ? refused(503, "Host is not in the allowlist") : undefined,
    );
  const soon = play({ issued, gateways: [broken(12_000)] });
  assert.deepEqual([soon.result.outcome, soon.result.retries], ["caught up", 0]);
  assert.equal(soon.lines.filter((line) => /waiting for new hosts in the outbound allowlist/.test(line)).length, 1);
  const never = play({ issued, gateways: [broken(1e9)] });
  assert.match(
    never.run.error,
    /^SCM audit API: 503 Host is not in the allowlist; add the host under Settings > General > External requests, or run pulumi up$/,
  );
  assert.ok(seconds(never) >= 20 && seconds(never) < 24);
});

Deno.test("an answer that does not come is given up after 20 s and asked for again", () => {
  const slow = answers("GET", "/records", (_, times, next) => times === 0 ? { ...next(), delayMs: 30_000 } : undefined);
  const { result, run, lines } = play({ issued, gateways: [slow] });
  assert.deepEqual([result.outcome, result.retries], ["caught up", 1]);
  assert.match(lines.join("\n"), /no answer within 20 s; retry 1 of 3/);
  assert.ok(seconds({ run }) >= 20 && seconds({ run }) < 24);
});

Deno.test("while a leg fetches, no request waits past 110 s; afterwards nothing is written past 118 s", () => {
  const slow = (request, next) => request.path.endsWith("/records") ? { ...next(), delayMs: 19_000 } : next();
  const { run, result, checkpoint } = play({ issued: records(100), gateways: [slow], legs: false });
  assert.equal(run.end, "ended");
  assert.equal(result.outcome, "more waiting");
  assert.ok(seconds({ run }) >= 100 && seconds({ run }) < 118);
  assert.match(checkpoint.human, /^2026-01-29T09:5/);
  const stuck = answers(
    "PUT",
    CHECKPOINT,
    (_, times) => times > 0 ? { ...answer(503, "{}"), delayMs: 15_000 } : undefined,
  );
  const late = play({ issued: records(100), gateways: [slow, stuck], legs: false, config: { maxRetries: 10 } });
  assert.equal(late.run.end, "failed");
  assert.ok(seconds(late) <= 119, `${seconds(late)}`);
});

Deno.test("a token or a secret with a character that no header takes is named by its place", () => {
  const bad = play({ issued, vault: { ingest: "dt0c01.PUBLIC.SECRET\nVALUE" } });
  assert.match(
    bad.run.error,
    /^vault entry Log Ingest: character 21 of the token \(U\+000A\) cannot be sent in a header; run pulumi up with the right value$/,
  );
  assert.ok(bad.lines.every((line) => !/SECRET|VALUE/.test(line)));
  assert.ok(seconds(bad) < 1);
  const blank = play({ issued, vault: { ingest: "dt0c01.PUBLIC.SECRET VALUE" } });
  assert.match(blank.run.error, /character 21 of the token \(U\+0020\)/);
});

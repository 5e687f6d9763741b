// What is asked of SCM, and which records of its answers are new (cases 3 to 9, L1 to L3, L7, L8, L16 to L18, L20, L26).
import assert from "node:assert/strict";
import { answer, answers, json, MINUTE, play, record, records, refused, START_MS, time } from "./world.js";

const at = (ms) => time(ms).replace(".000000", "");
const HOUR = 60 * MINUTE;
const starts = [0, 10 * MINUTE];
const byTime = ({ pages }) => pages.filter(({ from }) => from).map(({ from, to }) => [from, to]);
const seconds = ({ run }) => (run.endedMs - run.startedMs) / 1000;

Deno.test("one query by time for each window, then a token after the other, with the window's end each time", () => {
  const { pages, asked, result } = play({ issued: records(25) });
  const to = at(-MINUTE);
  assert.deepEqual(pages[0], { from: at(-2 * HOUR - MINUTE), to });
  assert.deepEqual(pages.slice(1).map((page) => [page.to, page.token?.split("|")[1]]), [[to, "10"], [to, "20"], [
    to,
    "25",
  ]]);
  assert.deepEqual([result.pages, result.fetched], [4, 25]);
  const [{ headers }] = asked.filter(({ api }) => api === "scm");
  assert.match(headers.Authorization, /^Bearer eyJ/);
  const [{ body, method }] = asked.filter(({ api }) => api === "scm-sso");
  assert.equal(method, "POST");
  assert.match(body, /^grant_type=client_credentials&client_id=client&client_secret=7f/);
});

Deno.test("the next page is asked for while the one before is being sent", () => {
  const { asked } = play({
    issued: records(25),
    pageSize: 10,
    gateways: [answers("POST", "/ingest", (_, __, next) => ({ ...next(), delayMs: 3_000 }))],
  });
  const ingested = asked.findIndex(({ api }) => api === "logs");
  const pages = asked.map(({ api }, n) => [api, n]).filter(([api]) => api === "scm");
  assert.ok(pages.at(-1)[1] < ingested || asked[ingested].ms + 3_000 > asked[pages.at(-1)[1]].ms);
});

Deno.test("a page without a token is confirmed by a query from a second before the newest record", () => {
  const { pages, ids, result } = play({ issued: records(25), lastPageToken: false });
  assert.deepEqual(byTime({ pages }), [[at(-2 * HOUR - MINUTE), at(-MINUTE)], [at(-2 * MINUTE - 1_000), at(-MINUTE)]]);
  assert.equal(ids.length, 25);
  assert.equal(result.repeated, 1);
});

Deno.test("a history of a day is read in slices of six hours, each from a second before the end of the one before", () => {
  const issued = [record("old", -23 * HOUR), record("seam", -18 * HOUR - MINUTE), ...records(3)];
  const { pages, result, ids } = play({ issued, history: "1d", config: { initHistoryDuration: "1d" } });
  const border = (n) => -24 * HOUR - MINUTE + n * 6 * HOUR;
  assert.deepEqual(byTime({ pages }), [0, 1, 2, 3].map((n) => [at(border(n) - (n ? 1_000 : 0)), at(border(n + 1))]));
  assert.deepEqual(ids, ["old", "seam", "r0", "r1", "r2"]);
  assert.deepEqual([result.coveredFrom, result.coveredTo], [at(border(0)), at(-MINUTE)]);
  assert.ok([60, 61].includes(result.lagSeconds));
});

Deno.test("the start of a first history is saved before anything is read, and stays", () => {
  const { runs, saved, ids } = play({
    issued: [record("first", -2 * HOUR - MINUTE + 1_000), ...records(2)],
    gateways: [answers("GET", "/records", (_, times) => times < 4 ? refused(500) : undefined)],
    starts: [0, 3 * HOUR],
  });
  assert.equal(runs[0].end, "failed");
  assert.match(saved[0], /^2026-01-29T07:59:00Z\|\n/);
  assert.equal(JSON.parse(saved[0].split("\n")[1]).from, at(-2 * HOUR - MINUTE));
  assert.ok(runs[0].lines.includes("✓ Start time saved to vault: 2026-01-29T07:59:00Z"));
  assert.ok(ids.includes("first"));
  assert.equal(runs[1].result.coveredFrom, at(-2 * HOUR - MINUTE));
});

Deno.test("the next run begins five minutes before the checkpoint and repeats nothing of it", () => {
  const { runs, pages, ids, checkpoint } = play({ issued: [...records(50, 7_000), record("new", 4 * MINUTE)], starts });
  assert.deepEqual(byTime({ pages })[1], [at(-6 * MINUTE), at(9 * MINUTE)]);
  const overlap = records(50, 7_000).filter(({ us }) => us / 1000 > START_MS - 6 * MINUTE).length;
  const { fetched, sent, repeated, coveredFrom, coveredTo } = runs[1].result;
  assert.deepEqual([fetched, sent, repeated], [overlap + 1, 1, overlap]);
  assert.deepEqual([coveredFrom, coveredTo], [at(-MINUTE), at(9 * MINUTE)]);
  assert.equal(ids.length, 51);
  assert.equal(checkpoint.human, `${at(4 * MINUTE)}|new`);
  assert.match(
    runs[1].lines.join("\n"),
    /Checkpoint: 2026-01-29T09:58:00Z\|r49\n[^]*Incremental run - querying logs from 2026-01-29T09:54:00Z to 2026-01-29T10:09:00Z \(15 minutes\)/,
  );
});

Deno.test("a late record in a dense second repeats that second at most", () => {
  const dense = Array.from({ length: 40 }, (_, n) => record(`d${n}`, -3 * MINUTE + 10 * n));
  const late = { ...record("late", -3 * MINUTE + 5), lateS: 200 };
  const { ids } = play({ issued: [...records(20), ...dense, late], starts });
  const copies = Map.groupBy(ids, (id) => id);
  assert.equal(copies.get("late").length, 1);
  assert.ok([...copies].every(([id, all]) => all.length === 1 || (id.startsWith("d") && all.length === 2)));
});

Deno.test("an access token is renewed in time, and after a 401 once", () => {
  const tokens = (lifetime, more = {}) => {
    const { asked, ...played } = play({
      issued: records(170),
      pageSize: 2,
      latencyMs: 1_000,
      legs: false,
      tokenLifetimeS: 900,
      gateways: [
        answers("POST", "/token", (_, __, next) => {
          const { body, ...rest } = next();
          return { ...rest, body: JSON.stringify({ ...JSON.parse(body), expires_in: lifetime }) };
        }),
      ],
      ...more,
    });
    return { ...played, at: asked.filter(({ api }) => api === "scm-sso").map(({ ms }) => Math.round(ms / 1000)) };
  };
  const between = (times) => times.slice(1).map((time, n) => time - times[n]);
  assert.equal(tokens(300).at.length, 1);
  for (const lifetime of [undefined, -5, 0, "60"]) assert.equal(tokens(lifetime).at.length, 1, `${lifetime}`);
  // A fifth of its life, a minute at most, before its end.
  assert.ok(between(tokens(50).at).every((gap) => gap >= 40 && gap < 43));
  assert.ok(between(tokens(130).at).every((gap) => gap >= 100), "26 s before");
  const revoked = answers("GET", "/records", (_, times) => times === 2 ? json({}, 401) : undefined);
  const once = play({ issued: records(50), gateways: [revoked] });
  assert.deepEqual(
    [once.result.outcome, once.result.retries, once.asked.filter(({ api }) => api === "scm-sso").length],
    ["caught up", 0, 2],
  );
  const always = play({
    issued: records(50),
    gateways: [answers("GET", "/records", () => json({ description: "Unknown user" }, 401))],
  });
  assert.equal(
    always.run.error,
    "SCM audit API: 401 Unknown user (do scmTokenUrl and scmApiUrl belong to the same SCM instance?)",
  );
  assert.equal(always.asked.filter(({ api }) => api === "scm").length, 2);
});

Deno.test("what SCM's token endpoint answers instead of a token is told, and what to check", () => {
  const given = (reply) => play({ issued: records(1), gateways: [answers("POST", "/token", () => reply)] });
  for (const status of [400, 401, 403]) {
    assert.equal(
      given(json({ error_description: "bad client" }, status)).run.error,
      `SCM refused the OAuth client (${status}: bad client); check sectigoClientId and sectigoClientSecret`,
    );
  }
  assert.equal(given(json({ error: "gone" }, 404)).run.error, "SCM token endpoint: 404 gone; check scmTokenUrl");
  for (const body of [{}, { access_token: "" }, { access_token: 5 }, null]) {
    assert.equal(
      given(json(body)).run.error,
      "SCM's token endpoint answered without an access_token; check scmTokenUrl",
    );
  }
  assert.match(
    given(json({ access_token: "a b" })).run.error,
    /^SCM's token endpoint: character 2 of the token \(U\+0020\) cannot be sent in a header; check scmTokenUrl$/,
  );
  const secret = "refresh-token-of-scm";
  const shown = play({
    issued: records(1),
    gateways: [
      answers(
        "POST",
        "/token",
        (_, __, next) =>
          json({ ...JSON.parse(next().body), refresh_token: secret, id_token: `${secret}-2`.toUpperCase() }),
      ),
      answers("GET", "/records", () => json({ description: `no ${secret} ${secret.toUpperCase()}-2` }, 403)),
    ],
  });
  assert.match(shown.run.error, /^SCM audit API: 403 no \*\*\* \*\*\* \(is audit API access enabled for this key\?\)$/);
});

Deno.test("a refusal of the audit API has a hint by its status", () => {
  const given = (status, more = {}) =>
    play({
      issued: records(1),
      gateways: [answers("GET", "/records", () => json({ message: "no" }, status))],
      ...more,
    });
  assert.equal(given(402).run.error, "SCM audit API: 402 no (is the subscription of this SCM account active?)");
  assert.equal(given(404).run.error, "SCM audit API: 404 no (is scmApiUrl right?)");
  assert.equal(given(400).run.error, "SCM audit API: 400 no");
  assert.equal(given(418).run.error, "SCM audit API: 418 no");
  const config = { initHistoryDuration: "8d" };
  assert.match(
    given(400, { config }).run.error,
    /^SCM audit API: 400 no \(asked from 2026-01-21T09:59:00Z on: if SCM keeps nothing that old, set initialCheckpoint to a later time\)$/,
  );
  assert.match(given(403, { config }).run.error, /\(is audit API access enabled for this key\?\)$/);
});

Deno.test("a rejected page token leads back to a query by time, whatever 4xx it is", () => {
  for (const status of [400, 404, 410, 422]) {
    const reject = answers(
      "GET",
      "/records",
      ({ query }) => query.get("token") && query.get("token").includes("|20") ? json({}, status) : undefined,
    );
    const { ids, warnings, pages } = play({ issued: records(25), gateways: [reject] });
    assert.deepEqual(ids, records(25).map(({ record }) => record.id), `${status}`);
    assert.match(warnings.join("\n"), /SCM rejected a page token; continuing by time/);
    assert.equal(byTime({ pages })[1][0], at(-2 * MINUTE - 6_000));
  }
  const refuse = answers(
    "GET",
    "/records",
    ({ query }) => query.get("token") ? json({ message: "no" }, 403) : undefined,
  );
  assert.match(play({ issued: records(25), gateways: [refuse] }).run.error, /^SCM audit API: 403 no/);
});

Deno.test("a saved token that SCM rejects: the window is read again, in parts if its pages came in no order", () => {
  const window = (ordered) =>
    `${at(-HOUR)}|x\n${
      JSON.stringify({ v: 1, hw: at(-2 * HOUR), from: at(-HOUR), to: at(-10 * MINUTE), token: "stale", ordered })
    }`;
  const issued = records(30, MINUTE, -20 * MINUTE);
  const inOrder = play({ issued, vault: { checkpoint: window(true) } });
  assert.deepEqual(byTime(inOrder).slice(0, 2), [[at(-HOUR), at(-10 * MINUTE)], [at(-15 * MINUTE), at(-MINUTE)]]);
  assert.equal(inOrder.pages[0].token, "stale");
  const parts = play({ issued, vault: { checkpoint: window(undefined) } });
  assert.match(
    parts.warnings.join("\n"),
    /SCM rejected the page token of a window that must be read from its start; reading it in parts/,
  );
  const quarter = (n) => -HOUR + n * 12.5 * MINUTE;
  assert.deepEqual(
    byTime(parts).slice(0, 4),
    [1, 2, 3, 4].map((n) => [at(n === 1 ? -HOUR : quarter(n - 1) - 1_000), at(quarter(n))]),
  );
  assert.deepEqual([inOrder.ids.length, parts.ids.length], [30, 30]);
});

Deno.test("only what is known to be a page is one", () => {
  const page = (body, status = 200) => {
    const { run, result, ids } = play({
      issued: records(3),
      config: { maxRetries: 1 },
      gateways: [
        answers(
          "GET",
          "/records",
          ({ query }) =>
            query.get("from") ? answer(status, typeof body === "string" ? body : JSON.stringify(body)) : undefined,
        ),
      ],
    });
    return result ? ids.length : run.error;
  };
  const one = [{ id: "a", timestamp: at(-3 * MINUTE), action: "x" }];
  for (
    const body of [one, { records: one }, { data: one, total: 1 }, { items: one, status: "OK" }, {
      content: one,
      error: null,
      errors: [],
    }]
  ) assert.equal(page(body), 1, JSON.stringify(body));
  assert.equal(page([]), 0);
  assert.equal(page("", 204), 0);
  assert.match(
    page({ error: "backend timeout", data: [] }),
    /^SCM audit API: 200 backend timeout \(after 1 retries\)$/,
  );
  assert.match(page(""), /^SCM audit API: 200 empty body \(after 1 retries\)$/);
  for (
    const body of [{ status: "FAILED", data: one }, { data: one, items: one }, {}, "<html>", "null", {
      data: one,
      meta: { error: "x" },
    }, { data: one, partial: true }]
  ) {
    assert.match(String(page(body)), /^SCM audit API: 200 /, JSON.stringify(body));
  }
  assert.match(String(page("x", 204)), /^SCM audit API: 204 x/);
});

Deno.test("equal content is one record; one id with two contents is two, counted and warned of three times", () => {
  const same = records(2, 1_000, -10 * MINUTE).map((one) => ({
    ...one,
    record: { ...one.record, id: undefined, timestamp: at(-11 * MINUTE), details: "same", objectId: "o" },
  }));
  const twice = Array.from(
    { length: 6 },
    (_, n) => record("twice", -9 * MINUTE, { details: `content ${n}`, objectId: `o${n}` }),
  );
  const { result, ids, warnings, lines, stored } = play({ issued: [...same, ...twice] });
  assert.equal(ids.length, 7);
  assert.deepEqual([result.sent, result.repeated, result.changed, result.warnings], [7, 1, 5, 5]);
  assert.deepEqual(warnings, Array(3).fill("WARN record twice came twice with different content; both are sent"));
  assert.ok(
    lines.includes(
      "  2 more warnings of this kind, the last one: record twice came twice with different content; both are sent",
    ),
  );
  assert.equal(new Set(stored.map((sent) => sent["event.hash"])).size, 7);
  assert.match(stored[0]["event.id"], /^synthetic-[0-9a-f]{16}$/);
});

Deno.test("records without a time or an action are sent, counted, and shown once", () => {
  const odd = (id, more) => record(id, -5 * MINUTE, more);
  const { result, warnings, stored, checkpoint } = play({
    issued: [
      odd("a", { timestamp: "soon" }),
      odd("b", { timestamp: "later" }),
      odd("c", { action: undefined }),
      odd("d", { action: "" }),
      record("e", -5 * MINUTE),
    ],
  });
  assert.deepEqual([result.undated, result.unknownAction, result.sent], [2, 2, 5]);
  assert.deepEqual(warnings, [
    'WARN the time of record a cannot be read: "soon"',
    "WARN record c has none of the known action fields",
  ]);
  assert.deepEqual([stored[0]["scm.event.time_raw"], stored[0].timestamp, stored[2]["event.action"]], [
    "soon",
    undefined,
    "unknown",
  ]);
  assert.equal(checkpoint.human, `${at(-5 * MINUTE)}|e`);
});

Deno.test("record times outside the window that was asked for are told once, with the distance", () => {
  const away = (ms) =>
    play({
      issued: records(10).map((one) => ({
        ...one,
        record: { ...one.record, timestamp: time(one.us / 1000 - START_MS + ms) },
      })),
    });
  const ahead = away(8 * MINUTE);
  assert.deepEqual(ahead.warnings, [
    "WARN record times are up to 7 minutes outside the window asked for: SCM filters by another time",
  ]);
  assert.match(away(-3 * HOUR).warnings.join("\n"), /record times are up to 1 hours outside/);
  assert.deepEqual(away(MINUTE).warnings, []);
});

Deno.test("clocks that differ by more than a minute are told once, and the earliest decides", () => {
  const skewed = (ms, more = {}) => play({ issued: records(10), headerMs: () => ms, ...more });
  assert.deepEqual(skewed(50_000).warnings, []);
  assert.match(
    skewed(7 * MINUTE).warnings.join("\n"),
    /^WARN the clocks of SCM and the (host|platform) differ: SCM is 7 minutes ahead; records are read up to the time of the (host|platform)$/,
  );
  const behind = skewed(-30 * MINUTE);
  assert.match(
    behind.warnings.join("\n"),
    /differ: the (host|platform) is 30 minutes ahead; records are read up to the time of SCM$/,
  );
  assert.equal(behind.pages[0].to, at(-31 * MINUTE).replace(":00Z", ":01Z"));
  // A day off is no clock.
  assert.equal(skewed(-25 * HOUR).pages[0].to, at(-MINUTE));
  const host = play({ issued: records(10), starts: [{ after: 0, offsetMs: 5 * HOUR }] });
  assert.equal(host.ids.length, 10);
  assert.equal(host.warnings.length, 1);
  const lost = play({ issued: records(10), executions: false, starts: [{ after: 0, offsetMs: 5 * HOUR }] });
  assert.equal(lost.ids.length, 10, "SCM's Date shows that the host is ahead");
});

Deno.test("a checkpoint in the future goes back, and its first line too", () => {
  const { warnings, checkpoint, result } = play({
    issued: records(3),
    vault: { checkpoint: `${at(2 * HOUR)}|x\n{"v":1,"hw":"${at(2 * HOUR)}","told":"${at(-HOUR)}"}` },
  });
  assert.match(
    warnings.join("\n"),
    /the checkpoint is in the future \(2026-01-29T12:00:00Z\); continuing from 2026-01-29T08:55:00Z/,
  );
  assert.equal(checkpoint.human, `${at(-2 * MINUTE)}|r2`);
  assert.deepEqual([result.sent, result.coveredFrom, result.coveredTo], [3, at(-HOUR), at(-MINUTE)]);
});

Deno.test("an initialCheckpoint is applied once, forwards and backwards", () => {
  const config = { initialCheckpoint: at(-30 * MINUTE) };
  const issued = records(60, MINUTE, -2 * MINUTE);
  const { runs, pages, checkpoint, ids } = play({
    issued,
    config,
    starts,
    vault: { checkpoint: `${at(-10 * MINUTE)}|x\n{"v":1,"hw":"${at(-10 * MINUTE)}"}` },
  });
  assert.deepEqual(byTime({ pages }), [[at(-30 * MINUTE), at(-MINUTE)], [at(-6 * MINUTE), at(9 * MINUTE)]]);
  assert.equal(checkpoint.initial, at(-30 * MINUTE));
  assert.equal(ids.length, 28);
  assert.match(runs[0].lines.join("\n"), /Initial checkpoint - querying logs from 2026-01-29T09:30:00Z/);
  assert.equal(runs[0].result.coveredFrom, at(-30 * MINUTE));
  const first = play({ issued, config: { initialCheckpoint: at(-3 * HOUR) } });
  assert.equal(first.pages[0].from, at(-3 * HOUR));
  assert.equal(first.saved.length, 1, "its own start is what the config says");
});

Deno.test("records older than 24 hours are sent with the present time and told", () => {
  const issued = [record("old", -24 * HOUR - MINUTE), record("edge", -23.9 * HOUR), record("young", -23.5 * HOUR)];
  const { stored, result, lines } = play({ issued, config: { initHistoryDuration: "2d" } });
  assert.deepEqual(stored.map((sent) => [sent["event.id"], sent.timestamp, sent["scm.backfill"]]), [
    ["old", undefined, "true"],
    ["edge", undefined, "true"],
    ["young", time(-23.5 * HOUR), undefined],
  ]);
  assert.equal(stored[0]["scm.event.timestamp"], time(-24 * HOUR - MINUTE));
  assert.equal(result.clamped, 2);
  assert.ok(
    lines.includes(
      "  2 records were older than 24 h: sent with the current time, the original is in scm.event.timestamp",
    ),
  );
});

Deno.test("a first window that lies in the future of SCM's clock is planned again by the next leg", () => {
  const { runs, ids } = play({
    issued: records(10, 1_000, -5 * HOUR),
    executions: true,
    headerMs: () => -4 * HOUR,
    config: { initHistoryDuration: "2h" },
    history: "2h",
    platformMs: 0,
    gateways: [
      answers("POST", "/token", (_, __, next) => ({ ...next(), headers: {} })),
    ],
  });
  assert.match(runs[0].result.reason, /the first window lies in the future of SCM's clock: it is planned again/);
  assert.equal(runs[0].result.sent, 0);
  assert.ok(ids.length >= 0 && seconds({ run: runs[0] }) < 10);
});

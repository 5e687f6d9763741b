// Values at the edge of a rule, and what holds for every value.
import assert from "node:assert/strict";
import { toEvent } from "sync/events.js";
import { formatCheckpoint, parseCheckpoint } from "sync/checkpoint.js";
import { bucketOf, Overlap } from "sync/overlap.js";
import { LIMITS } from "sync/limits.js";
import { cut, Paging } from "sync/paging.js";
import { PARAMETERS } from "sync/parameters.js";
import { recordTime } from "sync/record_time.js";
import { judge, keep, newMemory } from "sync/records.js";
import { newRun } from "sync/run.js";
import { planWindows } from "sync/windows.js";

console.warn = () => {};
console.log = () => {};

const NOW = Date.UTC(2026, 0, 29, 10) * 1000;
const MINUTE = 60e6;
const HOUR = 60 * MINUTE;
const parsed = (machine) =>
  parseCheckpoint(newRun("x"), `2026-01-29T09:00:00Z|x\n${JSON.stringify({ v: 1, ...machine })}`);

Deno.test("a checkpoint's numbers are believed within their bounds only", () => {
  const rows = [
    ["span", 59_999_999, null],
    ["span", 60_000_000, 60_000_000],
    ["span", 6 * HOUR, 6 * HOUR],
    ["span", 6 * HOUR + 1, null],
    ["span", "many", null],
    ["stalled", 0, 0],
    ["stalled", -1, 0],
    ["stalled", 1.5, 0],
    ["stalled", 2, 2],
    ["batch", 0, null],
    ["batch", 1, 1],
    ["batch", 4_999, 4_999],
    ["batch", 5_000, null],
    ["batch", 2.5, null],
    ["initial", 7, ""],
    ["told", "soon", null],
  ];
  for (const [name, value, expected] of rows) {
    assert.equal(parsed({ [name]: value })[name], expected, `${name} ${value}`);
  }
});

Deno.test("an open window needs both ends, the later one behind", () => {
  const [from, to] = ["2026-01-29T08:00:00Z", "2026-01-29T09:00:00Z"];
  assert.equal(parsed({ from, to }).hw, null);
  assert.deepEqual(parsed({ from, to, token: 5 }).open, {
    from: NOW - 2 * HOUR,
    to: NOW - HOUR,
    token: null,
    ordered: false,
  });
  for (const machine of [{ from }, { to }, { from: to, to: from }, { from, to: from }]) {
    assert.equal(parsed(machine).open, null);
    assert.equal(parsed(machine).hw, NOW - HOUR);
  }
});

Deno.test("a token that is too long is not saved, the longest that fits is", () => {
  const open = (length) => ({
    ...parsed({}),
    open: { from: NOW - HOUR, to: NOW, token: "x".repeat(length), ordered: true },
  });
  assert.equal(parseCheckpoint(newRun("x"), formatCheckpoint(open(2_000)).text).open.token.length, 2_000);
  assert.equal(parseCheckpoint(newRun("x"), formatCheckpoint(open(2_001)).text).open.token, null);
});

Deno.test("test_L21 the parts that a full page is cut in hold every moment inside, whatever SCM does at their ends", () => {
  const [from, to] = [1_000, 1_100];
  const at = (...times) => times.map((us) => ({ us }));
  const pages = [
    at(),
    at(null),
    at(1_000),
    at(1_100),
    at(1_050),
    at(1_002),
    at(1_098),
    at(1_050, 1_057),
    at(1_050, 1_058),
    at(1_001, 1_099),
    at(900, 1_050),
  ];
  for (const judged of pages) {
    const parts = cut({ from, to }, judged);
    for (let moment = from + 1; moment < to; moment += 1) {
      assert.ok(
        parts.some((part) => part.from < moment && moment < part.to),
        `${moment} of ${JSON.stringify(judged)} in ${JSON.stringify(parts)}`,
      );
    }
    assert.ok(parts.every((part) => part.from < part.to), JSON.stringify(parts));
    assert.ok(parts.every((part) => part.to - part.from < to - from), "each is smaller");
    assert.ok(parts.every((part) => part.from >= parts.at(-1).from), "the earliest is read next");
  }
});

Deno.test("a window of many full parts is read to its end: news is progress", () => {
  const records = Array.from(
    { length: 2_000 },
    (_, id) => ({ id, key: `${id}`, us: NOW + 3_000 * ((id * 7_919) % 2_000) }),
  );
  const paging = new Paging({ from: NOW - 1, to: NOW + 6e6, token: null, ordered: true });
  const read = new Set();
  let query = paging.asked;
  for (let requests = 0; query; requests += 1) {
    assert.ok(requests < 3_000);
    const { from, to } = query;
    const shown = records.filter(({ us }) => us > from && us <= to).slice(0, 10);
    query = paging.next({ records: shown, token: null, tries: 1, at: 0 });
    shown.forEach(({ id }) => read.add(id));
    query = paging.read(shown) ?? query;
  }
  assert.equal(read.size, 2_000);
});

const known = (checkpoint, more = {}) => ({
  checkpoint: { ...parsed({}), ...checkpoint },
  backfill: null,
  initial: "",
  isFirst: false,
  wasReported: true,
  now: NOW,
  newest: NOW - MINUTE,
  scmNow: NOW,
  history: 2 * 3_600_000,
  ...more,
});

Deno.test("what the windows of a run cover begins with what is left and ends with the newest of all", () => {
  const open = { from: NOW - 2 * HOUR, to: NOW - 30e6, token: "t", ordered: true };
  const { span, windows } = planWindows(known({ open, hw: NOW - 3 * HOUR }));
  assert.deepEqual(span, { from: open.from, to: open.to });
  assert.deepEqual(windows[0], open);
  const ahead = planWindows(known({ hw: NOW - 10e6 }));
  assert.deepEqual(ahead.span, { from: NOW - 10e6 - 5 * MINUTE, to: NOW - 10e6 });
  assert.equal(ahead.windows.length, 1);
});

Deno.test("a window that did not fit into a leg is read in quarters, and what follows in its size", () => {
  const open = { from: NOW - 4 * HOUR, to: NOW - 2 * HOUR, token: null, ordered: false };
  const { windows } = planWindows(known({ open, hw: null }));
  const borders = windows.map(({ from, to }) => [(from - NOW) / MINUTE, (to - NOW) / MINUTE]);
  const second = 1 / 60;
  assert.deepEqual(borders.slice(0, 4), [[-240, -210], [-210 - second, -180], [-180 - second, -150], [
    -150 - second,
    -120,
  ]]);
  assert.equal(borders[4][0], -125);
  assert.ok(borders.slice(4).every(([from, to]) => to - from <= 120 + second));
  assert.equal(borders.at(-1)[1], -1);
  // What was reached before is no end of a part: that would be no progress.
  const behind = planWindows(known({ open, hw: NOW - 150 * MINUTE })).windows.map((
    { from, to },
  ) => [(from - NOW) / MINUTE, (to - NOW) / MINUTE]);
  assert.deepEqual(behind[0], [-240, -142.5]);
  assert.ok(windows.slice(0, 4).every(({ token, ordered }) => token === null && ordered));
});

Deno.test("sums have the form in which earlier releases have saved them", () => {
  const overlap = new Overlap();
  for (
    const [us, mark] of [[1_500_000, 1], [1_999_999, 64], [2_000_000, 2], [2_000_001, 3], [7_000_000, 2 ** 48 - 1]]
  ) overlap.add(us, mark);
  const { text } = formatCheckpoint({ ...parsed({}), hw: 8e6, overlap });
  assert.equal(JSON.parse(text.split("\n")[1]).part, "3:AAAAAABB1:AAAAAAAC1:AAAAAAAD9:////////");
  overlap.finish(true);
  const { sums, marks } = JSON.parse(formatCheckpoint({ ...parsed({}), hw: 8e6, overlap }).text.split("\n")[1]);
  assert.deepEqual([sums, marks], ["3:AAAAAABB1:AAAAAAAC1:AAAAAAAD9:////////", "AAAAAAABAAAAAABA"]);
  assert.deepEqual([0, 1, 999_999, 1_000_000].map(bucketOf), [0, 1, 1, 2]);
});

Deno.test("a checkpoint that is full has no character more than 8,000, and as many marks as fit", () => {
  const overlap = new Overlap();
  for (let mark = 0; mark < 1_000; mark += 1) overlap.add(null, mark);
  for (let us = 1; us < 20; us += 1) overlap.add(us * 1e6, us);
  overlap.finish(true);
  overlap.add(30e6, 1);
  for (let more = 0; more < 8; more += 1) {
    const { text, forgotten } = formatCheckpoint({ ...parsed({}), id: "x".repeat(more), overlap });
    const { marks, sums, part } = JSON.parse(text.split("\n")[1]);
    assert.ok(text.length <= 8_000 && text.length > 7_992, `${text.length}`);
    assert.ok(forgotten > 0 && forgotten < 1_020 - marks.length / 8, `${forgotten}`);
    assert.equal(sums.match(/:/g).length + part.match(/:/g).length, 20);
  }
});

Deno.test("a record that is read twice in a window is counted once in what is remembered", () => {
  const run = newRun("x");
  const window = { from: NOW - HOUR, to: NOW, token: null, ordered: true };
  run.memory.window = 1;
  const records = ["a", "b"].map((id) => ({ id, timestamp: "2026-01-29T09:30:00.5Z", action: "x" }));
  assert.deepEqual(judge(run, records, window, false).map(({ verdict }) => verdict), ["send", "send"]);
  const before = structuredClone(run.memory.overlap.part);
  assert.deepEqual(judge(run, records, window, true).map(({ verdict }) => verdict), ["repeated", "repeated"]);
  assert.deepEqual(run.memory.overlap.part, before);
  assert.deepEqual([...before.sums.values()].map(({ count }) => count), [2]);
  assert.equal(before.marks.size, 2);
});

Deno.test("a window after another one counts what both hold, and sends it once", () => {
  const run = newRun("x");
  const window = { from: NOW - HOUR, to: NOW, token: null, ordered: true };
  const records = [{ id: "a", timestamp: "2026-01-29T09:30:00Z", action: "x" }];
  const [first, second] = [1, 2].map((number) => {
    run.memory.window = number;
    return judge(run, records, window, false)[0];
  });
  assert.deepEqual([first.verdict, second.verdict], ["send", "repeated"]);
  assert.equal(first.mark, second.mark);
});

Deno.test("of more than fits the newest are remembered, in whatever order they came", () => {
  const times = Array.from({ length: 2_001 }, (_, n) => 1e6 * (n + 1));
  const kept = (order) => {
    const overlap = new Overlap();
    order.forEach((us) => overlap.add(us, us));
    return [overlap.part.marks, overlap.part.sums].map((map) => [...map.keys()].sort((a, b) => a - b));
  };
  const newest = times.slice(-1_000);
  for (const order of [times, times.toReversed(), times.toSorted((a, b) => a % 7e6 - b % 7e6)]) {
    assert.deepEqual(kept(order), [newest, newest.map(bucketOf)]);
  }
});

Deno.test("what a leg remembers is bounded by characters: the older half is forgotten first", () => {
  const memory = newMemory();
  const half = LIMITS.rememberedLength / 2;
  keep(memory, "x".repeat(half - 1), 1);
  keep(memory, "y", 1);
  keep(memory, "y", 2);
  assert.deepEqual([memory.recent.size, memory.older.size, memory.length], [2, 0, half]);
  keep(memory, "z", 1);
  assert.deepEqual([memory.recent.size, memory.older.size, memory.length], [0, 3, 0]);
});

Deno.test("a checkpoint of the first release is still understood: its marks are of the JSON as it came", async () => {
  const record = { timestamp: "2026-01-29T08:59:30.5Z", id: "a", action: "x" };
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(record))));
  const mark = btoa(String.fromCharCode(...bytes.subarray(0, 6)));
  const run = newRun("x");
  run.memory.former = new Set(parsed({ seen: `${mark}AAAAAAAA` }).seen);
  const window = { from: NOW - 2 * HOUR, to: NOW, token: null, ordered: true };
  const other = { ...record, id: "b" };
  assert.deepEqual(judge(run, [record, other], window, false).map(({ verdict }) => verdict), ["repeated", "send"]);
  assert.deepEqual(parsed({ seen: "?" }).seen, []);
});

Deno.test("test_4 a page that is full of one moment: by time a second and a microsecond before it, then in parts, then no more", () => {
  const us = NOW - 30 * MINUTE;
  const page = Array.from({ length: 12 }, (_, id) => ({ id, key: `${id}`, us }));
  const read = (records) => {
    const paging = new Paging({ from: NOW - HOUR, to: NOW, token: null, ordered: true });
    const asked = [];
    let query = paging.asked;
    while (query) {
      asked.push(query.from);
      const { from, to } = query;
      const shown = records.filter((each) => each.us >= from && each.us <= to).slice(0, 12);
      query = paging.next({ records: shown, token: null, tries: 1, at: 0 });
      query = paging.read(shown) ?? query;
    }
    return asked;
  };
  assert.deepEqual(read(page.slice(3)), [NOW - HOUR, us - 1e6, us - 1]);
  assert.throws(
    () => read([...page, { id: 12, key: "12", us }]),
    /a page of 12 records is too small for those of one moment: they cannot be read by time alone/,
  );
});

Deno.test("news are told from what was read before for at least 20,000 records", () => {
  const paging = new Paging({ from: NOW - HOUR, to: NOW, token: null, ordered: true });
  const page = (first, length) =>
    Array.from({ length }, (_, n) => ({ id: first + n, key: `${first + n}`, us: NOW - HOUR + first + n }));
  const read = (records, token) => {
    paging.next({ records, token, tries: 1, at: 0 });
    paging.read(records);
    return paging.idle;
  };
  assert.equal(read(page(0, 15_000), "1"), 0);
  assert.equal(read(page(15_000, 15_000), "2"), 0);
  assert.equal(read(page(0, 5), "3"), 1, "known, though long ago");
  assert.equal(read(page(14_995, 10), "4"), 2);
  assert.equal(read(page(30_000, 1), "5"), 0);
  assert.ok(paging.known.size + paging.older.size <= 45_000);
});

const sent = (record, again = false) => JSON.parse(toEvent(record, "f".repeat(16), again, NOW / 1000).json);

Deno.test("a field may be deeper in a record, or have a dot in its name, and is not sent twice", () => {
  const event = sent({
    id: "a",
    action: { actionName: "issue", code: 7 },
    object: { type: "ssl", id: 5, name: "x" },
    "customer.id": 9,
    admin: { login: "eve" },
  });
  assert.deepEqual([
    event["event.action"],
    event["object.type"],
    event["object.id"],
    event["object.name"],
    event["customer.id"],
  ], ["issue", "ssl", "5", "x", "9"]);
  assert.equal(event["scm.actor"], "eve");
  assert.equal(event["scm.action.code"], "7");
  assert.deepEqual(
    Object.keys(event).filter((key) => /^scm\.(object|customer|admin|action\.actionName)/.test(key)),
    [],
  );
});

Deno.test("our attributes are on each record", () => {
  PARAMETERS.attributes = { team: "pki" };
  try {
    assert.equal(sent({ id: "a" }).team, "pki");
  } finally {
    PARAMETERS.attributes = {};
  }
});

Deno.test("a record as a whole fits into a request: its longest attributes are cut first", () => {
  const fields = Object.fromEntries(
    Array.from({ length: 120 }, (_, n) => [`field${n}`, "x".repeat(n < 100 ? 31_000 : 40_000)]),
  );
  const event = sent({ id: "a", details: "d".repeat(600_000), small: "kept", ...fields });
  assert.ok(JSON.stringify(event).length <= 2_000_000);
  assert.equal(event["content.truncated"], "true");
  assert.equal(event["scm.small"], "kept");
  assert.ok(event.content.length > 499_000 && event.content.length <= 500_000);
  assert.equal(event["scm.field0"].length, event["scm.field119"].length);
  const { truncated, dropped, json } = toEvent(
    { id: "a", long: "x".repeat(33_000) },
    "f".repeat(16),
    false,
    NOW / 1000,
  );
  assert.deepEqual([truncated, dropped, JSON.parse(json)["scm.long"].length], [true, 0, 32_000]);
  const many = toEvent(
    { id: "a", ...Object.fromEntries(Array.from({ length: 402 }, (_, n) => [`k${n}`, n])) },
    "f".repeat(16),
    false,
    NOW / 1000,
  );
  assert.deepEqual([many.dropped, JSON.parse(many.json)["content.dropped"], many.truncated], [2, "2", false]);
});

Deno.test("nanoseconds are cut to microseconds, never rounded up", () => {
  assert.equal(recordTime({ seconds: 1_769_679_000, nanos: 1_999 }, NOW / 1000), 1_769_679_000_000_001);
  assert.equal(recordTime({ epochSecond: 1_769_679_000, nano: 999_999_999 }, NOW / 1000), 1_769_679_000_999_999);
  assert.equal(recordTime([2026, 1, 29, 9, 30, 0, 1_999], NOW / 1000), 1_769_679_000_000_001);
});

Deno.test("what lies deeper than four objects is sent as JSON", () => {
  assert.equal(sent({ id: "a", a: { b: { c: { d: { e: 1 } } } } })["scm.a.b.c.d.e"], "1");
  assert.equal(sent({ id: "a", a: { b: { c: { d: { e: { f: 1 } } } } } })["scm.a.b.c.d.e"], '{"f":1}');
});

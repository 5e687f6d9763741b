// Values at the edge of a rule, and what holds for every value.
import assert from "node:assert/strict";
import { formatCheckpoint, parseCheckpoint } from "sync/checkpoint.js";
import { cut, Paging } from "sync/paging.js";
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
  const records = Array.from({ length: 2_000 }, (_, id) => ({ id, us: NOW + 3_000 * ((id * 7_919) % 2_000) }));
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

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  advance,
  continueFrom,
  emptyCheckpoint,
  formatCheckpoint,
  hasMoved,
  isStalled,
  parseCheckpoint,
} from "sync/checkpoint.js";
import { Stop } from "sync/errors.js";
import { readConfig } from "sync/config.js";
import { parseLock } from "sync/lock.js";
import { Overlap } from "sync/overlap.js";
import { newRun } from "sync/run.js";
import { formatTime } from "sync/time.js";

console.warn = () => {};

const moments = fc.integer({ min: Date.UTC(2020, 0) * 1000, max: Date.UTC(2030, 0) * 1000 });
/** Records of an overlap: their marks, and the microsecond within its last ten minutes; null: without a time. */
const records = fc.array(
  fc.tuple(fc.nat(2 ** 48 - 1), fc.option(fc.nat(600_000_000), { freq: 10 })),
  { maxLength: 3_000, size: "max" },
);
const open = fc.record({
  from: moments,
  to: moments,
  token: fc.option(fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 3_000 })),
  ordered: fc.boolean(),
}).filter(({ from, to }) => to > from);
const checkpoints = fc.record({
  ts: moments.map(formatTime),
  id: fc.stringMatching(/^[\x20-\x7e]{0,100}$/),
  hw: moments,
  open: fc.option(open),
  told: fc.option(moments),
  settled: fc.boolean(),
  initial: fc.constantFrom("", "2026-01-22T12:00:00Z"),
  span: fc.option(fc.integer({ min: 60_000_000, max: 21_600_000_000 })),
  stalled: fc.nat(9),
  batch: fc.option(fc.integer({ min: 1, max: 999 })),
});

Deno.test("test_L26 a checkpoint comes back as it was written, within 8 kB, its newest sums and marks kept", () => {
  fc.assert(fc.property(checkpoints, records, (checkpoint, seen) => {
    const overlap = new Overlap();
    for (const [mark, us] of seen) overlap.add(us === null ? null : checkpoint.hw - us, mark);
    if (!checkpoint.open) overlap.finish(true);
    const { text } = formatCheckpoint({ ...checkpoint, overlap });
    assert.ok(new TextEncoder().encode(text).length <= 8_000);
    assert.equal(text.split("\n").length, 2);

    const { overlap: back, seen: former, ...read } = parseCheckpoint(newRun("x"), text);

    const short = checkpoint.open?.token && checkpoint.open.token.length > 2_000 ? null : checkpoint.open?.token;
    assert.deepEqual(read, { ...checkpoint, open: checkpoint.open && { ...checkpoint.open, token: short } });
    assert.deepEqual(former, []);
    const of = checkpoint.open ? "part" : "known";
    const sums = ({ sums }) => [...sums].map(([bucket, { sum }]) => [bucket, sum]).sort(([a], [b]) => a - b);
    const [written, kept] = [sums(overlap[of]), sums(back[of])];
    assert.deepEqual(kept, kept.length > 0 ? written.slice(-kept.length) : []);
    if (seen.length < 300) assert.equal(kept.length, written.length);
  }));
});

Deno.test("test_L16 a bucket is known as a whole, in any order, and a late record is not hidden by it", () => {
  const overlap = new Overlap();
  for (const mark of [1, 2, 3]) overlap.add(1_500_000, mark);
  overlap.finish(true);
  overlap.known.marks.clear();
  const read = (mark) => {
    overlap.add(1_500_000, mark);
    return overlap.judge(1_500_000, mark);
  };
  assert.deepEqual([3, 1, 2, 4].map(read), ["held", "held", "complete", "held"]);
});

Deno.test("no text of a checkpoint stops a run", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.json(), fc.json().map((json) => `2026-01-29T09:44:11Z|x\n${json}`)),
      (text) => {
        const { hw } = parseCheckpoint(newRun("x"), text);
        assert.ok(hw === null || Number.isInteger(hw));
      },
    ),
  );
});

Deno.test("the vendor's checkpoint is understood: time, bar, anything", () => {
  const read = parseCheckpoint(newRun("x"), "2026-01-29T09:44:11.611092Z|9d3c|d09c");
  assert.deepEqual([read.ts, read.id, formatTime(Number(read.hw))], [
    "2026-01-29T09:44:11.611092Z",
    "9d3c|d09c",
    "2026-01-29T09:44:11.611092Z",
  ]);
  for (const text of ["NONE", "none", "", " \n"]) {
    assert.deepEqual(parseCheckpoint(newRun("x"), text), emptyCheckpoint());
  }
});

Deno.test("a lock is idle, running or unreadable, whatever it says", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    assert.ok(["IDLE", "RUNNING", "UNREADABLE"].includes(parseLock(text).state));
  }));
  const owner = "9f55538f-e076-41fe-b133-4472f305a1e4";
  const lock = parseLock(`RUNNING|${owner}|2026-01-29T10:00:00Z|2026-01-29T10:03:00Z`);
  assert.deepEqual([lock.owner, lock.expires], [owner, Date.parse("2026-01-29T10:03:00Z")]);
  assert.equal(parseLock("RUNNING||2026-01-29T10:00:00Z|2026-01-29T12:00:00Z").owner, "");
  assert.equal(parseLock("RUNNING|2026-01-29T10:00:00Z").started, Date.parse("2026-01-29T10:00:00Z"));
});

Deno.test("a config gives values within their limits, whatever a person has written", () => {
  fc.assert(fc.property(
    fc.oneof(
      fc.string(),
      fc.json(),
      fc.record({
        maxRetries: fc.anything(),
        initHistoryDuration: fc.anything(),
        initialCheckpoint: fc.anything(),
      }).map((value) => {
        try {
          return JSON.stringify(value) ?? "";
        } catch {
          return "{}";
        }
      }),
    ),
    (text) => {
      const config = readConfig(newRun("x"), text);
      assert.ok(Number.isInteger(config.maxRetries) && config.maxRetries >= 0 && config.maxRetries <= 10);
      assert.match(config.initHistoryDuration, /^(\d{1,4}d)?(\d{1,4}h)?$/);
      assert.match(config.initialCheckpoint, /^(|\d{4}-.*Z)$/);
    },
  ));
});

const T = Date.UTC(2026, 0, 29, 10) * 1000;

/** @param {any} [page] */
function accept(progress, page) {
  advance(progress, { at: 0, fetched: 0, events: [], length: 0, marks: [], open: null, done: T, ...page });
}

Deno.test("L18, L28: the high water never goes back, and no record dated outside what was read moves the first line", () => {
  const { progress } = newRun("x");
  continueFrom(progress, { ...emptyCheckpoint(), hw: T, ts: formatTime(T - 9) });
  const at = (/** @type {number} */ us) => ({ us, id: `at ${us - T}`, json: "" });

  accept(progress, { done: T - 60_000_000, events: [at(T - 9), at(T - 60_000_001), at(T + 1), at(T + 3_600_000_000)] });
  assert.deepEqual([progress.checkpoint.hw, progress.checkpoint.ts, progress.checkpoint.id], [
    T,
    formatTime(T - 9),
    "",
  ]);

  accept(progress, { done: T + 10, events: [at(T + 10), at(T + 11), at(T + 3), at(T + 10 ** 12)] });
  assert.deepEqual([progress.checkpoint.hw, progress.checkpoint.id], [T + 10, "at 10"]);
});

Deno.test("L3: a third run in a row that ends early and moves nothing is stalled; a token is no movement", () => {
  const open = { from: T, to: T + 3_600_000_000, token: "a", ordered: true };
  let checkpoint = { ...emptyCheckpoint(), hw: T - 1, open };
  const run = (/** @type {any} */ change, stop = true) => {
    const each = newRun("x");
    // As the next run reads it.
    continueFrom(each.progress, parseCheckpoint(each, formatCheckpoint(checkpoint).text));
    each.leg.stop = stop ? new Stop("why", true) : null;
    change(each);
    const stalled = isStalled(each);
    checkpoint = each.progress.checkpoint;
    return [hasMoved(each), stalled];
  };
  const still = () => run(({ progress }) => accept(progress, { open: { ...open, token: String(Math.random()) } }));
  assert.deepEqual([still(), still(), still(), still()], [[false, false], [false, false], [false, true], [
    false,
    true,
  ]]);
  assert.deepEqual(run((each) => each.counts.sent = 1), [true, false]);
  assert.deepEqual([still(), still()], [[false, false], [false, false]]);
  assert.deepEqual(run(({ progress }) => accept(progress, { open: { ...open, from: T + 1 } })), [true, false]);
  assert.equal(checkpoint.stalled, 0);
  assert.deepEqual(run(() => {}, false), [false, false], "a run that catches up has nothing to move");
});

Deno.test("a checkpoint without a value is a first run, and no warning", () => {
  for (const text of ["", "NONE", "none\n", "\uFEFFNONE"]) {
    const run = newRun("x");
    assert.equal(parseCheckpoint(run, text).hw, null);
    assert.equal(run.counts.warnings, 0, JSON.stringify(text));
  }
});

Deno.test("L26 sums that do not all fit come back with their own seconds", () => {
  const overlap = new Overlap();
  for (let n = 0; n < 1_000; n += 1) overlap.add(1_800_000_000_000_001 + n * 3_000_000, n + 1);
  overlap.finish(true);
  const checkpoint = {
    ...emptyCheckpoint(),
    ts: formatTime(1_800_003_000_000_000),
    hw: 1_800_003_000_000_000,
    overlap,
  };
  const { known } = parseCheckpoint(newRun("x"), formatCheckpoint(checkpoint).text).overlap;
  assert.ok(known.sums.size > 300 && known.sums.size < 1_000);
  for (const [bucket, { sum }] of known.sums) assert.equal(overlap.known.sums.get(bucket)?.sum, sum);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { emptyCheckpoint } from "sync/checkpoint.js";
import {
  age,
  coveredTo,
  disagreement,
  earliest,
  latest,
  mustBeDead,
  newClock,
  newestToRead,
  readDate,
  retryAfter,
} from "sync/clock.js";
import { LIMITS } from "sync/limits.js";
import { recordTime } from "sync/record_time.js";
import { formatTime, parseDuration, parseTime } from "sync/time.js";
import { planWindows, quarters } from "sync/windows.js";

const moments = fc.integer({ min: Date.UTC(1900, 0) * 1000, max: Date.UTC(2200, 0) * 1000 });
const zone = Deno.env.get("TZ");

Deno.test(`a moment survives being written and read, to the microsecond (${zone})`, () => {
  fc.assert(fc.property(moments, (us) => assert.equal(parseTime(formatTime(us)), us)));
});

Deno.test(`times are read as the language reads them, whatever the zone of the host (${zone})`, () => {
  const offsets = fc.constantFrom("Z", "+00:00", "-05:30", "+14:00", "-1200", "z");
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date("2199-12-31"), noInvalidDate: true }),
      offsets,
      (date, offset) => {
        const text = date.toISOString().replace("Z", offset);
        const known = text.toUpperCase().replace(/([+-]\d\d)(\d\d)$/, "$1:$2");
        assert.equal(parseTime(text), Date.parse(known) * 1000);
      },
    ),
  );
});

Deno.test(`a time without an offset is UTC on the days when clocks change (${zone})`, () => {
  for (const day of ["2026-03-29", "2026-10-25", "2028-02-29", "2026-12-31"]) {
    for (let hour = 0; hour < 24; hour += 1) {
      const text = `${day}T${String(hour).padStart(2, "0")}:30:00`;
      assert.equal(parseTime(text), Date.parse(`${text}Z`) * 1000);
      assert.equal(formatTime(Number(parseTime(text))), `${text}Z`);
    }
  }
});

Deno.test("no text makes the reader of times throw, and what is no date is null", () => {
  fc.assert(
    fc.property(fc.anything(), (value) => [parseTime(value)].every((us) => us === null || Number.isInteger(us))),
  );
  for (const text of ["", "yesterday", "2026-02-29T00:00:00Z", "2026-13-01", "2026-01-01T25:00Z", "0099-01-01", "1"]) {
    assert.equal(parseTime(text), null, text);
  }
});

Deno.test("digits beyond the microsecond are cut, never rounded up", () => {
  assert.equal(formatTime(Number(parseTime("2026-01-29T09:44:11.611092999Z"))), "2026-01-29T09:44:11.611092Z");
});

Deno.test("test_L8 a record's time is read in all common forms; what is not plausible is none", () => {
  const now = Date.parse("2026-01-29T12:00:00Z");
  for (
    const [v, want] of [
      ["2026-01-29T09:30:00Z", "2026-01-29T09:30:00Z"],
      ["2026-01-29T09:30:00.123456789Z", "2026-01-29T09:30:00.123456Z"],
      ["2026-01-29T09:30:00+00", "2026-01-29T09:30:00Z"],
      ["2026-01-29T09:30:00.5+00", "2026-01-29T09:30:00.500000Z"],
      ["2026-01-29T10:30:00+01:00[Europe/Berlin]", "2026-01-29T09:30:00Z"],
      ["2026-01-29T09:30:00Z[UTC]", "2026-01-29T09:30:00Z"],
      ["2026-01-29T09:30:00[UTC]", "2026-01-29T09:30:00Z"],
      ["2026-01-29 09:30:00 UTC", "2026-01-29T09:30:00Z"],
      ["20260129T093000Z", "2026-01-29T09:30:00Z"],
      ["20260129093000", "2026-01-29T09:30:00Z"],
      ["20260129T103000.25+0100", "2026-01-29T09:30:00.250000Z"],
      [1769679000, "2026-01-29T09:30:00Z"],
      ["1769679000.5", "2026-01-29T09:30:00.500000Z"],
      [1769679000000, "2026-01-29T09:30:00Z"],
      [1769679000000000, "2026-01-29T09:30:00Z"],
      ["1769679000000000000", "2026-01-29T09:30:00Z"],
      [[2026, 1, 29, 9, 30], "2026-01-29T09:30:00Z"],
      [[2026, 1, 29, 9, 30, 0, 123456789], "2026-01-29T09:30:00.123456Z"],
      [{ epochSecond: 1769679000, nano: 5000 }, "2026-01-29T09:30:00.000005Z"],
      ["Thu, 29 Jan 2026 09:30:00 GMT", "2026-01-29T09:30:00Z"],
      ["29/Jan/2026:10:30:00 +0100", "2026-01-29T09:30:00Z"],
      ["/Date(1769679000000)/", "2026-01-29T09:30:00Z"],
      ["2026/01/29 09:30:00", "2026-01-29T09:30:00Z"],
      ["26-01-29", null],
      ["yesterday", null],
      ["", null],
      [null, null],
      [{}, null],
      [[], null],
      ["2612-01-01T00:00:00Z", null],
      ["1969-12-31T00:00:00Z", null],
      [0, null],
      ["0", null],
      [NaN, null],
      ["20260230093000", null],
      [true, null],
    ]
  ) {
    const us = recordTime(v, now);
    assert.equal(us === null ? null : formatTime(us), want, JSON.stringify(v));
  }
});

Deno.test("a duration is days and hours, in this order, more than nothing and at most a year", () => {
  fc.assert(fc.property(fc.nat(9999), fc.nat(9999), (days, hours) => {
    const found = parseDuration(`${days}d${hours}h`);
    const ms = (days * 24 + hours) * 3_600_000;
    if (ms === 0 || ms > LIMITS.history) assert.equal(found, null);
    else assert.deepEqual([found?.days, found?.hours, found?.ms], [days, hours, ms]);
  }));
  for (const wrong of ["", "h", "d", "90m", "1h2d", "-1h", "1.5h", "2h ago", 7200, null, undefined, {}]) {
    assert.equal(parseDuration(wrong), null);
  }
});

const HOUR = 3_600_000;

/** @param {string | null} after @param {string} [date] */
function asks(after, date) {
  // Other characters cannot come in a header.
  const value = after?.replace(/[^\x20-\x7e]/g, "");
  return new Headers({ ...value !== undefined && { "Retry-After": value }, ...date && { Date: date } });
}

/** @param {number} ms */
function dated(ms) {
  return new Headers({ Date: new Date(ms).toUTCString() });
}

Deno.test("Retry-After is never negative and never nothing", () => {
  fc.assert(fc.property(fc.option(fc.string()), (text) => {
    const ms = retryAfter(asks(text));
    assert.ok(Number.isFinite(ms) && ms >= 0);
  }));
  assert.equal(retryAfter(asks("7")), 7_000);
  for (const text of [null, "", "-1", "abc", "1e9", "Thu, 01 Jan 1970 00:00:00 GMT"]) {
    assert.equal(retryAfter(asks(text)), 0);
  }
});

Deno.test("L1: a date in Retry-After counts from the Date of its answer; without one no long wait is believed", () => {
  const date = (/** @type {number} */ ms) => new Date(ms).toUTCString();
  for (const skew of [-5 * HOUR, 0, 5 * HOUR]) {
    const now = Date.now() + skew;
    assert.equal(retryAfter(asks(date(now + 300_000), date(now))), 300_000);
  }
  assert.equal(retryAfter(asks(date(Date.now() + 5 * HOUR))), LIMITS.backoffMost);
});

Deno.test("L1: the earliest clock ends windows, the latest judges ages; neither follows one that is alone a day off", () => {
  const offsets = fc.integer({ min: -12 * HOUR, max: 12 * HOUR });
  fc.assert(fc.property(fc.option(offsets), fc.array(offsets, { maxLength: 3 }), (platform, dates) => {
    const clock = newClock();
    const host = Date.now();
    if (platform !== null) clock.startedAt = host + platform;
    // To the second, as the header is.
    for (const ms of dates) readDate(clock, dated(Math.floor((host + ms) / 1000) * 1000));
    const scm = dates.length > 0 ? [Math.floor((host + Math.min(...dates)) / 1000) * 1000 + 1000] : [];
    const known = [host, ...platform === null ? [] : [host + platform], ...scm];
    assert.ok(Math.abs(earliest(clock) - Math.min(...known)) < 500);
    assert.ok(Math.abs(latest(clock) - Math.max(...known)) < 500);
    const apart = Math.max(...known) - Math.min(...known);
    if (apart > 61_000) assert.match(disagreement(clock), /^the clocks of .* differ: .* ahead; records are read up to/);
    if (apart < 59_000) assert.equal(disagreement(clock), "");
    assert.equal(disagreement(clock), "", "once");
  }));
  for (const days of [-2, 2]) {
    const clock = newClock();
    readDate(clock, dated(Date.now() + days * 24 * HOUR));
    readDate(clock, new Headers());
    assert.equal(clock.scm, null);
    // Where the platform confirms it, the host is the one that is off.
    clock.startedAt = Date.now() + days * 24 * HOUR;
    readDate(clock, dated(Date.now() + days * 24 * HOUR));
    assert.notEqual(clock.scm, null);
  }
});

Deno.test("L1: a page covers up to when it was requested, by what is known of the clocks when it has come", () => {
  const clock = newClock();
  const [to, at] = [(Date.now() - LIMITS.lag) * 1000, performance.now() - 30_000];
  assert.ok(Math.abs(to - coveredTo(clock, to, at) - 30_000_000) < 1e6);
  assert.equal(coveredTo(clock, to - 31_000_000, at), to - 31_000_000);
  readDate(clock, dated(Date.now() - 600_000));
  const covered = coveredTo(clock, to, at);
  assert.ok(Number.isInteger(covered) && covered <= to - 628_000_000 && covered >= to - 631_000_000);
});

Deno.test("L22: a script's age counts from its own start, which its lock says", () => {
  const clock = newClock();
  const now = Date.now();
  const [short, long] = [new Date(now - 129_000), new Date(now - 131_000)];
  assert.equal(mustBeDead(clock, long), false, "without the platform's clock nobody is known to be dead");
  clock.startedAt = now;
  assert.ok(age(clock) < 10_000);
  assert.equal(mustBeDead(clock, short), false);
  assert.equal(mustBeDead(clock, long), true);
  assert.equal(mustBeDead(clock, new Date(now - 200_000), now - 110_000), false, "it began 90 s after its execution");
  assert.equal(mustBeDead(clock, new Date(now - 230_000), now - 131_000), true);
  assert.equal(mustBeDead(clock, long, now - 3_600_000), true, "no script begins before its execution");
  assert.equal(mustBeDead(clock, long, now + 3_600_000), true, "nor an hour after it");
});

const NOW = Date.UTC(2026, 0, 29, 10) * 1000;
const US = 1_000_000;

/** @param {any} checkpoint @param {any} [known] */
function plan(checkpoint, known) {
  return planWindows({
    checkpoint,
    backfill: null,
    initial: "",
    isFirst: false,
    wasReported: true,
    now: NOW,
    scmNow: -Infinity,
    newest: NOW - 60 * US,
    history: 2 * HOUR,
    ...known,
  });
}

Deno.test("L14: a checkpoint in the future goes back to what is surely covered, on both lines", () => {
  const [sure, ahead, overlap] = [NOW - 7200 * US, NOW + 86_400 * US, 300 * US];
  const base = { ...emptyCheckpoint(), hw: ahead, id: "x" };
  const open = { from: sure, to: ahead, token: "t", ordered: true };
  for (
    const [said, from] of /** @type {[any, number][]} */ ([
      [{ ts: formatTime(sure) }, sure],
      [{ ts: formatTime(ahead), told: sure }, sure],
      [{ ts: formatTime(sure + US), told: sure }, sure],
      [{ ts: formatTime(ahead), open }, sure],
      [{ ts: formatTime(ahead), told: ahead }, NOW - 60 * US - 7 * 86_400 * US],
      [{ ts: formatTime(ahead), hw: null, open: { ...open, from: ahead - 1 } }, NOW - 60 * US - 7200 * US],
    ])
  ) {
    const { checkpoint, coveredFrom, windows, span, ahead: warned } = plan({ ...base, ...said });
    assert.equal(windows[0].from, from - overlap);
    assert.deepEqual(
      [checkpoint.ts, checkpoint.id, checkpoint.hw, checkpoint.open, coveredFrom, warned],
      [formatTime(from), "", from, null, from, ahead],
    );
    assert.equal(span.to, NOW - 60 * US);
  }
});

Deno.test("L21: every window of a backfill begins a second before the end of the one before", () => {
  const backfill = { from: NOW - 24 * 3600 * US, to: NOW - 3600 * US, ids: null, reached: "" };
  const whole = plan(emptyCheckpoint(), { backfill, newest: backfill.to }).windows;
  assert.equal(whole[0].from, backfill.from);
  assert.equal(whole.at(-1).to, backfill.to);
  for (const [n, { from }] of whole.slice(1).entries()) assert.equal(from, whole[n].to - US);
  const middle = NOW - 12 * 3600 * US;
  const after = plan({ ...emptyCheckpoint(), hw: middle }, { backfill, newest: backfill.to }).windows;
  assert.equal(after[0].from, middle - US);
  const open = { from: middle - 60 * US, to: middle, token: "t", ordered: true };
  const resumed = plan({ ...emptyCheckpoint(), open }, { backfill, newest: backfill.to }).windows;
  assert.deepEqual(resumed[0], open);
  assert.equal(resumed[1].from, middle - US);
});

Deno.test("L24: a window that must be read again from its start is read in parts, and what follows in that size", () => {
  const [hw, to] = [NOW - 6 * HOUR * 1000, NOW - 2 * HOUR * 1000];
  const open = { from: hw - 300 * US, to, token: null, ordered: false };
  const { windows } = plan({ ...emptyCheckpoint(), ts: formatTime(hw), hw, open });

  assert.deepEqual(
    windows.slice(0, 4).map(({ from, to: end }) => [(from - open.from) / US, (end - hw) / US / 3600]),
    [[0, 1], [3899, 2], [7499, 3], [11099, 4]],
  );
  assert.ok(windows.every(({ token, ordered }) => token === null && ordered));
  assert.equal(windows.at(-1).to, NOW - 60 * US);
  const ordered = plan({ ...emptyCheckpoint(), ts: formatTime(hw), hw, open: { ...open, ordered: true } });
  assert.equal(ordered.windows[0].to, to, "a window in order is continued, not read again");
  const withToken = plan({ ...emptyCheckpoint(), ts: formatTime(hw), hw, open: { ...open, token: "t" } });
  assert.equal(withToken.windows[0].token, "t");

  assert.deepEqual(quarters({ from: 0, to: 5 * US, token: "t", ordered: false }, 5 * US), [
    { from: 0, to: 5 * US, token: null, ordered: true },
  ], "what was reached before is not cut");
  assert.equal(quarters({ from: 0, to: 5 * US, token: "t", ordered: false }, 3.5 * US).length, 2);
});

Deno.test("L12: after a run that died the windows of the first six hours are small, the others as ever", () => {
  const checkpoint = { ...emptyCheckpoint(), hw: NOW - 24 * 3600 * US, span: 600 * US };
  const { windows } = plan(checkpoint);
  const small = windows.filter(({ from, to }) => to - from <= 602 * US);
  assert.ok(small.length >= 36 && small.length <= 37);
  assert.ok(windows.length <= small.length + 4);
  for (const [n, { from }] of windows.slice(1).entries()) {
    assert.ok(from < windows[n].to && from >= windows[n].to - 2 * US);
  }
  assert.equal(windows.at(-1).to, NOW - 60 * US);
});

Deno.test("windows cover everything between checkpoint and now, without a gap, in slices of bounded size", () => {
  const hours = fc.double({ min: 0.001, max: 365 * 24, noNaN: true });
  fc.assert(
    fc.property(hours, fc.integer({ min: -600_000, max: 600_000 }), (behind, skew) => {
      const clock = { ...newClock(), scm: Date.now() + skew - performance.now() };
      const real = Date.now() + Math.min(skew, 0);
      const hw = Math.round(real * 1000 - behind * 3_600_000_000);
      const { windows } = plan({ ...emptyCheckpoint(), hw, ts: formatTime(hw) }, {
        now: earliest(clock) * 1000,
        newest: newestToRead(clock),
      });
      const [overlap, second] = [LIMITS.overlap * 1000, LIMITS.lag * 1000 / 60];

      assert.equal(windows[0].from, hw - overlap);
      windows.slice(1).forEach(({ from }, n) => assert.equal(from, windows[n].to - second));
      for (const { from, to } of windows) assert.ok(to > from && to - from <= LIMITS.slice * 1000 + 2 * second);
      const last = windows[windows.length - 1];
      const now = (Date.now() + Math.min(skew, 0) - LIMITS.lag) * 1000;
      assert.ok(last.to <= Math.max(now, hw) && last.to >= Math.max(now - 2 * second, hw));
      assert.ok(windows.length === 1 || last.to - last.from >= overlap);
    }),
    { numRuns: 300 },
  );
});

Deno.test("L21: after a window in which nothing could come late, only the second that all windows share is read again", () => {
  const hw = NOW - 3 * HOUR * 1000;
  const from = (more) => plan({ ...emptyCheckpoint(), ts: formatTime(hw), hw, ...more }).windows.at(-1).from;
  const open = { from: hw, to: hw + HOUR * 1000, token: "t", ordered: true };

  assert.deepEqual([from({}), from({ settled: true })], [hw - 300 * US, hw - US]);
  assert.deepEqual([from({ open }), from({ open, settled: true })], [open.to - 300 * US, open.to - US]);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { emptyCheckpoint } from "sync/checkpoint.js";
import { newClock, newestToRead, retryAfter, scmNow } from "sync/clock.js";
import { LIMITS } from "sync/limits.js";
import { recordTime } from "sync/record_time.js";
import { formatTime, parseDuration, parseTime } from "sync/time.js";
import { planWindows } from "sync/windows.js";

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

Deno.test("Retry-After is never negative and never nothing", () => {
  fc.assert(fc.property(fc.option(fc.string()), (text) => {
    const ms = retryAfter(text);
    assert.ok(Number.isFinite(ms) && ms >= 0);
  }));
  assert.equal(retryAfter("7"), 7_000);
  for (const text of [null, "", "-1", "abc", "1e9", "Thu, 01 Jan 1970 00:00:00 GMT"]) assert.equal(retryAfter(text), 0);
});

Deno.test("windows cover everything between checkpoint and now, without a gap, in slices of bounded size", () => {
  const hours = fc.double({ min: 0.001, max: 365 * 24, noNaN: true });
  fc.assert(
    fc.property(hours, fc.integer({ min: -600_000, max: 600_000 }), (behind, skew) => {
      const clock = { ...newClock(), skew };
      const hw = Math.round((Date.now() + skew) * 1000 - behind * 3_600_000_000);
      const { windows } = planWindows({
        checkpoint: { ...emptyCheckpoint(), hw, ts: formatTime(hw) },
        backfill: null,
        initial: "",
        isFirst: false,
        wasReported: true,
        now: scmNow(clock) * 1000,
        newest: newestToRead(clock),
      });
      const [overlap, second] = [LIMITS.overlap * 1000, LIMITS.lag * 1000 / 60];

      assert.equal(windows[0].from, hw - overlap);
      windows.slice(1).forEach(({ from }, n) => assert.equal(from, windows[n].to - second));
      for (const { from, to } of windows) assert.ok(to > from && to - from <= LIMITS.slice * 1000 + 2 * second);
      const last = windows[windows.length - 1];
      const now = (Date.now() + skew - LIMITS.lag) * 1000;
      assert.ok(last.to <= Math.max(now, hw) && last.to >= Math.max(now - 2 * second, hw));
      assert.ok(windows.length === 1 || last.to - last.from >= overlap);
    }),
    { numRuns: 300 },
  );
});

import { Failure } from "./errors.js";
import { DAY, LIMITS, MINUTE, SECOND } from "./limits.js";
import { seconds, shownSpan } from "./time.js";

// ---------------------------------------------------------------------------------------------------------------------
// Clocks: every decision about "now" is made here. Up to three clocks are known: the host's, the platform's and SCM's.
// Any may be wrong. What is read too early costs a delay, what is skipped is lost: the earliest clock decides how far a
// run reads (L1), the latest whether a record is too old for log ingest.
// ---------------------------------------------------------------------------------------------------------------------

/** @typedef {ReturnType<typeof newClock>} Clock */

export function newClock() {
  return {
    /** When the script began, by a clock that corrections of the host's time do not move. */
    begun: ticks(),
    /** Start of this execution by the platform's clock, in milliseconds since the epoch. @type {number | null} */
    startedAt: null,
    /** SCM's clock minus `ticks`, by the Date header that put it earliest in this run. @type {number | null} */
    scm: null,
    /** The warning about clocks that differ has been given. */
    told: false,
  };
}

/** Milliseconds that only ever increase. */
export function ticks() {
  return performance.now();
}

/** The host's time in milliseconds since the epoch. */
export function hostNow() {
  return Date.now();
}

/** What each known clock shows at a moment, in milliseconds since the epoch. The platform's is the least it can be: how
 * long the execution waited for its script is not known. @param {Clock} clock @param {number} at By `ticks`. */
function readings(clock, at) {
  return [
    { name: "the host", ms: hostNow() - ticks() + at },
    ...clock.startedAt === null ? [] : [{ name: "the platform", ms: clock.startedAt + at - clock.begun }],
    ...clock.scm === null ? [] : [{ name: "SCM", ms: clock.scm + at }],
  ].sort((one, other) => one.ms - other.ms);
}

/** The time up to which records may be asked for. @param {Clock} clock @param {number} [at] By `ticks`. */
export function earliest(clock, at = ticks()) {
  return readings(clock, at)[0].ms;
}

/** @param {Clock} clock Returns -Infinity if SCM has shown no time yet. */
export function scmNow({ scm }) {
  return scm === null ? -Infinity : scm + ticks();
}

/** The time by which a record's age is judged: what seems too old is sent without its time, and kept.
 * @param {Clock} clock */
export function latest(clock) {
  return /** @type {{ms: number}} */ (readings(clock, ticks()).at(-1)).ms;
}

/** What to say, once, about clocks that are more than a minute apart; else "". @param {Clock} clock */
export function disagreement(clock) {
  const all = readings(clock, ticks());
  const [first, last] = [all[0], all[all.length - 1]];
  if (clock.told || last.ms - first.ms <= MINUTE) return "";
  clock.told = true;
  return `the clocks of ${last.name} and ${first.name} differ: ${last.name} is ${
    shownSpan(last.ms - first.ms)
  } ahead; ` +
    `records are read up to the time of ${first.name}`;
}

/** Milliseconds since this script began: that is what the platform limits, however long it waited to begin (L22).
 * @param {Clock} clock */
export function age(clock) {
  return ticks() - clock.begun;
}

/** L22: when this script began, for the lock: late rather than early. @param {Clock} clock */
export function begunAt(clock) {
  return latest(clock) - age(clock);
}

/** Throws once another run may have taken over: it would repeat whatever this one still did.
 * @param {Clock} clock @param {string} what */
export function fence(clock, what) {
  if (age(clock) > LIMITS.write) {
    throw new Failure(`${what}: this run is ${seconds(age(clock))} s old and another may have taken over`);
  }
}

/**
 * Whether the platform must have killed the script of an execution by now, counted from the script's own start if the
 * lock names it (L22): a script may begin long after its execution.
 * @param {Clock} clock @param {Date | undefined} startedAt By the platform's clock. @param {number | null} [begun]
 */
export function mustBeDead(clock, startedAt, begun = null) {
  if (clock.startedAt === null) return false;
  const started = new Date(startedAt ?? 0).getTime();
  const from = begun !== null && begun > started && begun <= started + LIMITS.clocks ? begun : started;
  return clock.startedAt + age(clock) - from > LIMITS.dead;
}

/** Takes the start of this execution from the platform. @param {Clock} clock @param {Date} startedAt */
export function readStart(clock, startedAt) {
  clock.startedAt = new Date(startedAt).getTime();
}

/** Takes SCM's time from the Date header of an answer. @param {Clock} clock @param {Headers} headers */
export function readDate(clock, headers) {
  // The header cuts off the part of a second: this is the most that it can be.
  const date = Date.parse(headers.get("date") ?? "") + SECOND;
  const others = readings({ ...clock, scm: null }, ticks());
  // A day off from every other clock is no clock.
  if (!others.some(({ ms }) => Math.abs(date - ms) < DAY)) return;
  clock.scm = Math.min(clock.scm ?? Infinity, date - ticks());
}

/** The end of what can be read now, in whole seconds: newer records may not be visible yet. Microseconds.
 * @param {Clock} clock */
export function newestToRead(clock) {
  return Math.floor((earliest(clock) - LIMITS.lag) / SECOND) * SECOND * 1000;
}

/** Up to where a page that was requested at a moment covers a window that ends at `to`: newer records may still come.
 * Microseconds. @param {Clock} clock @param {number} to @param {number} at By `ticks`. */
export function coveredTo(clock, to, at) {
  return Math.min(to, Math.floor((earliest(clock, at) - LIMITS.lag) * 1000));
}

/** L21: up to where all records were visible when a page was requested: none of them can come late. Microseconds.
 * @param {Clock} clock @param {number} at By `ticks`. */
export function visibleTo(clock, at) {
  return Math.floor((earliest(clock, at) - LIMITS.overlap) * 1000);
}

/**
 * Milliseconds from now; 0 if the header is neither seconds nor an HTTP date. A date counts from the Date of the same
 * answer; without one, the host's clock is believed for a short wait only (L1).
 * @param {Headers} headers
 */
export function retryAfter(headers) {
  const text = headers.get("retry-after") ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * SECOND;
  const date = Date.parse(headers.get("date") ?? "");
  const ms = Number.isNaN(date) ? Math.min(Date.parse(text) - hostNow(), LIMITS.backoffMost) : Date.parse(text) - date;
  return ms > 0 ? ms : 0;
}

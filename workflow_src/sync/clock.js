import { Failure } from "./errors.js";
import { DAY, LIMITS, MINUTE, SECOND } from "./limits.js";
import { seconds } from "./time.js";

// ---------------------------------------------------------------------------------------------------------------------
// Clocks: every decision about "now" is made here. Three clocks are known: the host's, the platform's and SCM's.
// ---------------------------------------------------------------------------------------------------------------------

/** @typedef {ReturnType<typeof newClock>} Clock */

export function newClock() {
  return {
    /** When the script began, by a clock that corrections of the host's time do not move. */
    begun: ticks(),
    /** Milliseconds between the start of the execution and the start of the script. */
    queued: 0,
    /** Start of this execution by the platform's clock, in milliseconds since the epoch. @type {number | null} */
    startedAt: null,
    /** SCM's clock minus the host's in milliseconds, by the Date header of SCM's last answer. */
    skew: 0,
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

/** SCM's time in milliseconds since the epoch: records carry it, and the host's may differ. @param {Clock} clock */
export function scmNow(clock) {
  return hostNow() + clock.skew;
}

/**
 * The time by which a record's age is judged. A host whose clock is slow would send what log ingest drops as too old;
 * sent without its time the record is kept.
 * @param {Clock} clock
 */
export function latestNow(clock) {
  return Math.max(hostNow(), scmNow(clock));
}

/** Milliseconds since this execution began. @param {Clock} clock */
export function age(clock) {
  return ticks() - clock.begun + clock.queued;
}

/** Throws once another run may have taken over: it would repeat whatever this one still did.
 * @param {Clock} clock @param {string} what */
export function fence(clock, what) {
  if (age(clock) > LIMITS.write) {
    throw new Failure(`${what}: this run is ${seconds(age(clock))} s old and another may have taken over`);
  }
}

/** Whether the platform must have killed the script of an execution by now; both times are by the platform's clock.
 * @param {Clock} clock @param {Date | undefined} startedAt */
export function mustBeDead(clock, startedAt) {
  if (clock.startedAt === null) return false;
  return clock.startedAt + age(clock) - new Date(startedAt ?? 0).getTime() > LIMITS.dead;
}

/** Takes the start of this execution from the platform. @param {Clock} clock @param {Date} startedAt */
export function readStart(clock, startedAt) {
  clock.startedAt = new Date(startedAt).getTime();
  // More than a minute is no wait for a start, but a host whose clock is off.
  const queued = hostNow() - age(clock) - clock.startedAt;
  if (queued > 0 && queued < MINUTE) clock.queued = queued;
  // Used until SCM sends its time, and where a proxy removes its Date header.
  else clock.skew = -queued;
}

/** Takes SCM's time from the Date header of an answer. @param {Clock} clock @param {Headers} headers */
export function readDate(clock, headers) {
  const ahead = Date.parse(headers.get("date") ?? "") - hostNow();
  // A day off is no clock; a second is what the header cuts off.
  if (Math.abs(ahead) < DAY) clock.skew = Math.abs(ahead) < SECOND ? 0 : ahead;
}

/** The end of what can be read now, in whole seconds: newer records may not be visible yet. Microseconds.
 * @param {Clock} clock */
export function newestToRead(clock) {
  return Math.floor((scmNow(clock) - LIMITS.lag) / SECOND) * SECOND * 1000;
}

/** Up to where a page that is read now covers a window that ends at `to`: newer records may still come. Microseconds.
 * @param {Clock} clock @param {number} to */
export function coveredTo(clock, to) {
  return Math.min(to, (scmNow(clock) - LIMITS.lag) * 1000);
}

/** @param {string | null} text Seconds or an HTTP date. Returns milliseconds from now; 0 if it is neither. */
export function retryAfter(text) {
  if (text === null) return 0;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * SECOND : Date.parse(text) - hostNow();
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

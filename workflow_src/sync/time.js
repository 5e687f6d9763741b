import { DAY, HOUR, LIMITS, MINUTE, SECOND } from "./limits.js";

// ---------------------------------------------------------------------------------------------------------------------
// Time. Times are integers in microseconds: SCM gives six digits, of which a Date keeps three.
// ---------------------------------------------------------------------------------------------------------------------

const TIME = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?)?\s*([Zz]|[+-]\d\d:?\d\d)?$/;

/** A time that is written as we would write it. */
export const WRITTEN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** RFC 3339 or ISO 8601; without an offset it is UTC. Microseconds, or null. @param {unknown} text @returns {number | null} */
export function parseTime(text) {
  const match = typeof text === "string" ? TIME.exec(text.trim()) : null;
  if (!match) return null;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = match;
  const midnight = Date.UTC(+year, +month - 1, +day);
  // Date.UTC turns the 31st of February into March, and the years before 100 into those of the last century.
  if (new Date(midnight).getUTCDate() !== +day || +month < 1 || +month > 12 || +year < 100) return null;
  if (+hour > 24 || +minute > 59 || +second > 60) return null;
  const offset = /z/i.test(zone) ? 0 : +`${zone[0]}1` * (+zone.slice(1, 3) * 60 + +zone.slice(-2));
  const ms = midnight + +hour * HOUR + (+minute - offset) * MINUTE + +second * SECOND;
  return ms * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** `2026-01-29T08:00:00Z`, or with the six digits SCM uses. @param {number} us */
export function formatTime(us) {
  const whole = Math.floor(us / 1e6);
  const text = new Date(whole * 1000).toISOString().replace(/\.000Z$/, "");
  const fraction = us - whole * 1e6;
  return fraction === 0 ? `${text}Z` : `${text}.${String(fraction).padStart(6, "0")}Z`;
}

/** @param {number} ms */
export function isoMs(ms) {
  return formatTime(Math.round(ms) * 1000);
}

/** `2h`, `1d`, `5d12h`; null where it is none of these, nothing or too much. @param {unknown} value */
export function parseDuration(value) {
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  const match = /^(?:(\d{1,4})d)?(?:(\d{1,4})h)?$/.exec(text);
  if (!match) return null;
  const [days, hours] = [Number(match[1] ?? 0), Number(match[2] ?? 0)];
  const ms = days * DAY + hours * HOUR;
  return ms > 0 && ms <= LIMITS.history ? { text, days, hours, ms } : null;
}

/** @param {number} ms */
export function shownSpan(ms) {
  const [size, unit] = ms >= HOUR ? [HOUR, "hours"] : [MINUTE, "minutes"];
  return `${Math.round((ms / size) * 10) / 10} ${unit}`;
}

/** @param {number} ms */
export function seconds(ms) {
  return Math.round(ms / SECOND);
}

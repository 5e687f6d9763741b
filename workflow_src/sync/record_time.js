import { parseTime } from "./time.js";

// ---------------------------------------------------------------------------------------------------------------------
// Times of records: SCM documents no form, so all common ones are read; a
// time is plausible, or it is no time. L8
// ---------------------------------------------------------------------------------------------------------------------

/** No audit record of SCM is older. */
const FIRST_US = Date.UTC(2000, 0) * 1000;

/** How far ahead a record may be dated; further is a mistake of somebody's. */
const AHEAD_US = 86_400e6;

/** What one unit of a number since the epoch is in microseconds. */
const UNITS_US = [1e6, 1e3, 1, 1e-3];

const BASIC = /^(\d{4})(\d\d)(\d\d)(?:[T ]?(\d\d)(\d\d)(\d\d)?([.,]\d+)?)?(.*)$/i;
const ENGLISH = /^(?:[a-z]{3,9},? )?(\d{1,2})[ /-]([a-z]{3})[a-z]*[ /-](\d{4})[ :](\d\d):(\d\d)(?::(\d\d))?(.*)$/i;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/**
 * The time of a record in microseconds since the epoch; null if it cannot be read, or is not plausible.
 * @param {unknown} value A text, a number since the epoch, `[year, month, day, ...]`, `{seconds, nanos}`.
 * @param {number} now The latest time that any clock knows, in milliseconds since the epoch.
 * @returns {number | null}
 */
export function recordTime(value, now) {
  const plausible = (/** @type {number | null} */ us) =>
    us !== null && us >= FIRST_US && us <= now * 1000 + AHEAD_US ? us : null;
  const usual = plausible(parseTime(value));
  if (usual !== null) return usual;
  for (const reading of meanings(value)) {
    const us = plausible(reading);
    if (us !== null) return us;
  }
  return null;
}

/** What a value may mean, the likeliest first. @param {unknown} value @returns {Generator<number | null>} */
function* meanings(value) {
  if (typeof value === "number" || (typeof value === "string" && /^\s*[+-]?\d+(\.\d+)?(e\d+)?\s*$/i.test(value))) {
    yield* UNITS_US.map((unit) => Math.floor(Number(value) * unit));
    yield basic(String(value).trim());
  } else if (Array.isArray(value)) {
    yield fromParts(value);
  } else if (value !== null && typeof value === "object") {
    const { seconds, epochSecond, nanos, nano, $date } = /** @type {Record<string, any>} */ (value);
    const [whole, rest] = [seconds ?? epochSecond, nanos ?? nano ?? 0].map((part) =>
      typeof part === "object" ? NaN : Number(part)
    );
    yield whole * 1e6 + Math.floor(rest / 1000);
    if ($date !== undefined) yield* meanings($date);
  } else if (typeof value === "string") {
    const text = withOffset(value);
    yield parseTime(text);
    yield basic(text);
    yield english(text);
    // ASP.NET: /Date(1769679000000+0100)/
    const wrapped = /^\/?Date\((\d+)(?:[+-]\d{4})?\)\/?$/i.exec(text);
    if (wrapped) yield Number(wrapped[1]) * 1000;
  }
}

/** The same text in the form that `parseTime` reads: no name of a zone beside its offset, offsets with minutes.
 * @param {string} value */
function withOffset(value) {
  const text = value.trim().replace(/^(\d{4})\/(\d\d)\/(\d\d)/, "$1-$2-$3");
  const named = text.replace(/\s*(?:\[(?:UTC|GMT|Z|Etc\/UTC)\]|\b(?:UTC|GMT))$/i, "");
  const zoned = named.replace(/([+-]\d\d:?\d\d|[+-]\d\d|Z)\s*\[[\w/+-]+\]$/i, "$1");
  return zoned.replace(/(:\d\d(?:[.,]\d+)?\s*[+-]\d\d)$/, "$1:00").replace(/([.,]\d{6})\d+/, "$1");
}

/** ISO 8601 in the basic form, `20260129T093000.5Z`. @param {string} text */
function basic(text) {
  const match = BASIC.exec(text);
  if (!match) return null;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", zone] = match;
  return parseTime(withOffset(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}${zone}`));
}

/** RFC 1123 and the form of web servers' logs: `Thu, 29 Jan 2026 09:30:00 GMT`, `29/Jan/2026:09:30:00 +0000`.
 * @param {string} text */
function english(text) {
  const match = ENGLISH.exec(text);
  if (!match) return null;
  const [, day, name, year, hour, minute, second = "00", zone] = match;
  const month = MONTHS.indexOf(name.toLowerCase()) + 1;
  const date = `${year}-${String(month).padStart(2, "0")}-${day.padStart(2, "0")}`;
  return parseTime(withOffset(`${date}T${hour}:${minute}:${second}${zone}`));
}

/** `[year, month, day, hour, minute, second, nanosecond]`, as Java's time classes are written. @param {unknown[]} parts */
function fromParts(parts) {
  if (parts.length < 3 || parts.length > 7 || !parts.every(Number.isInteger)) return null;
  const [year, month, day, hour = 0, minute = 0, second = 0, nanos = 0] = /** @type {number[]} */ (parts);
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const fraction = String(nanos).padStart(9, "0");
  return parseTime(`${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}.${fraction}Z`);
}

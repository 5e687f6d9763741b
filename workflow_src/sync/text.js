import { LIMITS } from "./limits.js";
import { createHash } from "./platform.js";

// ---------------------------------------------------------------------------------------------------------------------
// Text
// ---------------------------------------------------------------------------------------------------------------------

/** @template T @param {T[]} items @param {(item: T) => number} value */
export function sum(items, value) {
  return items.reduce((total, item) => total + value(item), 0);
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Control characters are spelled out: a record must not forge a line, colour a terminal or turn the text around it. @param {string} text */
export function clean(text) {
  const spelled = (/** @type {string} */ character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return text.replace(CONTROL, spelled).toWellFormed();
}

/** The value of a record's own key, or of a path of keys. @param {any} record @param {string} path */
export function at(record, path) {
  if (Object.hasOwn(record, path)) return record[path];
  if (!path.includes(".")) return undefined;
  let value = record;
  for (const key of path.split(".")) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** Where a value of a record is found, apart from any other place of the same path. L9 @param {any} record @param {string} path */
export function placeOf(record, path) {
  return Object.hasOwn(record, path) ? path : path.replaceAll(".", "\0");
}

/**
 * A record's scalar leaves as [path, text], except those at the used places; what lies deeper than four objects as JSON.
 * @param {any} value @param {Set<string>} used @param {string} [prefix] @param {string} [place] @param {number} [depth]
 * @returns {Generator<[string, string]>}
 */
export function* leaves(value, used, prefix = "", place = "", depth = 0) {
  for (const [key, inner] of Object.entries(value)) {
    if (inner === null || used.has(place + key)) continue;
    const path = cutBytes(clean(prefix + key), LIMITS.keyBytes - "scm.".length);
    if (typeof inner !== "object") yield [path, String(inner)];
    else if (Array.isArray(inner) || depth === 4) yield [path, JSON.stringify(inner)];
    else yield* leaves(inner, used, `${path}.`, `${place}${key}\0`, depth + 1);
  }
}

const encoder = new TextEncoder();

/** @param {string} text */
export function utf8Length(text) {
  return encoder.encode(text).length;
}

const characters = new Intl.Segmenter("en");

/** @param {string} text @param {number} most Bytes; never cuts what a reader sees as one character. */
export function cutBytes(text, most) {
  const whole = text.toWellFormed();
  if (whole.length * 3 <= most) return whole;
  const bytes = encoder.encode(whole);
  if (bytes.length <= most) return whole;
  const end = new TextDecoder().decode(bytes.subarray(0, most)).replace(/\uFFFD+$/, "").length;
  const start = Math.max(0, end - 100);
  return whole.slice(
    0,
    start + (characters.segment(whole.slice(start, end + 100)).containing(end - start)?.index ?? 0),
  );
}

/** JSON that does not depend on the order of keys: what a record is recognised by. L6 @param {unknown} value */
export function canonical(value) {
  return JSON.stringify(sorted(value));
}

/** @param {any} value @returns {any} */
function sorted(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(sorted);
  /** @type {Record<string, any>} */
  const copy = Object.hasOwn(value, "__proto__") ? Object.create(null) : {};
  for (const key of Object.keys(value).sort()) copy[key] = sorted(value[key]);
  return copy;
}

/** The first 64 bits of a text's SHA-256, in hex. @param {string} text @returns {string} */
export function fingerprint(text) {
  return createHash("sha256").update(text.toWellFormed()).digest("hex").slice(0, 16);
}

/** JSON, or undefined. Whole numbers keep all their digits, as text: ids may be longer than a double is exact. @param {string} text */
export function parseJson(text) {
  /** @type {any} */
  const exact = (/** @type {string} */ _key, /** @type {unknown} */ value, /** @type {{source?: string}} */ context) =>
    typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? context?.source ?? String(value)
      : value;
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""), /[[:,]\s*-?\d{16}/.test(text) ? exact : undefined);
  } catch {
    return undefined;
  }
}

import { LIMITS } from "./limits.js";

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
  let value = record;
  for (const key of path.split(".")) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/**
 * A record's scalar leaves that are not used yet as [path, text]; what lies deeper than four objects as JSON.
 * @param {any} value @param {Set<string>} used @param {string} [prefix] @param {number} [depth]
 * @returns {Generator<[string, string]>}
 */
export function* leaves(value, used, prefix = "", depth = 0) {
  for (const [key, inner] of Object.entries(value)) {
    if (inner === null || used.has(prefix + key)) continue;
    const path = cutBytes(clean(prefix + key), LIMITS.keyBytes - "scm.".length);
    if (typeof inner !== "object") yield [path, String(inner)];
    else if (Array.isArray(inner) || depth === 4) yield [path, JSON.stringify(inner)];
    else yield* leaves(inner, used, `${path}.`, depth + 1);
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

/** 48 bits of SHA-256 of a whole record: fewer would make a collision, which is a loss, thinkable. @param {string} text */
export async function mark(text) {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest, 0, 6)));
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

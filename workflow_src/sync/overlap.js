import { LIMITS } from "./limits.js";

// ---------------------------------------------------------------------------------------------------------------------
// Overlap: what is remembered of the records that the next run reads again, however many they are. L16
// ---------------------------------------------------------------------------------------------------------------------

/**
 * `sums`: for each bucket of time (`bucketOf`) the sum of its records' marks, modulo 2^48; records that come
 * again with the same sum are the same records, in whatever order. `marks`: single marks with their records' times, for
 * seconds that late records join, and for records without a time (Infinity).
 * @typedef {{sums: Map<number, {sum: number, count: number}>, marks: Map<number, number>}} Memory
 */

const RANGE = 2 ** 48;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** A bucket's share in the checkpoint, with its distance from the one before. */
const BUCKET = /([0-9a-z]*):([A-Za-z0-9+/]{8})/g;
/** The usual distance: one bucket for each second. */
const USUAL_GAP = 2;

/** 48 bits of a record's hash: fewer would make a collision, which is a loss, thinkable. @param {string} hash */
export function markOf(hash) {
  return parseInt(hash.slice(0, 12), 16);
}

/**
 * Two buckets a second: its first microsecond and the rest. Windows begin and end with whole seconds, and whether SCM
 * includes that moment is not known: so each bucket is read as a whole or not at all.
 * @param {number} us
 */
export function bucketOf(us) {
  return Math.floor(us / 1e6) * 2 + (us % 1e6 === 0 ? 0 : 1);
}

export class Overlap {
  constructor() {
    /** Of the windows that were read to their end. @type {Memory} */
    this.known = { sums: new Map(), marks: new Map() };
    /** Of the window that is being read. @type {Memory} */
    this.part = { sums: new Map(), marks: new Map() };
  }

  /** @param {number | null} us @param {number} mark */
  add(us, mark) {
    const { sums, marks } = this.part;
    marks.set(mark, us ?? Infinity);
    if (marks.size > 2 * LIMITS.marks) this.part.marks = newest(marks, ([, time]) => time);
    if (us === null) return;
    const bucket = bucketOf(us);
    const { sum, count } = sums.get(bucket) ?? { sum: 0, count: 0 };
    sums.set(bucket, { sum: (sum + mark) % RANGE, count: count + 1 });
    if (sums.size > 2 * LIMITS.marks) this.part.sums = newest(sums, ([each]) => each);
  }

  /**
   * What earlier runs know of a record that was just added: "repeated"; "complete": so is all of its bucket so far;
   * "held": the rest of its bucket decides; or "new".
   * @param {number | null} us @param {number} mark
   */
  judge(us, mark) {
    const before = us === null ? undefined : this.known.sums.get(bucketOf(us));
    if (us !== null && before && this.part.sums.get(bucketOf(us))?.sum === before.sum) return "complete";
    return this.known.marks.has(mark) || before?.sum === mark ? "repeated" : before ? "held" : "new";
  }

  /** Reading starts again from here: what of it was read before is known, and counted again. @param {number} from */
  forget(from) {
    for (const [bucket, sum] of this.part.sums) {
      if (bucket < bucketOf(from)) continue;
      this.part.sums.delete(bucket);
      if (!this.known.sums.has(bucket)) this.known.sums.set(bucket, sum);
    }
  }

  /** The window is read to its end. @param {boolean} isWhole The next run reads nothing that was not in this window. */
  finish(isWhole) {
    const { known, part } = this;
    this.known = isWhole ? part : {
      sums: newest(new Map([...known.sums, ...part.sums]), ([bucket]) => bucket),
      marks: newest(new Map([...known.marks, ...part.marks]), ([, time]) => time),
    };
    this.part = { sums: new Map(), marks: new Map() };
  }

  copy() {
    const copy = new Overlap();
    for (const name of /** @type {const} */ (["known", "part"])) {
      copy[name] = { sums: new Map(this[name].sums), marks: new Map(this[name].marks) };
    }
    return copy;
  }
}

/** The newest of a map's entries, as many as a checkpoint may hold. L26
 * @template V @param {Map<number, V>} entries @param {(entry: [number, V]) => number} time */
function newest(entries, time) {
  return new Map([...entries].sort((a, b) => time(a) - time(b) || 0).slice(-LIMITS.marks));
}

/**
 * As text of at most `room` characters, the newest first to be kept; `forgotten`: records from `horizon` on that are not
 * in it.
 * @param {Overlap} overlap @param {number} room @param {number} horizon
 */
export function formatOverlap({ known, part }, room, horizon) {
  const [partly, partForgot] = formatSums(part.sums, known.sums.size > 0 ? room / 2 : room, horizon);
  const [sums, knownForgot] = formatSums(known.sums, room - partly.length, horizon);
  const rest = Math.max(0, Math.floor((room - partly.length - sums.length) / 8));
  // The only record of a bucket is known by the bucket's sum.
  const single = [known, part].flatMap((memory) =>
    [...memory.marks].filter(([mark, us]) => us === Infinity || memory.sums.get(bucketOf(us))?.sum !== mark)
  ).sort((a, b) => a[1] - b[1] || 0);
  const kept = rest === 0 ? [] : single.slice(-rest);
  const undated = single.slice(0, single.length - kept.length).filter(([, us]) => us === Infinity).length;
  return {
    sums: sums || undefined,
    part: partly || undefined,
    marks: kept.map(([mark]) => encode(mark)).join("") || undefined,
    forgotten: partForgot + knownForgot + undated,
  };
}

/** @param {any} sums @param {any} part @param {any} marks @returns {Overlap} */
export function parseOverlap(sums, part, marks) {
  const overlap = new Overlap();
  overlap.known.sums = parseSums(sums);
  overlap.part.sums = parseSums(part);
  // Their times are not kept: they go first.
  if (typeof marks === "string") overlap.known.marks = new Map(parseMarks(marks).map((mark) => [mark, -Infinity]));
  return overlap;
}

/** @param {Memory["sums"]} sums @param {number} room @param {number} horizon @returns {[string, number]} */
function formatSums(sums, room, horizon) {
  const buckets = [...sums].sort(([a], [b]) => b - a);
  /** @type {string[]} */
  const texts = [];
  let [length, forgotten] = [0, 0];
  buckets.forEach(([bucket, { sum, count }], n) => {
    const gap = bucket - (buckets[n + 1]?.[0] ?? 0);
    const text = `${gap === USUAL_GAP ? "" : gap.toString(36)}:${encode(sum)}`;
    // The oldest that is kept begins with its own number instead of a distance.
    if (length + text.length + 8 <= room) texts.unshift(text);
    else if (bucket >= bucketOf(horizon)) forgotten += count;
    length += text.length;
  });
  if (texts.length > 0) texts[0] = buckets[texts.length - 1][0].toString(36) + texts[0].slice(texts[0].indexOf(":"));
  return [texts.join(""), forgotten];
}

/** @param {unknown} text @returns {Memory["sums"]} */
function parseSums(text) {
  /** @type {Memory["sums"]} */
  const sums = new Map();
  let bucket = 0;
  for (const [, gap, sum] of typeof text === "string" ? text.matchAll(BUCKET) : []) {
    bucket += gap === "" ? USUAL_GAP : parseInt(gap, 36);
    sums.set(bucket, { sum: decode(sum), count: 1 });
  }
  return sums;
}

/** @param {string} text Eight characters each. */
export function parseMarks(text) {
  return (text.match(/[A-Za-z0-9+/]{8}/g) ?? []).map(decode);
}

/** @param {number} mark */
function encode(mark) {
  let text = "";
  for (let rest = mark; text.length < 8; rest = Math.floor(rest / 64)) text = DIGITS[rest % 64] + text;
  return text;
}

/** @param {string} text */
function decode(text) {
  return [...text].reduce((value, digit) => value * 64 + DIGITS.indexOf(digit), 0);
}

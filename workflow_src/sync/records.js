import { latest } from "./clock.js";
import { toEvent } from "./events.js";
import { LIMITS } from "./limits.js";
import { warn } from "./output.js";
import { bucketOf, markOf, Overlap } from "./overlap.js";
import { canonical, fingerprint } from "./text.js";
import { shownSpan } from "./time.js";
/** @import { Event } from "./events.js" */
/** @import { Run } from "./run.js" */
/** @import { Window } from "./windows.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Records: which of a page's records are new
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What is decided about a record. `key`: its id and time; `mark`: null if this window had it already; `isNew`: this leg had not seen it; `held`:
 * earlier runs may have sent it, which the rest of its second decides.
 * @typedef {Event & {key: string, mark: number | null, isNew: boolean, verdict: "send" | "repeated" | "held" | "not asked for"}} Judged
 */

/** @typedef {ReturnType<typeof newMemory>} LegMemory */

/** What this leg has seen, in two generations, as trimming one would cost more; and what the overlap's memory knows. */
export function newMemory() {
  return {
    /** By the hash of a record's content: the last window it was in. By its id and time: how often it was another one.
     * @type {Map<string, number>} */
    recent: new Map(),
    /** @type {Map<string, number>} */
    older: new Map(),
    /** Characters in `recent`. */
    length: 0,
    /** The number of the window that is being read. */
    window: 0,
    overlap: new Overlap(),
    /** Marks of records that an earlier leg has read in this window, the only ones of their time. @type {Set<number>} */
    resumed: new Set(),
    /** Marks of a checkpoint of the first release: of the JSON as it came. @type {Set<number>} */
    former: new Set(),
    /** Records whose bucket of time is not complete. @type {Map<number, Judged[]>} */
    held: new Map(),
    heldLength: 0,
    /** Milliseconds that record times were outside the windows asked for, at most. */
    outside: 0,
  };
}

/**
 * Converts the records of a page, and decides which are to be sent: not those that this leg has seen or, in the
 * overlap, an earlier run has sent.
 * @param {Run} run @param {any[]} records @param {Window} window @param {boolean} again Asked for by time once more, so
 * that the same records come again.
 */
export function judge(run, records, window, again) {
  const { backfill, counts, leg, memory } = run;
  const now = latest(leg.clock);
  /** @type {Judged[]} */
  const judged = [];
  const isVolatile = again ? changedRecords(memory, records, now) : () => false;
  for (const record of records) {
    const hash = fingerprint(canonical(record));
    const event = toEvent(record, hash, backfill !== null, now);
    const { id, us } = event;
    const before = remembered(memory, hash);
    const key = `${id}\n${us}`;
    const others = remembered(memory, key);
    let isNew = before === undefined;
    const mark = markOf(hash);
    const isResumed = memory.resumed.has(mark);
    const isFirst = before !== memory.window && !isResumed;
    if (isNew && others !== undefined) {
      counts.changed += 1;
      // The first three by name; the count is in the summary. L17
      warn(run, `record ${id} came twice with different content; both are sent`);
      // Content that differs with every read is sent once more at most. L20
      if (others > 0 && isVolatile(key)) isNew = false;
      keep(memory, key, again ? others + 1 : others);
    } else if (others === undefined) keep(memory, key, 0);
    if (isFirst) keep(memory, hash, memory.window);
    if (isNew) countOdd(run, event);
    measure(run, us, window);
    const verdict = /** @type {Judged["verdict"]} */ (isResumed || !isNew ? "repeated" : "send");
    const one = Object.assign(event, { key, mark: isFirst ? mark : null, isNew, verdict });
    judged.push(one);
    decide(run, record, one);
  }
  return judged;
}

/** L16: sets the verdict of a record; and, where it completes what an earlier run knew, of those held with it.
 * @param {Run} run @param {any} record @param {Judged} one */
function decide({ backfill, memory }, record, one) {
  const { id, isNew, mark, us } = one;
  if (isNew && backfill?.ids && !backfill.ids.has(id)) one.verdict = "not asked for";
  if (mark === null || backfill) return;
  memory.overlap.add(us, mark);
  const known = memory.overlap.judge(us, mark);
  const bucket = us === null ? NaN : bucketOf(us);
  if (known === "complete") {
    one.verdict = "repeated";
    resolve(memory, bucket, "repeated");
  } else if (one.verdict === "send") {
    const isFormer = memory.former.size > 0 && memory.former.has(markOf(fingerprint(JSON.stringify(record))));
    if (known === "repeated" || isFormer) one.verdict = "repeated";
    if (known !== "held" || isFormer) return;
    one.verdict = "held";
    const together = memory.held.get(bucket);
    if (together) together.push(one);
    else memory.held.set(bucket, [one]);
    memory.heldLength += one.json.length;
  }
}

/**
 * L16: sends what is held of seconds that are complete and still not as earlier runs knew them: a late record is among them.
 * @param {LegMemory} memory @param {number} before Microseconds: all earlier seconds are complete.
 */
export function release(memory, before) {
  const all = memory.heldLength > LIMITS.heldLength;
  for (const bucket of memory.held.keys()) {
    if (all || (Math.floor(bucket / 2) + 2) * 1e6 <= before) resolve(memory, bucket, "send");
  }
}

/** L16 @param {LegMemory} memory @param {number} bucket @param {"send" | "repeated"} verdict */
function resolve(memory, bucket, verdict) {
  for (const each of memory.held.get(bucket) ?? []) {
    each.verdict = verdict;
    memory.heldLength -= each.json.length;
  }
  memory.held.delete(bucket);
}

/**
 * Which records of a page that is read again are earlier ones with other content. More of one id and time than before,
 * or one of them as it was, shows that they are several records. L20
 * @param {LegMemory} memory @param {any[]} records @param {number} now @returns {(key: string) => boolean}
 */
function changedRecords(memory, records, now) {
  /** @type {Map<string, number>} */
  const copies = new Map();
  const asBefore = new Set();
  for (const record of records) {
    const hash = fingerprint(canonical(record));
    const { id, us } = toEvent(record, hash, false, now);
    const key = `${id}\n${us}`;
    copies.set(key, (copies.get(key) ?? 0) + 1);
    if (remembered(memory, hash) !== undefined) asBefore.add(key);
  }
  return (key) => !asBefore.has(key) && copies.get(key) === 1;
}

/** Record times outside the window asked for: SCM's filter goes by another time, or they have another zone. L7
 * @param {Run} run @param {number | null} us @param {Window} window */
function measure({ memory }, us, { from, to }) {
  if (us !== null) memory.outside = Math.max(memory.outside, (from - us) / 1000, (us - to) / 1000);
}

/** L8 @param {Run} run @param {Event} event */
function countOdd(run, { hasAction, id, rawTime, us }) {
  if (us === null) {
    run.counts.undated += 1;
    if (run.counts.undated === 1) {
      warn(run, `the time of record ${id} cannot be read: ${JSON.stringify(rawTime.slice(0, 100))}`);
    }
  }
  if (!hasAction) {
    run.counts.unknownAction += 1;
    if (run.counts.unknownAction === 1) warn(run, `record ${id} has none of the known action fields`);
  }
}

/** L7 @param {Run} run */
export function reportOutside(run) {
  const { outside } = run.memory;
  if (outside >= LIMITS.lag) {
    warn(run, `record times are up to ${shownSpan(outside)} outside the window asked for: SCM filters by another time`);
  }
}

/** @param {LegMemory} memory @param {string} key */
function remembered(memory, key) {
  return memory.recent.get(key) ?? memory.older.get(key);
}

/** @param {LegMemory} memory @param {string} key @param {number} value */
export function keep(memory, key, value) {
  if (!memory.recent.has(key)) memory.length += key.length;
  memory.recent.set(key, value);
  if (memory.length <= LIMITS.rememberedLength / 2) return;
  memory.older = memory.recent;
  memory.recent = new Map();
  memory.length = 0;
}

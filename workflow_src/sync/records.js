import { latest } from "./clock.js";
import { toEvent } from "./events.js";
import { LIMITS } from "./limits.js";
import { warn } from "./output.js";
import { mark } from "./text.js";
/** @import { Event } from "./events.js" */
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Records: which of a page's records are new
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What is decided about a record. `mark`: set if the next run will read it again; `isNew`: this leg had not seen it.
 * @typedef {Event & {mark: string, isNew: boolean, verdict: "send" | "repeated" | "not asked for"}} Judged
 */

/** @typedef {ReturnType<typeof newMemory>} Memory */

/** The records that this leg has seen last, by id, as they came: in two generations, as trimming one would cost more. */
export function newMemory() {
  return {
    /** @type {Map<string, string>} */
    recent: new Map(),
    /** @type {Map<string, string>} */
    older: new Map(),
    /** Characters in `recent`. */
    length: 0,
  };
}

/**
 * Converts the records of a page, and decides which are to be sent: not those that this leg has seen or, in the
 * overlap, an earlier run has sent.
 * @param {Run} run @param {any[]} records @param {number} end Up to where the page covers, in microseconds.
 */
export async function judge(run, records, end) {
  const { backfill, leg, memory, progress: { seen } } = run;
  /** @type {Judged[]} */
  const judged = [];
  const now = latest(leg.clock);
  for (const record of records) {
    const text = JSON.stringify(record);
    const event = await toEvent(record, text, backfill !== null, now);
    const { id, us } = event;
    const isCompared = seen.marks.size > 0 && (us === null || us <= seen.to + LIMITS.overlap * 1000);
    const isKept = us === null || us >= end - LIMITS.overlap * 1000;
    const ownMark = isCompared || isKept ? await mark(text) : "";
    const isNew = !isKnown(memory, id, text);
    if (isNew) remember(run, id, text);
    const verdict = !isNew
      ? "repeated"
      : backfill?.ids && !backfill.ids.has(id)
      ? "not asked for"
      : isCompared && seen.marks.has(ownMark)
      ? "repeated"
      : "send";
    judged.push({ ...event, mark: isKept ? ownMark : "", isNew, verdict });
  }
  return judged;
}

/** @param {Memory} memory @param {string} id @param {string} text */
function isKnown(memory, id, text) {
  const before = remembered(memory, id);
  return before === text || (before !== undefined && remembered(memory, text) !== undefined);
}

/** @param {Run} run @param {string} id @param {string} text */
function remember(run, id, text) {
  const before = remembered(run.memory, id);
  if (before !== undefined) {
    warn(run, `record ${id} came twice with different content; both are sent`);
    // An id that stands for several records: each is known by its content.
    for (const each of [before, text]) keep(run.memory, each, "");
  }
  keep(run.memory, id, text);
}

/** @param {Memory} memory @param {string} key */
function remembered(memory, key) {
  return memory.recent.get(key) ?? memory.older.get(key);
}

/** @param {Memory} memory @param {string} key An id; or a record's text, where its id is not enough. @param {string} text */
export function keep(memory, key, text) {
  memory.recent.set(key, text);
  memory.length += text.length || key.length;
  if (memory.length <= LIMITS.rememberedLength / 2) return;
  memory.older = memory.recent;
  memory.recent = new Map();
  memory.length = 0;
}

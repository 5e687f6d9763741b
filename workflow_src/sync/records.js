import { toEvent } from "./ingest.js";
import { LIMITS } from "./limits.js";
import { scmNow } from "./paging.js";
import { mark, warn } from "./text.js";
/** @import { Run } from "./run.js" */
/** @import { Event } from "./shapes.js" */

/**
 * Converts records and drops those that this run or the overlap has sent already. `news`: how many this leg had not
 * seen, and their `times` where known; `marks`: of all that the next run will read again.
 * @param {Run} run @param {any[]} records @param {number} end
 */
export async function readRecords(run, records, end) {
  run.pages += 1;
  run.fetched += records.length;
  /** @type {Event[]} */
  const events = [];
  /** @type {string[]} */
  const marks = [];
  /** @type {number[]} */
  const times = [];
  // A host whose clock is slow would send what log ingest drops as too old; sent without its time it is kept.
  const now = Math.max(Date.now(), scmNow(run));
  let news = 0;
  for (const record of records) {
    const text = JSON.stringify(record);
    const event = await toEvent(record, text, run.backfill !== null, now);
    const { id, us } = event;
    const compared = run.seen.size > 0 && (us === null || us <= run.seenTo + LIMITS.overlap * 1000);
    const kept = us === null || us >= end - LIMITS.overlap * 1000;
    const known = compared || kept ? await mark(text) : "";
    if (kept) marks.push(known);
    const before = remembered(run, id);
    if (before === text || (before !== undefined && remembered(run, text) !== undefined)) {
      run.repeated += 1;
      continue;
    }
    news += 1;
    if (us !== null) times.push(us);
    if (before !== undefined) {
      warn(run, `record ${id} came twice with different content; both are sent`);
      // An id that stands for several records: each is known by its content.
      for (const each of [before, text]) remember(run, each, "");
    }
    remember(run, id, text);
    if (run.backfill?.ids && !run.backfill.ids.has(id)) continue;
    if (compared && run.seen.has(known)) run.repeated += 1;
    else events.push(event);
  }
  return { events, marks, times, news };
}

/** @param {Run} run @param {string} key */
function remembered(run, key) {
  return run.recent.get(key) ?? run.older.get(key);
}

/** @param {Run} run @param {string} key An id; or a record's text, where its id is not enough. @param {string} text */
export function remember(run, key, text) {
  run.recent.set(key, text);
  run.recentLength += text.length || key.length;
  if (run.recentLength <= LIMITS.rememberedLength / 2) return;
  run.older = run.recent;
  run.recent = new Map();
  run.recentLength = 0;
}

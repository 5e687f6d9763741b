import { saveCheckpoint } from "./checkpoint.js";
import { sendBatch } from "./ingest.js";
import { LIMITS } from "./limits.js";
import { clean, cutBytes, log, sum } from "./text.js";
import { formatTime, parseTime } from "./time.js";
/** @import { Run } from "./run.js" */
/** @import { Page } from "./shapes.js" */

/** Sends all waiting pages, several in one request, and moves the checkpoint behind them. @param {Run} run @param {Page[]} waiting */
export async function sendPages(run, waiting) {
  while (waiting.length > 0) {
    const pages = [/** @type {Page} */ (waiting.shift())];
    let [records, length] = [pages[0].events.length, pages[0].length];
    while (waiting.length > 0) {
      records += waiting[0].events.length;
      length += waiting[0].length;
      if (records > LIMITS.batchRecords || length > LIMITS.batchLength) break;
      pages.push(/** @type {Page} */ (waiting.shift()));
    }
    const before = run.sent;
    await sendBatch(run, pages.flatMap((page) => page.events));
    run.batches += 1;
    run.unsaid.sent += run.sent - before;
    run.unsaid.fetched += sum(pages, (page) => page.fetched);
    for (const page of pages) advance(run, page);
    const due = run.sent - run.savedSent >= LIMITS.saveRecords || performance.now() - run.savedAt >= LIMITS.saveEvery;
    // A line a batch would make a long log of a long catch-up.
    if (due || run.batches <= 10) tellProgress(run);
    if (due) await saveCheckpoint(run);
  }
}

/** The checkpoint behind an accepted page. @param {Run} run @param {Page} page */
function advance(run, { events, marks, open, done }) {
  const { checkpoint } = run;
  let newest = { us: parseTime(checkpoint.ts) ?? -Infinity, id: "" };
  for (const { us, id } of events) {
    // A record dated later than what has been read is no measure of how far that was.
    if (us !== null && us >= newest.us && us <= done + LIMITS.lag * 1000) newest = { us, id };
  }
  if (newest.id) Object.assign(checkpoint, { ts: formatTime(newest.us), id: cutBytes(clean(newest.id), 100) });
  for (const each of marks) {
    if (run.tail.size < LIMITS.marks) run.tail.add(each);
    else run.tailDropped += 1;
  }
  // The rest of a window that was reached before needs no place: the next run reads its last minutes again anyway.
  checkpoint.open = open && open.to > (checkpoint.hw ?? -Infinity) ? open : null;
  // Until the window is done, and where it lies before what was reached already, the older marks are needed too.
  const older = open || done < run.seenTo ? run.seen : [];
  checkpoint.seen = [...new Set([...older, ...run.tail])];
  if (open) return;
  checkpoint.hw = Math.max(done, checkpoint.hw ?? -Infinity);
  if (done >= run.seenTo) [run.seen, run.seenTo] = [run.tail, done];
  run.forgotten = run.tailDropped;
  [run.tail, run.tailDropped] = [new Set(), 0];
}

/** @param {Run} run */
export function tellProgress(run) {
  const { fetched, sent } = run.unsaid;
  if (fetched > 0) log(`✓ Fetched ${fetched} records from SCM API`);
  if (sent > 0) log(`✓ Sent ${sent} logs to Dynatrace`);
  run.unsaid = { fetched: 0, sent: 0 };
}

import { advance, placeOf, saveCheckpoint, saveIsDue } from "./checkpoint.js";
import { coveredTo, disagreement, earliest, newestToRead, scmNow, ticks } from "./clock.js";
import { Failure, Stop } from "./errors.js";
import { sendBatch } from "./ingest.js";
import { LIMITS } from "./limits.js";
import { parseLock } from "./lock.js";
import { log, warn } from "./output.js";
import { Paging } from "./paging.js";
import { judge } from "./records.js";
import { fetchPage } from "./scm.js";
import { sum } from "./text.js";
import { formatTime, parseDuration, shownSpan } from "./time.js";
import { newInitialCheckpoint, planWindows } from "./windows.js";
/** @import { Event } from "./events.js" */
/** @import { Query } from "./paging.js" */
/** @import { Run } from "./run.js" */
/** @import { Window } from "./windows.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Catching up: the next page is being fetched while earlier ones are converted, sent and saved
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A page to send, and what the checkpoint must say once it is accepted: `open` the rest of the window, or null if the
 * window is `done` up to that moment; `marks` of the records that the next run will read again.
 * @typedef {{at: number, fetched: number, events: Event[], length: number, marks: string[], open: Window | null, done: number}} Page
 */

/** @param {Run} run */
export async function catchUp(run) {
  /** @type {Page[]} */
  const waiting = [];
  /** @type {Promise<void> | null} */
  let sending = null;
  /** @type {{error: unknown} | null} */
  let failed = null;
  const records = () => sum(waiting, (page) => page.events.length);
  const length = () => sum(waiting, (page) => page.length);
  const ripe = () => records() >= LIMITS.ripeRecords || ticks() - waiting[0].at >= LIMITS.ripeAfter;
  const full = () => records() >= LIMITS.waitingRecords || length() >= LIMITS.waitingLength;
  const send = () => {
    sending ??= sendPages(run, waiting).catch((error) => void (failed = { error })).finally(() =>
      void (sending = null)
    );
    return sending;
  };
  try {
    for await (const page of fetchPages(run, startWindows(run))) {
      // Nothing after a page that was not accepted: the checkpoint would skip it.
      if (failed) break;
      waiting.push(page);
      if (full()) await send();
      else if (ripe()) send();
    }
  } finally {
    // Also if fetching ended early: what was fetched is sent and counted.
    while (!failed && (sending || waiting.length > 0)) await send();
    logProgress(run);
  }
  if (failed) throw /** @type {any} */ (failed).error;
}

/** Plans the windows and says so. @param {Run} run @returns {Window[]} */
function startWindows(run) {
  const { backfill, config, leg, lock, progress } = run;
  const plan = planWindows({
    checkpoint: progress.checkpoint,
    backfill,
    initial: newInitialCheckpoint(config, progress.checkpoint),
    isFirst: progress.shownBefore === "none",
    // A run releases the lock after it has reported.
    wasReported: parseLock(lock.before ?? "").state === "IDLE",
    now: earliest(leg.clock) * 1000,
    scmNow: scmNow(leg.clock) * 1000,
    history: parseDuration(config.initHistoryDuration)?.ms ?? 0,
    newest: backfill?.to ?? newestToRead(leg.clock),
  });
  progress.checkpoint = plan.checkpoint;
  // Moved back by a person or by a clock: what it moves from there on is progress.
  const place = placeOf(plan.checkpoint);
  if (place > -Infinity) progress.began = Math.min(progress.began, place);
  progress.coveredFrom = plan.coveredFrom;
  progress.window = plan.span;
  const { kind, span: { from, to }, ahead } = plan;
  if (ahead !== null) {
    warn(run, `the checkpoint is in the future (${formatTime(ahead)}); continuing from ${formatTime(from)}`);
  }
  log(`${kind} - querying logs from ${formatTime(from)} to ${formatTime(to)} (${shownSpan((to - from) / 1000)})`);
  return plan.windows;
}

/** @param {Run} run @param {Window[]} windows @returns {AsyncGenerator<Page>} */
async function* fetchPages(run, windows) {
  for (const window of windows) {
    const paging = new Paging(window);
    const fetchNext = (/** @type {Query} */ query) => {
      const page = fetchPage(run, window, query);
      page.catch(() => {}); // It is awaited below, after the page before.
      return page;
    };
    /** @type {ReturnType<typeof fetchPage> | null} */
    let fetching = fetchNext(paging.first);
    while (fetching) {
      const asked = ticks();
      /** @type {Awaited<ReturnType<typeof fetchPage>>} */
      const answer = await fetching;
      const waited = ticks() - asked;
      const unlike = disagreement(run.leg.clock);
      if (unlike) warn(run, unlike);
      const query = paging.next(answer);
      fetching = query && fetchNext(query);
      if (answer === null) {
        warn(run, "SCM rejected the saved page token; continuing by time");
        continue;
      }
      const end = coveredTo(run.leg.clock, window.to, answer.at);
      // L26: planned by a clock that was hours ahead, before SCM had shown its own.
      if (end < window.from && run.progress.checkpoint.hw === null) {
        throw new Stop("the first window lies in the future of SCM's clock: it is planned again", true);
      }
      // That request leaves when the event loop turns: let it, before converting this page keeps the loop busy. Where
      // answers come at once, a turn would only cost.
      if (fetching && waited > LIMITS.quickAnswer) await new Promise((resolve) => setTimeout(resolve, 0));
      const judged = await judge(run, answer.records, end);
      const byTime = paging.read(judged);
      if (byTime) fetching = fetchNext(byTime);
      const events = judged.filter(({ verdict }) => verdict === "send");
      run.counts.pages += 1;
      run.counts.fetched += answer.records.length;
      run.counts.repeated += judged.filter(({ verdict }) => verdict === "repeated").length;
      yield {
        at: ticks(),
        fetched: answer.records.length,
        events,
        length: sum(events, (event) => event.json.length + 1),
        marks: judged.map((each) => each.mark).filter((each) => each !== ""),
        open: paging.rest(end),
        done: end,
      };
      if (paging.state === "repeated") {
        throw new Failure("SCM repeated a page token; stopping to avoid an endless loop");
      }
    }
  }
}

/** Sends all waiting pages, several in one request, and advances the checkpoint past them.
 * @param {Run} run @param {Page[]} waiting */
async function sendPages(run, waiting) {
  const { counts, progress } = run;
  while (waiting.length > 0) {
    const pages = [/** @type {Page} */ (waiting.shift())];
    let [records, length] = [pages[0].events.length, pages[0].length];
    while (waiting.length > 0) {
      records += waiting[0].events.length;
      length += waiting[0].length;
      if (records > LIMITS.batchRecords || length > LIMITS.batchLength) break;
      pages.push(/** @type {Page} */ (waiting.shift()));
    }
    const before = counts.sent;
    await sendBatch(run, pages.flatMap((page) => page.events));
    counts.batches += 1;
    counts.unlogged.sent += counts.sent - before;
    counts.unlogged.fetched += sum(pages, (page) => page.fetched);
    for (const page of pages) advance(progress, page);
    const isDue = saveIsDue(run);
    // A line for every batch would make a long log of a long catch-up.
    if (isDue || counts.batches <= 10) logProgress(run);
    if (isDue) await saveCheckpoint(run);
  }
}

/** @param {Run} run */
function logProgress({ counts }) {
  const { fetched, sent } = counts.unlogged;
  if (fetched > 0) log(`✓ Fetched ${fetched} records from SCM API`);
  if (sent > 0) log(`✓ Sent ${sent} logs to Dynatrace`);
  counts.unlogged = { fetched: 0, sent: 0 };
}

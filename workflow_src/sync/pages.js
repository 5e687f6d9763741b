import { Reader } from "./ahead.js";
import { advance, holdsOverlap, reachOf, saveCheckpoint, saveIsDue } from "./checkpoint.js";
import { coveredTo, disagreement, earliest, newestToRead, scmNow, ticks, visibleTo } from "./clock.js";
import { Stop } from "./errors.js";
import { endDoubts, sendBatch } from "./ingest.js";
import { LIMITS, SECOND } from "./limits.js";
import { parseLock } from "./lock.js";
import { log, warn } from "./output.js";
import { Paging } from "./paging.js";
import { judge, release, reportOutside } from "./records.js";
import { sum } from "./text.js";
import { formatTime, parseDuration, shownSpan } from "./time.js";
import { newInitialCheckpoint, planWindows, quarters } from "./windows.js";
/** @import { Event } from "./events.js" */
/** @import { Judged } from "./records.js" */
/** @import { Query } from "./paging.js" */
/** @import { Run } from "./run.js" */
/** @import { Window } from "./windows.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Catching up: the next page is being fetched while earlier ones are converted, sent and saved
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A page to send, and what the checkpoint must say once it is accepted: `open` the rest of the window, or null if the
 * window, which begins `from`, is `done` up to that moment; `visible`: up to there no record can come late; `settled`: nor
 * in all of the window; `within`: the window if its pages came oldest first; `marks` of its records, for the next run.
 * @typedef {{at: number, fetched: number, events: Event[], length: number,
 *   marks: {us: number | null, mark: number}[], from: number, open: Window | null, done: number, visible: number,
 *   settled: boolean, within: Window | null}} Page
 */

/** @param {Run} run */
export async function catchUp(run) {
  /** @type {Page[]} */
  const waiting = [];
  /** Sent, but not all of their records are accepted yet. @type {Page[]} */
  const unconfirmed = [];
  /** @type {Promise<void> | null} */
  let sending = null;
  /** @type {{error: unknown} | null} */
  let failed = null;
  const records = () => sum(waiting, (page) => page.events.length);
  const length = () => sum(waiting, (page) => page.length);
  const ripe = () => records() >= LIMITS.ripeRecords || ticks() - waiting[0].at >= LIMITS.ripeAfter;
  const full = () => records() >= LIMITS.waitingRecords || length() >= LIMITS.waitingLength;
  const send = () => {
    sending ??= sendPages(run, waiting, unconfirmed).catch((error) => void (failed = { error })).finally(() =>
      void (sending = null)
    );
    return sending;
  };
  /** Why fetching ended early. @type {{error: unknown} | null} */
  let ended = null;
  try {
    for await (const page of fetchPages(run, startWindows(run))) {
      // Nothing after a page that was not accepted: the checkpoint would skip it.
      if (failed) break;
      waiting.push(page);
      if (full()) await send();
      else if (ripe()) send();
    }
  } catch (error) {
    ended = { error };
  }
  // Also if fetching ended early: what was fetched is sent and counted.
  while (!failed && (sending || waiting.length > 0)) await send();
  logProgress(run);
  reportOutside(run);
  const error = /** @type {any} */ (failed)?.error;
  if (!error || error instanceof Stop) await endDoubts(run, !error);
  if (error) throw error;
  advanceAll(run, unconfirmed);
  if (ended) throw ended.error;
}

/** Plans the windows and says so. @param {Run} run @returns {Window[]} */
function startWindows(run) {
  const { backfill, config, leg, lock, memory, progress } = run;
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
  // L27: what was saved before a checkpoint was moved says nothing about what is read from there on.
  if (plan.checkpoint.hw !== progress.checkpoint.hw) progress.saved.hw = null;
  progress.checkpoint = plan.checkpoint;
  const { open, overlap } = plan.checkpoint;
  // A window that is not continued, or from a time on: what of it was read before is counted again.
  if (!open) overlap.finish(false);
  else if (open.token === null) overlap.forget(open.from);
  memory.overlap = overlap.copy();
  // Moved back by a person or by a clock: what it moves from there on is progress.
  const place = reachOf(plan.checkpoint);
  if (place > -Infinity) progress.began = Math.min(progress.began, place);
  memory.resumed = new Set([...overlap.part.sums.values()].map(({ sum }) => sum));
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
  const { leg: { clock }, memory } = run;
  /** The highest point that this leg has read, as `advance` will know it. */
  let { hw } = run.progress.checkpoint;
  const reader = new Reader(run, windows);
  for (let window = await reader.next(); window; window = await reader.next()) {
    const paging = new Paging(window);
    /** Pages of which not every record is decided on. @type {(Omit<Page, "events" | "length" | "marks"> & {judged: Judged[]})[]} */
    const undecided = [];
    memory.window += 1;
    // From a time on, all that could come late is read again.
    let isSettled = window.token === null || run.progress.checkpoint.settled;
    const fetchNext = (/** @type {Query} */ query) => {
      const page = reader.page(query);
      page.catch(() => {}); // It is awaited below, after the page before.
      return page;
    };
    const warnOnce = () => {
      if (paging.warning) warn(run, paging.warning);
      paging.warning = "";
    };
    /** @type {ReturnType<typeof fetchNext> | null} */
    let fetching = fetchNext(paging.asked);
    while (fetching) {
      const asked = ticks();
      /** @type {Awaited<ReturnType<typeof fetchNext>>} */
      const answer = await fetching;
      const waited = ticks() - asked;
      const unlike = disagreement(clock);
      if (unlike) warn(run, unlike);
      const isAgain = paging.asked.token === null && paging.pass > 0;
      const isSavedToken = paging.full === 0 && paging.pass === 0;
      if (answer === null && isSavedToken) {
        memory.resumed.clear();
        for (const overlap of [memory.overlap, run.progress.checkpoint.overlap]) overlap.forget(window.from);
        if (!window.ordered) {
          warn(
            run,
            "SCM rejected the page token of a window that must be read from its start; reading it in parts",
          );
          windows.unshift(...quarters(window, hw)); // L24
          break;
        }
      }
      const query = paging.next(answer);
      fetching = query && fetchNext(query);
      if (answer === null) {
        warnOnce();
        continue;
      }
      const end = coveredTo(clock, window.to, answer.at);
      // L26: planned by a clock that was hours ahead, before SCM had shown its own.
      if (end < window.from && run.progress.checkpoint.hw === null) {
        throw new Stop("the first window lies in the future of SCM's clock: it is planned again", true);
      }
      // That request leaves when the event loop turns: let it, before converting this page keeps the loop busy. Where
      // answers come at once, a turn would only cost.
      if (fetching && waited > LIMITS.quickAnswer) await new Promise((resolve) => setTimeout(resolve, 0));
      const judged = judge(run, answer.records, window, isAgain);
      const byTime = paging.read(judged);
      if (byTime) fetching = fetchNext(byTime);
      warnOnce();
      reader.look(paging);
      run.counts.pages += 1;
      run.counts.fetched += answer.records.length;
      const visible = visibleTo(clock, answer.at);
      isSettled &&= window.to <= visible;
      const open = paging.rest(visible);
      undecided.push({
        at: ticks(),
        fetched: answer.records.length,
        judged,
        from: window.from,
        open,
        done: end,
        visible,
        settled: isSettled,
        within: paging.ordered ? window : null,
      });
      const isInOrder = paging.ordered && paging.state !== "splitting";
      release(memory, !open ? Infinity : isInOrder ? paging.newest : -Infinity);
      while (undecided.length > 0 && undecided[0].judged.every(({ verdict }) => verdict !== "held")) {
        const { judged, ...page } = /** @type {(typeof undecided)[0]} */ (undecided.shift());
        const events = judged.filter(({ verdict }) => verdict === "send");
        run.counts.repeated += judged.filter(({ verdict }) => verdict === "repeated").length;
        yield {
          ...page,
          events,
          length: sum(events, (event) => event.json.length + 1),
          marks: judged.flatMap(({ us, mark }) => mark === null ? [] : [{ us, mark }]),
        };
      }
      if (!open) {
        memory.resumed.clear();
        memory.overlap.finish(holdsOverlap(window.from, end, hw));
        hw = Math.max(end, hw ?? -Infinity);
      }
    }
  }
}

/** Sends all waiting pages, several in one request, and advances the checkpoint past them.
 * @param {Run} run @param {Page[]} waiting @param {Page[]} unconfirmed */
async function sendPages(run, waiting, unconfirmed) {
  const { backfill, counts, progress } = run;
  const room = () => backfill ? LIMITS.batchRecords : LIMITS.saveRecords - (counts.sent - progress.saved.sent);
  while (waiting.length > 0) {
    if (waiting[0].events.length > room() && counts.sent > progress.saved.sent) await saveCheckpoint(run);
    const most = Math.min(LIMITS.batchRecords, room());
    const pages = [/** @type {Page} */ (waiting.shift())];
    let [records, length] = [pages[0].events.length, pages[0].length];
    while (waiting.length > 0) {
      records += waiting[0].events.length;
      length += waiting[0].length;
      if (records > most || length > LIMITS.batchLength) break;
      pages.push(/** @type {Page} */ (waiting.shift()));
    }
    const before = counts.sent;
    unconfirmed.push(...pages);
    try {
      await sendBatch(run, pages.flatMap((page) => page.events));
    } finally {
      // Also what was accepted before a later part failed. (L4)
      advanceAll(run, unconfirmed);
    }
    counts.batches += 1;
    counts.unlogged.sent += counts.sent - before;
    counts.unlogged.fetched += sum(pages, (page) => page.fetched);
    const isDue = saveIsDue(run);
    // A line for every batch would make a long log of a long catch-up.
    if (isDue || counts.batches <= 10) logProgress(run);
    if (isDue) await saveCheckpoint(run);
  }
}

/** Advances the checkpoint past the pages all of whose records are accepted or set aside.
 * @param {Run} run @param {Page[]} unconfirmed */
function advanceAll(run, unconfirmed) {
  const { ingest: { done }, progress } = run;
  while (unconfirmed.length > 0 && unconfirmed[0].events.every((event) => done.has(event))) {
    advance(progress, /** @type {Page} */ (unconfirmed.shift()));
  }
  if (unconfirmed.length > 0) advanceWithin(run, unconfirmed[0]);
  if (unconfirmed.length === 0) done.clear();
}

/** L4: the same within a page whose records came oldest first: the next run continues by time from the first one that is left.
 * @param {Run} run @param {Page} page */
function advanceWithin({ ingest: { done }, progress }, page) {
  const left = page.events.findIndex((event) => !done.has(event));
  const [{ us }, window] = [page.events[left], page.within];
  if (left === 0 || us === null || window === null) return;
  const from = Math.min(us - SECOND * 1000, page.visible);
  if (from <= window.from || from >= window.to) return;
  advance(progress, { ...page, events: page.events.slice(0, left), marks: [], open: { ...window, from, token: null } });
}

/** @param {Run} run */
function logProgress({ counts }) {
  const { fetched, sent } = counts.unlogged;
  if (fetched > 0) log(`✓ Fetched ${fetched} records from SCM API`);
  if (sent > 0) log(`✓ Sent ${sent} logs to Dynatrace`);
  counts.unlogged = { fetched: 0, sent: 0 };
}

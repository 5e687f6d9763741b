import { SCM } from "./assumptions.js";
import { Failure } from "./errors.js";
import { LIMITS, SECOND } from "./limits.js";
import { readRecords } from "./records.js";
import { fetchPage } from "./scm.js";
import { sum, warn } from "./text.js";
/** @import { Run } from "./run.js" */
/** @import { Page, Window } from "./shapes.js" */

/** @param {Run} run @param {Window[]} windows @returns {AsyncGenerator<Page>} */
export async function* fetchPages(run, windows) {
  for (const window of windows) {
    const tokens = new Set([window.token]);
    let newest = window.from;
    let { ordered } = window;
    // How far before the newest record a query by time begins, where a page came without a token; 0: none did.
    let step = 0;
    let size = 0;
    /** @type {Probe | null} */
    let probe = null;
    let first = true;
    /** @type {ReturnType<typeof fetchPage> | null} */
    let next = fetchPage(run, window, window.token);
    while (next) {
      const asked = performance.now();
      const answer = /** @type {Awaited<ReturnType<typeof fetchPage>>} */ (await next);
      const waited = performance.now() - asked;
      if (answer === null) {
        warn(run, "SCM refused the saved page token; reading on by time");
        tokens.clear(); // it may well be given out again
        next = fetchPage(run, window, null);
        continue;
      }
      /** @type {{records: any[], token: string | null}} */
      const { records, token } = answer;
      // An empty page is the end, also where it repeats the last token.
      const circle = records.length > 0 && token !== null && tokens.has(token);
      tokens.add(token);
      const end = coveredTo(run, window);
      next = records.length > 0 && token !== null && !circle ? fetchPage(run, window, token) : null;
      next?.catch(() => {}); // It is awaited above, after this page.
      // That request leaves when the event loop turns: let it, before converting this page keeps the loop busy. Where
      // answers come at once, a turn would only cost.
      if (next && waited > LIMITS.quickAnswer) await new Promise((resolve) => setTimeout(resolve, 0));
      const { events, marks, times, news } = await readRecords(run, records, end);
      for (const us of times) {
        if (us < newest) ordered = false;
        newest = Math.max(newest, Math.min(us, window.to));
      }
      /** @type {number | null} */
      let from = null;
      if (probe || (first && !token && records.length > 0 && newest <= window.from)) {
        ordered = false;
        // Where a token comes after all, none was taken away: the page without one was the last.
        probe = token ? null : nextProbe(probe, window, records.map((record) => JSON.stringify(record)));
        from = probe?.from ?? null;
        next = null;
      } else if (!token && records.length > 0) {
        if (news > 0 || step === 0) [step, size] = [SECOND * 1000, records.length];
        else step = narrowerStep(step, size, records.length);
        if (step > 0) from = Math.max(window.from, newest - step);
      }
      if (from !== null) {
        tokens.clear();
        next = fetchPage(run, window, null, from);
        next.catch(() => {});
      }
      // Without a usable token, somebody begins again where everything older has been read and was visible by then.
      const settledUs = Math.min(newest - SECOND * 1000, end + LIMITS.lag * 1000 - LIMITS.overlap * 1000);
      const begin = ordered ? Math.max(window.from, settledUs) : window.from;
      const open = next || circle ? { from: begin, to: window.to, token: circle ? null : token, ordered } : null;
      const length = sum(events, (event) => event.json.length + 1);
      yield { at: performance.now(), fetched: records.length, events, length, marks, open, done: end };
      first = false;
      if (circle) throw new Failure("SCM repeats a page token; stopping instead of turning in circles");
    }
  }
}

/**
 * `[]` is the documented end. A page without a token is a probable end only, as a proxy may strip the header, so a query
 * by time has the last word. Where that has brought nothing new but as much again, there may be more behind: a narrower
 * one tells. Returns how far before the newest record it begins; 0: the window is done.
 * @param {number} step Microseconds: of the query that has brought nothing new. @param {number} size @param {number} count
 */
function narrowerStep(step, size, count) {
  if (count < size) return 0;
  if (step > 1) return 1;
  if (size < 10) return 0;
  throw tokenless(size);
}

/** @typedef {{low: number, high: number, from: number, page: Set<string>, size: number}} Probe */

/**
 * The same where no record's time says how far the first page came (none is readable, or they are of another zone):
 * queries from later on, by halves. One that shares records with the last page of the unbroken row goes on from it, and
 * ends the window if it is not full; one that shares none was too far on. Null: the window is done.
 * @param {Probe | null} probe @param {Window} window @param {string[]} texts The records of the page, as JSON.
 * @returns {Probe | null}
 */
function nextProbe(probe, window, texts) {
  let { low, high, page, size } = probe ??
    { low: window.from, high: window.to, page: new Set(texts), size: texts.length };
  if (probe && !texts.some((text) => page.has(text))) {
    high = probe.from;
  } else if (probe) {
    if (texts.length < size) return null;
    low = probe.from;
    if (!texts.every((text) => page.has(text))) [page, high] = [new Set(texts), window.to];
  }
  if (size < 10) return null;
  if (high - low <= 1000) throw tokenless(size);
  return { low, high, from: Math.floor((low + high) / 2), page, size };
}

/** @param {number} size */
function tokenless(size) {
  return new Failure(
    `SCM gives no page token (header ${SCM.cursorHeader}), and a page of ${size} records is not enough for those of one ` +
      "moment: they cannot be read by time alone; does a proxy remove the header?",
  );
}

/** How far a window's pages cover: what SCM has not dated yet may still come. @param {Run} run @param {Window} window */
function coveredTo(run, window) {
  return Math.min(window.to, (scmNow(run) - LIMITS.lag) * 1000);
}

/** Records carry SCM's time, and ours may differ: milliseconds by the Date header of its last answer. @param {Run} run */
export function scmNow(run) {
  return Date.now() + run.skew;
}

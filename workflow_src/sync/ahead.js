import { latest } from "./clock.js";
import { Stop } from "./errors.js";
import { toEvent } from "./events.js";
import { LIMITS, SECOND } from "./limits.js";
import { describe, log } from "./output.js";
import { fetchPage } from "./scm.js";
/** @import { PageAnswer, Paging, Query } from "./paging.js" */
/** @import { Run } from "./run.js" */
/** @import { Window } from "./windows.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Read ahead: a window of many pages is cut in parts, each a query of its own. While one part is read, the first pages of
// the next ones are requested. Parts are read in order all the same; nothing is decided here about their records.
// ---------------------------------------------------------------------------------------------------------------------

/** A page requested ahead; null: it did not come, so it is requested again in its turn.
 * @typedef {{query: Query, page: Promise<PageAnswer | null>}} Early */

/** A part of a window; `early`: its first pages; `isRead`: its turn has come.
 * @typedef {{window: Window, early: Early[], isRead: boolean}} Part */

/** What a leg knows about reading ahead. */
export function newAhead() {
  return {
    /** False from where it was too much for SCM, or pages do not lead on as expected. */
    isOn: true,
    /** Each page's token is another one. */
    hasTokens: false,
    /** Milliseconds that pages took, and how many: requested one at a time, and several at once. */
    alone: { took: 0, pages: 0 },
    together: { took: 0, pages: 0 },
    /** Of the pages that wait for their turn. */
    waiting: { records: 0, length: 0 },
    /** Characters of the largest page. */
    largest: 0,
  };
}

/** One window's parts, in order; `part` is the one to read. */
export class Parts {
  /** @param {Run} run @param {Window} window */
  constructor(run, window) {
    this.run = run;
    this.window = window;
    /** @type {Part | null} */
    this.part = null;
    /** How many records it has had; how many make it long enough: each part costs a request more. */
    this.records = 0;
    this.enough = 0;
    /** Where the next part begins, Infinity: there is none; and how long it is, Infinity: not known. Microseconds. */
    this.from = window.from;
    this.span = Infinity;
    /** Parts that are requested ahead, and how many of them still ask for pages. @type {Part[]} */
    this.next = [];
    this.asking = 0;
  }

  /** Goes on to the next part; null: there is none. @returns {Promise<Window | null>} */
  async advance() {
    const { part } = this;
    // The first one is as long as the gap before the window's records.
    if (part && this.span < Infinity && part.window.from > this.window.from) {
      const fit = Math.max(1 / 8, Math.min(2, this.enough / this.records));
      this.span = Math.max(LIMITS.partSpan * 1000, (part.window.to - part.window.from) * fit);
    }
    this.records = 0;
    if (this.next.length === 0 && this.from === Infinity) return null;
    this.part = this.next.shift() ?? (this.span < Infinity ? this.cut(this.span) : await this.begin());
    this.part.isRead = true;
    return this.part.window;
  }

  /** @param {number} span @returns {Part} */
  cut(span) {
    const { from, window: { to: last } } = this;
    const to = Math.floor((from + span) / 1e6) * 1e6;
    const isLast = !this.run.ahead.isOn || !(to + span / 2 < last);
    // L21
    this.from = isLast ? Infinity : to - SECOND * 1000;
    return { window: { from, to: isLast ? last : to, token: null, ordered: true }, early: [], isRead: false };
  }

  /** The part before whose first page nothing is known of the window. @returns {Promise<Part>} */
  async begin() {
    const { run, from, window, window: { token, to, upTo = to } } = this;
    if (token !== null && this.part === null) {
      // The leg before was in the middle of it.
      this.from = upTo < to ? upTo - SECOND * 1000 : Infinity;
      return { window: { ...window, to: upTo }, early: [], isRead: true };
    }
    // L12: where runs have died, memory may be short.
    if (!run.ahead.isOn || run.progress.checkpoint.span !== null) return this.cut(Infinity);
    const query = { token: null, from, to };
    const answer = /** @type {PageAnswer} */ (await fetchPage(run, query));
    const oldest = this.measure(answer);
    // That page is not used: where nothing is known of its order, the part must ask for what is in the part.
    if (this.span < Infinity) return this.cut(oldest - from + this.span);
    this.count(answer, 1);
    return { ...this.cut(Infinity), early: [{ query, page: Promise.resolve(answer) }] };
  }

  /** Sets how long a part should be by the window's first page, if the window is worth cutting. Returns the time of that
   * page's oldest record. @param {PageAnswer} answer */
  measure({ records, token, took, tries }) {
    const { from, window: { to } } = this;
    if (records.length < LIMITS.smallPage || token === null || tries > 1 || took < LIMITS.quickAnswer) return from;
    const now = latest(this.run.leg.clock);
    const times = records.map((record) => toEvent(record, "", false, now).us ?? NaN).filter((us) =>
      us >= from && us <= to
    );
    this.enough = Math.max(records.length, Math.min(LIMITS.partRecords, LIMITS.partPages * records.length));
    const [oldest, newest] = [Math.min(...times), Math.max(...times)];
    const span = Math.max(LIMITS.partSpan * 1000, (newest - oldest) * this.enough / records.length);
    if (oldest + 2 * span < to) this.span = span;
    return oldest;
  }

  /** The answer to a query of the part that is read. @param {Query} query @returns {Promise<PageAnswer | null>} */
  async page(query) {
    const { run, run: { ahead } } = this;
    const { early } = /** @type {Part} */ (this.part);
    const first = early.shift();
    let answer = first ? await first.page : null;
    if (first && answer) this.count(answer, -1);
    if (!first || !answer || first.query.token !== query.token || first.query.from !== query.from) {
      for (const { page } of early.splice(0)) page.then((unused) => unused && this.count(unused, -1));
      const isAlone = this.asking === 0;
      answer = await fetchPage(run, query);
      if (answer && query.token !== null && isAlone) add(ahead.alone, answer.took);
      if (answer && answer.tries > 1) this.stop("it needed more than one request for a page");
    }
    if (answer) {
      this.records += answer.records.length;
      ahead.largest = Math.max(ahead.largest, answer.length);
      if (query.token !== null) ahead.hasTokens = answer.token !== query.token;
    }
    return answer;
  }

  /** Whether another part is to follow, and its length is known. */
  isCut() {
    return this.from < Infinity && this.span < Infinity;
  }

  /** Requests pages of the next parts while this one goes as expected. @param {Paging} paging */
  look({ detours, idle, isSession, state }) {
    const { ahead } = this.run;
    if (detours > 0 || idle > 0 || isSession || state === "splitting") ahead.isOn = false;
    if (mean(ahead.alone) < LIMITS.quickAnswer) ahead.isOn = false;
    const lanes = Math.min(LIMITS.lanes - 1, Math.floor(LIMITS.aheadLength / ahead.largest));
    while (ahead.isOn && ahead.hasTokens && hasRoom(ahead) && this.asking < lanes && this.isCut()) {
      const part = this.cut(this.span);
      this.next.push(part);
      this.follow(part);
    }
  }

  /** Requests the first pages of a part, until its turn comes. @param {Part} part */
  async follow(part) {
    const { run, run: { ahead } } = this;
    const { window: { from, to }, early } = part;
    this.asking += 1;
    /** @type {Query | null} */
    let query = { token: null, from, to };
    while (query && ahead.isOn && !part.isRead && early.length < 2 * LIMITS.partPages && hasRoom(ahead)) {
      /** @type {Promise<PageAnswer | null>} */
      const page = fetchPage(run, query, true).catch((error) => this.stop(describe(error), error instanceof Stop));
      early.push({ query, page });
      /** @type {PageAnswer | null} */
      const answer = await page;
      if (answer) {
        this.count(answer, 1);
        add(ahead.together, answer.took);
      }
      const isSlow = mean(ahead.together) > 3 * mean(ahead.alone) + LIMITS.ownDelay &&
        ahead.together.pages > LIMITS.partPages;
      if (isSlow) this.stop("it answers more slowly");
      /** @type {string | null} */
      const token = answer && answer.records.length > 0 ? answer.token : null;
      query = token !== null && token !== query.token ? { ...query, token } : null;
    }
    this.asking -= 1;
  }

  /** One page at a time for the rest of this leg. @param {string} why @param {boolean} [isEnd] Of the leg. */
  stop(why, isEnd = false) {
    const { ahead } = this.run;
    if (ahead.isOn && this.span < Infinity && !isEnd) log(`  SCM is asked for one page at a time from here: ${why}`);
    ahead.isOn = false;
    return null;
  }

  /** @param {PageAnswer} answer @param {1 | -1} times */
  count({ records, length }, times) {
    const { ahead } = this.run;
    ahead.waiting.records += times * records.length;
    ahead.waiting.length += times * length;
  }
}

/** @param {Run["ahead"]} ahead */
function hasRoom({ waiting: { records, length } }) {
  return records < LIMITS.aheadRecords && length < LIMITS.aheadLength;
}

/** @param {{took: number, pages: number}} sum @param {number} took */
function add(sum, took) {
  sum.took += took;
  sum.pages += 1;
}

/** NaN: nothing was measured. @param {{took: number, pages: number}} sum */
function mean({ took, pages }) {
  return took / pages;
}

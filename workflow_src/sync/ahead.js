import { latest } from "./clock.js";
import { Stop } from "./errors.js";
import { toEvent } from "./events.js";
import { LIMITS } from "./limits.js";
import { describe, log } from "./output.js";
import { fetchPage } from "./scm.js";
import { cutOff } from "./windows.js";
/** @import { PageAnswer, Paging, Query } from "./paging.js" */
/** @import { Run } from "./run.js" */
/** @import { Window } from "./windows.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Read ahead (L29): windows of many pages are cut in smaller ones. While one is read, the first pages of the next ones are
// requested. Windows are read in order all the same; nothing is decided here about their records.
// ---------------------------------------------------------------------------------------------------------------------

/** A window; `pages` were requested ahead (null: it did not come, and is requested again in its turn); `isRead`: its turn
 * has come. @typedef {{window: Window, pages: {query: Query, page: Promise<PageAnswer | null>}[], isRead: boolean}} Lane */

export class Reader {
  /** @param {Run} run @param {Window[]} windows */
  constructor(run, windows) {
    this.run = run;
    /** Not begun. */
    this.windows = windows;
    /** The one that is read, and those that are requested ahead; how many of them still ask for pages.
     * @type {Lane | null} */
    this.lane = null;
    /** @type {Lane[]} */
    this.lanes = [];
    this.asking = 0;
    /** False from where it was too much for SCM, or pages do not lead on as expected. */
    this.isOn = true;
    /** Microseconds that a window should span, 0: not known; how many records make it long enough, as each window costs a
     * request more; and how many it has had. */
    this.span = 0;
    this.enough = 0;
    this.records = 0;
    /** Milliseconds that a page takes, requested alone (0: not known) and with others. */
    this.alone = 0;
    this.together = 0;
    /** What waits for its turn, and characters of the largest page. */
    this.waiting = { records: 0, length: 0 };
    this.largest = 0;
  }

  /** The next window to read; null: there is none. @returns {Promise<Window | null>} */
  async next() {
    if (this.lane && this.span > 0) {
      const { window: { from, to } } = this.lane;
      const fit = Math.max(1 / 8, Math.min(2, this.enough / this.records));
      this.span = Math.max(LIMITS.leastSpan * 1000, Math.min(to - from, this.span) * fit);
    }
    this.records = 0;
    this.lane = this.lanes.shift() ?? await this.begin();
    if (this.lane) this.lane.isRead = true;
    return this.lane && this.lane.window;
  }

  /** Cuts the next window; as a whole where nothing is known of it. @param {number} [gap] Before its first record.
   * @returns {Lane | null} */
  cut(gap = 0) {
    const window = this.windows.shift();
    if (!window) return null;
    const both = this.isOn && this.span > 0 && window.token === null ? cutOff(window, gap + this.span) : null;
    if (both) this.windows.unshift(both[1]);
    return { window: both ? both[0] : window, pages: [], isRead: false };
  }

  /** The window before whose first page nothing is known of how many there are. @returns {Promise<Lane | null>} */
  async begin() {
    const { run, windows: [window] } = this;
    if (!window || this.span > 0 || window.token !== null || !cutOff(window, 0)) return this.cut();
    const query = { token: null, from: window.from, to: window.to };
    const answer = /** @type {PageAnswer} */ (await fetchPage(run, query));
    const oldest = this.measure(window, answer);
    // That page is not used: nothing is known of its order, and a window must be asked for what is in it.
    if (this.span > 0) return this.cut(oldest - window.from);
    this.count(answer, 1);
    return { .../** @type {Lane} */ (this.cut()), pages: [{ query, page: Promise.resolve(answer) }] };
  }

  /** Sets how long a window should be by a page, if what is left is worth cutting. Returns the time of the page's oldest
   * record. @param {Window} window @param {PageAnswer} answer */
  measure({ from, to }, { records, token, took, tries }) {
    // L12: where runs have died, memory may be short.
    const isOff = !this.isOn || this.run.progress.checkpoint.span !== null;
    // Where pages are slow, windows are shorter: what was requested ahead is lost at the end of a leg.
    const pages = Math.min(LIMITS.lanePages, LIMITS.leg / (4 * took));
    const isWorth = took >= LIMITS.quickAnswer && pages >= LIMITS.leastPages;
    if (isOff || !isWorth || records.length < LIMITS.smallPage || token === null || tries > 1) return from;
    const now = latest(this.run.leg.clock);
    const times = records.map((record) => toEvent(record, "", false, now).us ?? NaN).filter((us) =>
      us >= from && us <= to
    );
    this.enough = Math.max(records.length, Math.min(LIMITS.laneRecords, pages * records.length));
    const [oldest, newest] = [Math.min(...times), Math.max(...times)];
    const span = Math.max(LIMITS.leastSpan * 1000, (newest - oldest) * this.enough / records.length);
    if (oldest + 2 * span < (this.windows.at(-1)?.to ?? to)) this.span = span;
    return oldest;
  }

  /** The answer to a query of the window that is read. @param {Query} query @returns {Promise<PageAnswer | null>} */
  async page(query) {
    const { pages, window } = /** @type {Lane} */ (this.lane);
    const early = pages.shift();
    let answer = early ? await early.page : null;
    if (answer) this.count(answer, -1);
    if (!early || !answer || early.query.token !== query.token || early.query.from !== query.from) {
      for (const { page } of pages.splice(0)) page.then((unused) => unused && this.count(unused, -1));
      const isAlone = this.asking === 0;
      answer = await fetchPage(this.run, query);
      if (answer && query.token !== null && isAlone) this.alone = fastest(this.alone || answer.took, answer.took);
      if (answer && answer.tries > 1) this.stop("it needed more than one request for a page");
    }
    if (!answer) return null;
    // A window that the leg before began.
    if (this.records === 0 && this.span === 0) this.measure(window, answer);
    this.records += answer.records.length;
    this.largest = Math.max(this.largest, answer.length);
    return answer;
  }

  /** Requests pages of the next windows while this one goes as expected. @param {Paging} paging */
  look({ detours, idle, isSession, state }) {
    if (detours > 0 || idle > 0 || isSession || state === "splitting") this.isOn = false;
    // The second page of a window is the first that counts: it has shown whether tokens lead on.
    if (this.alone === 0) return;
    if (this.alone < LIMITS.quickAnswer) this.isOn = false;
    const most = Math.min(LIMITS.lanes - 1, Math.floor(LIMITS.aheadLength / this.largest));
    while (this.isOn && this.span > 0 && this.asking < most && this.hasRoom()) {
      const lane = this.cut();
      if (!lane) return;
      this.lanes.push(lane);
      this.follow(lane);
    }
  }

  /** Requests the first pages of a window, until its turn comes. @param {Lane} lane */
  async follow(lane) {
    const { window: { from, to }, pages } = lane;
    this.asking += 1;
    /** @type {Query | null} */
    let query = { token: null, from, to };
    while (query && this.isOn && !lane.isRead && pages.length < 2 * LIMITS.lanePages && this.hasRoom()) {
      /** @type {Promise<PageAnswer | null>} */
      const page = fetchPage(this.run, query, true).catch((error) => this.stop(describe(error), error instanceof Stop));
      pages.push({ query, page });
      /** @type {PageAnswer | null} */
      const answer = await page;
      if (answer) {
        this.count(answer, 1);
        this.together = fastest(this.together || this.alone, answer.took);
      }
      if (this.together > 3 * this.alone + LIMITS.ownDelay) this.stop("it answers more slowly");
      /** @type {string | null} */
      const token = answer && answer.records.length > 0 ? answer.token : null;
      query = token !== null && token !== query.token ? { ...query, token } : null;
    }
    this.asking -= 1;
  }

  /** One page at a time for the rest of this leg. @param {string} why @param {boolean} [isEnd] Of the leg. */
  stop(why, isEnd = false) {
    if (this.isOn && this.span > 0 && !isEnd) log(`  SCM is asked for one page at a time from here: ${why}`);
    this.isOn = false;
    return null;
  }

  hasRoom() {
    return this.waiting.records < LIMITS.aheadRecords && this.waiting.length < LIMITS.aheadLength;
  }

  /** @param {PageAnswer} answer @param {1 | -1} times */
  count({ records, length }, times) {
    this.waiting.records += times * records.length;
    this.waiting.length += times * length;
  }
}

/** The fastest of the last pages, as this script's own work delays answers, too: twelve slow ones in a row raise it
 * threefold. @param {number} before @param {number} now */
function fastest(before, now) {
  return Math.min(now, before * 1.1);
}

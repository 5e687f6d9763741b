import { SCM } from "./assumptions.js";
import { Failure } from "./errors.js";
import { LIMITS, SECOND } from "./limits.js";
/** @import { Judged } from "./records.js" */
/** @import { Window } from "./windows.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Paging: which query follows a page, and when a window is read to its end. Pure; times are in microseconds.
// ---------------------------------------------------------------------------------------------------------------------

/** What to ask: the page behind a token, or the first page from a time on.
 * @typedef {{token: string | null, from: number}} Query */

/** A page, and when it was requested (by `ticks`); null: SCM refused the window's saved token.
 * @typedef {{records: any[], token: string | null, at: number}} PageAnswer */

/** @typedef {{low: number, high: number, from: number, page: Set<string>, size: number}} Probe */

/**
 * The way through one window. The states are drawn in docs/how-the-sync-script-works.md:
 * `following` tokens; `confirming` by time that a page without a token was the last one; `halving` the window where no
 * record's time shows how far that page came; `repeated`: SCM sent a token twice; `done`.
 */
export class Paging {
  /** @param {Window} window */
  constructor(window) {
    this.window = window;
    /** @type {"following" | "confirming" | "halving" | "repeated" | "done"} */
    this.state = "following";
    /** @type {Query} */
    this.first = { token: window.token, from: window.from };
    this.ordered = window.ordered;
    /** The time of the newest record so far, within the window. */
    this.newest = window.from;
    this.tokens = new Set([window.token]);
    /** @type {PageAnswer} */
    this.answer = { records: [], token: null, at: 0 };
    this.pages = 0;
    /** How far before the newest record the last query by time began, 0: none yet; and the records it confirms. */
    this.step = 0;
    this.size = 0;
    /** @type {Probe | null} */
    this.probe = null;
  }

  /**
   * The query that an answer leads to as soon as it has come. Null: none, or `read` decides.
   * @param {PageAnswer | null} answer @returns {Query | null}
   */
  next(answer) {
    if (answer === null) return this.byTime(this.window.from);
    this.answer = answer;
    this.pages += 1;
    const { records: { length }, token } = answer;
    const known = token !== null && this.tokens.has(token);
    this.tokens.add(token);
    // An empty page is the end, even if it repeats the last token.
    if (length > 0 && known) this.state = "repeated";
    // A token that comes after all shows that none was removed: the page without one was the last.
    else if (this.state === "halving" ? token !== null : length === 0) this.state = "done";
    else if (this.state !== "halving" && token !== null) {
      this.state = "following";
      return { token, from: this.window.from };
    }
    return null;
  }

  /**
   * Takes in what the answer's records say. Returns the query that only they lead to; null: none.
   * @param {Judged[]} judged @returns {Query | null}
   */
  read(judged) {
    let isNews = false;
    for (const { isNew, us } of judged) {
      if (!isNew) continue;
      isNews = true;
      if (us === null) continue;
      if (us < this.newest) this.ordered = false;
      this.newest = Math.max(this.newest, Math.min(us, this.window.to));
    }
    const { records, token } = this.answer;
    if (token !== null || this.state === "done") return null;
    if (this.state === "halving" || (this.pages === 1 && this.newest <= this.window.from)) {
      this.ordered = false;
      this.probe = nextProbe(this.probe, this.window, records.map((record) => JSON.stringify(record)));
      this.state = this.probe ? "halving" : "done";
      return this.probe && this.byTime(this.probe.from);
    }
    if (isNews || this.step === 0) [this.step, this.size] = [SECOND * 1000, records.length];
    else this.step = narrowerStep(this.step, this.size, records.length);
    this.state = this.step > 0 ? "confirming" : "done";
    return this.step > 0 ? this.byTime(Math.max(this.window.from, this.newest - this.step)) : null;
  }

  /** @param {number} from @returns {Query} */
  byTime(from) {
    // Tokens may well be given out again.
    this.tokens.clear();
    return { token: null, from };
  }

  /**
   * What is left of the window behind the last page; null: nothing.
   * @param {number} end Up to where that page covers. @returns {Window | null}
   */
  rest(end) {
    if (this.state === "done") return null;
    // A reader without a usable token begins where everything older has been read and was visible by then.
    const settled = Math.min(this.newest - SECOND * 1000, end + LIMITS.lag * 1000 - LIMITS.overlap * 1000);
    const from = this.ordered ? Math.max(this.window.from, settled) : this.window.from;
    const token = this.state === "repeated" ? null : this.answer.token;
    return { from, to: this.window.to, token, ordered: this.ordered };
  }
}

/**
 * `[]` is the documented end. A page without a token is only probably the last, as a proxy may strip the header, so a
 * query by time decides. If that has brought nothing new but as many records again, there may be more behind: a narrower
 * query tells. Returns how far before the newest record it begins; 0: the window is done.
 * @param {number} step Microseconds: of the query that has brought nothing new. @param {number} size @param {number} count
 */
function narrowerStep(step, size, count) {
  if (count < size) return 0;
  if (step > 1) return 1;
  if (size < 10) return 0;
  throw tokenless(size);
}

/**
 * The same where no record's time shows how far the first page came (none is readable, or they are of another zone):
 * queries from later on, by halves. One that shares records with the last page of the unbroken row continues it, and
 * ends the window if it is not full; one that shares none began too late. Null: the window is done.
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
    `SCM sends no page token (header ${SCM.cursorHeader}), and a page of ${size} records is too small for those of one ` +
      "moment: they cannot be read by time alone; does a proxy remove the header?",
  );
}

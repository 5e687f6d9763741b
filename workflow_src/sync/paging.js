import { SCM } from "./assumptions.js";
import { Failure } from "./errors.js";
import { LIMITS, SECOND } from "./limits.js";
/** @import { Judged } from "./records.js" */
/** @import { Window } from "./windows.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Paging: which query follows a page, and when a window is read to its end. Pure; times are in microseconds.
// ---------------------------------------------------------------------------------------------------------------------

/** The page behind a token, or the first page from a time on; both up to `to`.
 * @typedef {{token: string | null, from: number, to: number}} Query */

/** A page; `tries`: how often it was requested; `at`: when it was requested first, by `ticks`; `took`: milliseconds from
 * then on; `length`: its characters.
 * @typedef {{records: any[], token: string | null, tries: number, at: number, took: number, length: number}} PageAnswer */

/**
 * The way through one window. The states are drawn in docs/how-the-sync-script-works.md:
 * `following` tokens; `confirming` by time that a page without a token was the last one; `splitting` the window where
 * neither tokens nor the records' times show the way; `done`.
 */
export class Paging {
  /** @param {Window} window */
  constructor(window) {
    this.window = window;
    /** @type {"following" | "confirming" | "splitting" | "done"} */
    this.state = "following";
    /** The last query. @type {Query} */
    this.asked = { token: window.token, from: window.from, to: window.to };
    /** @type {PageAnswer} */
    this.answer = { records: [], token: null, tries: 1, at: 0, took: 0, length: 0 };
    this.ordered = window.ordered;
    /** The time of the newest record so far, within the window; before it: none. */
    this.newest = window.from - 1;
    /** Whether a later time has followed an earlier one: before that, nothing speaks for an order. */
    this.rises = false;
    /** Size of the largest page. */
    this.full = 0;
    /** Whether tokens name a session, as they stay the same from page to page, instead of a place. */
    this.isSession = false;
    /** Each query by time begins a pass. By record: the last pass that has read it. */
    this.pass = 0;
    /** @type {Map<string, number>} */
    this.known = new Map();
    /** @type {Map<string, number>} */
    this.older = new Map();
    /** Whether the next page must hold a known record. */
    this.isGuess = false;
    /** Pages in a row without news; how often tokens were given up. */
    this.idle = 0;
    this.detours = 0;
    /** How far before the newest record the last query by time began, 0: none; and the size of what it confirms. */
    this.step = 0;
    this.size = 0;
    /** What is left to split, the next one last. @type {{from: number, to: number}[]} */
    this.parts = [];
    /** What to log. */
    this.warning = "";
  }

  /**
   * The query that an answer leads to as soon as it has come. Null: none, or `read` decides.
   * @param {PageAnswer | null} answer Null: SCM rejected the token. @returns {Query | null}
   */
  next(answer) {
    if (answer === null) return this.detour("SCM rejected a page token");
    this.answer = answer;
    const { records: { length }, token } = answer;
    this.full = Math.max(this.full, length);
    if (this.state === "splitting" || token === null || length === 0) return null;
    // L26: a token that stays the same is progress, as long as its pages bring something new.
    this.isSession ||= token === this.asked.token;
    this.state = "following";
    return this.ask({ ...this.asked, token });
  }

  /**
   * Takes in what the answer's records say. Returns the query that only they lead to; null: none.
   * @param {Pick<Judged, "key" | "us">[]} judged @returns {Query | null}
   */
  read(judged) {
    const { records: { length }, token, tries } = this.answer;
    const { hasNews, isLater, isShared } = this.takeIn(judged);
    const isBroken = this.isGuess && !isShared;
    this.isGuess = false;
    if (this.state === "splitting") return this.nextPart(judged, hasNews);
    // L18: a query by a record's time that does not return the record.
    if (isBroken) return this.split("SCM filters by other times than its records show; reading smaller windows");
    // An answer that was lost, or not read by an earlier leg, may have moved the session on.
    const isResumed = this.pass === 0 && this.window.token !== null;
    if (this.isSession && (tries > 1 || isResumed)) {
      this.ordered = false;
      return this.detour("SCM repeats its page token, and a page was lost");
    }
    if (length === 0) {
      this.state = "done";
      return null;
    }
    if (token !== null) {
      // L3: progress is records that this pass has not seen, never a new token.
      this.idle = hasNews ? 0 : this.idle + 1;
      return this.idle < LIMITS.idlePages ? null : this.detour("SCM repeats its pages under new tokens");
    }
    if (!this.ordered || this.newest < this.window.from) return this.split();
    // L20: only a later time is progress here; content may change with every read.
    if (isLater || this.step === 0) [this.step, this.size] = [SECOND * 1000, length];
    else if (length >= this.size && this.step > 1) this.step = 1;
    else if (length < this.size || this.size < LIMITS.smallPage || this.size < this.full) this.state = "done";
    else return this.split(); // Full pages of one moment, or SCM filters by other times.
    if (this.state === "done") return null;
    this.state = "confirming";
    return this.byTime(this.newest - this.step);
  }

  /** @param {Pick<Judged, "key" | "us">[]} judged */
  takeIn(judged) {
    let [hasNews, isLater, isShared] = [false, false, false];
    for (const { key, us } of judged) {
      const pass = this.known.get(key) ?? this.older.get(key);
      hasNews ||= pass !== this.pass;
      isShared ||= pass !== undefined;
      this.known.set(key, this.pass);
      // L18: a time outside the window that was asked for is no measure of order or of how far the page came.
      if (us === null || us < this.window.from || us > this.window.to) continue;
      if (pass === undefined && us < this.newest) this.ordered = false;
      isLater ||= us > this.newest;
      this.rises ||= us > this.newest && this.newest >= this.window.from;
      this.newest = Math.max(this.newest, us);
    }
    if (this.known.size > LIMITS.knownRecords) [this.older, this.known] = [this.known, new Map()];
    return { hasNews, isLater, isShared };
  }

  /** L3: tokens lead nowhere: once by time, then without them. @param {string} why @returns {Query} */
  detour(why) {
    this.detours += 1;
    if (this.detours > 1) return this.split(`${why} again; reading smaller windows`);
    this.warning = `${why}; continuing by time`;
    this.state = "following";
    return this.byTime(this.reached());
  }

  /** L19: from where a reader without a token misses nothing. */
  reached() {
    return this.ordered && this.rises ? this.newest - SECOND * 1000 : this.window.from;
  }

  /** @param {number} from @returns {Query} */
  byTime(from) {
    this.isGuess = from > this.window.from;
    return this.ask({ token: null, from: Math.max(this.window.from, from), to: this.window.to });
  }

  /**
   * L19: reads the window in parts so small that none fills a page, which needs neither tokens nor an order.
   * @param {string} [warning] @returns {Query}
   */
  split(warning = "") {
    this.warning = warning;
    this.state = "splitting";
    this.idle = 0;
    this.parts = [this.window];
    return this.ask({ token: null, from: this.window.from, to: this.window.to });
  }

  /** L19 @param {Pick<Judged, "us">[]} judged @param {boolean} hasNews @returns {Query | null} */
  nextPart(judged, hasNews) {
    const { length } = this.answer.records;
    const part = /** @type {Window} */ (this.parts.pop());
    if (length > 0 && length === this.full) {
      this.idle = hasNews ? 0 : this.idle + 1;
      const isNarrow = part.to - part.from <= LIMITS.narrowPart;
      if (this.idle > LIMITS.idleParts || (isNarrow && length >= LIMITS.smallPage)) throw unreadable(length);
      if (!isNarrow) this.parts.push(...cut(part, judged));
    }
    const next = this.parts.at(-1);
    if (next) return this.ask({ token: null, from: next.from, to: next.to });
    this.state = "done";
    return null;
  }

  /** @param {Query} query */
  ask(query) {
    if (query.token === null) this.pass += 1;
    return this.asked = query;
  }

  /**
   * What is left of the window behind the last page; null: nothing.
   * @param {number} visible Up to there no record could come late when that page was requested. @returns {Window | null}
   */
  rest(visible) {
    const { window, state, ordered } = this;
    if (state === "done") return null;
    // A reader without a usable token begins where everything older has been read and was visible by then.
    const reached = state === "splitting" ? this.asked.from : this.reached();
    const from = Math.max(window.from, Math.min(reached, visible));
    return { from, to: window.to, token: this.isSession ? null : this.asked.token, ordered };
  }
}

/**
 * L19: cuts a part whose page is full in two or three that overlap, the earliest last: between the times of its records, or
 * around them if they are one moment.
 * @param {{from: number, to: number}} part @param {Pick<Judged, "us">[]} judged
 */
export function cut({ from, to }, judged) {
  let [low, high] = [Infinity, -Infinity];
  for (const { us } of judged) {
    if (us !== null && us >= from && us <= to) [low, high] = [Math.min(low, us), Math.max(high, us)];
  }
  if (low <= high && high - low < 8) {
    const parts = [{ from: high + 1, to }, { from: low - 3, to: high + 2 }, { from, to: low - 2 }];
    return parts.filter((part) => part.from < part.to);
  }
  const middle = Math.floor(low <= high ? (low + high) / 2 : (from + to) / 2);
  return [{ from: middle - 1, to }, { from, to: middle }];
}

/** L19 @param {number} size */
function unreadable(size) {
  return new Failure(
    `SCM sends no page token that works (header ${SCM.cursorHeader}), and a page of ${size} records is too small for ` +
      "those of one moment: they cannot be read by time alone; does a proxy remove the header?",
  );
}

import { LIMITS, SECOND } from "./limits.js";
import { formatTime, parseTime } from "./time.js";
/** @import { Backfill } from "./chain.js" */
/** @import { Checkpoint } from "./checkpoint.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Windows: what to ask SCM for. Pure: no clock, no log, no change of what is given. Times are in microseconds.
// ---------------------------------------------------------------------------------------------------------------------

/**
 * One query of SCM. `from` is where a reader without the token must begin; `ordered`: its pages have come oldest first
 * so far.
 * @typedef {{from: number, to: number, token: string | null, ordered: boolean}} Window
 */

/** The first part of the history, whose start is saved before anything is read.
 * @param {number} to The newest that can be read. @param {number} history Milliseconds. @returns {Window} */
export function firstWindow(to, history) {
  const from = to - history * 1000;
  // Half a slice at most: by SCM's clock, which is not known yet, the end may still be in the future.
  const span = Math.floor(Math.min(LIMITS.slice * 1000, to - from) / 2);
  return { from, to: from + span, token: null, ordered: true };
}

/** An `initialCheckpoint` that was not applied yet, or "".
 * @param {{initialCheckpoint: string}} config @param {Checkpoint} checkpoint */
export function newInitialCheckpoint({ initialCheckpoint }, { initial }) {
  return initialCheckpoint === initial ? "" : initialCheckpoint;
}

/**
 * What a run knows when it plans. `initial`: an initialCheckpoint to apply, or ""; `isFirst`: no checkpoint was found;
 * `wasReported`: the run before has reported what it did; `now`: the earliest clock's time; `newest`: the end of what can be read.
 * @typedef {object} Known
 * @property {Checkpoint} checkpoint @property {Backfill | null} backfill @property {string} initial
 * @property {boolean} isFirst @property {boolean} wasReported @property {number} now @property {number} newest
 * @property {number} scmNow By SCM's own clock; that time has come where SCM says so, however far behind other clocks are.
 * @property {number} history Milliseconds.
 */

/**
 * The windows to read, in order; `span`: what they cover; `checkpoint`: in line with them; `coveredFrom`: where the
 * ledger's coverage begins; `ahead`: the time of a checkpoint in the future, else null.
 * @param {Known} known
 */
export function planWindows(known) {
  const { newest, backfill } = known;
  const start = backfill ? startOfBackfill(known, backfill) : startOfRun(known);
  const { open, hw } = start.checkpoint;
  const to = Math.max(newest, hw ?? newest);
  // L24: what did not fit into a leg is a measure for what comes next.
  const isUnordered = open && !open.ordered;
  // A first window only keeps the start: it is planned with all that follows.
  const rest = !open || start.kind === "First run"
    ? []
    : isUnordered && open.token === null
    ? quarters(open, hw)
    : [open];
  const span = start.checkpoint.span ?? (isUnordered ? open.to - open.from : null);
  const windows = [...rest, ...slices(start.from, to, span)];
  return { ...start, windows, span: { from: open?.from ?? start.from, to: Math.max(to, open?.to ?? to) } };
}

/**
 * L24: a window that an earlier leg has begun and that must be read again from its start, in parts: as a whole it may not
 * fit into any leg. No part ends at what was reached before, as that would be no progress.
 * @param {Window} window @param {number | null} hw @returns {Window[]}
 */
export function quarters({ from, to }, hw) {
  const begin = Math.max(from, hw ?? from);
  const [first, ...rest] = parts(begin, to, Math.max((to - begin) / 4, SECOND * 1000));
  return [{ from, to: first ? first.to : to, token: null, ordered: true }, ...rest];
}

/** Slices of one size: the last one holds all of the last minutes, whose records are remembered. After a run that died
 * (L12), those of the first hours are small.
 * @param {number} from @param {number} to @param {number | null} [span] Microseconds. @returns {Window[]} */
function slices(from, to, span = null) {
  if (span !== null) {
    const near = Math.max(from, Math.min(to - LIMITS.overlap * 1000, from + LIMITS.slice * 1000));
    return [...parts(from, near, span), ...slices(near > from ? near - SECOND * 1000 : from, to)];
  }
  return parts(from, to, LIMITS.slice * 1000);
}

/** @param {number} from @param {number} to @param {number} span @returns {Window[]} */
function parts(from, to, span) {
  const count = Math.ceil((to - from) / span);
  const border = (/** @type {number} */ part) => from + Math.floor(((to - from) * part) / count);
  return Array.from({ length: Math.max(0, count) }, (_, part) => ({
    // Whether `from` and `to` include their own moment is not documented: a second twice rather than a record never.
    from: part === 0 ? from : border(part) - SECOND * 1000,
    to: border(part + 1),
    token: null,
    ordered: true,
  }));
}

/**
 * L29: cuts the first `span` off a window, in whole seconds. Null: it is too short for that, as what is left must hold all of
 * the last minutes.
 * @param {Window} window @param {number} span Microseconds. @returns {[Window, Window] | null}
 */
export function cutOff(window, span) {
  const to = Math.floor((window.from + span) / 1e6) * 1e6;
  if (to + Math.max(span / 2, LIMITS.overlap * 1000) > window.to) return null;
  return [{ ...window, to }, { ...window, from: to - SECOND * 1000 }];
}

/** @param {Known} known @param {Backfill} backfill */
function startOfBackfill({ checkpoint }, backfill) {
  const reached = checkpoint.open?.to ?? checkpoint.hw;
  // L21: like every window, a second before the end of the one before.
  const from = reached === null ? backfill.from : Math.max(backfill.from, reached - SECOND * 1000);
  return { kind: "Backfill", from, checkpoint, coveredFrom: backfill.from, ahead: null };
}

/** Where the first new window begins. @param {Known} known */
function startOfRun({ checkpoint: found, initial, isFirst, wasReported, now, scmNow, newest, history }) {
  const { open, hw, told, settled } = found;
  const overlap = LIMITS.overlap * 1000;
  const reached = open?.to ?? hw ?? newest;
  /** @param {string} kind @param {number} from @param {number | null} coveredFrom @param {Partial<Checkpoint>} changes
   * @param {number | null} [ahead] */
  const start = (kind, from, coveredFrom, changes, ahead = null) => ({
    kind,
    from,
    coveredFrom,
    checkpoint: { ...found, ...changes, told: coveredFrom },
    ahead,
  });
  if (initial) {
    const from = /** @type {number} */ (parseTime(initial));
    return start("Initial checkpoint", from, from, { initial, hw: from, open: null, settled: false });
  }
  if (isFirst && open) return start("First run", open.from, open.from, {});
  const kind = open ? "Resuming" : "Incremental run";
  const coveredFrom = (wasReported ? hw : null) ?? told ?? hw;
  // L14: saved under a clock that was wrong. Of what it says, only the earliest is surely covered, if that is past at
  // all; else as much is read again as SCM keeps, or a first run's history.
  if (reached > Math.max(now, scmNow)) {
    const past = [open?.from, told, parseTime(found.ts)].filter((us) => typeof us === "number" && us <= now);
    const unknown = newest - (hw === null ? history : Math.max(history, LIMITS.kept)) * 1000;
    const sure = past.length > 0 ? Math.min(.../** @type {number[]} */ (past)) : unknown;
    const moved = { ts: formatTime(sure), id: "", hw: sure, open: null, settled: false };
    return start(kind, sure - overlap, Math.min(coveredFrom ?? sure, sure), moved, reached);
  }
  // L21: where nothing can come late, only the second that all windows share.
  return start(kind, reached - (settled ? SECOND * 1000 : overlap), coveredFrom, {});
}

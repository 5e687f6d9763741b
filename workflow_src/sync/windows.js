import { LIMITS, SECOND } from "./limits.js";
import { parseTime } from "./time.js";
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
 * `wasReported`: the run before has reported what it did; `now`: SCM's time; `newest`: the end of what can be read.
 * @typedef {object} Known
 * @property {Checkpoint} checkpoint @property {Backfill | null} backfill @property {string} initial
 * @property {boolean} isFirst @property {boolean} wasReported @property {number} now @property {number} newest
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
  const windows = [...(open ? [open] : []), ...slices(start.from, to)];
  return { ...start, windows, span: { from: open?.from ?? start.from, to: Math.max(to, open?.to ?? to) } };
}

/** Slices of one size: the last one holds all of the last minutes, whose records are remembered.
 * @param {number} from @param {number} to @returns {Window[]} */
function slices(from, to) {
  const count = Math.ceil((to - from) / (LIMITS.slice * 1000));
  const border = (/** @type {number} */ part) => from + Math.floor(((to - from) * part) / count);
  return Array.from({ length: Math.max(0, count) }, (_, part) => ({
    // Whether `from` and `to` include their own moment is not documented: a second twice rather than a record never.
    from: part === 0 ? from : border(part) - SECOND * 1000,
    to: border(part + 1),
    token: null,
    ordered: true,
  }));
}

/** @param {Known} known @param {Backfill} backfill */
function startOfBackfill({ checkpoint }, backfill) {
  const from = checkpoint.open?.to ?? checkpoint.hw ?? backfill.from;
  return { kind: "Backfill", from, checkpoint, coveredFrom: backfill.from, ahead: null };
}

/** Where the first new window begins. @param {Known} known */
function startOfRun({ checkpoint: found, initial, isFirst, wasReported, now, newest }) {
  const overlap = LIMITS.overlap * 1000;
  const { open, hw, told } = found;
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
    return start("Initial checkpoint", from, from, { initial, hw: from, open: null });
  }
  if (isFirst && open) return start("First run", open.from, open.from, { open: null });
  const kind = open ? "Resuming" : "Incremental run";
  const coveredFrom = (wasReported ? hw : null) ?? told ?? hw;
  if (reached <= now) return start(kind, reached - overlap, coveredFrom, {});
  // Saved under a clock that was wrong. What is surely covered ends before the open window or with the newest record.
  const ts = parseTime(found.ts) ?? newest;
  const from = Math.min(open?.from ?? newest, (ts > now ? newest : ts) - overlap);
  return start(kind, from, coveredFrom, { hw: from + overlap, open: null }, reached);
}

import { newestToRead, ticks } from "./clock.js";
import { Failure } from "./errors.js";
import { HOUR, LIMITS, MINUTE } from "./limits.js";
import { describe, log, warn } from "./output.js";
import { formatOverlap, Overlap, parseMarks, parseOverlap } from "./overlap.js";
import { PARAMETERS } from "./parameters.js";
import { clean, cutBytes, parseJson, utf8Length } from "./text.js";
import { formatTime, parseDuration, parseTime, shownSpan } from "./time.js";
import { readEntry, writeEntry } from "./vault.js";
import { firstWindow, newInitialCheckpoint } from "./windows.js";
/** @import { Page } from "./pages.js" */
/** @import { Run } from "./run.js" */
/** @import { Window } from "./windows.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Progress: the checkpoint, which is `<time>|<id>` of the newest accepted record, as the vendor writes it, and a machine
// part on line two
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Times are microseconds since the epoch.
 *
 * `ts` and `id`: the newest accepted record. `hw` (high water): everything up to here was read. `open`: a window that
 * is not read to its end. `settled`: of `open`, else of the window that ended at `hw`: nothing of it can come late. `told`: up to here the ledger has reported. `initial`: the initialCheckpoint applied last.
 * `overlap`: what is remembered of the records that the next run reads again; `seen`: the same in the form of the first
 * release, only read. `batch`: records in a request to a slow log ingest (L13). `span`: how much to ask for at a time after
 * a run that died; null: a whole slice. `stalled`: runs in a row that ended early and moved nothing.
 * @typedef {{ts: string, id: string, hw: number | null, open: Window | null, settled: boolean, told: number | null, initial: string,
 *   span: number | null, stalled: number, overlap: Overlap, seen: number[], batch: number | null}} Checkpoint
 */

/** @typedef {ReturnType<typeof newProgress>} Progress */

const LEAST_SPAN = MINUTE * 1000;

export function newProgress() {
  return {
    checkpoint: emptyCheckpoint(),
    shownBefore: "none",
    /** How far the checkpoint was when this run began. */
    began: -Infinity,
    /** The checkpoint in the vault; `text` null: not read yet. `at`: by `ticks`; `sent`: records that were sent by then. */
    saved: {
      /** @type {string | null} */
      text: null,
      /** @type {number | null} */
      hw: null,
      at: ticks(),
      sent: 0,
    },
    saveFailed: false,
    /** All that this run reads. @type {{from: number, to: number} | null} */
    window: null,
    /** Where the run's coverage begins, for the ledger. @type {number | null} */
    coveredFrom: null,
    /** How many records the next run will not recognise as repeats. */
    notRemembered: 0,
  };
}

/** @returns {Checkpoint} */
export function emptyCheckpoint() {
  const [overlap, rest] = [new Overlap(), { settled: false, span: null, stalled: 0, seen: [], batch: null }];
  return { ts: "", id: "", hw: null, open: null, told: null, initial: "", overlap, ...rest };
}

/** Only now that the lock is ours: an earlier value may have been another run's. @param {Run} run */
export async function readCheckpoint(run) {
  const { progress } = run;
  const entry = await readEntry(run, PARAMETERS.checkpointCredentialId, true);
  const checkpoint = parseCheckpoint(run, entry.value);
  run.vault.entries.checkpoint = entry;
  progress.saved.text = entry.value;
  progress.saved.hw = checkpoint.hw;
  if (checkpoint.batch !== null) Object.assign(run.ingest, { most: checkpoint.batch, limit: 3 * LIMITS.request });
  run.memory.former = new Set(checkpoint.seen);
  continueFrom(progress, checkpoint);
  progress.shownBefore = shownCheckpoint(checkpoint);
  log(`Checkpoint: ${progress.shownBefore === "none" ? "none (initial run)" : progress.shownBefore}`);
}

/** @param {Progress} progress @param {Checkpoint} checkpoint */
export function continueFrom(progress, checkpoint) {
  progress.checkpoint = checkpoint;
  progress.began = reachOf(checkpoint);
}

/** How far a checkpoint is; nothing in it that SCM can change at will. @param {Checkpoint} checkpoint */
export function reachOf({ hw, open }) {
  return Math.max(hw ?? -Infinity, open?.from ?? -Infinity);
}

/** Whether this run has sent anything or come further in time (L3). @param {Run} run */
export function hasMoved({ counts, progress: { began, checkpoint } }) {
  return counts.sent > 0 || reachOf(checkpoint) > began;
}

/** Counts runs that end early and move nothing (L3). @param {Run} run @returns {boolean} Whether it is the third in a row. */
export function isStalled(run) {
  const { leg, progress: { checkpoint } } = run;
  checkpoint.stalled = leg.stop && !hasMoved(run) ? checkpoint.stalled + 1 : 0;
  return checkpoint.stalled >= 3;
}

/** @param {Run} run @param {string} text @returns {Checkpoint} */
export function parseCheckpoint(run, text) {
  const checkpoint = emptyCheckpoint();
  const [human = "", machine = "{}"] = text.replace(/^\uFEFF/, "").trim().split("\n");
  if (human === "" || human.toUpperCase() === "NONE") return checkpoint;
  const [ts, ...id] = human.split("|");
  const us = parseTime(ts);
  if (us === null) {
    warn(run, "the checkpoint is unreadable; starting as a first run, which repeats records rather than losing them");
    return checkpoint;
  }
  Object.assign(checkpoint, { ts, id: id.join("|"), hw: us });
  if (machine === "{}") {
    log("The checkpoint has one line only: reading continues there, and nothing before it is claimed");
  }
  const more = parseJson(machine) ?? {};
  const { v, hw, from, to, token, ordered, settled, told, initial, span, stalled, seen, sums, part, marks, batch } =
    more;
  if (v !== 1 && machine !== "{}") {
    warn(run, "the checkpoint's second line is unreadable; continuing from the time on the first");
  }
  checkpoint.told = parseTime(told);
  checkpoint.settled = settled === true;
  if (typeof initial === "string") checkpoint.initial = initial;
  if (span >= LEAST_SPAN && span <= LIMITS.slice * 1000) checkpoint.span = span;
  if (Number.isInteger(stalled) && stalled > 0) checkpoint.stalled = stalled;
  if (Number.isInteger(batch) && batch > 0 && batch < LIMITS.batchRecords) checkpoint.batch = batch;
  if (typeof seen === "string") checkpoint.seen = parseMarks(seen);
  checkpoint.overlap = parseOverlap(sums, part, marks);
  const [begin, end] = [parseTime(from), parseTime(to)];
  if (begin !== null && end !== null && end > begin) {
    checkpoint.open = { from: begin, to: end, token: typeof token === "string" ? token : null, ordered: !!ordered };
  }
  // In the first window nothing has been read to an end yet.
  checkpoint.hw = parseTime(hw) ?? (checkpoint.open ? null : us);
  return checkpoint;
}

/** @param {Checkpoint} checkpoint */
export function formatCheckpoint({ ts, id, hw, open, settled, told, initial, span, stalled, overlap, batch }) {
  const moment = (/** @type {number | null | undefined} */ us) =>
    us === null || us === undefined ? undefined : formatTime(us);
  const machine = {
    v: 1,
    hw: moment(hw),
    from: moment(open?.from),
    to: moment(open?.to),
    // A longer one would leave no room for anything else: that window continues by time.
    token: open?.token && open.token.length <= LIMITS.tokenLength ? open.token : undefined,
    ordered: open?.ordered || undefined,
    settled: settled || undefined,
    told: moment(told),
    initial: initial || undefined,
    batch: batch ?? undefined,
    span: span ?? undefined,
    stalled: stalled || undefined,
  };
  const human = `${ts || formatTime(hw ?? open?.from ?? 0)}|${id}`;
  const fixed = utf8Length(`${human}\n${JSON.stringify({ ...machine, sums: "", part: "", marks: "" })}`);
  const horizon = (hw ?? 0) - LIMITS.overlap * 1000;
  const { forgotten, ...memory } = formatOverlap(overlap, LIMITS.checkpointBytes - fixed, horizon);
  return { text: `${human}\n${JSON.stringify({ ...machine, ...memory })}`, forgotten };
}

/** @param {Checkpoint} checkpoint */
export function shownCheckpoint({ ts, id, hw, open }) {
  const reached = hw ?? open?.from;
  if (!ts && reached === undefined) return "none";
  return `${ts || formatTime(reached ?? 0)}|${id.length > 8 ? id.slice(0, 8) + "..." : id}`;
}

/**
 * After runs that died without moving anything this one asks for less, half as much each time (L12), and for more again after a run
 * that lived. Less is saved before anything is read, as this run may die there, too.
 * @param {Run} run
 */
export async function askForLess(run) {
  const { leg, lock, progress: { checkpoint } } = run;
  if (run.backfill) return;
  if (!lock.isTakenOver) {
    // A run that lived and came further: twice as much, else empty years take a request for every minute.
    if (checkpoint.span !== null && checkpoint.stalled === 0) {
      checkpoint.span = Math.min(LIMITS.slice * 1000, checkpoint.span * 2);
    }
    return;
  }
  const reached = checkpoint.open?.from ?? checkpoint.hw;
  const waiting = reached === null ? Infinity : newestToRead(leg.clock) - reached + LIMITS.overlap * 1000;
  // Where pages were accepted since, there is none: then the run that died had moved something, and all is asked for.
  const before = checkpoint.span;
  checkpoint.span = before === null
    ? Math.max(LEAST_SPAN, Math.min(LIMITS.slice * 1000, waiting))
    : Math.max(LEAST_SPAN, Math.floor(before / 2));
  if (before === null) return await saveCheckpoint(run);
  const { open } = checkpoint;
  // What is behind it is planned anew.
  if (open) open.to = Math.max(open.from + LEAST_SPAN, Math.min(open.to, open.from + checkpoint.span));
  await saveCheckpoint(run, `✓ The runs before died: asking for ${shownSpan(checkpoint.span / 1000)} at a time`);
}

/** A first window keeps its start, however long it takes until a run can read it. @param {Run} run */
export async function rememberStart(run) {
  const { backfill, config, leg, progress } = run;
  const { checkpoint } = progress;
  if (backfill || newInitialCheckpoint(config, checkpoint) || checkpoint.hw !== null || checkpoint.open) return;
  checkpoint.open = firstWindow(newestToRead(leg.clock), parseDuration(config.initHistoryDuration)?.ms ?? 0);
  checkpoint.told = progress.began = checkpoint.open.from;
  await saveCheckpoint(run, `✓ Start time saved to vault: ${formatTime(checkpoint.open.from)}`);
}

/** Advances the checkpoint past an accepted page. @param {Progress} progress @param {Page} page */
export function advance(progress, { from, events, marks, open, done, settled }) {
  const { checkpoint } = progress;
  let newest = { us: parseTime(checkpoint.ts) ?? -Infinity, id: "" };
  for (const { us, id } of events) {
    // L18: a record dated later than what has been read is no measure of how far that was.
    if (us !== null && us >= newest.us && us <= done) newest = { us, id };
  }
  if (events.length > 0) checkpoint.span = null;
  if (newest.id) Object.assign(checkpoint, { ts: formatTime(newest.us), id: cutBytes(clean(newest.id), 100) });
  for (const { us, mark } of marks) checkpoint.overlap.add(us, mark);
  // The rest of a window that was reached before is not saved: the next run reads its last minutes again anyway.
  checkpoint.open = open && open.to > (checkpoint.hw ?? -Infinity) ? open : null;
  if (checkpoint.open || (!open && done > (checkpoint.hw ?? -Infinity))) checkpoint.settled = settled;
  if (open) return;
  checkpoint.overlap.finish(holdsOverlap(from, done, checkpoint.hw));
  checkpoint.hw = Math.max(done, checkpoint.hw ?? -Infinity);
}

/** Whether a window held all that the next run reads again: not where it is short, or ends before what was reached.
 * @param {number} from @param {number} done @param {number | null} hw */
export function holdsOverlap(from, done, hw) {
  return done - from >= LIMITS.overlap * 1000 && done >= (hw ?? -Infinity);
}

/** Whether enough was sent, or enough time has passed, since the last save. After runs that died at one place this one
 * may, too: what it has read on its way there, though it was empty, is kept (L12). @param {Run} run */
export function saveIsDue({ counts, progress: { checkpoint, saved } }) {
  const isAway = checkpoint.span !== null && reachOf(checkpoint) - (saved.hw ?? -Infinity) >= HOUR * 1000;
  return isAway || counts.sent - saved.sent >= LIMITS.saveRecords || ticks() - saved.at >= LIMITS.saveEvery;
}

/** @param {Run} run @param {string} [said] */
export async function saveCheckpoint(run, said) {
  const { counts, progress } = run;
  const { checkpoint } = progress;
  if (run.backfill || (checkpoint.hw === null && checkpoint.open === null)) return;
  checkpoint.batch = run.ingest.most < LIMITS.batchRecords ? run.ingest.most : null;
  const { text, forgotten } = formatCheckpoint(checkpoint);
  progress.notRemembered = checkpoint.open ? 0 : forgotten;
  if (text === progress.saved.text) return;
  try {
    await writeEntry(run, run.vault.entries.checkpoint, text);
  } catch (error) {
    progress.saveFailed = true;
    throw new Failure(`the checkpoint could not be saved: ${describe(error)}`);
  }
  progress.saved = { text, hw: checkpoint.hw, at: ticks(), sent: counts.sent };
  log(said ?? `✓ Checkpoint saved to vault: ${shownCheckpoint(checkpoint)}`);
}

/** What was accepted before the failure need not be sent again. @param {Run} run */
export async function saveAfterFailure(run) {
  const { progress, vault } = run;
  if (progress.saved.text === null || progress.saveFailed || vault.deleted) return;
  try {
    await saveCheckpoint(run);
  } catch (error) {
    warn(run, describe(error));
  }
}

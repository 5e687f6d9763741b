import { saveCheckpoint } from "./checkpoint.js";
import { LIMITS, SECOND } from "./limits.js";
import { parseLock } from "./lock.js";
import { scmNow } from "./paging.js";
import { log, warn } from "./text.js";
import { formatTime, parseDuration, parseTime, shownSpan } from "./time.js";
/** @import { Run } from "./run.js" */
/** @import { Window } from "./shapes.js" */

/** A first window keeps its beginning, however long it takes until a run can read it. @param {Run} run */
export async function rememberBeginning(run) {
  const { checkpoint, config } = run;
  if (run.backfill || newInitialCheckpoint(run) || checkpoint.hw !== null || checkpoint.open) return;
  const to = newestToRead(run);
  const from = to - (parseDuration(config.initHistoryDuration)?.ms ?? 0) * 1000;
  checkpoint.told = from;
  // Half a slice at most: by SCM's clock, which is not known yet, the end may still be to come.
  const first = Math.floor(Math.min(LIMITS.slice * 1000, to - from) / 2);
  checkpoint.open = { from, to: from + first, token: null, ordered: true };
  await saveCheckpoint(run, `✓ Beginning saved to vault: ${formatTime(from)}`);
}

/** An `initialCheckpoint` that was not applied yet, or "". @param {Run} run */
function newInitialCheckpoint({ config, checkpoint }) {
  return config.initialCheckpoint === checkpoint.initial ? "" : config.initialCheckpoint;
}

/** @param {Run} run */
function newestToRead(run) {
  return Math.floor((scmNow(run) - LIMITS.lag) / SECOND) * SECOND * 1000;
}

/** The windows to read, in order. @param {Run} run @returns {Window[]} */
export function planWindows(run) {
  const newest = run.backfill?.to ?? newestToRead(run);
  const { kind, from } = whereToBegin(run, newest);
  const to = Math.max(newest, run.checkpoint.hw ?? newest);
  const { open } = run.checkpoint;
  const windows = open ? [open] : [];
  run.window = { from: open?.from ?? from, to: Math.max(to, open?.to ?? to) };
  const span = shownSpan((run.window.to - run.window.from) / 1000);
  log(`${kind} - querying logs from ${formatTime(run.window.from)} to ${formatTime(run.window.to)} (${span})`);
  // Slices of one size: the last one holds all of the last minutes, whose records are remembered.
  const count = Math.ceil((to - from) / (LIMITS.slice * 1000));
  const border = (/** @type {number} */ part) => from + Math.floor(((to - from) * part) / count);
  for (let slice = 0; slice < count; slice += 1) {
    // Whether `from` and `to` include their own moment is not documented: a second twice, rather than a record never.
    const begin = slice === 0 ? from : border(slice) - SECOND * 1000;
    windows.push({ from: begin, to: border(slice + 1), token: null, ordered: true });
  }
  return windows;
}

/** Where the first new window begins; brings the checkpoint in line with it. @param {Run} run @param {number} to */
function whereToBegin(run, to) {
  const { checkpoint } = run;
  if (run.backfill) {
    run.coveredFrom = run.backfill.from;
    return { kind: "Backfill", from: checkpoint.open?.to ?? checkpoint.hw ?? run.backfill.from };
  }
  const overlap = LIMITS.overlap * 1000;
  const reached = checkpoint.open?.to ?? checkpoint.hw ?? to;
  const isFuture = (/** @type {number} */ us) => us > scmNow(run) * 1000;
  let kind = checkpoint.open ? "Resuming" : "Incremental run";
  let from;
  // A lock that was released says that the run before has told what it did.
  const orderly = parseLock(run.lockBefore ?? "").state === "IDLE";
  run.coveredFrom = (orderly ? checkpoint.hw : null) ?? checkpoint.told ?? checkpoint.hw;
  const initial = newInitialCheckpoint(run);
  if (initial) {
    kind = "Initial checkpoint";
    run.coveredFrom = from = /** @type {number} */ (parseTime(initial));
    Object.assign(checkpoint, { initial, hw: from, open: null });
  } else if (run.checkpointBefore === "none" && checkpoint.open) {
    kind = "First run";
    run.coveredFrom = from = checkpoint.open.from;
    checkpoint.open = null;
  } else if (isFuture(reached)) {
    // Written under a clock that was wrong. What is surely covered ends before the open window or with the newest record.
    const ts = parseTime(checkpoint.ts) ?? to;
    from = Math.min(checkpoint.open?.from ?? to, (isFuture(ts) ? to : ts) - overlap);
    warn(run, `the checkpoint lies in the future (${formatTime(reached)}); going on from ${formatTime(from)}`);
    Object.assign(checkpoint, { hw: from + overlap, open: null });
  } else {
    from = reached - overlap;
  }
  checkpoint.told = run.coveredFrom;
  return { kind, from };
}

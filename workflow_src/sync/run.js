import { catchUp } from "./catch_up.js";
import { emptyCheckpoint, readCheckpoint, saveAfterFailure, saveCheckpoint } from "./checkpoint.js";
import { Failure, Stop } from "./errors.js";
import { report } from "./ledger.js";
import { DEFAULTS, LIMITS } from "./limits.js";
import { readChain, releaseLock, startNextLeg, takeLock } from "./lock.js";
import { ownExecutionId } from "./platform.js";
import { describe } from "./requests.js";
import { accessToken } from "./scm.js";
import { log } from "./text.js";
import { seconds } from "./time.js";
import { readVault } from "./vault.js";
import { rememberBeginning } from "./windows.js";
/** @import { Backfill, Entry } from "./shapes.js" */

/** @param {{executionId?: string, execution_id?: string}} [action] */
export default async function sync(action = {}) {
  const run = newRun(action.executionId ?? action.execution_id ?? ownExecutionId ?? "");
  log("=== Sectigo SCM to Dynatrace Integration ===");
  try {
    await readVault(run);
    await readChain(run);
    if (run.backfill) return await sendAgain(run);
    if (!(await takeLock(run))) return await report(run, "skipped");
    await readCheckpoint(run);
    await readAndSend(run);
    await saveCheckpoint(run);
    const summary = await report(run, run.stop ? "more waiting" : "caught up", run.stop?.message);
    await releaseLock(run);
    if (run.stop?.again) await startNextLeg(run);
    return summary;
  } catch (error) {
    run.closing = true;
    const failure = describe(error);
    log(`✗ ${failure}`);
    await saveAfterFailure(run);
    await report(run, "failed", failure);
    await releaseLock(run);
    // A fresh error: the original may hold a request with its headers.
    throw new Error(failure);
  }
}

/**
 * Sends a window again, on request: a run beside the schedule, which reads and writes neither lock nor checkpoint.
 * @param {Run} run
 */
async function sendAgain(run) {
  log("Backfill on request: lock and checkpoint stay as they are");
  await readAndSend(run);
  const summary = await report(run, run.stop ? "more waiting" : "backfilled", run.stop?.message);
  return run.stop?.again ? { ...summary, nextExecution: await startNextLeg(run) } : summary;
}

/** Until nothing is left, or until this leg's end. @param {Run} run */
async function readAndSend(run) {
  try {
    await rememberBeginning(run);
    await accessToken(run);
    log("✓ OAuth token obtained");
    await catchUp(run);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    run.stop = error;
    log(`Stopping this leg: ${error.message}`);
  }
  run.closing = true;
}

/** @param {string} executionId */
export function newRun(executionId) {
  return {
    executionId,
    /** On a clock that no correction of the host's time moves. */
    begun: performance.now(),
    /** Between the execution's start and the script's. */
    queued: 0,
    /** Start of this execution by the platform's clock. @type {number | null} */
    startedAt: null,
    /** SCM's clock minus ours, by the Date header of its last answer. */
    skew: 0,
    /** `before`: milliseconds that earlier legs have used. */
    chain: { started: Date.now(), before: 0, leg: 1, previous: "", revision: "" },
    /** The window to send again, and where the leg before stopped in it. @type {Backfill | null} */
    backfill: null,
    canAskExecutions: true,
    config: { ...DEFAULTS, initialCheckpoint: "" },
    /** @type {Record<"scm" | "ingest" | "checkpoint" | "lock" | "config", Entry>} */
    entries: /** @type {any} */ ({}),
    /** What the lock said when this run took it; null: not taken. @type {string | null} */
    lockBefore: null,
    /** A vault entry has been deleted under this run: nothing is written any more. */
    deleted: false,
    /** @type {{token: string, renewAt: number} | null} */
    access: null,
    checkpoint: emptyCheckpoint(),
    checkpointBefore: "none",
    /** The checkpoint in the vault, now and as it was found; null: not read yet. @type {string | null} */
    savedText: null,
    /** @type {string | null} */
    foundText: null,
    /** @type {number | null} */
    savedHw: null,
    savedAt: performance.now(),
    savedSent: 0,
    /** Saving the checkpoint has failed. */
    saveFailed: false,
    /** @type {{from: number, to: number} | null} */
    window: null,
    /** Where the run's coverage begins, for the ledger. @type {number | null} */
    coveredFrom: null,
    /** @type {Stop | null} */
    stop: null,
    /** Fetching is over; waits may use the time until nothing is written any more. */
    closing: false,
    /** @type {Set<string>} */
    hints: new Set(),
    pages: 0,
    batches: 0,
    fetched: 0,
    sent: 0,
    repeated: 0,
    clamped: 0,
    truncated: 0,
    setAside: 0,
    /** @type {string[]} */
    setAsideIds: [],
    notRemembered: 0,
    retries: 0,
    warnings: 0,
    /** Fetched and sent, but not in the log yet. */
    unsaid: { fetched: 0, sent: 0 },
    /** Records this leg has seen last, by id, as they came: two generations, as trimming one would cost more.
     * @type {Map<string, string>} */
    recent: new Map(),
    /** @type {Map<string, string>} */
    older: new Map(),
    recentLength: 0,
    /** Marks of the last records that earlier runs have sent, which had reached `seenTo`. @type {Set<string>} */
    seen: new Set(),
    seenTo: -Infinity,
    /** Marks of this window's last minutes, for the next run; and how many were too many. @type {Set<string>} */
    tail: new Set(),
    tailDropped: 0,
    forgotten: 0,
    reported: false,
  };
}

/** @typedef {ReturnType<typeof newRun>} Run */

/** Milliseconds since this execution began. @param {Run} run */
export function age(run) {
  return performance.now() - run.begun + run.queued;
}

/** Throws once another run may have taken over: what this one still did would be done twice. @param {Run} run @param {string} what */
export function fence(run, what) {
  if (age(run) > LIMITS.write) {
    throw new Failure(`${what}: this run is ${seconds(age(run))} s old and another may have taken over`);
  }
}

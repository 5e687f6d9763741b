import { readChain, startNextLeg } from "./chain.js";
import {
  askForLess,
  isStalled,
  newProgress,
  readCheckpoint,
  rememberStart,
  saveAfterFailure,
  saveCheckpoint,
} from "./checkpoint.js";
import { hostNow, newClock } from "./clock.js";
import { DEFAULT_CONFIG } from "./config.js";
import { Failure, Stop } from "./errors.js";
import { newIngest } from "./ingest.js";
import { report } from "./ledger.js";
import { newLock, releaseLock, takeLock } from "./lock.js";
import { describe, log } from "./output.js";
import { catchUp } from "./pages.js";
import { ownExecutionId } from "./platform.js";
import { newMemory } from "./records.js";
import { accessToken } from "./scm.js";
import { newVault, readVault } from "./vault.js";
/** @import { Backfill } from "./chain.js" */

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
    const stalled = isStalled(run);
    await saveCheckpoint(run);
    if (stalled) throw new Failure(`more waiting three times in a row, but nothing moves: ${run.leg.stop?.message}`);
    const summary = await report(run, ...outcome(run, "caught up"));
    await releaseLock(run);
    if (run.leg.stop?.again) await startNextLeg(run);
    return summary;
  } catch (error) {
    run.leg.closing = true;
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
  log("Backfill on request: lock and checkpoint are not changed");
  await readAndSend(run);
  const summary = await report(run, ...outcome(run, "backfilled"));
  return run.leg.stop?.again ? { ...summary, nextExecution: await startNextLeg(run) } : summary;
}

/** Until nothing is left, or until the end of this leg. @param {Run} run */
async function readAndSend(run) {
  const { leg } = run;
  try {
    try {
      // L26: first, as its Date may show that the clocks known so far are ahead.
      await accessToken(run);
      log("✓ OAuth token obtained");
    } finally {
      await rememberStart(run);
      await askForLess(run);
    }
    await catchUp(run);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    leg.stop = error;
    log(`Stopping this leg: ${error.message}`);
  }
  leg.closing = true;
}

/** @template {string} T @param {Run} run @param {T} complete @returns {[T | "more waiting", string?]} */
function outcome({ leg: { stop } }, complete) {
  return stop ? ["more waiting", stop.message] : [complete];
}

/** @typedef {ReturnType<typeof newRun>} Run */

/** @param {string} executionId */
export function newRun(executionId) {
  const clock = newClock();
  return {
    leg: newLeg(executionId, clock),
    /** The window to send again, and where the leg before stopped in it. @type {Backfill | null} */
    backfill: null,
    config: { ...DEFAULT_CONFIG },
    vault: newVault(),
    lock: newLock(),
    progress: newProgress(),
    memory: newMemory(),
    ingest: newIngest(),
    /** SCM's access token. @type {{token: string, renewAt: number} | null} */
    access: null,
    /** One renewal for all requests that wait for a token. @type {Promise<string> | null} */
    renewal: null,
    counts: newCounts(),
  };
}

/** One execution of the script. @param {string} executionId @param {ReturnType<typeof newClock>} clock */
function newLeg(executionId, clock) {
  return {
    executionId,
    clock,
    /** The legs so far that belong to one catch-up; `before`: milliseconds that the earlier ones have used. */
    chain: { started: hostNow(), before: 0, number: 1, previous: "", revision: "" },
    /** Why the leg ends although records are waiting. @type {Stop | null} */
    stop: null,
    /** Fetching is over; waits may use the time that is left until nothing is written any more. */
    closing: false,
    canAskExecutions: true,
    /** Hints that have been logged. @type {Set<string>} */
    hints: new Set(),
    /** The ledger has the record of this run. */
    reported: false,
  };
}

function newCounts() {
  return {
    pages: 0,
    batches: 0,
    fetched: 0,
    sent: 0,
    repeated: 0,
    clamped: 0,
    truncated: 0,
    /** Fields left out. */
    dropped: 0,
    /** Without a time that can be read; without a known action; with a known id and new content. */
    undated: 0,
    unknownAction: 0,
    changed: 0,
    setAside: 0,
    /** @type {string[]} */
    setAsideIds: [],
    retries: 0,
    warnings: 0,
    /** By kind: the last one and how many there were. @type {Map<string, {text: string, times: number}>} */
    warned: new Map(),
    /** Fetched and sent, but not in the log yet. */
    unlogged: { fetched: 0, sent: 0 },
  };
}

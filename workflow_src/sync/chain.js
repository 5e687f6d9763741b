import { continueFrom, formatCheckpoint, hasMoved, parseCheckpoint } from "./checkpoint.js";
import { age, readStart } from "./clock.js";
import { Failure } from "./errors.js";
import { LIMITS, MINUTE } from "./limits.js";
import { describe, log, warn } from "./output.js";
import { PARAMETERS } from "./parameters.js";
import { executionsClient, workflowId, workflowsClient } from "./platform.js";
import { asked, statusOf } from "./requests.js";
import { formatTime, isoMs, parseTime } from "./time.js";
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Chain: legs that start each other until a catch-up is done
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A run's `input.backfill`: `from` and `to` as times, `ids` to send only these, `reached` from the leg before (in the
 * form of a checkpoint).
 * @typedef {{from: number, to: number, ids: Set<string> | null, reached: string}} Backfill
 */

/** The start of this leg by the platform's clock, and what the leg before handed over. @param {Run} run */
export async function readChain(run) {
  const { leg } = run;
  const id = leg.executionId;
  const own = await askExecutions(run, (abortSignal) => executionsClient.getExecution({ id, abortSignal }));
  if (!own?.startedAt) return;
  readStart(leg.clock, own.startedAt);
  const { chainStarted, leg: number, previous, revision, backfill } =
    /** @type {Record<string, any>} */ (own.input ?? {});
  const startedAt = /** @type {number} */ (leg.clock.startedAt);
  const began = parseTime(chainStarted);
  const started = began === null ? startedAt : began / 1000;
  leg.chain = {
    started,
    before: Math.max(0, startedAt - started),
    number: Number.isInteger(number) ? number : 1,
    previous: typeof previous === "string" ? previous : "",
    revision: typeof revision === "string" ? revision : "",
  };
  if (backfill !== undefined) readBackfill(run, backfill);
  if (leg.chain.number > 1) log(`Leg ${leg.chain.number} of a catch-up that began at ${isoMs(started)}`);
}

/** @param {Run} run @param {any} given */
function readBackfill(run, given) {
  const [from, to] = [parseTime(given?.from), parseTime(given?.to)];
  if (from === null || to === null || from >= to) {
    throw new Failure('input.backfill must be {"from": TIME, "to": TIME} in ISO 8601, from before to');
  }
  const reached = typeof given.reached === "string" ? given.reached : "";
  const ids = Array.isArray(given.ids) ? new Set(given.ids.map(String)) : null;
  run.backfill = { from, to, ids, reached };
  continueFrom(run.progress, parseCheckpoint(run, reached));
  run.progress.began = Math.max(run.progress.began, from);
}

/**
 * An answer of the executions API; null where the actor may not use it (the lock's lease decides then).
 * @template T @param {Run} run @param {(signal: AbortSignal) => Promise<T>} ask @returns {Promise<T | null>}
 */
export async function askExecutions(run, ask) {
  if (!run.leg.canAskExecutions) return null;
  try {
    return await asked(run, "asking for executions", ask);
  } catch (error) {
    if (![401, 403, 404].includes(statusOf(error) ?? 0)) throw error;
    run.leg.canAskExecutions = false;
    warn(
      run,
      "the actor may not read executions (automation:workflows:read): the lock's lease decides instead, and no backfill " +
        "can be recognised",
    );
    return null;
  }
}

/** Milliseconds that this leg may fetch: its own, within those of the chain. @param {Run["leg"]} leg */
export function fetchTime({ chain }) {
  return Math.min(LIMITS.leg, PARAMETERS.maxExecutionTimeMinutes * MINUTE - chain.before);
}

/** Continues where this leg stopped, until nothing is left or the chain's time is used up. @param {Run} run */
export async function startNextLeg(run) {
  const { backfill, leg, progress } = run;
  const reached = backfill ? formatCheckpoint(progress.checkpoint).text : "";
  const onward = backfill ? "request the rest again" : "the next scheduled run continues";
  if (!hasMoved(run)) {
    return log(`No progress in this leg: ${onward}`);
  }
  if (leg.chain.before + age(leg.clock) >= PARAMETERS.maxExecutionTimeMinutes * MINUTE) {
    return log(`Max execution time is used up: ${onward}`);
  }
  // Without the start of the chain its time could not be limited.
  if (!leg.canAskExecutions) return log(`No further leg: ${onward}`);
  try {
    const id = workflowId ?? "";
    const workflow = await asked(
      run,
      "reading the workflow",
      (abortSignal) => workflowsClient.getWorkflow({ id, abortSignal }),
    );
    if (!workflow.isDeployed) return log("The workflow is no longer deployed: no further leg");
    const { started, number, revision } = leg.chain;
    const again = backfill &&
      { from: formatTime(backfill.from), to: formatTime(backfill.to), ids: backfill.ids && [...backfill.ids], reached };
    const input = {
      chainStarted: isoMs(started),
      leg: number + 1,
      previous: leg.executionId,
      revision,
      ...again && { backfill: again },
    };
    // L28: the qualifier names this leg; a repeated call starts nothing twice.
    const body = { input, uniqueQualifier: `after-${leg.executionId}` };
    const next = await asked(
      run,
      "starting the next leg",
      (abortSignal) => workflowsClient.runWorkflow({ id, body, abortSignal }),
    );
    log(`More records are waiting: leg ${input.leg} started`);
    return next.id;
  } catch (error) {
    warn(run, `no further leg (automation:workflows:run): ${describe(error)}; ${onward}`);
  }
}

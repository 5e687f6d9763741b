import { formatCheckpoint, parseCheckpoint } from "./checkpoint.js";
import { Failure } from "./errors.js";
import { LIMITS, MINUTE } from "./limits.js";
import { PARAMETERS } from "./parameters.js";
import { executionsClient, workflowId, workflowsClient } from "./platform.js";
import { asked, describe, statusOf } from "./requests.js";
import { age } from "./run.js";
import { log, warn } from "./text.js";
import { formatTime, isoMs, parseTime } from "./time.js";
import { readEntry, writeEntry } from "./vault.js";
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Chain and lock: who may write the checkpoint. The fence is the platform's kill, measured on the platform's clock.
// ---------------------------------------------------------------------------------------------------------------------

/** Start of this leg by the platform's clock, and what the leg before handed over. @param {Run} run */
export async function readChain(run) {
  const id = run.executionId;
  const own = await askExecutions(run, (abortSignal) => executionsClient.getExecution({ id, abortSignal }));
  if (!own?.startedAt) return;
  run.startedAt = new Date(own.startedAt).getTime();
  // More than a minute is no wait for a start, but a host whose clock is off.
  const queued = Date.now() - age(run) - run.startedAt;
  if (queued > 0 && queued < MINUTE) run.queued = queued;
  // What holds until SCM says what time it is, and where a proxy takes its Date header away.
  else run.skew = -queued;
  const { chainStarted, leg, previous, revision, backfill } = /** @type {Record<string, any>} */ (own.input ?? {});
  const began = parseTime(chainStarted);
  const started = began === null ? run.startedAt : began / 1000;
  run.chain = {
    started,
    before: Math.max(0, run.startedAt - started),
    leg: Number.isInteger(leg) ? leg : 1,
    previous: typeof previous === "string" ? previous : "",
    revision: typeof revision === "string" ? revision : "",
  };
  if (backfill !== undefined) readBackfill(run, backfill);
  if (run.chain.leg > 1) log(`Leg ${run.chain.leg} of a catch-up that began at ${isoMs(started)}`);
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
  run.checkpoint = parseCheckpoint(run, reached);
}

/** Whether this run may go on. @param {Run} run @returns {Promise<boolean>} */
export async function takeLock(run) {
  const before = run.entries.lock.value;
  const lock = parseLock(before);
  log(`Execution lock status: ${lock.shown}`);
  if (!(await lockIsFree(run, lock))) return false;
  const mine = `RUNNING|${run.executionId}|${isoMs(run.startedAt ?? Date.now())}|${isoMs(Date.now() + LIMITS.lease)}`;
  await writeEntry(run, run.entries.lock, mine);
  // The vault has no compare-and-set. Two runs that both read IDLE are parted here: by age where the platform tells
  // it, else by who wrote last. Both going on would repeat records, not lose any.
  /** @type {Parameters<typeof executionsClient.getExecutions>[0]} */
  const running = { workflow: [workflowId ?? ""], state: ["RUNNING"], limit: 50 };
  const rivals = await askExecutions(run, (abortSignal) => executionsClient.getExecutions({ ...running, abortSignal }));
  if (rivals) {
    const elder = rivals.results.find((other) => isElder(run, other));
    if (elder) {
      const since = new Date(elder.startedAt ?? 0).getTime();
      await writeEntry(run, run.entries.lock, `RUNNING|${elder.id}|${isoMs(since)}|${isoMs(since + LIMITS.lease)}`);
      return stepBack(`execution ${elder.id} started before this one`);
    }
  } else {
    const after = await readEntry(run, run.entries.lock.id);
    if (after.value !== mine) return stepBack(`${parseLock(after.value).shown} was written at the same time`);
  }
  run.lockBefore = before;
  log("✓ Execution lock set to RUNNING");
  return true;
}

/** @param {Run} run @param {{id: string, startedAt?: Date, input?: any}} other */
function isElder(run, other) {
  // One that sends a window again takes no lock.
  if (other.input?.backfill) return false;
  if (other.id === run.executionId || other.id === run.chain.previous || isDead(run, other)) return false;
  const [started, own] = [new Date(other.startedAt ?? 0).getTime(), run.startedAt ?? Infinity];
  return started < own || (started === own && other.id < run.executionId);
}

/** Whether the platform must have killed an execution's script by now; both times are by the platform's clock.
 * @param {Run} run @param {{startedAt?: Date}} execution */
function isDead(run, { startedAt }) {
  if (run.startedAt === null) return false;
  return run.startedAt + age(run) - new Date(startedAt ?? 0).getTime() > LIMITS.dead;
}

/** @param {string} why */
function stepBack(why) {
  log(`Another run is at work (${why}): skipping this one`);
  return false;
}

/** @param {Run} run @param {ReturnType<typeof parseLock>} lock @returns {Promise<boolean>} */
async function lockIsFree(run, lock) {
  // The leg before starts this one as its last act.
  if (lock.state === "IDLE" || lock.owner === run.executionId) return true;
  if (lock.owner !== "" && lock.owner === run.chain.previous) return true;
  if (lock.state === "UNREADABLE") {
    warn(run, "the execution lock is unreadable; treating it as IDLE");
    return true;
  }
  const now = Date.now();
  if (!lock.owner) {
    const until = lock.expires ?? (lock.started === null ? null : lock.started + LIMITS.vendorLease);
    if (until !== null && until <= now) {
      warn(run, `taking over a lock without owner: it is older than ${LIMITS.vendorLease / MINUTE} minutes`);
      return true;
    }
    if (until !== null && until <= now + LIMITS.vendorLease + LIMITS.clocks) {
      return stepBack(`a lock without owner is waited for until ${isoMs(until)}`);
    }
    // The vendor's bare RUNNING tells no age, a time in the future a wrong one: stamp it, so that it can be measured.
    const stamp = now + LIMITS.vendorLease;
    await writeEntry(run, run.entries.lock, `RUNNING||${isoMs(now)}|${isoMs(stamp)}`);
    return stepBack(`a lock without owner is waited for until ${isoMs(stamp)}`);
  }
  // An owner that the platform does not know any more is over, too.
  const owner = await askExecutions(run, async (abortSignal) => {
    try {
      return await executionsClient.getExecution({ id: lock.owner, abortSignal });
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      return { state: "ERROR", startedAt: undefined };
    }
  });
  if (owner) {
    // Cancelled and unknown states are no proof: a cancelled script runs on until the platform's kill.
    if (owner.state !== "SUCCESS" && owner.state !== "ERROR" && !isDead(run, owner)) {
      return stepBack(`execution ${lock.owner} holds the lock`);
    }
    warn(run, `taking over the lock of execution ${lock.owner}, which is over without having released it`);
    return true;
  }
  if (lock.expires !== null && lock.expires > now && lock.expires <= now + LIMITS.lease + LIMITS.clocks) {
    return stepBack(`execution ${lock.owner} holds the lock until ${isoMs(lock.expires)}`);
  }
  warn(run, `taking over the lock of execution ${lock.owner}: its lease has ended`);
  return true;
}

/**
 * An answer of the executions API; null where the actor may not use it (the lease decides then).
 * @template T @param {Run} run @param {(signal: AbortSignal) => Promise<T>} ask @returns {Promise<T | null>}
 */
async function askExecutions(run, ask) {
  if (!run.canAskExecutions) return null;
  try {
    return await asked(run, "asking for executions", ask);
  } catch (error) {
    if (![401, 403, 404].includes(statusOf(error) ?? 0)) throw error;
    run.canAskExecutions = false;
    warn(run, "the actor may not read executions (automation:workflows:read); the lock's lease decides instead");
    return null;
  }
}

/** @param {string} text `IDLE`, our `RUNNING|owner|started|expires`, or what somebody else made of `RUNNING` */
export function parseLock(text) {
  const parts = text.trim().split("|");
  const word = parts[0].toUpperCase();
  const state = { IDLE: "IDLE", RUNNING: "RUNNING", "": "IDLE" }[word] ?? "UNREADABLE";
  const owner = state === "RUNNING" && parts.length === 4 ? parts[1] : "";
  const [started = null, expires = null] = parts.map(parseTime).filter((us) => us !== null).map((us) => us / 1000);
  const since = started === null ? "" : ` since ${isoMs(started)}`;
  return { state, owner, started, expires, shown: owner ? `RUNNING (execution ${owner}${since})` : state + since };
}

/** @param {Run} run */
export async function releaseLock(run) {
  if (run.lockBefore === null || run.deleted) return;
  // The next run takes over the coverage of a run that could not tell what it did, or whose save may have been stored
  // for all we know: it finds the lock as a dead run's.
  if ((!run.reported || run.saveFailed) && run.savedText !== null) {
    return log("Execution lock left for the next run to take over");
  }
  try {
    const lock = parseLock((await readEntry(run, run.entries.lock.id)).value);
    if (lock.owner !== run.executionId) return log(`Execution lock left as it is: ${lock.shown}`);
    // Before the checkpoint was read, nothing was done: the lock goes back as it was found.
    const free = run.savedText === null ? run.lockBefore : "IDLE";
    await writeEntry(run, run.entries.lock, free);
    log(`✓ Execution lock released (${parseLock(free).state})`);
  } catch (error) {
    // The run's work is done; the next run sees that this execution is over.
    warn(run, `the execution lock could not be released: ${describe(error)}`);
  }
}

/** Milliseconds that this leg may fetch: its own, within those of the chain. @param {Run} run */
export function fetchTime(run) {
  return Math.min(LIMITS.leg, PARAMETERS.maxExecutionTimeMinutes * MINUTE - run.chain.before);
}

/** Goes on where this leg stopped, until nothing is left or the chain's time is used up. @param {Run} run */
export async function startNextLeg(run) {
  const reached = run.backfill ? formatCheckpoint(run.checkpoint).text : "";
  const onward = run.backfill ? "the rest is to be asked for anew" : "the next schedule goes on";
  if (run.backfill ? reached === run.backfill.reached : run.savedText === run.foundText) {
    return log(`No progress in this leg: ${onward}`);
  }
  if (run.chain.before + age(run) >= PARAMETERS.maxExecutionTimeMinutes * MINUTE) {
    return log(`Max execution time is used up: ${onward}`);
  }
  // Without the start of the chain its time could not be limited.
  if (!run.canAskExecutions) return log(`No further leg: ${onward}`);
  try {
    const id = workflowId ?? "";
    const workflow = await asked(
      run,
      "reading the workflow",
      (abortSignal) => workflowsClient.getWorkflow({ id, abortSignal }),
    );
    if (!workflow.isDeployed) return log("The workflow is not deployed any more: no further leg");
    const { started, leg, revision } = run.chain;
    const again = run.backfill &&
      {
        from: formatTime(run.backfill.from),
        to: formatTime(run.backfill.to),
        ids: run.backfill.ids && [...run.backfill.ids],
        reached,
      };
    const input = {
      chainStarted: isoMs(started),
      leg: leg + 1,
      previous: run.executionId,
      revision,
      ...again && { backfill: again },
    };
    // The qualifier names this leg: a repeated call starts nothing twice.
    const body = { input, uniqueQualifier: `after-${run.executionId}` };
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

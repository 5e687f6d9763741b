import { askExecutions } from "./chain.js";
import { begunAt, hostNow, mustBeDead } from "./clock.js";
import { LIMITS, MINUTE } from "./limits.js";
import { describe, log, warn } from "./output.js";
import { executionsClient, workflowId } from "./platform.js";
import { statusOf } from "./requests.js";
import { isoMs, parseTime } from "./time.js";
import { readEntry, writeEntry } from "./vault.js";
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Lock: who may write the checkpoint. A dead owner is known by the platform's kill, measured on the platform's clock.
// ---------------------------------------------------------------------------------------------------------------------

export function newLock() {
  return {
    /** The lock's value when this run took it; null: not taken. @type {string | null} */
    before: null,
    /** Its owner died at work. */
    isTakenOver: false,
  };
}

/** Whether this run may continue. @param {Run} run @returns {Promise<boolean>} */
export async function takeLock(run) {
  const { leg: { clock, executionId }, vault: { entries } } = run;
  const before = entries.lock.value;
  const lock = parseLock(before);
  log(`Execution lock status: ${lock.shown}`);
  if (!(await lockIsFree(run, lock))) return false;
  const now = hostNow();
  // L22: how old this run is counts from the start of its script.
  const mine = formatLock(executionId, begunAt(clock), now + LIMITS.lease);
  await writeEntry(run, entries.lock, mine);
  // The vault has no compare-and-set. Two runs that both read IDLE are told apart here: by age where the platform
  // knows it, else by who wrote last. If both continue, records are repeated, not lost.
  /** @type {Parameters<typeof executionsClient.getExecutions>[0]} */
  const running = { workflow: [workflowId ?? ""], state: ["RUNNING"], limit: 50 };
  const rivals = await askExecutions(run, (abortSignal) => executionsClient.getExecutions({ ...running, abortSignal }));
  if (rivals) {
    const elder = rivals.results.find((other) => isElder(run, other));
    if (elder) {
      const since = new Date(elder.startedAt ?? 0).getTime();
      await writeEntry(run, entries.lock, formatLock(elder.id, since, since + LIMITS.lease));
      return stepBack(`execution ${elder.id} started before this one`);
    }
  } else {
    const after = await readEntry(run, entries.lock.id);
    if (after.value !== mine) return stepBack(`${parseLock(after.value).shown} was written at the same time`);
  }
  run.lock.before = before;
  log("✓ Execution lock set to RUNNING");
  return true;
}

/** @param {Run} run @param {{id: string, startedAt?: Date, input?: any}} other */
function isElder({ leg: { clock, chain, executionId } }, other) {
  // A backfill takes no lock.
  if (other.input?.backfill) return false;
  if (other.id === executionId || other.id === chain.previous || mustBeDead(clock, other.startedAt)) return false;
  const [started, own] = [new Date(other.startedAt ?? 0).getTime(), clock.startedAt ?? Infinity];
  return started < own || (started === own && other.id < executionId);
}

/** @param {string} why */
function stepBack(why) {
  log(`Another run is in progress (${why}): skipping this one`);
  return false;
}

/** @param {Run} run @param {ReturnType<typeof parseLock>} lock @returns {Promise<boolean>} */
async function lockIsFree(run, lock) {
  const { chain, clock, executionId } = run.leg;
  // The leg before starts this one as its last act.
  if (lock.state === "IDLE" || lock.owner === executionId) return true;
  if (lock.owner !== "" && lock.owner === chain.previous) return true;
  if (lock.state === "UNREADABLE") {
    warn(run, "the execution lock is unreadable; treating it as IDLE");
    return true;
  }
  const now = hostNow();
  if (!lock.owner) {
    const until = lock.expires ?? (lock.started === null ? null : lock.started + LIMITS.vendorLease);
    if (until !== null && until <= now) {
      warn(run, `taking over a lock without owner: it is older than ${LIMITS.vendorLease / MINUTE} minutes`);
      return true;
    }
    if (until !== null && until <= now + LIMITS.vendorLease + LIMITS.clocks) {
      return stepBack(`waiting for a lock without owner until ${isoMs(until)}`);
    }
    // The vendor's bare RUNNING has no age, and a time in the future is wrong: write a time that can be measured.
    const stamp = now + LIMITS.vendorLease;
    await writeEntry(run, run.vault.entries.lock, formatLock("", now, stamp));
    return stepBack(`waiting for a lock without owner until ${isoMs(stamp)}`);
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
    // Cancelled and unknown states are no proof: a cancelled script runs on until the platform kills it.
    if (owner.state !== "SUCCESS" && owner.state !== "ERROR" && !mustBeDead(clock, owner.startedAt, lock.started)) {
      return stepBack(`execution ${lock.owner} holds the lock`);
    }
    warn(run, `taking over the lock of execution ${lock.owner}, which ended without releasing it`);
    run.lock.isTakenOver = owner.state !== "SUCCESS";
    return true;
  }
  if (lock.expires !== null && lock.expires > now && lock.expires <= now + LIMITS.lease + LIMITS.clocks) {
    return stepBack(`execution ${lock.owner} holds the lock until ${isoMs(lock.expires)}`);
  }
  warn(run, `taking over the lock of execution ${lock.owner}: its lease has expired`);
  run.lock.isTakenOver = true;
  return true;
}

/** @param {string} owner @param {number} started @param {number} expires Both in milliseconds since the epoch. */
function formatLock(owner, started, expires) {
  return `RUNNING|${owner}|${isoMs(started)}|${isoMs(expires)}`;
}

/** @param {string} text `IDLE`, our `RUNNING|owner|started|expires`, or another writer's form of `RUNNING` */
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
  const { leg, lock: { before }, progress, vault } = run;
  if (before === null || vault.deleted) return;
  // The next run also reports the time of a run that could not report, or whose save may have been stored after all:
  // it finds the lock as a dead run leaves it.
  if ((!leg.reported || progress.saveFailed) && progress.saved.text !== null) {
    return log("Execution lock left for the next run to take over");
  }
  try {
    const lock = parseLock((await readEntry(run, vault.entries.lock.id)).value);
    // L28: another run may have taken it over.
    if (lock.owner !== leg.executionId) return log(`Execution lock not changed: ${lock.shown}`);
    // Before the checkpoint was read, nothing was done: restore the lock's earlier value.
    const free = progress.saved.text === null ? before : "IDLE";
    await writeEntry(run, vault.entries.lock, free);
    log(`✓ Execution lock released (${parseLock(free).state})`);
  } catch (error) {
    // The run's work is done; the next run sees that this execution is over.
    warn(run, `the execution lock could not be released: ${describe(error)}`);
  }
}

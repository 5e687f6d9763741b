// @ts-check
/**
 * Sectigo SCM audit records into Dynatrace logs: the script of the workflow's only task.
 *
 * One invocation is a *leg*: the platform kills a script at 120 s without any clean-up, so a leg stops by itself at
 * about 100 s with its progress saved, and starts the workflow again while records are waiting. Promise: at least
 * once. The checkpoint moves only behind records that log ingest has accepted, so a kill repeats records, never
 * skips them; every record carries `event.id`, by which a query drops repeats (`| dedup event.id`).
 *
 * Permissions of the workflow's actor: app-engine:functions:run, environment-api:credentials:read and :write with
 * environment:roles:viewer (checkpoint and lock live in the vault), automation:workflows:read (is the lock's owner
 * still alive?) and automation:workflows:run (next leg). The last two may be missing: the script says what it loses.
 *
 * Reading order: parameters, `sync` (the whole run), then the steps it names. Decisions: docs/how-the-sync-script-works.md.
 */
import { executionsClient, workflowsClient } from "@dynatrace-sdk/client-automation";
import { credentialVaultClient } from "@dynatrace-sdk/client-classic-environment-v2";
import { executionId as ownExecutionId, workflowId } from "@dynatrace-sdk/automation-utils";

// Rendered at deployment (workflow_src/render.py); JSON, so that this line is valid before and after.
// deno-fmt-ignore
const PARAMETERS = {"environmentUrl":"","scmApiUrl":"","scmTokenUrl":"","maxExecutionTimeMinutes":55,"scmCredentialId":"","logIngestCredentialId":"","checkpointCredentialId":"","executionLockCredentialId":"","workflowConfigCredentialId":""};

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds unless the name says otherwise. */
const LIMITS = {
  /** No new page after this age of the leg; the platform's kill is at 120 s. */
  leg: 100 * SECOND,
  /** While fetching, no answer is waited for after this age: there must be time left to save and to release. */
  answer: 110 * SECOND,
  /** Nothing is written after this age, whatever happens: another run may own the checkpoint soon. */
  write: 118 * SECOND,
  /** A run that started longer ago than this cannot be alive: 120 s and the start of a script. */
  dead: 130 * SECOND,
  /** The lock's lease, for readers that cannot ask whether its owner is alive. */
  lease: 180 * SECOND,
  /** The vendor's lock timeout, for locks that name no owner. */
  vendorLease: 120 * MINUTE,
  /** How far the clocks of two hosts may differ before a time in a lock is no time. */
  clocks: 15 * MINUTE,
  /** Vault entries need up to 10 s and allowed hosts up to 10 s before they work. */
  settle: 20 * SECOND,
  request: 20 * SECOND,
  /** Newest records are left for the next run: SCM may still be writing them. */
  lag: 60 * SECOND,
  /** How long a record may become visible late and still arrive. */
  overlap: 5 * MINUTE,
  /** One query's span; a window that must be read again is at most this long. */
  slice: 6 * HOUR,
  history: 365 * DAY,
  /** How long SCM is sure to keep records; how long it does is not documented. */
  kept: 7 * DAY,
  /** Log ingest refuses records older than 24 h; ten minutes are for the way. */
  ingestAge: DAY - 10 * MINUTE,
  backoff: SECOND,
  backoffMost: 60 * SECOND,
  /** The checkpoint is saved after this many records or this long, and at the end: what a kill repeats at most, and a batch. */
  saveRecords: 5_000,
  saveEvery: 10 * SECOND,
  batchRecords: 5_000,
  /** UTF-16 units; a unit is at most 3 bytes and log ingest takes 10 MB. */
  batchLength: 3_000_000,
  /** From when on waiting pages are sent: few and large requests cost both sides least. */
  ripeRecords: 1_000,
  ripeAfter: 250,
  quickAnswer: 5,
  /** What may wait for log ingest before fetching pauses, and what is remembered to recognise repeats. */
  waitingRecords: 10_000,
  waitingLength: 8_000_000,
  rememberedLength: 10_000_000,
  checkpointBytes: 8_000,
  /** As many of 8 characters as would fit. */
  marks: 1_000,
  tokenLength: 2_000,
  contentBytes: 500_000,
  attributeBytes: 32_000,
  keyBytes: 100,
  attributes: 400,
  retries: 10,
};

const DEFAULTS = { maxRetries: 3, initHistoryDuration: "2h" };

/**
 * Everything known or derived about the SCM audit API; a real tenant's answer changes one line here.
 * Known: path, parameters, cursor in the header `token` and back as the parameter `token`, `[]` at the end.
 * Derived: names of a record's fields, hence the alternatives; the first that is present wins.
 */
const SCM = {
  path: "/api/v1/records",
  cursorHeader: "token",
  lists: ["records", "data", "items", "content"],
  errors: ["description", "message", "error_description", "error", "detail", "title"],
  fields: {
    id: ["id", "uuid", "guid", "recordId", "eventId"],
    time: ["timestamp", "time", "eventTime", "created", "createdAt", "date"],
    service: ["service", "source", "component"],
    action: ["action.actionName", "action", "actionName", "operation"],
    category: ["category", "eventCategory"],
    details: ["details", "description", "message", "data"],
    type: ["type", "eventType"],
    status: ["status", "result", "outcome"],
    objectType: ["objectType", "object.type"],
    objectId: ["objectId", "object.id"],
    objectName: ["objectName", "object.name"],
    customer: ["customerId", "customer.id"],
    actor: ["actor", "user", "admin.login", "initiator"],
    address: ["ip", "address", "remoteAddress"],
  },
  /** The first rule that matches gives the severity; the vendor says only "by the action type". */
  severity: [
    { status: /^(?!success$|ok$|$)/i, level: "ERROR" },
    { action: /fail|error|denied|reject|invalid/i, level: "ERROR" },
    { action: /revoke|delete|remove|suspend|expire|decline|disable|lock|cancel/i, level: "WARN" },
    { level: "INFO" },
  ],
};

/** Ends the leg in good order: progress is saved, the next run goes on; `again`: a next leg may start at once. */
class Stop extends Error {
  /** @param {string} why @param {boolean} again */
  constructor(why, again) {
    super(why);
    this.again = again;
  }
}
/** Ends the run as failed; the text is for the person who reads the execution. */
class Failure extends Error {}

/**
 * Times are microseconds since the epoch.
 *
 * A window is one query of SCM. `from` is where somebody without the token must begin; `ordered`: its pages have come
 * oldest first so far.
 * @typedef {{from: number, to: number, token: string | null, ordered: boolean}} Window
 *
 * `ts` and `id`: the newest accepted record. `hw`: everything up to here was read. `open`: a window that is not read to
 * its end. `told`: what is covered up to here stands in the record of a run. `initial`: the initialCheckpoint applied last.
 * @typedef {{ts: string, id: string, hw: number | null, open: Window | null, told: number | null, initial: string, seen: string[]}} Checkpoint
 *
 * @typedef {{id: string, us: number | null, json: string, clamped: boolean, truncated: boolean}} Event
 *
 * A page to send, and what the checkpoint is to say when it is accepted: `open` the rest of the window, or null where
 * the window is `done` up to that moment; `marks` of the records that the next run will read again.
 * @typedef {{at: number, fetched: number, events: Event[], length: number, marks: string[], open: Window | null, done: number}} Page
 *
 * @typedef {{id: string, name: string, value: string, user: string, metadata: Record<string, any> | null}} Entry
 *
 * A run's `input.backfill`: `from` and `to` as times, `ids` to send only these, `reached` from the leg before (in the
 * form of a checkpoint).
 * @typedef {{from: number, to: number, ids: Set<string> | null, reached: string}} Backfill
 */

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
function newRun(executionId) {
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
function age(run) {
  return performance.now() - run.begun + run.queued;
}

/** Throws once another run may have taken over: what this one still did would be done twice. @param {Run} run @param {string} what */
function fence(run, what) {
  if (age(run) > LIMITS.write) {
    throw new Failure(`${what}: this run is ${seconds(age(run))} s old and another may have taken over`);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Vault: credentials, configuration, checkpoint and lock are entries of the credential vault
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run */
async function readVault(run) {
  log("Retrieving credentials from vault...");
  const { entries } = run;
  // Each as it comes: the token for log ingest lets a run tell that another entry could not be read.
  await Promise.all([
    readEntry(run, PARAMETERS.scmCredentialId).then((entry) => entries.scm = entry),
    readEntry(run, PARAMETERS.logIngestCredentialId).then((entry) => entries.ingest = entry),
    readEntry(run, PARAMETERS.executionLockCredentialId, true).then((entry) => entries.lock = entry),
    readEntry(run, PARAMETERS.workflowConfigCredentialId).then((entry) => entries.config = entry),
  ]);
  log(`✓ SCM credentials retrieved from vault: ${entries.scm.name}`);
  log(`✓ Dynatrace token retrieved from vault: ${entries.ingest.name}`);
  run.config = readConfig(run, entries.config.value);
  log(`✓ Runtime config loaded from vault: ${entries.config.name}`);
  const { initialCheckpoint, initHistoryDuration } = run.config;
  log(`  Config values: ${JSON.stringify({ ...run.config, initialCheckpoint: initialCheckpoint || undefined })}`);
  const [leg, lease, vendorLease] = [LIMITS.leg / SECOND, LIMITS.lease / SECOND, LIMITS.vendorLease / MINUTE];
  log(`Max execution time: ${PARAMETERS.maxExecutionTimeMinutes} minutes (hardcoded), in legs of ${leg} s`);
  log(`Lock timeout: ${lease} seconds (hardcoded); ${vendorLease} minutes for a lock without owner`);
  const { days, hours } = parseDuration(initHistoryDuration) ?? { days: 0, hours: 0 };
  log(`Initial history: ${initHistoryDuration} (${days}d ${hours}h)`);
}

/**
 * Value of an entry, and for the ones we write their metadata too: a PUT replaces all of it.
 * @param {Run} run @param {string} id @param {boolean} [written] @returns {Promise<Entry>}
 */
async function readEntry(run, id, written = false) {
  const [details, metadata] = await settled(run, `vault entry ${id}`, () =>
    Promise.all([
      within(run, (abortSignal) => credentialVaultClient.getCredentialsDetails({ id, abortSignal })),
      written ? within(run, (abortSignal) => credentialVaultClient.getCredentials({ id, abortSignal })) : null,
    ]));
  const { name, token, username, password } = /** @type {Record<string, any>} */ (details);
  return { id, name: name ?? id, value: token ?? password ?? "", user: username ?? "", metadata };
}

/** @param {Run} run @param {Entry} entry @param {string} value */
async function writeEntry(run, entry, value) {
  if (run.deleted) throw new Failure(`${entry.name} was not written: the connector is being removed`);
  const { description, scopes, ownerAccessOnly, allowContextlessRequests, allowedEntities } = entry.metadata ?? {};
  /** @type {any} */
  const body = {
    type: "TOKEN",
    name: entry.name,
    description,
    scopes: scopes ?? ["APP_ENGINE"],
    ownerAccessOnly,
    allowContextlessRequests,
    allowedEntities,
    token: value,
  };
  const created = await retried(run, `writing ${entry.name}`, () => {
    fence(run, `${entry.name} was not written`);
    return within(run, (abortSignal) => credentialVaultClient.updateCredentials({ id: entry.id, body, abortSignal }));
  });
  // 201 instead of 204: the entry had been deleted (a `pulumi destroy` while we ran) and this PUT made it anew.
  if (created?.id) {
    run.deleted = true;
    await within(run, (abortSignal) => credentialVaultClient.removeCredentials({ id: created.id, abortSignal }));
    throw new Failure(`${entry.name} (${entry.id}) was deleted while this run was alive; nothing is written any more`);
  }
  entry.value = value;
}

/** Bad values give the default and a warning: a customer's typo in the vault must not stop the evidence.
 * @param {Run} run @param {string} text */
function readConfig(run, text) {
  const config = { ...DEFAULTS, initialCheckpoint: "" };
  const given = parseJson(text);
  if (given === null || typeof given !== "object" || Array.isArray(given)) {
    warn(run, `runtime config is not a JSON object; using ${JSON.stringify(DEFAULTS)}`);
    return config;
  }
  const { maxRetries, initHistoryDuration, initialCheckpoint, ...unknown } = given;
  if (maxRetries !== undefined) {
    if (Number.isInteger(maxRetries) && maxRetries >= 0 && maxRetries <= LIMITS.retries) config.maxRetries = maxRetries;
    else warn(run, `maxRetries must be an integer from 0 to ${LIMITS.retries}; using ${DEFAULTS.maxRetries}`);
  }
  if (initHistoryDuration !== undefined) {
    const duration = parseDuration(initHistoryDuration);
    if (duration) config.initHistoryDuration = duration.text;
    else {
      warn(
        run,
        `initHistoryDuration must look like 2h, 1d or 5d12h, at most 365d; using ${DEFAULTS.initHistoryDuration}`,
      );
    }
  }
  if (initialCheckpoint !== undefined && initialCheckpoint !== null && initialCheckpoint !== "") {
    const us = parseTime(initialCheckpoint);
    const past = us === null ? -1 : Date.now() - us / 1000;
    if (us !== null && past >= 0 && past <= LIMITS.history) config.initialCheckpoint = formatTime(us);
    else warn(run, "initialCheckpoint must be a time of the last 365 days, like 2026-01-22T12:00:00Z; ignoring it");
  }
  const names = Object.keys(unknown).join(", ");
  if (names) warn(run, `runtime config has keys that mean nothing here: ${names.slice(0, 100)}`);
  return config;
}

// ---------------------------------------------------------------------------------------------------------------------
// Chain and lock: who may write the checkpoint. The fence is the platform's kill, measured on the platform's clock.
// ---------------------------------------------------------------------------------------------------------------------

/** Start of this leg by the platform's clock, and what the leg before handed over. @param {Run} run */
async function readChain(run) {
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
async function takeLock(run) {
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
function parseLock(text) {
  const parts = text.trim().split("|");
  const word = parts[0].toUpperCase();
  const state = { IDLE: "IDLE", RUNNING: "RUNNING", "": "IDLE" }[word] ?? "UNREADABLE";
  const owner = state === "RUNNING" && parts.length === 4 ? parts[1] : "";
  const [started = null, expires = null] = parts.map(parseTime).filter((us) => us !== null).map((us) => us / 1000);
  const since = started === null ? "" : ` since ${isoMs(started)}`;
  return { state, owner, started, expires, shown: owner ? `RUNNING (execution ${owner}${since})` : state + since };
}

/** @param {Run} run */
async function releaseLock(run) {
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
function fetchTime(run) {
  return Math.min(LIMITS.leg, PARAMETERS.maxExecutionTimeMinutes * MINUTE - run.chain.before);
}

/** Goes on where this leg stopped, until nothing is left or the chain's time is used up. @param {Run} run */
async function startNextLeg(run) {
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

// ---------------------------------------------------------------------------------------------------------------------
// Checkpoint: `<time>|<id>` of the newest accepted record, as the vendor writes it, and a machine part on line two
// ---------------------------------------------------------------------------------------------------------------------

/** @returns {Checkpoint} */
function emptyCheckpoint() {
  return { ts: "", id: "", hw: null, open: null, told: null, initial: "", seen: [] };
}

/** Only now that the lock is ours: what stood there before may have been another run's. @param {Run} run */
async function readCheckpoint(run) {
  const entry = await readEntry(run, PARAMETERS.checkpointCredentialId, true);
  const checkpoint = parseCheckpoint(run, entry.value);
  run.entries.checkpoint = entry;
  run.checkpoint = checkpoint;
  run.foundText = run.savedText = entry.value;
  run.savedHw = checkpoint.hw;
  run.seen = new Set(checkpoint.seen);
  run.seenTo = Math.max(checkpoint.open?.to ?? -Infinity, checkpoint.hw ?? -Infinity);
  if (checkpoint.open) run.tail = new Set(checkpoint.seen);
  run.checkpointBefore = shownCheckpoint(checkpoint);
  log(`Checkpoint: ${run.checkpointBefore === "none" ? "none (initial run)" : run.checkpointBefore}`);
}

/** @param {Run} run @param {string} text @returns {Checkpoint} */
function parseCheckpoint(run, text) {
  const checkpoint = emptyCheckpoint();
  const [human = "", machine = "{}"] = text.replace(/^\uFEFF/, "").trim().split("\n");
  if (human === "" || human.toUpperCase() === "NONE") return checkpoint;
  const [ts, ...id] = human.split("|");
  const us = parseTime(ts);
  if (us === null) {
    warn(run, "the checkpoint is unreadable; starting as a first run, which repeats records rather than lose them");
    return checkpoint;
  }
  Object.assign(checkpoint, { ts, id: id.join("|"), hw: us });
  const { v, hw, from, to, token, ordered, told, initial, seen } = parseJson(machine) ?? {};
  if (v !== 1 && machine !== "{}") warn(run, "the checkpoint's second line is unreadable; going on from its time");
  checkpoint.told = parseTime(told);
  if (typeof initial === "string") checkpoint.initial = initial;
  if (typeof seen === "string") checkpoint.seen = seen.match(/.{8}/g) ?? [];
  const [begin, end] = [parseTime(from), parseTime(to)];
  if (begin !== null && end !== null && end > begin) {
    checkpoint.open = { from: begin, to: end, token: typeof token === "string" ? token : null, ordered: !!ordered };
  }
  // In the first window nothing has been read to an end yet.
  checkpoint.hw = parseTime(hw) ?? (checkpoint.open ? null : us);
  return checkpoint;
}

/** @param {Checkpoint} checkpoint */
function formatCheckpoint({ ts, id, hw, open, told, initial, seen }) {
  const moment = (/** @type {number | null | undefined} */ us) =>
    us === null || us === undefined ? undefined : formatTime(us);
  const machine = {
    v: 1,
    hw: moment(hw),
    from: moment(open?.from),
    to: moment(open?.to),
    // A longer one would not leave room for anything else: that window goes on by time.
    token: open?.token && open.token.length <= LIMITS.tokenLength ? open.token : undefined,
    ordered: open?.ordered || undefined,
    told: moment(told),
    initial: initial || undefined,
  };
  const human = `${ts || formatTime(hw ?? open?.from ?? 0)}|${id}`;
  const fixed = utf8Length(`${human}\n${JSON.stringify({ ...machine, seen: "" })}`);
  const room = Math.max(0, Math.floor((LIMITS.checkpointBytes - fixed) / 8));
  const kept = room === 0 ? [] : seen.slice(-room);
  return {
    text: `${human}\n${JSON.stringify({ ...machine, seen: kept.join("") || undefined })}`,
    dropped: seen.length - kept.length,
  };
}

/** @param {Checkpoint} checkpoint */
function shownCheckpoint({ ts, id, hw, open }) {
  const reached = hw ?? open?.from;
  if (!ts && reached === undefined) return "none";
  return `${ts || formatTime(reached ?? 0)}|${id.length > 8 ? id.slice(0, 8) + "..." : id}`;
}

/** @param {Run} run @param {string} [said] */
async function saveCheckpoint(run, said) {
  const { checkpoint } = run;
  if (run.backfill || (checkpoint.hw === null && checkpoint.open === null)) return;
  const { text, dropped } = formatCheckpoint(checkpoint);
  run.notRemembered = checkpoint.open ? 0 : dropped + run.forgotten;
  if (text === run.savedText) return;
  try {
    await writeEntry(run, run.entries.checkpoint, text);
  } catch (error) {
    run.saveFailed = true;
    throw new Failure(`the checkpoint could not be saved: ${describe(error)}`);
  }
  Object.assign(run, { savedText: text, savedHw: checkpoint.hw, savedAt: performance.now(), savedSent: run.sent });
  log(said ?? `✓ Checkpoint saved to vault: ${shownCheckpoint(checkpoint)}`);
}

/** What was accepted before the failure need not be sent again. @param {Run} run */
async function saveAfterFailure(run) {
  if (run.savedText === null || run.saveFailed || run.deleted) return;
  try {
    await saveCheckpoint(run);
  } catch (error) {
    warn(run, describe(error));
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Catching up: the next page is being fetched while earlier ones are converted, sent and saved
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run */
async function catchUp(run) {
  /** @type {Page[]} */
  const waiting = [];
  /** @type {Promise<void> | null} */
  let sending = null;
  /** @type {{error: unknown} | null} */
  let failed = null;
  const records = () => sum(waiting, (page) => page.events.length);
  const length = () => sum(waiting, (page) => page.length);
  const ripe = () => records() >= LIMITS.ripeRecords || performance.now() - waiting[0].at >= LIMITS.ripeAfter;
  const full = () => records() >= LIMITS.waitingRecords || length() >= LIMITS.waitingLength;
  const send = () => {
    sending ??= sendPages(run, waiting).catch((error) => void (failed = { error })).finally(() =>
      void (sending = null)
    );
    return sending;
  };
  try {
    for await (const page of fetchPages(run, planWindows(run))) {
      // Nothing behind a page that was not accepted: the checkpoint would pass over it.
      if (failed) break;
      waiting.push(page);
      if (full()) await send();
      else if (ripe()) send();
    }
  } finally {
    // Also when fetching ended early: what was fetched is sent and counted.
    while (!failed && (sending || waiting.length > 0)) await send();
    tellProgress(run);
  }
  if (failed) throw /** @type {any} */ (failed).error;
}

/** A first window keeps its beginning, however long it takes until a run can read it. @param {Run} run */
async function rememberBeginning(run) {
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
function planWindows(run) {
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

/** @param {Run} run @param {Window[]} windows @returns {AsyncGenerator<Page>} */
async function* fetchPages(run, windows) {
  for (const window of windows) {
    const tokens = new Set([window.token]);
    let newest = window.from;
    let { ordered } = window;
    // How far before the newest record a query by time begins, where a page came without a token; 0: none did.
    let step = 0;
    let size = 0;
    /** @type {Probe | null} */
    let probe = null;
    let first = true;
    /** @type {ReturnType<typeof fetchPage> | null} */
    let next = fetchPage(run, window, window.token);
    while (next) {
      const asked = performance.now();
      const answer = /** @type {Awaited<ReturnType<typeof fetchPage>>} */ (await next);
      const waited = performance.now() - asked;
      if (answer === null) {
        warn(run, "SCM refused the saved page token; reading on by time");
        tokens.clear(); // it may well be given out again
        next = fetchPage(run, window, null);
        continue;
      }
      /** @type {{records: any[], token: string | null}} */
      const { records, token } = answer;
      // An empty page is the end, also where it repeats the last token.
      const circle = records.length > 0 && token !== null && tokens.has(token);
      tokens.add(token);
      const end = coveredTo(run, window);
      next = records.length > 0 && token !== null && !circle ? fetchPage(run, window, token) : null;
      next?.catch(() => {}); // It is awaited above, after this page.
      // That request leaves when the event loop turns: let it, before converting this page keeps the loop busy. Where
      // answers come at once, a turn would only cost.
      if (next && waited > LIMITS.quickAnswer) await new Promise((resolve) => setTimeout(resolve, 0));
      const { events, marks, times, news } = await readRecords(run, records, end);
      for (const us of times) {
        if (us < newest) ordered = false;
        newest = Math.max(newest, Math.min(us, window.to));
      }
      /** @type {number | null} */
      let from = null;
      if (probe || (first && !token && records.length > 0 && newest <= window.from)) {
        ordered = false;
        // Where a token comes after all, none was taken away: the page without one was the last.
        probe = token ? null : nextProbe(probe, window, records.map((record) => JSON.stringify(record)));
        from = probe?.from ?? null;
        next = null;
      } else if (!token && records.length > 0) {
        if (news > 0 || step === 0) [step, size] = [SECOND * 1000, records.length];
        else step = narrowerStep(step, size, records.length);
        if (step > 0) from = Math.max(window.from, newest - step);
      }
      if (from !== null) {
        tokens.clear();
        next = fetchPage(run, window, null, from);
        next.catch(() => {});
      }
      // Without a usable token, somebody begins again where everything older has been read and was visible by then.
      const settledUs = Math.min(newest - SECOND * 1000, end + LIMITS.lag * 1000 - LIMITS.overlap * 1000);
      const begin = ordered ? Math.max(window.from, settledUs) : window.from;
      const open = next || circle ? { from: begin, to: window.to, token: circle ? null : token, ordered } : null;
      const length = sum(events, (event) => event.json.length + 1);
      yield { at: performance.now(), fetched: records.length, events, length, marks, open, done: end };
      first = false;
      if (circle) throw new Failure("SCM repeats a page token; stopping instead of turning in circles");
    }
  }
}

/**
 * `[]` is the documented end. A page without a token is a probable end only, as a proxy may strip the header, so a query
 * by time has the last word. Where that has brought nothing new but as much again, there may be more behind: a narrower
 * one tells. Returns how far before the newest record it begins; 0: the window is done.
 * @param {number} step Microseconds: of the query that has brought nothing new. @param {number} size @param {number} count
 */
function narrowerStep(step, size, count) {
  if (count < size) return 0;
  if (step > 1) return 1;
  if (size < 10) return 0;
  throw tokenless(size);
}

/** @typedef {{low: number, high: number, from: number, page: Set<string>, size: number}} Probe */

/**
 * The same where no record's time says how far the first page came (none is readable, or they are of another zone):
 * queries from later on, by halves. One that shares records with the last page of the unbroken row goes on from it, and
 * ends the window if it is not full; one that shares none was too far on. Null: the window is done.
 * @param {Probe | null} probe @param {Window} window @param {string[]} texts The records of the page, as JSON.
 * @returns {Probe | null}
 */
function nextProbe(probe, window, texts) {
  let { low, high, page, size } = probe ??
    { low: window.from, high: window.to, page: new Set(texts), size: texts.length };
  if (probe && !texts.some((text) => page.has(text))) {
    high = probe.from;
  } else if (probe) {
    if (texts.length < size) return null;
    low = probe.from;
    if (!texts.every((text) => page.has(text))) [page, high] = [new Set(texts), window.to];
  }
  if (size < 10) return null;
  if (high - low <= 1000) throw tokenless(size);
  return { low, high, from: Math.floor((low + high) / 2), page, size };
}

/** @param {number} size */
function tokenless(size) {
  return new Failure(
    `SCM gives no page token (header ${SCM.cursorHeader}), and a page of ${size} records is not enough for those of one ` +
      "moment: they cannot be read by time alone; does a proxy remove the header?",
  );
}

/** How far a window's pages cover: what SCM has not dated yet may still come. @param {Run} run @param {Window} window */
function coveredTo(run, window) {
  return Math.min(window.to, (scmNow(run) - LIMITS.lag) * 1000);
}

/** Records carry SCM's time, and ours may differ: milliseconds by the Date header of its last answer. @param {Run} run */
function scmNow(run) {
  return Date.now() + run.skew;
}

/**
 * Converts records and drops those that this run or the overlap has sent already. `news`: how many this leg had not
 * seen, and their `times` where known; `marks`: of all that the next run will read again.
 * @param {Run} run @param {any[]} records @param {number} end
 */
async function readRecords(run, records, end) {
  run.pages += 1;
  run.fetched += records.length;
  /** @type {Event[]} */
  const events = [];
  /** @type {string[]} */
  const marks = [];
  /** @type {number[]} */
  const times = [];
  // A host whose clock is slow would send what log ingest drops as too old; sent without its time it is kept.
  const now = Math.max(Date.now(), scmNow(run));
  let news = 0;
  for (const record of records) {
    const text = JSON.stringify(record);
    const event = await toEvent(record, text, run.backfill !== null, now);
    const { id, us } = event;
    const compared = run.seen.size > 0 && (us === null || us <= run.seenTo + LIMITS.overlap * 1000);
    const kept = us === null || us >= end - LIMITS.overlap * 1000;
    const known = compared || kept ? await mark(text) : "";
    if (kept) marks.push(known);
    const before = remembered(run, id);
    if (before === text || (before !== undefined && remembered(run, text) !== undefined)) {
      run.repeated += 1;
      continue;
    }
    news += 1;
    if (us !== null) times.push(us);
    if (before !== undefined) {
      warn(run, `record ${id} came twice with different content; both are sent`);
      // An id that stands for several records: each is known by its content.
      for (const each of [before, text]) remember(run, each, "");
    }
    remember(run, id, text);
    if (run.backfill?.ids && !run.backfill.ids.has(id)) continue;
    if (compared && run.seen.has(known)) run.repeated += 1;
    else events.push(event);
  }
  return { events, marks, times, news };
}

/** @param {Run} run @param {string} key */
function remembered(run, key) {
  return run.recent.get(key) ?? run.older.get(key);
}

/** @param {Run} run @param {string} key An id; or a record's text, where its id is not enough. @param {string} text */
function remember(run, key, text) {
  run.recent.set(key, text);
  run.recentLength += text.length || key.length;
  if (run.recentLength <= LIMITS.rememberedLength / 2) return;
  run.older = run.recent;
  run.recent = new Map();
  run.recentLength = 0;
}

/** Sends all waiting pages, several in one request, and moves the checkpoint behind them. @param {Run} run @param {Page[]} waiting */
async function sendPages(run, waiting) {
  while (waiting.length > 0) {
    const pages = [/** @type {Page} */ (waiting.shift())];
    let [records, length] = [pages[0].events.length, pages[0].length];
    while (waiting.length > 0) {
      records += waiting[0].events.length;
      length += waiting[0].length;
      if (records > LIMITS.batchRecords || length > LIMITS.batchLength) break;
      pages.push(/** @type {Page} */ (waiting.shift()));
    }
    const before = run.sent;
    await sendBatch(run, pages.flatMap((page) => page.events));
    run.batches += 1;
    run.unsaid.sent += run.sent - before;
    run.unsaid.fetched += sum(pages, (page) => page.fetched);
    for (const page of pages) advance(run, page);
    const due = run.sent - run.savedSent >= LIMITS.saveRecords || performance.now() - run.savedAt >= LIMITS.saveEvery;
    // A line a batch would make a long log of a long catch-up.
    if (due || run.batches <= 10) tellProgress(run);
    if (due) await saveCheckpoint(run);
  }
}

/** The checkpoint behind an accepted page. @param {Run} run @param {Page} page */
function advance(run, { events, marks, open, done }) {
  const { checkpoint } = run;
  let newest = { us: parseTime(checkpoint.ts) ?? -Infinity, id: "" };
  for (const { us, id } of events) {
    // A record dated later than what has been read is no measure of how far that was.
    if (us !== null && us >= newest.us && us <= done + LIMITS.lag * 1000) newest = { us, id };
  }
  if (newest.id) Object.assign(checkpoint, { ts: formatTime(newest.us), id: cutBytes(clean(newest.id), 100) });
  for (const each of marks) {
    if (run.tail.size < LIMITS.marks) run.tail.add(each);
    else run.tailDropped += 1;
  }
  // The rest of a window that was reached before needs no place: the next run reads its last minutes again anyway.
  checkpoint.open = open && open.to > (checkpoint.hw ?? -Infinity) ? open : null;
  // Until the window is done, and where it lies before what was reached already, the older marks are needed too.
  const older = open || done < run.seenTo ? run.seen : [];
  checkpoint.seen = [...new Set([...older, ...run.tail])];
  if (open) return;
  checkpoint.hw = Math.max(done, checkpoint.hw ?? -Infinity);
  if (done >= run.seenTo) [run.seen, run.seenTo] = [run.tail, done];
  run.forgotten = run.tailDropped;
  [run.tail, run.tailDropped] = [new Set(), 0];
}

/** @param {Run} run */
function tellProgress(run) {
  const { fetched, sent } = run.unsaid;
  if (fetched > 0) log(`✓ Fetched ${fetched} records from SCM API`);
  if (sent > 0) log(`✓ Sent ${sent} logs to Dynatrace`);
  run.unsaid = { fetched: 0, sent: 0 };
}

// ---------------------------------------------------------------------------------------------------------------------
// SCM: access token and pages
// ---------------------------------------------------------------------------------------------------------------------

/** A token that lives for the next request at least. @param {Run} run @returns {Promise<string>} */
async function accessToken(run) {
  if (run.access && Date.now() < run.access.renewAt) return run.access.token;
  const { user, value } = run.entries.scm;
  // Always the configured address: one named by a 401's WWW-Authenticate would be given the secret.
  const answer = await request(run, "SCM token endpoint", PARAMETERS.scmTokenUrl, () => ({
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
    body: new URLSearchParams({ grant_type: "client_credentials", client_id: user, client_secret: value }).toString(),
  }));
  if (answer.status !== 200) {
    const why = errorText(answer).replaceAll(value, "***");
    throw new Failure(
      `SCM refused the OAuth client (${answer.status}: ${why}); check sectigoClientId and sectigoClientSecret`,
    );
  }
  const { access_token: token, expires_in: lifetime } = answer.body ?? {};
  if (typeof token !== "string" || token === "") {
    throw new Failure(`SCM's token endpoint answered without an access_token; check scmTokenUrl`);
  }
  const valid = Number.isFinite(lifetime) && lifetime > 0 ? lifetime : 300;
  readClock(run, answer.headers);
  run.access = { token, renewAt: Date.now() + (valid - Math.min(60, valid / 5)) * SECOND };
  return token;
}

/**
 * One page, or null where SCM refuses a page token that an earlier run had saved. Raises Stop at the leg's end.
 * @param {Run} run @param {Window} window @param {string | null} token @param {number} [from]
 * @returns {Promise<{records: any[], token: string | null} | null>}
 */
async function fetchPage(run, window, token, from = window.from) {
  if (age(run) >= fetchTime(run)) {
    throw new Stop(`${seconds(age(run))} s of its ${seconds(fetchTime(run))} s are used`, true);
  }
  const url = new URL(PARAMETERS.scmApiUrl + SCM.path);
  if (token === null) url.searchParams.set("from", formatTime(from));
  else url.searchParams.set("token", token);
  // With every call, and the window's own: SCM refuses a token without it.
  url.searchParams.set("to", formatTime(window.to));
  for (let renewed = false;; renewed = true) {
    const answer = await request(run, "SCM audit API", url.href, async () => ({
      headers: { Authorization: `Bearer ${await accessToken(run)}`, Accept: "application/json" },
    }), ({ status, body }) => status !== 200 || recordsIn(body) !== undefined);
    if (answer.status === 401 && !renewed) {
      run.access = null;
      continue;
    }
    if ([400, 404, 410].includes(answer.status) && token !== null && token === window.token) return null;
    if (answer.status !== 200) {
      const old = answer.status === 400 && token === null && Date.now() - from / 1000 > LIMITS.kept;
      const hint = answer.status === 403
        ? " (is audit API access enabled for this key?)"
        : old
        ? ` (asked from ${formatTime(from)} on: if SCM keeps nothing that old, set initialCheckpoint to a later time)`
        : "";
      throw new Failure(`SCM audit API: ${answer.status} ${errorText(answer)}${hint}`);
    }
    readClock(run, answer.headers);
    return { records: recordsIn(answer.body) ?? [], token: answer.headers.get(SCM.cursorHeader) || null };
  }
}

/** @param {Run} run @param {Headers} headers */
function readClock(run, headers) {
  const ahead = Date.parse(headers.get("date") ?? "") - Date.now();
  // A day off is no clock; a second is what the header cuts off.
  if (Math.abs(ahead) < DAY) run.skew = Math.abs(ahead) < SECOND ? 0 : ahead;
}

/** The array of records in a page's body. @param {any} body @returns {any[] | undefined} */
function recordsIn(body) {
  return Array.isArray(body) ? body : SCM.lists.map((name) => body?.[name]).find(Array.isArray);
}

// ---------------------------------------------------------------------------------------------------------------------
// Log ingest: one audit record becomes one log record
// ---------------------------------------------------------------------------------------------------------------------

/** @param {any} raw @param {string} text The same as JSON. @param {boolean} again Sent on request.
 * @param {number} now @returns {Promise<Event>} */
async function toEvent(raw, text, again, now = Date.now()) {
  const record = raw !== null && typeof raw === "object" && !Array.isArray(raw) ? raw : { details: raw };
  const used = new Set();
  /** @param {keyof typeof SCM.fields} field */
  const pick = (field) => {
    for (const path of SCM.fields[field]) {
      const value = at(record, path);
      if (value === undefined || value === null || (typeof value === "object" && field !== "details")) continue;
      used.add(path);
      return typeof value === "object" ? JSON.stringify(value) : String(value);
    }
    return "";
  };
  const rawTime = pick("time");
  const us = parseTime(numericTime(rawTime));
  const time = us === null ? "" : WRITTEN.test(rawTime) ? rawTime : formatTime(us);
  const clamped = us !== null && now - us / 1000 > LIMITS.ingestAge;
  const [service, action] = [pick("service") || "unknown", pick("action") || "unknown"];
  const status = pick("status") || "SUCCESS";
  const level = severityOf(status, action);
  // A record without an id gets one from its content: equal content, equal id.
  const ownId = pick("id");
  const id = ownId || `synthetic-${await mark(text)}`;
  /** @type {Record<string, string>} */
  const log = {};
  let truncated = false;
  const put = (/** @type {string} */ key, /** @type {string} */ value, most = LIMITS.attributeBytes) => {
    if (value === "") return;
    log[key] = cutBytes(value, most);
    if (log[key].length < value.length) truncated = true;
  };
  put("content", clean(`[${service}] ${action}: ${pick("details")}`), LIMITS.contentBytes);
  // Without a time that it takes, log ingest gives the moment of arrival.
  put("timestamp", clamped ? "" : time);
  // `loglevel` is what Dynatrace reads severity from; the manual's `log.level` is kept beside it. A key `status` would
  // be taken for a severity too, hence `scm.status`.
  put("loglevel", level);
  put("log.level", level);
  put("log.source", "sectigo-scm");
  put("event.id", id);
  put("event.id.synthetic", ownId ? "" : "true");
  put("event.service", service);
  put("event.action", action);
  put("event.category", pick("category"));
  put("object.type", pick("objectType"));
  put("object.id", pick("objectId"));
  put("object.name", pick("objectName"));
  put("customer.id", pick("customer"));
  put("scm.event.type", pick("type") || "LOG");
  put("scm.event.timestamp", time);
  put("scm.event.time_raw", us === null ? rawTime : "");
  put("scm.status", status);
  put("scm.actor", pick("actor"));
  put("scm.ip", pick("address"));
  put("scm.backfill", clamped ? "true" : "");
  put("scm.backfill_run", again ? "true" : "");
  let room = LIMITS.attributes;
  for (const [path, value] of leaves(record, used)) {
    const key = `scm.${path}`;
    if (key in log || RESERVED.has(key) || room === 0) truncated = true;
    else put(key, value);
    room = Math.max(0, room - 1);
  }
  if (truncated) log["content.truncated"] = "true";
  return { id, us, json: JSON.stringify(log), clamped, truncated };
}

/** Ours even where a record has none of that name: a flag of its own must not pass for it. */
const RESERVED = new Set(["scm.backfill", "scm.backfill_run", "scm.event.time_raw", "scm.event.timestamp"]);

/** @param {string} status @param {string} action */
function severityOf(status, action) {
  for (const rule of SCM.severity) {
    if ((rule.status?.test(status) ?? true) && (rule.action?.test(action) ?? true)) return rule.level;
  }
  return "INFO";
}

/** @typedef {{event: Event, why: string}} Refused */

/**
 * Sends a batch. A record that log ingest refuses while it takes others is set aside; where it takes none, the fault
 * is not the records'.
 * @param {Run} run @param {Event[]} events
 */
async function sendBatch(run, events) {
  const before = run.sent;
  const refused = await sendEvents(run, events);
  if (refused.length > 0 && run.sent === before) {
    throw new Failure(`Log ingest refuses each of ${refused.length} records: ${refused[0].why}; none is passed over`);
  }
  for (const { event: { id }, why } of refused) {
    run.setAside += 1;
    if (run.setAsideIds.length < 10) run.setAsideIds.push(cutBytes(clean(id), 100));
    warn(run, `record ${id} was refused by log ingest and set aside: ${why}`);
  }
}

/** Sends events; one request that is refused or stored in part is halved down to the records at fault.
 * @param {Run} run @param {Event[]} events @returns {Promise<Refused[]>} */
async function sendEvents(run, events) {
  if (events.length === 0) return [];
  const body = `[${events.map((event) => event.json).join(",")}]`;
  const halves = async () => {
    const middle = Math.ceil(events.length / 2);
    return [...await sendEvents(run, events.slice(0, middle)), ...await sendEvents(run, events.slice(middle))];
  };
  if (body.length > LIMITS.batchLength && events.length > 1) return await halves();
  const answer = await ingest(run, body);
  if (answer.status === 204) return accepted(run, events);
  // 200: only a part was stored, and the answer does not say which. 400, 413: none was.
  if (![200, 400, 413].includes(answer.status)) {
    throw new Failure(
      `Log ingest: ${answer.status} ${errorText(answer)}; check logIngestToken and its scope logs.ingest`,
    );
  }
  if (events.length > 1) return await halves();
  const why = `${answer.status} ${errorText(answer)}`;
  // A record is cut to far less than a request may hold: log ingest has no room (internal_buffer_size_limit_reached).
  if (answer.status === 413) throw new Failure(`Log ingest takes not even one record: ${why}; none is passed over`);
  const [event] = events;
  if (!event.clamped && event.us !== null) {
    // By log ingest's clock it may be older than 24 h already.
    const { timestamp: _, ...timeless } = JSON.parse(event.json);
    const again = await ingest(run, JSON.stringify([{ ...timeless, "scm.backfill": "true" }]));
    if (again.status === 204) return accepted(run, [{ ...event, clamped: true }]);
  }
  return [{ event, why }];
}

/** @param {Run} run @param {Event[]} events @returns {Refused[]} */
function accepted(run, events) {
  run.sent += events.length;
  for (const { clamped, truncated } of events) {
    if (clamped) run.clamped += 1;
    if (truncated) run.truncated += 1;
  }
  return [];
}

/** @param {Run} run @param {string} body */
function ingest(run, body) {
  const headers = {
    Authorization: `Api-Token ${run.entries.ingest.value}`,
    "Content-Type": "application/json; charset=utf-8",
  };
  const url = `${PARAMETERS.environmentUrl}/api/v2/logs/ingest`;
  return request(run, "log ingest", url, () => {
    if (!run.closing) fence(run, "records were not sent");
    return { method: "POST", headers, body };
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// The run ledger: what this run did, as its result and as a record of its own, so that a query finds holes and silence
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run @param {"caught up" | "more waiting" | "backfilled" | "skipped" | "failed"} outcome @param {string} [reason] */
async function report(run, outcome, reason) {
  const { window, coveredFrom, backfill } = run;
  // A backfill answers for its window when it was read to the end and sent as a whole.
  const savedHw = !backfill ? run.savedHw : outcome === "backfilled" && !backfill.ids ? run.checkpoint.hw : null;
  const reached = backfill && (run.checkpoint.open?.from ?? run.checkpoint.hw);
  const covers = coveredFrom !== null && savedHw !== null && savedHw >= coveredFrom;
  const newest = parseTime(run.checkpoint.ts);
  const summary = {
    outcome,
    reason,
    executionId: run.executionId,
    revision: run.chain.revision || undefined,
    leg: run.chain.leg,
    backfill: backfill ? true : undefined,
    reached: reached === null ? undefined : formatTime(reached),
    windowFrom: window ? formatTime(window.from) : undefined,
    windowTo: window ? formatTime(window.to) : undefined,
    coveredFrom: covers ? formatTime(coveredFrom) : undefined,
    coveredTo: covers ? formatTime(savedHw) : undefined,
    pages: run.pages,
    fetched: run.fetched,
    sent: run.sent,
    repeated: run.repeated,
    clamped: run.clamped,
    truncated: run.truncated,
    setAside: run.setAside,
    setAsideIds: run.setAsideIds.join(" ") || undefined,
    notRemembered: run.notRemembered,
    retries: run.retries,
    warnings: run.warnings,
    checkpointBefore: run.checkpointBefore,
    checkpointAfter: backfill ? undefined : shownCheckpoint(run.checkpoint),
    newestRecord: newest === null ? undefined : formatTime(newest),
    lagSeconds: backfill || savedHw === null ? undefined : seconds(Math.max(0, Date.now() - savedHw / 1000)),
    durationSeconds: Math.round(age(run) / 100) / 10,
  };
  const sentence =
    `Run ${outcome}${reason ? ` (${reason})` : ""}: ${run.pages} pages, ${run.fetched} fetched, ${run.sent} sent, ` +
    `${run.repeated} repeated, ${run.clamped} older than 24 h, ${run.setAside} set aside`;
  log(sentence);
  if (run.clamped > 0) {
    log(`  ${run.clamped} records were older than 24 h: sent with the present time, their own in scm.event.timestamp`);
  }
  if (run.notRemembered > 0) {
    log(`  ${run.notRemembered} records of the last minutes do not fit the checkpoint: the next run repeats them`);
  }
  if (!run.entries.ingest) return summary;
  /** @type {Record<string, string | undefined>} */
  const record = {
    content: clean(sentence),
    loglevel: outcome === "failed" ? "ERROR" : run.setAside > 0 || run.warnings > 0 ? "WARN" : "INFO",
    "log.source": "sectigo-scm-connector",
    "connector.workflow": workflowId,
  };
  for (const [key, value] of Object.entries(summary)) {
    if (value !== undefined) record[`connector.${key}`] = String(value);
  }
  try {
    const answer = await ingest(run, JSON.stringify([record]));
    run.reported = answer.status === 204;
    if (!run.reported) warn(run, `the run's own record was refused: ${answer.status} ${errorText(answer)}`);
  } catch (error) {
    warn(run, `the run's own record could not be sent: ${describe(error)}`);
  }
  return summary;
}

// ---------------------------------------------------------------------------------------------------------------------
// Requests: time limits, retries, waiting
// ---------------------------------------------------------------------------------------------------------------------

/** @typedef {{status: number, headers: Headers, text: string, body: any}} Answer `body`: the text as JSON, undefined where it is none. */

/**
 * One HTTP exchange with retries. `init` is called for every attempt, so that a renewed token is used.
 * @param {Run} run @param {string} what @param {string} url @param {() => RequestInit | Promise<RequestInit>} init
 * @param {(answer: Answer) => boolean} [isWhole] Whether an answer is what it claims to be; another try is worth it if not.
 */
async function request(run, what, url, init, isWhole = () => true) {
  return await retried(run, what, async () => {
    const options = await init();
    const answer = await within(run, async (signal) => {
      // A redirect would carry the token or the client secret elsewhere.
      const response = await fetch(url, { ...options, redirect: "error", signal });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: parseJson(text) };
    });
    if (isTemporaryStatus(answer.status) || !isWhole(answer)) {
      throw Object.assign(new Failure(`${answer.status} ${errorText(answer)}`), {
        retryAfter: retryAfter(answer.headers.get("retry-after")),
        temporary: true,
      });
    }
    return answer;
  });
}

/** Repeats what may succeed later; waits by exponential backoff with full jitter, at least the server's Retry-After.
 * @template T @param {Run} run @param {string} what @param {() => Promise<T>} attempt @returns {Promise<T>} */
async function retried(run, what, attempt) {
  for (let tries = 0;; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Stop || !isTemporary(error)) throw error;
      // A process that was paused wakes up to time limits that have passed, too: the pause is what to tell.
      fence(run, `${what}: ${describe(error)}`);
      if (isBlocked(error)) {
        if (age(run) > LIMITS.settle) {
          throw new Failure(
            `${what}: ${describe(error)}; add the host under Settings > General > External requests, or run pulumi up`,
          );
        }
        await settle(run, "waiting for new hosts in the outbound allowlist to become usable (up to 10 s)");
        tries -= 1;
        continue;
      }
      const { maxRetries } = run.config;
      if (tries >= maxRetries) throw new Failure(`${what}: ${describe(error)} (after ${maxRetries} retries)`);
      const backoff = Math.random() * Math.min(LIMITS.backoffMost, LIMITS.backoff * 2 ** tries);
      const wait = Math.max(backoff, /** @type {any} */ (error).retryAfter ?? 0);
      run.retries += 1;
      await pause(run, wait, `${what}: ${describe(error)}; retry ${tries + 1} of ${maxRetries}`);
    }
  }
}

/** A call of the SDK, which has neither time limit nor retries of its own.
 * @template T @param {Run} run @param {string} what @param {(signal: AbortSignal) => Promise<T>} call */
async function asked(run, what, call) {
  return await retried(run, what, () => within(run, call));
}

/** New vault entries answer as unknown for some seconds.
 * @template T @param {Run} run @param {string} what @param {() => Promise<T>} read @returns {Promise<T>} */
async function settled(run, what, read) {
  while (true) {
    try {
      return await retried(run, what, read);
    } catch (error) {
      const status = statusOf(error);
      if (status === 403) {
        throw new Failure(
          `${what}: ${
            describe(error)
          }; the workflow's actor may not read it (environment-api:credentials:read, or it belongs to another user)`,
        );
      }
      if (status !== 400 && status !== 404) throw error;
      if (age(run) > LIMITS.settle) throw new Failure(`${what} does not exist (${describe(error)}); run pulumi up`);
      await settle(run, "waiting for new vault entries to become usable (up to 10 s)");
    }
  }
}

/** Runs an exchange with a time limit of its own, never far past the moment after which nothing is written.
 * @template T @param {Run} run @param {(signal: AbortSignal) => Promise<T>} exchange @returns {Promise<T>} */
async function within(run, exchange) {
  const controller = new AbortController();
  const last = run.closing ? LIMITS.write : LIMITS.answer;
  const limit = Math.max(SECOND, Math.min(LIMITS.request, last - age(run)));
  const timer = setTimeout(() => controller.abort(), limit);
  try {
    return await exchange(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Run} run @param {number} ms @param {string} why */
async function pause(run, ms, why) {
  // While fetching, a wait that does not fit ends the leg in good order; afterwards there is some time left to save.
  if (age(run) + ms > (run.closing ? LIMITS.write : fetchTime(run))) {
    throw new Stop(`${why}, but a wait of ${seconds(ms)} s does not fit into this leg`, false);
  }
  log(`  ${why} (waiting ${(ms / SECOND).toFixed(1)} s)`);
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** A short wait for what Dynatrace has stored but not made usable yet; said once, however many wait.
 * @param {Run} run @param {string} why */
async function settle(run, why) {
  if (!run.hints.has(why)) log(`  ${why}`);
  run.hints.add(why);
  await new Promise((resolve) => setTimeout(resolve, SECOND));
}

/** @param {string | null} text Seconds or an HTTP date; milliseconds from now, 0 where it says nothing. */
function retryAfter(text) {
  if (text === null) return 0;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * SECOND : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

/** @param {number} status */
function isTemporaryStatus(status) {
  return [408, 425, 429, 500, 502, 503, 504].includes(status);
}

/** @param {any} error */
function isTemporary(error) {
  if (error?.temporary || isBlocked(error)) return true;
  const status = statusOf(error);
  return status === undefined ? !(error instanceof Failure) : isTemporaryStatus(status);
}

/** The runtime's refusal of a host; its wording is known from one app's log only. @param {any} error */
function isBlocked(error) {
  return /not in (the )?allowlist/i.test(describe(error));
}

/** @param {any} error @returns {number | undefined} */
function statusOf(error) {
  const status = error?.response?.status ?? Number(error?.code);
  // A DOMException has a small number as its code.
  return Number.isInteger(status) && status >= 100 ? status : undefined;
}

/** One line about an error that holds nothing of the request. @param {any} error @returns {string} */
function describe(error) {
  const text = /abort/i.test(error?.name ?? "")
    ? `no answer within ${seconds(LIMITS.request)} s`
    : error?.message ?? String(error);
  const cause = error?.cause?.message && !text.includes(error.cause.message) ? ` (${error.cause.message})` : "";
  return clean(text + cause).slice(0, 500).toWellFormed();
}

/** The message inside an error's body, whatever its envelope. @param {Answer} answer */
function errorText({ text, body }) {
  const inner = body?.error && typeof body.error === "object" ? body.error : body;
  const found = SCM.errors.map((name) => inner?.[name]).find((value) => typeof value === "string");
  return clean(found ?? text.slice(0, 1_000)).slice(0, 200).toWellFormed();
}

// ---------------------------------------------------------------------------------------------------------------------
// Time and text. Times are integers in microseconds: SCM gives six digits, of which a Date keeps three.
// ---------------------------------------------------------------------------------------------------------------------

const TIME = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?)?\s*([Zz]|[+-]\d\d:?\d\d)?$/;

/** A time that is written as we would write it. */
const WRITTEN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** RFC 3339 or ISO 8601; without an offset it is UTC. Microseconds, or null. @param {unknown} text @returns {number | null} */
function parseTime(text) {
  const match = typeof text === "string" ? TIME.exec(text.trim()) : null;
  if (!match) return null;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = match;
  const midnight = Date.UTC(+year, +month - 1, +day);
  // Date.UTC turns the 31st of February into March, and the years before 100 into those of the last century.
  if (new Date(midnight).getUTCDate() !== +day || +month < 1 || +month > 12 || +year < 100) return null;
  if (+hour > 24 || +minute > 59 || +second > 60) return null;
  const offset = /z/i.test(zone) ? 0 : +`${zone[0]}1` * (+zone.slice(1, 3) * 60 + +zone.slice(-2));
  const ms = midnight + +hour * HOUR + (+minute - offset) * MINUTE + +second * SECOND;
  return ms * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** A number of seconds, milliseconds or microseconds since the epoch as ISO text; other text as it is. @param {string} text */
function numericTime(text) {
  if (!/^\d{9,17}$/.test(text)) return text;
  const value = Number(text);
  return formatTime(value >= 1e14 ? value : value >= 1e11 ? value * 1e3 : value * 1e6);
}

/** `2026-01-29T08:00:00Z`, or with the six digits SCM uses. @param {number} us */
function formatTime(us) {
  const whole = Math.floor(us / 1e6);
  const text = new Date(whole * 1000).toISOString().replace(/\.000Z$/, "");
  const fraction = us - whole * 1e6;
  return fraction === 0 ? `${text}Z` : `${text}.${String(fraction).padStart(6, "0")}Z`;
}

/** @param {number} ms */
function isoMs(ms) {
  return formatTime(Math.round(ms) * 1000);
}

/** `2h`, `1d`, `5d12h`; null where it is none of these, nothing or too much. @param {unknown} value */
function parseDuration(value) {
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  const match = /^(?:(\d{1,4})d)?(?:(\d{1,4})h)?$/.exec(text);
  if (!match) return null;
  const [days, hours] = [Number(match[1] ?? 0), Number(match[2] ?? 0)];
  const ms = days * DAY + hours * HOUR;
  return ms > 0 && ms <= LIMITS.history ? { text, days, hours, ms } : null;
}

/** @param {number} ms */
function shownSpan(ms) {
  const [size, unit] = ms >= HOUR ? [HOUR, "hours"] : [MINUTE, "minutes"];
  return `${Math.round((ms / size) * 10) / 10} ${unit}`;
}

/** @param {number} ms */
function seconds(ms) {
  return Math.round(ms / SECOND);
}

/** @template T @param {T[]} items @param {(item: T) => number} value */
function sum(items, value) {
  return items.reduce((total, item) => total + value(item), 0);
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Control characters are spelled out: a record must not forge a line, colour a terminal or turn the text around it. @param {string} text */
function clean(text) {
  const spelled = (/** @type {string} */ character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return text.replace(CONTROL, spelled).toWellFormed();
}

/** The value of a record's own key, or of a path of keys. @param {any} record @param {string} path */
function at(record, path) {
  if (Object.hasOwn(record, path)) return record[path];
  let value = record;
  for (const key of path.split(".")) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/**
 * A record's scalar leaves that are not used yet as [path, text]; what lies deeper than four objects as JSON.
 * @param {any} value @param {Set<string>} used @param {string} [prefix] @param {number} [depth]
 * @returns {Generator<[string, string]>}
 */
function* leaves(value, used, prefix = "", depth = 0) {
  for (const [key, inner] of Object.entries(value)) {
    if (inner === null || used.has(prefix + key)) continue;
    const path = cutBytes(clean(prefix + key), LIMITS.keyBytes - "scm.".length);
    if (typeof inner !== "object") yield [path, String(inner)];
    else if (Array.isArray(inner) || depth === 4) yield [path, JSON.stringify(inner)];
    else yield* leaves(inner, used, `${path}.`, depth + 1);
  }
}

const encoder = new TextEncoder();

/** @param {string} text */
function utf8Length(text) {
  return encoder.encode(text).length;
}

const characters = new Intl.Segmenter("en");

/** @param {string} text @param {number} most Bytes; never cuts what a reader sees as one character. */
function cutBytes(text, most) {
  const whole = text.toWellFormed();
  if (whole.length * 3 <= most) return whole;
  const bytes = encoder.encode(whole);
  if (bytes.length <= most) return whole;
  const end = new TextDecoder().decode(bytes.subarray(0, most)).replace(/\uFFFD+$/, "").length;
  const start = Math.max(0, end - 100);
  return whole.slice(
    0,
    start + (characters.segment(whole.slice(start, end + 100)).containing(end - start)?.index ?? 0),
  );
}

/** 48 bits of SHA-256 of a whole record: fewer would make a collision, which is a loss, thinkable. @param {string} text */
async function mark(text) {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest, 0, 6)));
}

/** JSON, or undefined. Whole numbers keep all their digits, as text: ids may be longer than a double is exact. @param {string} text */
function parseJson(text) {
  /** @type {any} */
  const exact = (/** @type {string} */ _key, /** @type {unknown} */ value, /** @type {{source?: string}} */ context) =>
    typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? context?.source ?? String(value)
      : value;
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""), /[[:,]\s*-?\d{16}/.test(text) ? exact : undefined);
  } catch {
    return undefined;
  }
}

/** @param {string} text */
function log(text) {
  console.log(clean(text));
}

/** @param {Run} run @param {string} text */
function warn(run, text) {
  run.warnings += 1;
  console.warn(clean(`WARN ${text}`));
}

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
  log("Backfill on request: lock and checkpoint stay as they are");
  await readAndSend(run);
  const summary = await report(run, ...outcome(run, "backfilled"));
  return run.leg.stop?.again ? { ...summary, nextExecution: await startNextLeg(run) } : summary;
}

/** Until nothing is left, or until the end of this leg. @param {Run} run */
async function readAndSend(run) {
  const { leg } = run;
  try {
    await rememberStart(run);
    await accessToken(run);
    log("✓ OAuth token obtained");
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
function newRun(executionId) {
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
    /** SCM's access token. @type {{token: string, renewAt: number} | null} */
    access: null,
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
    setAside: 0,
    /** @type {string[]} */
    setAsideIds: [],
    retries: 0,
    warnings: 0,
    /** Fetched and sent, but not in the log yet. */
    unlogged: { fetched: 0, sent: 0 },
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Clocks: every decision about "now" is made here. Three clocks are known: the host's, the platform's and SCM's.
// ---------------------------------------------------------------------------------------------------------------------

/** @typedef {ReturnType<typeof newClock>} Clock */

function newClock() {
  return {
    /** When the script began, by a clock that corrections of the host's time do not move. */
    begun: ticks(),
    /** Milliseconds between the start of the execution and the start of the script. */
    queued: 0,
    /** Start of this execution by the platform's clock, in milliseconds since the epoch. @type {number | null} */
    startedAt: null,
    /** SCM's clock minus the host's in milliseconds, by the Date header of SCM's last answer. */
    skew: 0,
  };
}

/** Milliseconds that only ever increase. */
function ticks() {
  return performance.now();
}

/** The host's time in milliseconds since the epoch. */
function hostNow() {
  return Date.now();
}

/** SCM's time in milliseconds since the epoch: records carry it, and the host's may differ. @param {Clock} clock */
function scmNow(clock) {
  return hostNow() + clock.skew;
}

/**
 * The time by which a record's age is judged. A host whose clock is slow would send what log ingest drops as too old;
 * sent without its time the record is kept.
 * @param {Clock} clock
 */
function latestNow(clock) {
  return Math.max(hostNow(), scmNow(clock));
}

/** Milliseconds since this execution began. @param {Clock} clock */
function age(clock) {
  return ticks() - clock.begun + clock.queued;
}

/** Throws once another run may have taken over: it would repeat whatever this one still did.
 * @param {Clock} clock @param {string} what */
function fence(clock, what) {
  if (age(clock) > LIMITS.write) {
    throw new Failure(`${what}: this run is ${seconds(age(clock))} s old and another may have taken over`);
  }
}

/** Whether the platform must have killed the script of an execution by now; both times are by the platform's clock.
 * @param {Clock} clock @param {Date | undefined} startedAt */
function mustBeDead(clock, startedAt) {
  if (clock.startedAt === null) return false;
  return clock.startedAt + age(clock) - new Date(startedAt ?? 0).getTime() > LIMITS.dead;
}

/** Takes the start of this execution from the platform. @param {Clock} clock @param {Date} startedAt */
function readStart(clock, startedAt) {
  clock.startedAt = new Date(startedAt).getTime();
  // More than a minute is no wait for a start, but a host whose clock is off.
  const queued = hostNow() - age(clock) - clock.startedAt;
  if (queued > 0 && queued < MINUTE) clock.queued = queued;
  // Used until SCM sends its time, and where a proxy removes its Date header.
  else clock.skew = -queued;
}

/** Takes SCM's time from the Date header of an answer. @param {Clock} clock @param {Headers} headers */
function readDate(clock, headers) {
  const ahead = Date.parse(headers.get("date") ?? "") - hostNow();
  // A day off is no clock; a second is what the header cuts off.
  if (Math.abs(ahead) < DAY) clock.skew = Math.abs(ahead) < SECOND ? 0 : ahead;
}

/** The end of what can be read now, in whole seconds: newer records may not be visible yet. Microseconds.
 * @param {Clock} clock */
function newestToRead(clock) {
  return Math.floor((scmNow(clock) - LIMITS.lag) / SECOND) * SECOND * 1000;
}

/** Up to where a page that is read now covers a window that ends at `to`: newer records may still come. Microseconds.
 * @param {Clock} clock @param {number} to */
function coveredTo(clock, to) {
  return Math.min(to, (scmNow(clock) - LIMITS.lag) * 1000);
}

/** @param {string | null} text Seconds or an HTTP date. Returns milliseconds from now; 0 if it is neither. */
function retryAfter(text) {
  if (text === null) return 0;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * SECOND : Date.parse(text) - hostNow();
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

// ---------------------------------------------------------------------------------------------------------------------
// Vault: credentials, configuration, checkpoint and lock are entries of the credential vault
// ---------------------------------------------------------------------------------------------------------------------

/** @typedef {{id: string, name: string, value: string, user: string, metadata: Record<string, any> | null}} Entry */

function newVault() {
  return {
    /** @type {Record<"scm" | "ingest" | "checkpoint" | "lock" | "config", Entry>} */
    entries: /** @type {any} */ ({}),
    /** An entry was deleted during this run: nothing more is written. */
    deleted: false,
  };
}

/** @param {Run} run */
async function readVault(run) {
  log("Retrieving credentials from vault...");
  const { entries } = run.vault;
  // Each as it comes: with the token for log ingest a run can report that another entry could not be read.
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
 * Value of an entry; for the ones we write, their metadata too: a PUT replaces all of it.
 * @param {Run} run @param {string} id @param {boolean} [written] @returns {Promise<Entry>}
 */
async function readEntry(run, id, written = false) {
  const [details, metadata] = await settled(run, `vault entry ${id}`, () =>
    Promise.all([
      within(run.leg, (abortSignal) => credentialVaultClient.getCredentialsDetails({ id, abortSignal })),
      written ? within(run.leg, (abortSignal) => credentialVaultClient.getCredentials({ id, abortSignal })) : null,
    ]));
  const { name, token, username, password } = /** @type {Record<string, any>} */ (details);
  return { id, name: name ?? id, value: token ?? password ?? "", user: username ?? "", metadata };
}

/** @param {Run} run @param {Entry} entry @param {string} value */
async function writeEntry(run, entry, value) {
  const { leg, vault } = run;
  if (vault.deleted) throw new Failure(`${entry.name} was not written: the connector is being removed`);
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
    fence(leg.clock, `${entry.name} was not written`);
    return within(leg, (abortSignal) => credentialVaultClient.updateCredentials({ id: entry.id, body, abortSignal }));
  });
  // 201 instead of 204: the entry had been deleted (a `pulumi destroy` while we ran) and this PUT has created it again.
  if (created?.id) {
    vault.deleted = true;
    await within(leg, (abortSignal) => credentialVaultClient.removeCredentials({ id: created.id, abortSignal }));
    throw new Failure(`${entry.name} (${entry.id}) was deleted while this run was alive; nothing is written any more`);
  }
  entry.value = value;
}

// ---------------------------------------------------------------------------------------------------------------------
// Runtime config: what customers edit in the vault
// ---------------------------------------------------------------------------------------------------------------------

const DEFAULTS = { maxRetries: 3, initHistoryDuration: "2h" };

/** `initialCheckpoint`: "" where none is set. */
const DEFAULT_CONFIG = { ...DEFAULTS, initialCheckpoint: "" };

/** Bad values give the default and a warning: a customer's typo in the vault must not stop the audit trail.
 * @param {Run} run @param {string} text */
function readConfig(run, text) {
  const config = { ...DEFAULT_CONFIG };
  const given = parseJson(text);
  if (given === null || typeof given !== "object" || Array.isArray(given)) {
    warn(run, `runtime config is not a JSON object; using ${JSON.stringify(DEFAULTS)}`);
    return config;
  }
  const { maxRetries, initHistoryDuration, initialCheckpoint, ...unknown } = given;
  if (maxRetries !== undefined) {
    if (isRetries(maxRetries)) config.maxRetries = maxRetries;
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
    const past = us === null ? -1 : hostNow() - us / 1000;
    if (us !== null && past >= 0 && past <= LIMITS.history) config.initialCheckpoint = formatTime(us);
    else warn(run, "initialCheckpoint must be a time of the last 365 days, like 2026-01-22T12:00:00Z; ignoring it");
  }
  const names = Object.keys(unknown).join(", ");
  if (names) warn(run, `runtime config has keys that mean nothing here: ${names.slice(0, 100)}`);
  return config;
}

/** @param {unknown} value */
function isRetries(value) {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LIMITS.retries;
}

// ---------------------------------------------------------------------------------------------------------------------
// Chain: legs that start each other until a catch-up is done
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A run's `input.backfill`: `from` and `to` as times, `ids` to send only these, `reached` from the leg before (in the
 * form of a checkpoint).
 * @typedef {{from: number, to: number, ids: Set<string> | null, reached: string}} Backfill
 */

/** The start of this leg by the platform's clock, and what the leg before handed over. @param {Run} run */
async function readChain(run) {
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
  run.progress.checkpoint = parseCheckpoint(run, reached);
}

/**
 * An answer of the executions API; null where the actor may not use it (the lock's lease decides then).
 * @template T @param {Run} run @param {(signal: AbortSignal) => Promise<T>} ask @returns {Promise<T | null>}
 */
async function askExecutions(run, ask) {
  if (!run.leg.canAskExecutions) return null;
  try {
    return await asked(run, "asking for executions", ask);
  } catch (error) {
    if (![401, 403, 404].includes(statusOf(error) ?? 0)) throw error;
    run.leg.canAskExecutions = false;
    warn(run, "the actor may not read executions (automation:workflows:read); the lock's lease decides instead");
    return null;
  }
}

/** Milliseconds that this leg may fetch: its own, within those of the chain. @param {Run["leg"]} leg */
function fetchTime({ chain }) {
  return Math.min(LIMITS.leg, PARAMETERS.maxExecutionTimeMinutes * MINUTE - chain.before);
}

/** Continues where this leg stopped, until nothing is left or the chain's time is used up. @param {Run} run */
async function startNextLeg(run) {
  const { backfill, leg, progress } = run;
  const reached = backfill ? formatCheckpoint(progress.checkpoint).text : "";
  const onward = backfill ? "the rest is to be asked for anew" : "the next schedule goes on";
  if (backfill ? reached === backfill.reached : progress.saved.text === progress.found) {
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
    if (!workflow.isDeployed) return log("The workflow is not deployed any more: no further leg");
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
    // The qualifier names this leg: a repeated call starts nothing twice.
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

// ---------------------------------------------------------------------------------------------------------------------
// Lock: who may write the checkpoint. A dead owner is known by the platform's kill, measured on the platform's clock.
// ---------------------------------------------------------------------------------------------------------------------

function newLock() {
  return {
    /** The lock's value when this run took it; null: not taken. @type {string | null} */
    before: null,
  };
}

/** Whether this run may continue. @param {Run} run @returns {Promise<boolean>} */
async function takeLock(run) {
  const { leg: { clock, executionId }, vault: { entries } } = run;
  const before = entries.lock.value;
  const lock = parseLock(before);
  log(`Execution lock status: ${lock.shown}`);
  if (!(await lockIsFree(run, lock))) return false;
  const now = hostNow();
  const mine = formatLock(executionId, clock.startedAt ?? now, now + LIMITS.lease);
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
  log(`Another run is at work (${why}): skipping this one`);
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
      return stepBack(`a lock without owner is waited for until ${isoMs(until)}`);
    }
    // The vendor's bare RUNNING has no age, and a time in the future is wrong: write a time that can be measured.
    const stamp = now + LIMITS.vendorLease;
    await writeEntry(run, run.vault.entries.lock, formatLock("", now, stamp));
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
    // Cancelled and unknown states are no proof: a cancelled script runs on until the platform kills it.
    if (owner.state !== "SUCCESS" && owner.state !== "ERROR" && !mustBeDead(clock, owner.startedAt)) {
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

/** @param {string} owner @param {number} started @param {number} expires Both in milliseconds since the epoch. */
function formatLock(owner, started, expires) {
  return `RUNNING|${owner}|${isoMs(started)}|${isoMs(expires)}`;
}

/** @param {string} text `IDLE`, our `RUNNING|owner|started|expires`, or another writer's form of `RUNNING` */
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
  const { leg, lock: { before }, progress, vault } = run;
  if (before === null || vault.deleted) return;
  // The next run also reports the time of a run that could not report, or whose save may have been stored after all:
  // it finds the lock as a dead run leaves it.
  if ((!leg.reported || progress.saveFailed) && progress.saved.text !== null) {
    return log("Execution lock left for the next run to take over");
  }
  try {
    const lock = parseLock((await readEntry(run, vault.entries.lock.id)).value);
    if (lock.owner !== leg.executionId) return log(`Execution lock left as it is: ${lock.shown}`);
    // Before the checkpoint was read, nothing was done: restore the lock's earlier value.
    const free = progress.saved.text === null ? before : "IDLE";
    await writeEntry(run, vault.entries.lock, free);
    log(`✓ Execution lock released (${parseLock(free).state})`);
  } catch (error) {
    // The run's work is done; the next run sees that this execution is over.
    warn(run, `the execution lock could not be released: ${describe(error)}`);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Progress: the checkpoint, which is `<time>|<id>` of the newest accepted record, as the vendor writes it, and a machine
// part on line two
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Times are microseconds since the epoch.
 *
 * `ts` and `id`: the newest accepted record. `hw` (high water): everything up to here was read. `open`: a window that
 * is not read to its end. `told`: up to here the ledger has reported. `initial`: the initialCheckpoint applied last.
 * `seen`: marks of the records that the next run reads again.
 * @typedef {{ts: string, id: string, hw: number | null, open: Window | null, told: number | null, initial: string, seen: string[]}} Checkpoint
 */

/** @typedef {ReturnType<typeof newProgress>} Progress */

function newProgress() {
  return {
    checkpoint: emptyCheckpoint(),
    shownBefore: "none",
    /** The checkpoint in the vault as this run found it; null: not read yet. @type {string | null} */
    found: null,
    /** The same now. `at`: by `ticks`; `sent`: records that were sent by then. */
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
    /** Marks of the last records that earlier runs have sent, and the time that these runs had reached. */
    seen: {
      /** @type {Set<string>} */
      marks: new Set(),
      to: -Infinity,
    },
    /** Marks of this window's last minutes, for the next run; and how many were too many. */
    tail: {
      /** @type {Set<string>} */
      marks: new Set(),
      dropped: 0,
    },
    /** How many marks the last window read to its end had dropped. */
    forgotten: 0,
    /** How many records the next run will not recognise as repeats. */
    notRemembered: 0,
  };
}

/** @returns {Checkpoint} */
function emptyCheckpoint() {
  return { ts: "", id: "", hw: null, open: null, told: null, initial: "", seen: [] };
}

/** Only now that the lock is ours: an earlier value may have been another run's. @param {Run} run */
async function readCheckpoint(run) {
  const { progress } = run;
  const entry = await readEntry(run, PARAMETERS.checkpointCredentialId, true);
  const checkpoint = parseCheckpoint(run, entry.value);
  run.vault.entries.checkpoint = entry;
  progress.checkpoint = checkpoint;
  progress.found = progress.saved.text = entry.value;
  progress.saved.hw = checkpoint.hw;
  progress.seen = {
    marks: new Set(checkpoint.seen),
    to: Math.max(checkpoint.open?.to ?? -Infinity, checkpoint.hw ?? -Infinity),
  };
  if (checkpoint.open) progress.tail.marks = new Set(checkpoint.seen);
  progress.shownBefore = shownCheckpoint(checkpoint);
  log(`Checkpoint: ${progress.shownBefore === "none" ? "none (initial run)" : progress.shownBefore}`);
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
    // A longer one would leave no room for anything else: that window continues by time.
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

/** A first window keeps its start, however long it takes until a run can read it. @param {Run} run */
async function rememberStart(run) {
  const { backfill, config, leg, progress: { checkpoint } } = run;
  if (backfill || newInitialCheckpoint(config, checkpoint) || checkpoint.hw !== null || checkpoint.open) return;
  checkpoint.open = firstWindow(newestToRead(leg.clock), parseDuration(config.initHistoryDuration)?.ms ?? 0);
  checkpoint.told = checkpoint.open.from;
  await saveCheckpoint(run, `✓ Beginning saved to vault: ${formatTime(checkpoint.open.from)}`);
}

/** Advances the checkpoint past an accepted page. @param {Progress} progress @param {Page} page */
function advance(progress, { events, marks, open, done }) {
  const { checkpoint, seen, tail } = progress;
  let newest = { us: parseTime(checkpoint.ts) ?? -Infinity, id: "" };
  for (const { us, id } of events) {
    // A record dated later than what has been read is no measure of how far that was.
    if (us !== null && us >= newest.us && us <= done + LIMITS.lag * 1000) newest = { us, id };
  }
  if (newest.id) Object.assign(checkpoint, { ts: formatTime(newest.us), id: cutBytes(clean(newest.id), 100) });
  for (const each of marks) {
    if (tail.marks.size < LIMITS.marks) tail.marks.add(each);
    else tail.dropped += 1;
  }
  // The rest of a window that was reached before is not saved: the next run reads its last minutes again anyway.
  checkpoint.open = open && open.to > (checkpoint.hw ?? -Infinity) ? open : null;
  // Until the window is done, and where it ends before what was reached already, the older marks are needed too.
  const older = open || done < seen.to ? seen.marks : [];
  checkpoint.seen = [...new Set([...older, ...tail.marks])];
  if (open) return;
  checkpoint.hw = Math.max(done, checkpoint.hw ?? -Infinity);
  if (done >= seen.to) progress.seen = { marks: tail.marks, to: done };
  progress.forgotten = tail.dropped;
  progress.tail = { marks: new Set(), dropped: 0 };
}

/** Whether enough was sent, or enough time has passed, since the last save. @param {Run} run */
function saveIsDue({ counts, progress: { saved } }) {
  return counts.sent - saved.sent >= LIMITS.saveRecords || ticks() - saved.at >= LIMITS.saveEvery;
}

/** @param {Run} run @param {string} [said] */
async function saveCheckpoint(run, said) {
  const { counts, progress } = run;
  const { checkpoint } = progress;
  if (run.backfill || (checkpoint.hw === null && checkpoint.open === null)) return;
  const { text, dropped } = formatCheckpoint(checkpoint);
  progress.notRemembered = checkpoint.open ? 0 : dropped + progress.forgotten;
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
async function saveAfterFailure(run) {
  const { progress, vault } = run;
  if (progress.saved.text === null || progress.saveFailed || vault.deleted) return;
  try {
    await saveCheckpoint(run);
  } catch (error) {
    warn(run, describe(error));
  }
}

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
function firstWindow(to, history) {
  const from = to - history * 1000;
  // Half a slice at most: by SCM's clock, which is not known yet, the end may still be in the future.
  const span = Math.floor(Math.min(LIMITS.slice * 1000, to - from) / 2);
  return { from, to: from + span, token: null, ordered: true };
}

/** An `initialCheckpoint` that was not applied yet, or "".
 * @param {{initialCheckpoint: string}} config @param {Checkpoint} checkpoint */
function newInitialCheckpoint({ initialCheckpoint }, { initial }) {
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
function planWindows(known) {
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

// ---------------------------------------------------------------------------------------------------------------------
// Paging: which query follows a page, and when a window is read to its end. Pure; times are in microseconds.
// ---------------------------------------------------------------------------------------------------------------------

/** What to ask: the page behind a token, or the first page from a time on.
 * @typedef {{token: string | null, from: number}} Query */

/** @typedef {{records: any[], token: string | null}} PageAnswer A page; null: SCM refused the window's saved token. */

/** @typedef {{low: number, high: number, from: number, page: Set<string>, size: number}} Probe */

/**
 * The way through one window. The states are drawn in docs/how-the-sync-script-works.md:
 * `following` tokens; `confirming` by time that a page without a token was the last one; `halving` the window where no
 * record's time shows how far that page came; `repeated`: SCM sent a token twice; `done`.
 */
class Paging {
  /** @param {Window} window */
  constructor(window) {
    this.window = window;
    /** @type {"following" | "confirming" | "halving" | "repeated" | "done"} */
    this.state = "following";
    /** @type {Query} */
    this.first = { token: window.token, from: window.from };
    this.ordered = window.ordered;
    /** The time of the newest record so far, within the window. */
    this.newest = window.from;
    this.tokens = new Set([window.token]);
    /** @type {PageAnswer} */
    this.answer = { records: [], token: null };
    this.pages = 0;
    /** How far before the newest record the last query by time began, 0: none yet; and the records it confirms. */
    this.step = 0;
    this.size = 0;
    /** @type {Probe | null} */
    this.probe = null;
  }

  /**
   * The query that an answer leads to as soon as it has come. Null: none, or `read` decides.
   * @param {PageAnswer | null} answer @returns {Query | null}
   */
  next(answer) {
    if (answer === null) return this.byTime(this.window.from);
    this.answer = answer;
    this.pages += 1;
    const { records: { length }, token } = answer;
    const known = token !== null && this.tokens.has(token);
    this.tokens.add(token);
    // An empty page is the end, even if it repeats the last token.
    if (length > 0 && known) this.state = "repeated";
    // A token that comes after all shows that none was removed: the page without one was the last.
    else if (this.state === "halving" ? token !== null : length === 0) this.state = "done";
    else if (this.state !== "halving" && token !== null) {
      this.state = "following";
      return { token, from: this.window.from };
    }
    return null;
  }

  /**
   * Takes in what the answer's records say. Returns the query that only they lead to; null: none.
   * @param {Judged[]} judged @returns {Query | null}
   */
  read(judged) {
    let isNews = false;
    for (const { isNew, us } of judged) {
      if (!isNew) continue;
      isNews = true;
      if (us === null) continue;
      if (us < this.newest) this.ordered = false;
      this.newest = Math.max(this.newest, Math.min(us, this.window.to));
    }
    const { records, token } = this.answer;
    if (token !== null || this.state === "done") return null;
    if (this.state === "halving" || (this.pages === 1 && this.newest <= this.window.from)) {
      this.ordered = false;
      this.probe = nextProbe(this.probe, this.window, records.map((record) => JSON.stringify(record)));
      this.state = this.probe ? "halving" : "done";
      return this.probe && this.byTime(this.probe.from);
    }
    if (isNews || this.step === 0) [this.step, this.size] = [SECOND * 1000, records.length];
    else this.step = narrowerStep(this.step, this.size, records.length);
    this.state = this.step > 0 ? "confirming" : "done";
    return this.step > 0 ? this.byTime(Math.max(this.window.from, this.newest - this.step)) : null;
  }

  /** @param {number} from @returns {Query} */
  byTime(from) {
    // Tokens may well be given out again.
    this.tokens.clear();
    return { token: null, from };
  }

  /**
   * What is left of the window behind the last page; null: nothing.
   * @param {number} end Up to where that page covers. @returns {Window | null}
   */
  rest(end) {
    if (this.state === "done") return null;
    // A reader without a usable token begins where everything older has been read and was visible by then.
    const settled = Math.min(this.newest - SECOND * 1000, end + LIMITS.lag * 1000 - LIMITS.overlap * 1000);
    const from = this.ordered ? Math.max(this.window.from, settled) : this.window.from;
    const token = this.state === "repeated" ? null : this.answer.token;
    return { from, to: this.window.to, token, ordered: this.ordered };
  }
}

/**
 * `[]` is the documented end. A page without a token is only probably the last, as a proxy may strip the header, so a
 * query by time decides. If that has brought nothing new but as many records again, there may be more behind: a narrower
 * query tells. Returns how far before the newest record it begins; 0: the window is done.
 * @param {number} step Microseconds: of the query that has brought nothing new. @param {number} size @param {number} count
 */
function narrowerStep(step, size, count) {
  if (count < size) return 0;
  if (step > 1) return 1;
  if (size < 10) return 0;
  throw tokenless(size);
}

/**
 * The same where no record's time shows how far the first page came (none is readable, or they are of another zone):
 * queries from later on, by halves. One that shares records with the last page of the unbroken row continues it, and
 * ends the window if it is not full; one that shares none began too late. Null: the window is done.
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

// ---------------------------------------------------------------------------------------------------------------------
// Catching up: the next page is being fetched while earlier ones are converted, sent and saved
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A page to send, and what the checkpoint must say once it is accepted: `open` the rest of the window, or null if the
 * window is `done` up to that moment; `marks` of the records that the next run will read again.
 * @typedef {{at: number, fetched: number, events: Event[], length: number, marks: string[], open: Window | null, done: number}} Page
 */

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
  const ripe = () => records() >= LIMITS.ripeRecords || ticks() - waiting[0].at >= LIMITS.ripeAfter;
  const full = () => records() >= LIMITS.waitingRecords || length() >= LIMITS.waitingLength;
  const send = () => {
    sending ??= sendPages(run, waiting).catch((error) => void (failed = { error })).finally(() =>
      void (sending = null)
    );
    return sending;
  };
  try {
    for await (const page of fetchPages(run, startWindows(run))) {
      // Nothing after a page that was not accepted: the checkpoint would skip it.
      if (failed) break;
      waiting.push(page);
      if (full()) await send();
      else if (ripe()) send();
    }
  } finally {
    // Also if fetching ended early: what was fetched is sent and counted.
    while (!failed && (sending || waiting.length > 0)) await send();
    logProgress(run);
  }
  if (failed) throw /** @type {any} */ (failed).error;
}

/** Plans the windows and says so. @param {Run} run @returns {Window[]} */
function startWindows(run) {
  const { backfill, config, leg, lock, progress } = run;
  const plan = planWindows({
    checkpoint: progress.checkpoint,
    backfill,
    initial: newInitialCheckpoint(config, progress.checkpoint),
    isFirst: progress.shownBefore === "none",
    // A run releases the lock after it has reported.
    wasReported: parseLock(lock.before ?? "").state === "IDLE",
    now: scmNow(leg.clock) * 1000,
    newest: backfill?.to ?? newestToRead(leg.clock),
  });
  progress.checkpoint = plan.checkpoint;
  progress.coveredFrom = plan.coveredFrom;
  progress.window = plan.span;
  const { kind, span: { from, to }, ahead } = plan;
  if (ahead !== null) {
    warn(run, `the checkpoint lies in the future (${formatTime(ahead)}); going on from ${formatTime(from)}`);
  }
  log(`${kind} - querying logs from ${formatTime(from)} to ${formatTime(to)} (${shownSpan((to - from) / 1000)})`);
  return plan.windows;
}

/** @param {Run} run @param {Window[]} windows @returns {AsyncGenerator<Page>} */
async function* fetchPages(run, windows) {
  for (const window of windows) {
    const paging = new Paging(window);
    const fetchNext = (/** @type {Query} */ query) => {
      const page = fetchPage(run, window, query);
      page.catch(() => {}); // It is awaited below, after the page before.
      return page;
    };
    /** @type {ReturnType<typeof fetchPage> | null} */
    let fetching = fetchNext(paging.first);
    while (fetching) {
      const asked = ticks();
      /** @type {Awaited<ReturnType<typeof fetchPage>>} */
      const answer = await fetching;
      const waited = ticks() - asked;
      const end = coveredTo(run.leg.clock, window.to);
      const query = paging.next(answer);
      fetching = query && fetchNext(query);
      if (answer === null) {
        warn(run, "SCM refused the saved page token; reading on by time");
        continue;
      }
      // That request leaves when the event loop turns: let it, before converting this page keeps the loop busy. Where
      // answers come at once, a turn would only cost.
      if (fetching && waited > LIMITS.quickAnswer) await new Promise((resolve) => setTimeout(resolve, 0));
      const judged = await judge(run, answer.records, end);
      const byTime = paging.read(judged);
      if (byTime) fetching = fetchNext(byTime);
      const events = judged.filter(({ verdict }) => verdict === "send");
      run.counts.pages += 1;
      run.counts.fetched += answer.records.length;
      run.counts.repeated += judged.filter(({ verdict }) => verdict === "repeated").length;
      yield {
        at: ticks(),
        fetched: answer.records.length,
        events,
        length: sum(events, (event) => event.json.length + 1),
        marks: judged.map((each) => each.mark).filter((each) => each !== ""),
        open: paging.rest(end),
        done: end,
      };
      if (paging.state === "repeated") {
        throw new Failure("SCM repeats a page token; stopping instead of turning in circles");
      }
    }
  }
}

/** Sends all waiting pages, several in one request, and advances the checkpoint past them.
 * @param {Run} run @param {Page[]} waiting */
async function sendPages(run, waiting) {
  const { counts, progress } = run;
  while (waiting.length > 0) {
    const pages = [/** @type {Page} */ (waiting.shift())];
    let [records, length] = [pages[0].events.length, pages[0].length];
    while (waiting.length > 0) {
      records += waiting[0].events.length;
      length += waiting[0].length;
      if (records > LIMITS.batchRecords || length > LIMITS.batchLength) break;
      pages.push(/** @type {Page} */ (waiting.shift()));
    }
    const before = counts.sent;
    await sendBatch(run, pages.flatMap((page) => page.events));
    counts.batches += 1;
    counts.unlogged.sent += counts.sent - before;
    counts.unlogged.fetched += sum(pages, (page) => page.fetched);
    for (const page of pages) advance(progress, page);
    const isDue = saveIsDue(run);
    // A line for every batch would make a long log of a long catch-up.
    if (isDue || counts.batches <= 10) logProgress(run);
    if (isDue) await saveCheckpoint(run);
  }
}

/** @param {Run} run */
function logProgress({ counts }) {
  const { fetched, sent } = counts.unlogged;
  if (fetched > 0) log(`✓ Fetched ${fetched} records from SCM API`);
  if (sent > 0) log(`✓ Sent ${sent} logs to Dynatrace`);
  counts.unlogged = { fetched: 0, sent: 0 };
}

// ---------------------------------------------------------------------------------------------------------------------
// SCM: access token and pages
// ---------------------------------------------------------------------------------------------------------------------

/** A token that lives for the next request at least. @param {Run} run @returns {Promise<string>} */
async function accessToken(run) {
  if (run.access && hostNow() < run.access.renewAt) return run.access.token;
  const { user, value } = run.vault.entries.scm;
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
  readDate(run.leg.clock, answer.headers);
  run.access = { token, renewAt: hostNow() + (valid - Math.min(60, valid / 5)) * SECOND };
  return token;
}

/**
 * One page, or null if SCM refuses a page token that an earlier run had saved. Throws Stop at the end of the leg.
 * @param {Run} run @param {Window} window @param {Query} query @returns {Promise<PageAnswer | null>}
 */
async function fetchPage(run, window, { token, from }) {
  const { clock } = run.leg;
  if (age(clock) >= fetchTime(run.leg)) {
    throw new Stop(`${seconds(age(clock))} s of its ${seconds(fetchTime(run.leg))} s are used`, true);
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
      const old = answer.status === 400 && token === null && hostNow() - from / 1000 > LIMITS.kept;
      const hint = answer.status === 403
        ? " (is audit API access enabled for this key?)"
        : old
        ? ` (asked from ${formatTime(from)} on: if SCM keeps nothing that old, set initialCheckpoint to a later time)`
        : "";
      throw new Failure(`SCM audit API: ${answer.status} ${errorText(answer)}${hint}`);
    }
    readDate(run.leg.clock, answer.headers);
    return { records: recordsIn(answer.body) ?? [], token: answer.headers.get(SCM.cursorHeader) || null };
  }
}

/** The array of records in a page's body. @param {any} body @returns {any[] | undefined} */
function recordsIn(body) {
  return Array.isArray(body) ? body : SCM.lists.map((name) => body?.[name]).find(Array.isArray);
}

// ---------------------------------------------------------------------------------------------------------------------
// Records: which of a page's records are new
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What is decided about a record. `mark`: set if the next run will read it again; `isNew`: this leg had not seen it.
 * @typedef {Event & {mark: string, isNew: boolean, verdict: "send" | "repeated" | "not asked for"}} Judged
 */

/** @typedef {ReturnType<typeof newMemory>} Memory */

/** The records that this leg has seen last, by id, as they came: in two generations, as trimming one would cost more. */
function newMemory() {
  return {
    /** @type {Map<string, string>} */
    recent: new Map(),
    /** @type {Map<string, string>} */
    older: new Map(),
    /** Characters in `recent`. */
    length: 0,
  };
}

/**
 * Converts the records of a page, and decides which are to be sent: not those that this leg has seen or, in the
 * overlap, an earlier run has sent.
 * @param {Run} run @param {any[]} records @param {number} end Up to where the page covers, in microseconds.
 */
async function judge(run, records, end) {
  const { backfill, leg, memory, progress: { seen } } = run;
  /** @type {Judged[]} */
  const judged = [];
  const now = latestNow(leg.clock);
  for (const record of records) {
    const text = JSON.stringify(record);
    const event = await toEvent(record, text, backfill !== null, now);
    const { id, us } = event;
    const isCompared = seen.marks.size > 0 && (us === null || us <= seen.to + LIMITS.overlap * 1000);
    const isKept = us === null || us >= end - LIMITS.overlap * 1000;
    const ownMark = isCompared || isKept ? await mark(text) : "";
    const isNew = !isKnown(memory, id, text);
    if (isNew) remember(run, id, text);
    const verdict = !isNew
      ? "repeated"
      : backfill?.ids && !backfill.ids.has(id)
      ? "not asked for"
      : isCompared && seen.marks.has(ownMark)
      ? "repeated"
      : "send";
    judged.push({ ...event, mark: isKept ? ownMark : "", isNew, verdict });
  }
  return judged;
}

/** @param {Memory} memory @param {string} id @param {string} text */
function isKnown(memory, id, text) {
  const before = remembered(memory, id);
  return before === text || (before !== undefined && remembered(memory, text) !== undefined);
}

/** @param {Run} run @param {string} id @param {string} text */
function remember(run, id, text) {
  const before = remembered(run.memory, id);
  if (before !== undefined) {
    warn(run, `record ${id} came twice with different content; both are sent`);
    // An id that stands for several records: each is known by its content.
    for (const each of [before, text]) keep(run.memory, each, "");
  }
  keep(run.memory, id, text);
}

/** @param {Memory} memory @param {string} key */
function remembered(memory, key) {
  return memory.recent.get(key) ?? memory.older.get(key);
}

/** @param {Memory} memory @param {string} key An id; or a record's text, where its id is not enough. @param {string} text */
function keep(memory, key, text) {
  memory.recent.set(key, text);
  memory.length += text.length || key.length;
  if (memory.length <= LIMITS.rememberedLength / 2) return;
  memory.older = memory.recent;
  memory.recent = new Map();
  memory.length = 0;
}

// ---------------------------------------------------------------------------------------------------------------------
// Events: one audit record becomes one log record
// ---------------------------------------------------------------------------------------------------------------------

/** `us`: the record's time in microseconds, null where none can be read; `json`: the log record; `clamped`: sent without
 * its time, as it is too old; `truncated`: something was cut or left out.
 * @typedef {{id: string, us: number | null, json: string, clamped: boolean, truncated: boolean}} Event */

/** @param {any} raw @param {string} text The same as JSON. @param {boolean} again Sent on request.
 * @param {number} now @returns {Promise<Event>} */
async function toEvent(raw, text, again, now = hostNow()) {
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

// ---------------------------------------------------------------------------------------------------------------------
// Log ingest
// ---------------------------------------------------------------------------------------------------------------------

/** @typedef {{event: Event, why: string}} Refused */

/**
 * Sends a batch. A record that log ingest refuses while it takes others is set aside; where it takes none, the fault
 * is not the records'.
 * @param {Run} run @param {Event[]} events
 */
async function sendBatch(run, events) {
  const before = run.counts.sent;
  const refused = await sendEvents(run, events);
  if (refused.length > 0 && run.counts.sent === before) {
    throw new Failure(`Log ingest refuses each of ${refused.length} records: ${refused[0].why}; none is passed over`);
  }
  for (const { event: { id }, why } of refused) {
    run.counts.setAside += 1;
    if (run.counts.setAsideIds.length < 10) run.counts.setAsideIds.push(cutBytes(clean(id), 100));
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
  const { counts } = run;
  counts.sent += events.length;
  for (const { clamped, truncated } of events) {
    if (clamped) counts.clamped += 1;
    if (truncated) counts.truncated += 1;
  }
  return [];
}

/** @param {Run} run @param {string} body */
function ingest(run, body) {
  const headers = {
    Authorization: `Api-Token ${run.vault.entries.ingest.value}`,
    "Content-Type": "application/json; charset=utf-8",
  };
  const url = `${PARAMETERS.environmentUrl}/api/v2/logs/ingest`;
  return request(run, "log ingest", url, () => {
    if (!run.leg.closing) fence(run.leg.clock, "records were not sent");
    return { method: "POST", headers, body };
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// The run ledger: what this run did, as its result and as a record of its own, so that a query finds holes and silence
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run @param {"caught up" | "more waiting" | "backfilled" | "skipped" | "failed"} outcome @param {string} [reason] */
async function report(run, outcome, reason) {
  const { backfill, counts, leg, progress } = run;
  const { checkpoint, coveredFrom, saved, window } = progress;
  // A backfill answers for its window when it was read to the end and sent as a whole.
  const savedHw = !backfill ? saved.hw : outcome === "backfilled" && !backfill.ids ? checkpoint.hw : null;
  const reached = backfill && (checkpoint.open?.from ?? checkpoint.hw);
  const covers = coveredFrom !== null && savedHw !== null && savedHw >= coveredFrom;
  const newest = parseTime(checkpoint.ts);
  const summary = {
    outcome,
    reason,
    executionId: leg.executionId,
    revision: leg.chain.revision || undefined,
    leg: leg.chain.number,
    backfill: backfill ? true : undefined,
    reached: reached === null ? undefined : formatTime(reached),
    windowFrom: window ? formatTime(window.from) : undefined,
    windowTo: window ? formatTime(window.to) : undefined,
    coveredFrom: covers ? formatTime(coveredFrom) : undefined,
    coveredTo: covers ? formatTime(savedHw) : undefined,
    pages: counts.pages,
    fetched: counts.fetched,
    sent: counts.sent,
    repeated: counts.repeated,
    clamped: counts.clamped,
    truncated: counts.truncated,
    setAside: counts.setAside,
    setAsideIds: counts.setAsideIds.join(" ") || undefined,
    notRemembered: progress.notRemembered,
    retries: counts.retries,
    warnings: counts.warnings,
    checkpointBefore: progress.shownBefore,
    checkpointAfter: backfill ? undefined : shownCheckpoint(checkpoint),
    newestRecord: newest === null ? undefined : formatTime(newest),
    lagSeconds: backfill || savedHw === null ? undefined : seconds(Math.max(0, hostNow() - savedHw / 1000)),
    durationSeconds: Math.round(age(leg.clock) / 100) / 10,
  };
  const sentence =
    `Run ${outcome}${
      reason ? ` (${reason})` : ""
    }: ${counts.pages} pages, ${counts.fetched} fetched, ${counts.sent} sent, ` +
    `${counts.repeated} repeated, ${counts.clamped} older than 24 h, ${counts.setAside} set aside`;
  log(sentence);
  if (counts.clamped > 0) {
    log(
      `  ${counts.clamped} records were older than 24 h: sent with the present time, their own in scm.event.timestamp`,
    );
  }
  if (progress.notRemembered > 0) {
    log(`  ${progress.notRemembered} records of the last minutes do not fit the checkpoint: the next run repeats them`);
  }
  if (!run.vault.entries.ingest) return summary;
  /** @type {Record<string, string | undefined>} */
  const record = {
    content: outgoing(sentence),
    loglevel: outcome === "failed" ? "ERROR" : counts.setAside > 0 || counts.warnings > 0 ? "WARN" : "INFO",
    "log.source": "sectigo-scm-connector",
    "connector.workflow": workflowId,
  };
  for (const [key, value] of Object.entries(summary)) {
    if (value !== undefined) record[`connector.${key}`] = String(value);
  }
  try {
    const answer = await ingest(run, JSON.stringify([record]));
    leg.reported = answer.status === 204;
    if (!leg.reported) warn(run, `the run's own record was refused: ${answer.status} ${errorText(answer)}`);
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
    const answer = await within(run.leg, async (signal) => {
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
      fence(run.leg.clock, `${what}: ${describe(error)}`);
      if (isBlocked(error)) {
        if (age(run.leg.clock) > LIMITS.settle) {
          throw new Failure(
            `${what}: ${describe(error)}; add the host under Settings > General > External requests, or run pulumi up`,
          );
        }
        await settle(run.leg, "waiting for new hosts in the outbound allowlist to become usable (up to 10 s)");
        tries -= 1;
        continue;
      }
      const { maxRetries } = run.config;
      if (tries >= maxRetries) throw new Failure(`${what}: ${describe(error)} (after ${maxRetries} retries)`);
      const backoff = Math.random() * Math.min(LIMITS.backoffMost, LIMITS.backoff * 2 ** tries);
      const wait = Math.max(backoff, /** @type {any} */ (error).retryAfter ?? 0);
      run.counts.retries += 1;
      await pause(run.leg, wait, `${what}: ${describe(error)}; retry ${tries + 1} of ${maxRetries}`);
    }
  }
}

/** A call of the SDK, which has neither time limit nor retries of its own.
 * @template T @param {Run} run @param {string} what @param {(signal: AbortSignal) => Promise<T>} call */
async function asked(run, what, call) {
  return await retried(run, what, () => within(run.leg, call));
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
      if (age(run.leg.clock) > LIMITS.settle) {
        throw new Failure(`${what} does not exist (${describe(error)}); run pulumi up`);
      }
      await settle(run.leg, "waiting for new vault entries to become usable (up to 10 s)");
    }
  }
}

/** Runs an exchange with a time limit of its own, never far past the moment after which nothing is written.
 * @template T @param {Run["leg"]} leg @param {(signal: AbortSignal) => Promise<T>} exchange @returns {Promise<T>} */
async function within(leg, exchange) {
  const controller = new AbortController();
  const last = leg.closing ? LIMITS.write : LIMITS.answer;
  const limit = Math.max(SECOND, Math.min(LIMITS.request, last - age(leg.clock)));
  const timer = setTimeout(() => controller.abort(), limit);
  try {
    return await exchange(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Run["leg"]} leg @param {number} ms @param {string} why */
async function pause(leg, ms, why) {
  // While fetching, a wait that does not fit ends the leg in good order; afterwards there is some time left to save.
  if (age(leg.clock) + ms > (leg.closing ? LIMITS.write : fetchTime(leg))) {
    throw new Stop(`${why}, but a wait of ${seconds(ms)} s does not fit into this leg`, false);
  }
  log(`  ${why} (waiting ${(ms / SECOND).toFixed(1)} s)`);
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** A short wait for what Dynatrace has stored but not made usable yet; said once, however many wait.
 * @param {Run["leg"]} leg @param {string} why */
async function settle(leg, why) {
  if (!leg.hints.has(why)) log(`  ${why}`);
  leg.hints.add(why);
  await new Promise((resolve) => setTimeout(resolve, SECOND));
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

// ---------------------------------------------------------------------------------------------------------------------
// Output: the one way out for everything that the script prints, throws, returns or sends about itself
// ---------------------------------------------------------------------------------------------------------------------

/** @param {string} text */
function outgoing(text) {
  return clean(text);
}

/** @param {string} text */
function log(text) {
  console.log(outgoing(text));
}

/** @param {Run} run @param {string} text */
function warn(run, text) {
  run.counts.warnings += 1;
  console.warn(outgoing(`WARN ${text}`));
}

/** One line about an error that holds nothing of the request. @param {any} error @returns {string} */
function describe(error) {
  const text = /abort/i.test(error?.name ?? "")
    ? `no answer within ${seconds(LIMITS.request)} s`
    : error?.message ?? String(error);
  const cause = error?.cause?.message && !text.includes(error.cause.message) ? ` (${error.cause.message})` : "";
  return outgoing(text + cause).slice(0, 500).toWellFormed();
}

/** The message inside an error's body, whatever its envelope. @param {Answer} answer */
function errorText({ text, body }) {
  const inner = body?.error && typeof body.error === "object" ? body.error : body;
  const found = SCM.errors.map((name) => inner?.[name]).find((value) => typeof value === "string");
  return outgoing(found ?? text.slice(0, 1_000)).slice(0, 200).toWellFormed();
}

// ---------------------------------------------------------------------------------------------------------------------
// Time. Times are integers in microseconds: SCM gives six digits, of which a Date keeps three.
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

// ---------------------------------------------------------------------------------------------------------------------
// Text
// ---------------------------------------------------------------------------------------------------------------------

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

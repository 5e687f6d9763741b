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
 * Reading order: parameters, `sync` (the whole run), then the steps it names.
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

/** Milliseconds unless the name says otherwise. */
const LIMITS = {
  /** No new page after this age of the leg; the platform's kill is at 120 s. */
  leg: 100 * SECOND,
  /** Nothing is written after this age, whatever happens: another run may own the checkpoint soon. */
  write: 118 * SECOND,
  /** A run that started longer ago than this cannot be alive: 120 s and the start of a script. */
  dead: 130 * SECOND,
  /** The lock's lease, for readers that cannot ask whether its owner is alive. */
  lease: 180 * SECOND,
  /** The vendor's lock timeout, for locks that name no owner. */
  vendorLease: 120 * MINUTE,
  /** Vault entries need up to 10 s and allowed hosts up to 10 s before they work. */
  settle: 20 * SECOND,
  request: 20 * SECOND,
  /** Newest records are left for the next run: SCM may still be writing them. */
  lag: 60 * SECOND,
  /** How long a record may become visible late and still arrive. */
  overlap: 5 * MINUTE,
  /** One query's span; a window that must be read again is at most this long. */
  slice: 6 * HOUR,
  history: 365 * 24 * HOUR,
  /** Log ingest refuses records older than 24 h; ten minutes are for the way. */
  ingestAge: 24 * HOUR - 10 * MINUTE,
  backoff: SECOND,
  backoffMost: 60 * SECOND,
  /** The checkpoint is saved after this many records or this long, and at the end: a kill repeats that much at most. */
  saveRecords: 5_000,
  saveEvery: 10 * SECOND,
  batchRecords: 5_000,
  /** UTF-16 units; a unit is at most 3 bytes and log ingest takes 10 MB. */
  batchLength: 3_000_000,
  waitingRecords: 10_000,
  rememberedRecords: 20_000,
  checkpointBytes: 8_000,
  contentLength: 100_000,
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

/** Ends the leg in good order: progress is saved, the next run goes on. */
class Stop extends Error {}
/** Ends the run as failed; the text is for the person who reads the execution. */
class Failure extends Error {}

/**
 * @typedef {{us: number, text: string}} Moment Microseconds since the epoch, and the text as it came.
 * @typedef {{from: number, to: number, token: string | null}} Window Microseconds; the token of the next page.
 * @typedef {{ts: string, id: string, hw: number | null, open: Window | null, seen: string[], initial: string}} Checkpoint
 * @typedef {{id: string, us: number | null, json: string, clamped: boolean, truncated: boolean}} Event
 * @typedef {{events: Event[], open: Window | null, drained: Window | null}} Page
 * @typedef {{id: string, name: string, value: string, user: string, metadata: Record<string, any> | null}} Entry
 */

/** @param {{executionId?: string, execution_id?: string}} [action] */
export default async function sync(action = {}) {
  const run = newRun(action.executionId ?? action.execution_id ?? ownExecutionId ?? "");
  log("=== Sectigo SCM to Dynatrace Integration ===");
  try {
    await readVault(run);
    await readChain(run);
    if (!(await takeLock(run))) return await report(run, "skipped");
    readCheckpoint(run);
    try {
      await authenticate(run);
      await catchUp(run);
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      run.more = error.message;
      log(`Stopping this leg: ${error.message}`);
    }
    await saveCheckpoint(run);
    const summary = await report(run, run.more ? "more waiting" : "caught up", run.more);
    await releaseLock(run);
    if (run.more) await startNextLeg(run);
    return summary;
  } catch (error) {
    const failure = describe(error);
    log(`✗ ${failure}`);
    await saveAfterFailure(run);
    await report(run, "failed", failure);
    if (run.locked) await releaseLock(run);
    // A fresh error: the original may hold a request with its headers.
    throw new Error(failure);
  }
}

/** @param {string} executionId */
function newRun(executionId) {
  const now = Date.now();
  return {
    executionId,
    /** Start of this leg; the platform's own record of it replaces it where it can be read. */
    started: now,
    /** Server time minus our time, from SCM's Date header. */
    skew: 0,
    chain: { started: now, leg: 1, previous: "", revision: "" },
    canAskExecutions: true,
    config: { ...DEFAULTS, initialCheckpoint: "" },
    /** @type {Record<"scm" | "ingest" | "checkpoint" | "lock" | "config", Entry>} */
    entries: /** @type {any} */ ({}),
    locked: false,
    /** @type {{token: string, renewAt: number} | null} */
    access: null,
    checkpoint: emptyCheckpoint(),
    before: "none",
    saved: { text: "", at: now, sent: 0 },
    checkpointBroken: false,
    /** @type {{from: number, to: number} | null} */
    window: null,
    /** Why this leg stopped with records waiting; empty: it did not. */
    more: "",
    /** @type {Set<string>} */
    told: new Set(),
    pages: 0,
    fetched: 0,
    sent: 0,
    repeated: 0,
    clamped: 0,
    truncated: 0,
    setAside: 0,
    unseen: 0,
    retries: 0,
    warnings: 0,
    /** @type {number | null} */
    newest: null,
    /** Ids and texts of the records this leg has seen last. @type {Map<string, string>} */
    recent: new Map(),
    /** Marks of the records that earlier runs have sent within the overlap. @type {Set<string>} */
    seen: new Set(),
    /** Marks of this window's last minutes, for the next run. @type {string[]} */
    tail: [],
  };
}

/** @typedef {ReturnType<typeof newRun>} Run */

// ---------------------------------------------------------------------------------------------------------------------
// Vault: credentials, configuration, checkpoint and lock are entries of the credential vault
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run */
async function readVault(run) {
  log("Retrieving credentials from vault...");
  const [scm, ingest, checkpoint, lock, config] = await Promise.all([
    readEntry(run, PARAMETERS.scmCredentialId, false),
    readEntry(run, PARAMETERS.logIngestCredentialId, false),
    readEntry(run, PARAMETERS.checkpointCredentialId, true),
    readEntry(run, PARAMETERS.executionLockCredentialId, true),
    readEntry(run, PARAMETERS.workflowConfigCredentialId, false),
  ]);
  run.entries = { scm, ingest, checkpoint, lock, config };
  log(`✓ SCM credentials retrieved from vault: ${scm.name}`);
  log(`✓ Dynatrace token retrieved from vault: ${ingest.name}`);
  run.config = readConfig(run, config.value);
  log(`✓ Runtime config loaded from vault: ${config.name}`);
  const shown = { ...run.config, initialCheckpoint: run.config.initialCheckpoint || undefined };
  log(`  Config values: ${JSON.stringify(shown)}`);
  log(
    `Max execution time: ${PARAMETERS.maxExecutionTimeMinutes} minutes (hardcoded), in legs of ${
      LIMITS.leg / SECOND
    } s`,
  );
  log(
    `Lock timeout: ${LIMITS.lease / SECOND} seconds (hardcoded); ${
      LIMITS.vendorLease / MINUTE
    } minutes for a lock without owner`,
  );
  const { days, hours } = /** @type {{days: number, hours: number}} */ (parseDuration(run.config.initHistoryDuration));
  log(`Initial history: ${run.config.initHistoryDuration} (${days}d ${hours}h)`);
}

/**
 * Value of an entry, and for the ones we write their metadata too: a PUT replaces all of it.
 * @param {Run} run @param {string} id @param {boolean} written @returns {Promise<Entry>}
 */
async function readEntry(run, id, written) {
  const read = () =>
    Promise.all([
      within(run, (abortSignal) => credentialVaultClient.getCredentialsDetails({ id, abortSignal })),
      written ? within(run, (abortSignal) => credentialVaultClient.getCredentials({ id, abortSignal })) : null,
    ]);
  const [details, metadata] = await settled(run, `vault entry ${id}`, read);
  const { name, token, username, password } = /** @type {Record<string, any>} */ (details);
  return { id, name: name ?? id, value: token ?? password ?? "", user: username ?? "", metadata };
}

/** @param {Run} run @param {Entry} entry @param {string} value */
async function writeEntry(run, entry, value) {
  if (Date.now() - run.started > LIMITS.write) {
    throw new Failure(
      `${entry.name} was not written: this leg is ${age(run)} s old and another run may have taken over`,
    );
  }
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
  const created = await retried(
    run,
    `writing ${entry.name}`,
    () => within(run, (abortSignal) => credentialVaultClient.updateCredentials({ id: entry.id, body, abortSignal })),
  );
  // 201 instead of 204: the entry had been deleted (a `pulumi destroy` while we ran) and this PUT made it anew.
  if (created?.id) {
    await credentialVaultClient.removeCredentials({ id: created.id });
    throw new Failure(`${entry.name} (${entry.id}) was deleted while this run was alive; nothing is written any more`);
  }
  entry.value = value;
}

/** Bad values give the default and a warning: a customer's typo in the vault must not stop the evidence.
 * @param {Run} run @param {string} text */
function readConfig(run, text) {
  const config = { ...DEFAULTS, initialCheckpoint: "" };
  /** @type {any} */
  let given;
  try {
    given = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    given = null;
  }
  if (given === null || typeof given !== "object" || Array.isArray(given)) {
    warn(run, `runtime config is not a JSON object; using ${JSON.stringify(DEFAULTS)}`);
    return config;
  }
  const { maxRetries, initHistoryDuration, initialCheckpoint } = given;
  if (maxRetries !== undefined) {
    if (Number.isInteger(maxRetries) && maxRetries >= 0 && maxRetries <= LIMITS.retries) config.maxRetries = maxRetries;
    else warn(run, `maxRetries must be an integer from 0 to ${LIMITS.retries}; using ${DEFAULTS.maxRetries}`);
  }
  if (initHistoryDuration !== undefined) {
    const duration = parseDuration(initHistoryDuration);
    if (duration) config.initHistoryDuration = duration.text;
    else warn(run, `initHistoryDuration must look like 2h, 1d or 5d12h; using ${DEFAULTS.initHistoryDuration}`);
  }
  if (initialCheckpoint !== undefined && initialCheckpoint !== null && initialCheckpoint !== "") {
    const moment = parseTime(initialCheckpoint);
    if (moment !== null && moment / 1000 <= Date.now()) config.initialCheckpoint = initialCheckpoint;
    else warn(run, "initialCheckpoint must be an ISO 8601 time in the past, like 2026-01-22T12:00:00Z; ignoring it");
  }
  return config;
}

// ---------------------------------------------------------------------------------------------------------------------
// Chain and lock: who may write the checkpoint. The fence is the platform's kill, measured on the platform's clock.
// ---------------------------------------------------------------------------------------------------------------------

/** Start of this leg by the platform's clock, and what the leg before handed over. @param {Run} run */
async function readChain(run) {
  const own = await askExecutions(run, () => executionsClient.getExecution({ id: run.executionId }));
  if (!own) return;
  if (own.startedAt) run.started = Math.min(run.started, new Date(own.startedAt).getTime());
  const { chainStarted, leg, previous, revision } = /** @type {Record<string, any>} */ (own.input ?? {});
  run.chain = {
    started: parseTime(chainStarted) === null ? run.started : Number(parseTime(chainStarted)) / 1000,
    leg: Number.isInteger(leg) ? leg : 1,
    previous: typeof previous === "string" ? previous : "",
    revision: typeof revision === "string" ? revision : "",
  };
  if (run.chain.leg > 1) log(`Leg ${run.chain.leg} of a catch-up that began at ${isoMs(run.chain.started)}`);
}

/** Whether this run may go on. @param {Run} run @returns {Promise<boolean>} */
async function takeLock(run) {
  const lock = parseLock(run.entries.lock.value);
  log(`Execution lock status: ${lock.shown}`);
  if (lock.owner !== run.executionId && !(await lockIsFree(run, lock))) return false;
  const expires = Date.now() + LIMITS.lease;
  const mine = `RUNNING|${run.executionId}|${isoMs(run.started)}|${isoMs(expires)}`;
  await writeEntry(run, run.entries.lock, mine);
  run.locked = true;
  // The vault has no compare-and-set. Two runs that both read IDLE are parted here: by age where the platform tells
  // it, else by who wrote last. Both going on would repeat records, not lose any.
  const rivals = await askExecutions(
    run,
    () => executionsClient.getExecutions({ workflow: [workflowId ?? ""], state: ["RUNNING"], limit: 50 }),
  );
  if (rivals) {
    const elder = rivals.results.find((other) => isElder(run, other));
    if (elder) return stepBack(run, `execution ${elder.id} started before this one`);
  } else {
    const after = parseLock((await readEntry(run, run.entries.lock.id, false)).value);
    if (after.owner !== run.executionId) return stepBack(run, `${after.shown} was written at the same time`);
  }
  log("✓ Execution lock set to RUNNING");
  return true;
}

/** @param {Run} run @param {{id: string, startedAt?: Date}} other */
function isElder(run, other) {
  const started = new Date(other.startedAt ?? 0).getTime();
  if (other.id === run.executionId || other.id === run.chain.previous) return false;
  if (Date.now() - started > LIMITS.dead) return false;
  return started < run.started || (started === run.started && other.id < run.executionId);
}

/** @param {Run} run @param {string} why */
function stepBack(run, why) {
  log(`Another run is at work (${why}): skipping this one`);
  run.locked = false;
  return false;
}

/** @param {Run} run @param {ReturnType<typeof parseLock>} lock @returns {Promise<boolean>} */
async function lockIsFree(run, lock) {
  if (lock.state === "IDLE") return true;
  if (lock.state === "UNREADABLE") {
    warn(run, "the execution lock is unreadable; treating it as IDLE");
    return true;
  }
  const now = Date.now();
  if (!lock.owner) {
    // The vendor's bare RUNNING tells no age: stamp it once, so that its 120 minutes can be measured.
    if (lock.expires !== null) return lock.expires <= now;
    await writeEntry(run, run.entries.lock, `RUNNING||${isoMs(now)}|${isoMs(now + LIMITS.vendorLease)}`);
    return stepBack(run, `a lock without owner is waited for until ${isoMs(now + LIMITS.vendorLease)}`);
  }
  // An owner that the platform does not know any more is over, too.
  const owner = await askExecutions(
    run,
    () =>
      executionsClient.getExecution({ id: lock.owner }).catch((error) => {
        if (statusOf(error) === 404) return { state: "ERROR" };
        throw error;
      }),
  );
  if (owner && isOver(owner)) {
    warn(run, `taking over the lock of execution ${lock.owner}, which is over without having released it`);
    return true;
  }
  if (!owner && (lock.expires === null || lock.expires <= now || lock.expires > now + LIMITS.lease)) {
    warn(run, `taking over the lock of execution ${lock.owner}: its lease has ended`);
    return true;
  }
  return stepBack(run, `execution ${lock.owner} holds the lock`);
}

/** Cancelled and unknown states are no proof: a cancelled script runs on until the platform's kill.
 * @param {{state: string, startedAt?: Date}} execution */
function isOver({ state, startedAt }) {
  return state === "SUCCESS" || state === "ERROR" || Date.now() - new Date(startedAt ?? 0).getTime() > LIMITS.dead;
}

/**
 * An answer of the executions API; null where the actor may not use it (the lease decides then).
 * @template T @param {Run} run @param {() => Promise<T>} ask @returns {Promise<T | null>}
 */
async function askExecutions(run, ask) {
  if (!run.canAskExecutions) return null;
  try {
    return await retried(run, "asking for executions", ask);
  } catch (error) {
    if (![401, 403].includes(statusOf(error) ?? 0)) throw error;
    run.canAskExecutions = false;
    warn(run, "the actor may not read executions (automation:workflows:read); the lock's lease decides instead");
    return null;
  }
}

/** @param {string} text `IDLE`, `RUNNING`, or `RUNNING|owner|started|expires` */
function parseLock(text) {
  const [word = "", owner = "", started = "", expires = ""] = text.trim().split("|");
  const state = { IDLE: "IDLE", RUNNING: "RUNNING", "": "IDLE" }[word.toUpperCase()] ?? "UNREADABLE";
  const until = parseTime(expires);
  const shown = state === "RUNNING" && owner ? `RUNNING (execution ${owner} since ${started})` : state;
  return { state, owner, expires: until === null ? null : until / 1000, shown };
}

/** @param {Run} run */
async function releaseLock(run) {
  try {
    const lock = parseLock((await readEntry(run, run.entries.lock.id, false)).value);
    if (lock.owner !== run.executionId) return log(`Execution lock left as it is: ${lock.shown}`);
    await writeEntry(run, run.entries.lock, "IDLE");
    log("✓ Execution lock released (IDLE)");
  } catch (error) {
    // The run's work is done; the next run sees that this execution is over.
    warn(run, `the execution lock could not be released: ${describe(error)}`);
  }
}

/** Goes on where this leg stopped, until nothing is left or the chain's time is used up. @param {Run} run */
async function startNextLeg(run) {
  const until = run.chain.started + PARAMETERS.maxExecutionTimeMinutes * MINUTE;
  if (run.sent === 0 && run.repeated === 0) return log("No progress in this leg: the next schedule goes on");
  if (Date.now() >= until) return log(`Max execution time is used up: the next schedule goes on`);
  try {
    const workflow = await workflowsClient.getWorkflow({ id: workflowId ?? "" });
    if (!workflow.isDeployed) return log("The workflow is not deployed any more: no further leg");
    const input = {
      chainStarted: isoMs(run.chain.started),
      leg: run.chain.leg + 1,
      previous: run.executionId,
      revision: run.chain.revision,
    };
    // The qualifier names this leg: a repeated call starts nothing twice.
    const body = { input, uniqueQualifier: `after-${run.executionId}` };
    await workflowsClient.runWorkflow({ id: workflowId ?? "", body });
    log(`More records are waiting: leg ${input.leg} started`);
  } catch (error) {
    warn(
      run,
      `no further leg could be started (automation:workflows:run): ${describe(error)}; the next schedule goes on`,
    );
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Checkpoint: `<time>|<id>` of the newest accepted record, as the vendor writes it, and a machine part on line two
// ---------------------------------------------------------------------------------------------------------------------

/** @returns {Checkpoint} */
function emptyCheckpoint() {
  return { ts: "", id: "", hw: null, open: null, seen: [], initial: "" };
}

/** @param {Run} run */
function readCheckpoint(run) {
  run.checkpoint = parseCheckpoint(run, run.entries.checkpoint.value);
  run.saved = { text: run.entries.checkpoint.value, at: Date.now(), sent: 0 };
  run.seen = new Set(run.checkpoint.seen);
  if (run.checkpoint.open) run.tail = [...run.checkpoint.seen];
  run.before = shownCheckpoint(run.checkpoint);
  log(`Checkpoint: ${run.before === "none" ? "none (initial run)" : run.before}`);
}

/** @param {Run} run @param {string} text @returns {Checkpoint} */
function parseCheckpoint(run, text) {
  const checkpoint = emptyCheckpoint();
  const [human = "", machine] = text.replace(/^\uFEFF/, "").trim().split("\n");
  if (human === "" || human.toUpperCase() === "NONE") return checkpoint;
  const bar = human.indexOf("|");
  const ts = bar < 0 ? human : human.slice(0, bar);
  const us = parseTime(ts);
  if (us === null) {
    warn(run, "the checkpoint is unreadable; starting as a first run, which repeats records rather than lose them");
    return checkpoint;
  }
  Object.assign(checkpoint, { ts, id: bar < 0 ? "" : human.slice(bar + 1), hw: us });
  try {
    const { hw, from, to, token, seen, initial } = JSON.parse(machine ?? "{}");
    if (typeof hw === "string") checkpoint.hw = parseTime(hw) ?? us;
    if (typeof seen === "string") checkpoint.seen = seen.match(/.{8}/g) ?? [];
    if (typeof initial === "string") checkpoint.initial = initial;
    const window = { from: parseTime(from), to: parseTime(to), token: typeof token === "string" ? token : null };
    if (window.from !== null && window.to !== null && window.to > window.from) {
      checkpoint.open = /** @type {Window} */ (window);
    }
  } catch {
    warn(run, "the checkpoint's second line is unreadable; going on from its time");
  }
  return checkpoint;
}

/** @param {Checkpoint} checkpoint */
function formatCheckpoint({ ts, id, hw, open, seen, initial }) {
  const machine = {
    v: 1,
    hw: hw === null ? undefined : formatTime(hw),
    from: open ? formatTime(open.from) : undefined,
    to: open ? formatTime(open.to) : undefined,
    token: open?.token ?? undefined,
    initial: initial || undefined,
  };
  const human = `${ts || formatTime(hw ?? open?.from ?? 0)}|${id}`;
  const fixed = utf8Length(`${human}\n${JSON.stringify({ ...machine, seen: "" })}`);
  const room = Math.max(0, Math.floor((LIMITS.checkpointBytes - fixed) / 8));
  return `${human}\n${JSON.stringify({ ...machine, seen: seen.slice(-room).join("") || undefined })}`;
}

/** @param {Checkpoint} checkpoint */
function shownCheckpoint({ ts, id, hw }) {
  if (!ts && hw === null) return "none";
  return `${ts || formatTime(hw ?? 0)}|${id.length > 8 ? id.slice(0, 8) + "..." : id}`;
}

/** @param {Run} run */
async function saveCheckpoint(run) {
  if (run.checkpoint.hw === null && run.checkpoint.open === null) return;
  const text = formatCheckpoint(run.checkpoint);
  if (text === run.saved.text) return;
  try {
    await writeEntry(run, run.entries.checkpoint, text);
  } catch (error) {
    run.checkpointBroken = true;
    throw error;
  }
  run.saved = { text, at: Date.now(), sent: run.sent };
  log(`✓ Checkpoint saved to vault: ${shownCheckpoint(run.checkpoint)}`);
}

/** What was accepted before the failure need not be sent again. @param {Run} run */
async function saveAfterFailure(run) {
  if (!run.locked || run.checkpointBroken) return;
  try {
    await saveCheckpoint(run);
  } catch (error) {
    warn(run, `the checkpoint could not be saved: ${describe(error)}`);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Catching up: pages are fetched while earlier ones are being sent and saved
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run */
async function catchUp(run) {
  const windows = planWindows(run);
  /** @type {Page[]} */
  const waiting = [];
  /** @type {Promise<void> | null} */
  let sending = null;
  /** @type {unknown} */
  let sendError = null;
  const waitingRecords = () => waiting.reduce((sum, page) => sum + page.events.length, 0);
  try {
    for await (const page of fetchPages(run, windows)) {
      waiting.push(page);
      sending ??= sendPages(run, waiting).catch((error) => void (sendError = error)).finally(() =>
        void (sending = null)
      );
      if (waitingRecords() >= LIMITS.waitingRecords) await sending;
      if (sendError) break;
    }
  } finally {
    // Also when fetching ended early: what was fetched is sent and counted.
    await sending;
    if (!sendError) await sendPages(run, waiting);
  }
  if (sendError) throw sendError;
}

/** The windows to read, in order; all times in microseconds. @param {Run} run @returns {Window[]} */
function planWindows(run) {
  const { checkpoint, config } = run;
  const to = Math.floor((Date.now() + Math.min(0, run.skew) - LIMITS.lag) / SECOND) * SECOND * 1000;
  /** @type {Window[]} */
  const windows = [];
  let from;
  let first = false;
  if (config.initialCheckpoint && config.initialCheckpoint !== checkpoint.initial) {
    from = /** @type {number} */ (parseTime(config.initialCheckpoint));
    checkpoint.initial = config.initialCheckpoint;
    checkpoint.open = null;
    log(`Initial checkpoint applied: ${config.initialCheckpoint}`);
  } else if (checkpoint.hw === null && checkpoint.open === null) {
    const { ms } = /** @type {{ms: number}} */ (parseDuration(config.initHistoryDuration));
    first = true;
    from = to + LIMITS.lag * 1000 - ms * 1000;
  } else {
    if (checkpoint.open) windows.push(checkpoint.open);
    let mark = checkpoint.open ? checkpoint.open.to : /** @type {number} */ (checkpoint.hw);
    if (mark > to + LIMITS.lag * 1000) {
      warn(run, `the checkpoint lies in the future (${formatTime(mark)}); going on from now`);
      mark = to;
    }
    from = mark - LIMITS.overlap * 1000;
  }
  const begin = windows[0]?.from ?? from;
  run.window = { from: begin, to: Math.max(to, begin) };
  const span = shownSpan((run.window.to - run.window.from) / 1000);
  const kind = first ? "First run" : checkpoint.open ? "Resuming" : "Incremental run";
  log(`${kind} - querying logs from ${formatTime(run.window.from)} to ${formatTime(run.window.to)} (${span})`);
  while (from < to) {
    const end = Math.min(to, from + LIMITS.slice * 1000);
    windows.push({ from, to: end, token: null });
    if (end === to) break;
    // Whether `from` and `to` include their own moment is not documented: a second twice, rather than a record never.
    from = end - SECOND * 1000;
  }
  return windows;
}

/** @param {Run} run @param {Window[]} windows @returns {AsyncGenerator<Page>} */
async function* fetchPages(run, windows) {
  for (const window of windows) {
    const tokens = new Set();
    let { token } = window;
    let after = window.from;
    while (true) {
      if (Date.now() - run.started >= LIMITS.leg) {
        throw new Stop(`${age(run)} s of its ${LIMITS.leg / SECOND} s are used`);
      }
      const answer = await fetchPage(run, token ? { token, to: window.to } : { from: after, to: window.to }, window);
      if (answer === null) {
        warn(run, "SCM refused the saved page token; reading that window again from its start");
        token = null;
        continue;
      }
      const events = await freshEvents(run, answer.records, window);
      const newest = Math.max(after, ...events.map((event) => event.us ?? 0));
      // The documented end is `[]`. A page without a token is a probable end only: a proxy may strip the header, so
      // one query by time has the last word.
      const end = answer.records.length === 0 || (!answer.token && events.length === 0);
      const open = end ? null : { ...window, token: answer.token };
      yield { events, open, drained: end ? window : null };
      if (end) break;
      if (answer.token && tokens.has(answer.token)) {
        throw new Failure("SCM repeats a page token; stopping instead of turning in circles");
      }
      tokens.add(answer.token);
      token = answer.token;
      after = answer.token ? after : Math.max(window.from, newest - SECOND * 1000);
    }
  }
}

/** Drops what this run or the overlap has sent already. @param {Run} run @param {any[]} records @param {Window} window */
async function freshEvents(run, records, window) {
  run.pages += 1;
  run.fetched += records.length;
  if (records.length > 0) log(`✓ Fetched ${records.length} records from SCM API`);
  const events = await Promise.all(records.map((record) => toEvent(record)));
  const overlapEnd = window.from + 2 * LIMITS.overlap * 1000;
  const compared = run.seen.size > 0 && events.some(({ us }) => us === null || us <= overlapEnd);
  const marks = compared ? await Promise.all(events.map((event) => mark(event.json))) : [];
  return events.filter((event, index) => {
    const before = run.recent.get(event.id);
    if (before === event.json || run.seen.has(marks[index])) {
      run.repeated += 1;
      return false;
    }
    if (before !== undefined) warn(run, `record ${event.id} came twice with different content; both are sent`);
    run.recent.set(event.id, event.json);
    if (run.recent.size > LIMITS.rememberedRecords) {
      run.recent.delete(/** @type {string} */ (run.recent.keys().next().value));
    }
    return true;
  });
}

/** Sends all waiting pages, several in one request, and moves the checkpoint behind them. @param {Run} run @param {Page[]} waiting */
async function sendPages(run, waiting) {
  while (waiting.length > 0) {
    const pages = [];
    let records = 0;
    let length = 0;
    while (waiting.length > 0) {
      const [next] = waiting;
      const size = next.events.reduce((sum, event) => sum + event.json.length + 1, 0);
      if (
        pages.length > 0 && (records + next.events.length > LIMITS.batchRecords || length + size > LIMITS.batchLength)
      ) break;
      pages.push(next);
      waiting.shift();
      records += next.events.length;
      length += size;
    }
    const events = pages.flatMap((page) => page.events);
    const sent = await sendEvents(run, events);
    if (events.length > 0) log(`✓ Sent ${sent} logs to Dynatrace`);
    for (const page of pages) await advance(run, page);
    const due = run.sent - run.saved.sent >= LIMITS.saveRecords || Date.now() - run.saved.at >= LIMITS.saveEvery;
    if (due) await saveCheckpoint(run);
  }
}

/** The checkpoint behind an accepted page. @param {Run} run @param {Page} page */
async function advance(run, { events, open, drained }) {
  const { checkpoint } = run;
  const window = open ?? drained;
  let newest = parseTime(checkpoint.ts) ?? 0;
  for (const { us, id } of events) {
    if (us === null || us < newest) continue;
    newest = us;
    Object.assign(checkpoint, { ts: formatTime(us), id });
  }
  run.newest = newest || null;
  // Records of the window's last minutes are read again by the next run: remember them, to suppress the repeats.
  const from = (window?.to ?? 0) - LIMITS.overlap * 1000;
  run.tail.push(
    ...await Promise.all(events.filter(({ us }) => us !== null && us >= from).map(({ json }) => mark(json))),
  );
  const room = Math.floor(LIMITS.checkpointBytes / 8);
  if (run.tail.length > room) run.unseen += run.tail.splice(0, run.tail.length - room).length;
  checkpoint.seen = drained ? run.tail : [...run.seen, ...run.tail];
  if (drained) run.tail = [];
  checkpoint.open = open;
  if (drained) checkpoint.hw = Math.max(drained.to, checkpoint.hw ?? 0);
}

// ---------------------------------------------------------------------------------------------------------------------
// SCM: access token and pages
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run */
async function authenticate(run) {
  await accessToken(run);
  log("✓ OAuth token obtained");
}

/** A token that lives for the next request at least. @param {Run} run @returns {Promise<string>} */
async function accessToken(run) {
  if (run.access && Date.now() < run.access.renewAt) return run.access.token;
  const { user, value } = run.entries.scm;
  const body = new URLSearchParams({ grant_type: "client_credentials", client_id: user, client_secret: value });
  const headers = { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" };
  const answer = await request(run, "SCM token endpoint", PARAMETERS.scmTokenUrl, () => ({
    method: "POST",
    headers,
    body: body.toString(),
  }));
  if (answer.status !== 200) {
    throw new Failure(
      `SCM refused the OAuth client (${answer.status}: ${
        errorText(answer.text)
      }); check sectigoClientId and sectigoClientSecret`,
    );
  }
  const { access_token: token, expires_in: lifetime } = parseJson(answer.text) ?? {};
  if (typeof token !== "string" || token === "") {
    throw new Failure("SCM's token endpoint answered without an access_token");
  }
  const seconds = Number.isFinite(lifetime) && lifetime > 0 ? lifetime : 300;
  run.access = { token, renewAt: Date.now() + (seconds - Math.min(60, seconds / 5)) * SECOND };
  const date = Date.parse(answer.headers.get("date") ?? "");
  if (Number.isFinite(date)) run.skew = date - Date.now();
  return token;
}

/**
 * One page, or null where SCM refuses a page token that an earlier run had saved.
 * @param {Run} run @param {{token?: string, from?: number, to: number}} query @param {Window} window
 * @returns {Promise<{records: any[], token: string | null} | null>}
 */
async function fetchPage(run, query, window) {
  const url = new URL(PARAMETERS.scmApiUrl + SCM.path);
  // `to` goes with every call and stays the window's own (SCM refuses a token without it).
  if (query.from !== undefined) url.searchParams.set("from", formatTime(query.from));
  if (query.token !== undefined) url.searchParams.set("token", query.token);
  url.searchParams.set("to", formatTime(query.to));
  for (let renewed = false;; renewed = true) {
    const answer = await request(run, "SCM audit API", url.href, async () => ({
      headers: { Authorization: `Bearer ${await accessToken(run)}`, Accept: "application/json" },
    }), (answer) => answer.status === 200 && parseJson(answer.text) === undefined);
    if (answer.status === 401 && !renewed) {
      run.access = null;
      continue;
    }
    if ([400, 404, 410].includes(answer.status) && query.token !== undefined && query.token === window.token) {
      return null;
    }
    const body = parseJson(answer.text);
    const records = Array.isArray(body) ? body : SCM.lists.map((name) => body?.[name]).find(Array.isArray);
    if (answer.status !== 200 || !records) {
      throw new Failure(
        `SCM audit API: ${answer.status} ${errorText(answer.text)}${
          answer.status === 403 ? " (is audit API access enabled for this key?)" : ""
        }`,
      );
    }
    return { records, token: answer.headers.get(SCM.cursorHeader) || null };
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Log ingest: one audit record becomes one log record
// ---------------------------------------------------------------------------------------------------------------------

/** @param {any} raw @returns {Promise<Event>} */
async function toEvent(raw) {
  const record = raw !== null && typeof raw === "object" ? raw : { details: String(raw) };
  const used = new Set();
  /** @param {keyof typeof SCM.fields} field */
  const pick = (field) => {
    for (const path of SCM.fields[field]) {
      const value = at(record, path);
      if (value !== undefined && value !== null && (typeof value !== "object" || field === "details")) {
        used.add(path);
        return typeof value === "object" ? JSON.stringify(value) : String(value);
      }
    }
    return "";
  };
  const rawId = pick("id");
  const rawTime = pick("time");
  const us = parseTime(numericTime(rawTime));
  const [service, action] = [pick("service") || "unknown", pick("action") || "unknown"];
  const status = pick("status") || "SUCCESS";
  const level = SCM.severity.find((rule) => (rule.status?.test(status) ?? true) && (rule.action?.test(action) ?? true))
    ?.level;
  const clamped = us !== null && Date.now() - us / 1000 > LIMITS.ingestAge;
  let truncated = false;
  const content = clean(`[${service}] ${action}: ${pick("details")}`);
  if (content.length > LIMITS.contentLength) truncated = true;
  /** @type {Record<string, unknown>} */
  const log = {
    content: content.slice(0, LIMITS.contentLength),
    // Without a time it knows, log ingest takes the moment of arrival.
    timestamp: us === null || clamped ? undefined : formatTime(us),
    // `loglevel` is what Dynatrace reads severity from; the manual's `log.level` is kept beside it. A key `status`
    // would be taken for a severity too, hence `scm.status`.
    loglevel: level,
    "log.level": level,
    "log.source": "sectigo-scm",
    "event.id": rawId,
    "event.service": service,
    "event.action": action,
    "event.category": pick("category"),
    "object.type": pick("objectType"),
    "object.id": pick("objectId"),
    "object.name": pick("objectName"),
    "customer.id": pick("customer"),
    "scm.event.type": pick("type") || "LOG",
    "scm.event.timestamp": us === null ? rawTime : formatTime(us),
    "scm.status": status,
    "scm.actor": pick("actor"),
    "scm.ip": pick("address"),
    "scm.backfill": clamped ? "true" : "",
  };
  for (const [path, value] of leaves(record)) {
    if (!used.has(path) && Object.keys(log).length < LIMITS.attributes) log[`scm.${path}`] = value;
  }
  for (const [key, value] of Object.entries(log)) {
    if (value === "" || value === undefined) delete log[key];
    else if (key !== "content") {
      const kept = cutBytes(String(value), LIMITS.attributeBytes);
      if (kept !== String(value)) truncated = true;
      log[key] = kept;
    }
  }
  if (truncated) log["content.truncated"] = "true";
  // A record without an id gets one from its content: equal content, equal id.
  const id = rawId || `synthetic-${await mark(JSON.stringify(log))}`;
  if (!rawId) Object.assign(log, { "event.id": id, "event.id.synthetic": "true" });
  return { id, us, json: JSON.stringify(log), clamped, truncated };
}

/** Sends events; returns how many were accepted. A refused batch is halved down to the record at fault, which is set aside.
 * @param {Run} run @param {Event[]} events @returns {Promise<number>} */
async function sendEvents(run, events) {
  if (events.length === 0) return 0;
  const answer = await ingest(run, `[${events.map((event) => event.json).join(",")}]`);
  if (answer.status === 204) {
    run.sent += events.length;
    run.clamped += events.filter((event) => event.clamped).length;
    run.truncated += events.filter((event) => event.truncated).length;
    return events.length;
  }
  // 200: only a part was stored, and the answer does not say which. 400, 413: none was.
  if (![200, 400, 413].includes(answer.status)) {
    throw new Failure(
      `Log ingest: ${answer.status} ${errorText(answer.text)}; check logIngestToken and its scope logs.ingest`,
    );
  }
  if (events.length === 1) {
    run.setAside += 1;
    warn(
      run,
      `record ${events[0].id} was refused by log ingest and set aside: ${answer.status} ${errorText(answer.text)}`,
    );
    return 0;
  }
  const half = Math.ceil(events.length / 2);
  return (await sendEvents(run, events.slice(0, half))) + (await sendEvents(run, events.slice(half)));
}

/** @param {Run} run @param {string} body */
function ingest(run, body) {
  const headers = {
    Authorization: `Api-Token ${run.entries.ingest.value}`,
    "Content-Type": "application/json; charset=utf-8",
  };
  return request(
    run,
    "log ingest",
    `${PARAMETERS.environmentUrl}/api/v2/logs/ingest`,
    () => ({ method: "POST", headers, body }),
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// The run ledger: what this run did, as its result and as a record of its own, so that a query finds holes and silence
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run @param {"caught up" | "more waiting" | "skipped" | "failed"} outcome @param {string} [reason] */
async function report(run, outcome, reason) {
  const summary = {
    outcome,
    reason,
    executionId: run.executionId,
    revision: run.chain.revision || undefined,
    leg: run.chain.leg,
    windowFrom: run.window ? formatTime(run.window.from) : undefined,
    windowTo: run.window ? formatTime(run.window.to) : undefined,
    pages: run.pages,
    fetched: run.fetched,
    sent: run.sent,
    repeated: run.repeated,
    clamped: run.clamped,
    truncated: run.truncated,
    setAside: run.setAside,
    notRemembered: run.unseen,
    retries: run.retries,
    warnings: run.warnings,
    checkpointBefore: run.before,
    checkpointAfter: shownCheckpoint(run.checkpoint),
    newestRecord: run.newest === null ? undefined : formatTime(run.newest),
    lagSeconds: run.checkpoint.hw === null
      ? undefined
      : Math.max(0, Math.round((Date.now() * 1000 - run.checkpoint.hw) / 1e6)),
    durationSeconds: Math.round((Date.now() - run.started) / 100) / 10,
  };
  const counts =
    `${run.fetched} fetched, ${run.sent} sent, ${run.repeated} repeated, ${run.clamped} older than 24 h, ${run.setAside} set aside`;
  const sentence = `Run ${outcome}${reason ? ` (${reason})` : ""}: ${run.pages} pages, ${counts}`;
  log(sentence);
  if (run.clamped > 0) {
    log(`  ${run.clamped} records were older than 24 h: sent with the present time, their own in scm.event.timestamp`);
  }
  if (!run.entries.ingest) return summary;
  const record = {
    content: clean(sentence),
    loglevel: outcome === "failed" ? "ERROR" : run.setAside > 0 || run.warnings > 0 ? "WARN" : "INFO",
    "log.source": "sectigo-scm-connector",
    "connector.workflow": workflowId,
    ...Object.fromEntries(
      Object.entries(summary).filter(([, value]) => value !== undefined).map((
        [key, value],
      ) => [`connector.${key}`, String(value)]),
    ),
  };
  try {
    const answer = await ingest(run, JSON.stringify([record]));
    if (answer.status !== 204) {
      warn(run, `the run's own record was refused: ${answer.status} ${errorText(answer.text)}`);
    }
  } catch (error) {
    warn(run, `the run's own record could not be sent: ${describe(error)}`);
  }
  return summary;
}

// ---------------------------------------------------------------------------------------------------------------------
// Requests: time limits, retries, waiting
// ---------------------------------------------------------------------------------------------------------------------

/**
 * One HTTP exchange with retries. `init` is called for every attempt, so that a renewed token is used.
 * @param {Run} run @param {string} what @param {string} url @param {() => RequestInit | Promise<RequestInit>} init
 * @param {(answer: {status: number, text: string}) => boolean} [broken] Whether a complete answer is to be retried.
 */
async function request(run, what, url, init, broken = () => false) {
  return await retried(run, what, async () => {
    const options = await init();
    const answer = await within(run, async (signal) => {
      // A redirect would carry the token or the client secret elsewhere.
      const response = await fetch(url, { ...options, redirect: "error", signal });
      return { status: response.status, headers: response.headers, text: await response.text() };
    });
    if ([408, 425, 429, 500, 502, 503, 504].includes(answer.status) || broken(answer)) {
      throw Object.assign(new Failure(`${what}: ${answer.status} ${errorText(answer.text)}`), {
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
      if (isBlocked(error)) {
        if (Date.now() - run.started > LIMITS.settle) {
          throw new Failure(
            `${what}: ${describe(error)}; add the host under Settings > General > External requests, or run pulumi up`,
          );
        }
        await settle(run, "waiting for new hosts in the outbound allowlist to become usable (up to 10 s)");
        tries -= 1;
        continue;
      }
      if (tries >= run.config.maxRetries) throw error;
      const backoff = Math.random() * Math.min(LIMITS.backoffMost, LIMITS.backoff * 2 ** tries);
      const wait = Math.max(backoff, /** @type {any} */ (error).retryAfter ?? 0);
      run.retries += 1;
      await pause(run, wait, `${describe(error)}; retry ${tries + 1} of ${run.config.maxRetries}`);
    }
  }
}

/** New vault entries answer as unknown for some seconds. @template T @param {Run} run @param {string} what @param {() => Promise<T>} read @returns {Promise<T>} */
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
      if (![400, 404].includes(status ?? 0)) throw error;
      if (Date.now() - run.started > LIMITS.settle) {
        throw new Failure(`${what} does not exist (${describe(error)}); run pulumi up`);
      }
      await settle(run, "waiting for new vault entries to become usable (up to 10 s)");
    }
  }
}

/** Runs an exchange with a time limit of its own, never past the leg's end.
 * @template T @param {Run} run @param {(signal: AbortSignal) => Promise<T>} exchange @returns {Promise<T>} */
async function within(run, exchange) {
  const controller = new AbortController();
  const limit = Math.max(SECOND, Math.min(LIMITS.request, run.started + LIMITS.write - Date.now()));
  const timer = setTimeout(() => controller.abort(), limit);
  try {
    return await exchange(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Run} run @param {number} ms @param {string} why */
async function pause(run, ms, why) {
  if (Date.now() + ms - run.started > LIMITS.leg) {
    throw new Stop(`${why}, but a wait of ${Math.ceil(ms / SECOND)} s does not fit into this leg`);
  }
  log(`  ${why} (waiting ${(ms / SECOND).toFixed(1)} s)`);
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** A short wait for what Dynatrace has stored but not made usable yet; said once, however many wait. @param {Run} run @param {string} why */
async function settle(run, why) {
  if (!run.told.has(why)) log(`  ${why}`);
  run.told.add(why);
  await new Promise((resolve) => setTimeout(resolve, SECOND));
}

/** @param {string | null} text Seconds or an HTTP date; milliseconds from now, 0 where it says nothing. */
function retryAfter(text) {
  if (text === null) return 0;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) * SECOND : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

/** @param {any} error */
function isTemporary(error) {
  if (error?.temporary || isBlocked(error)) return true;
  const status = statusOf(error);
  if (status !== undefined) return [408, 425, 429, 500, 502, 503, 504].includes(status);
  return !(error instanceof Failure);
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
  const text = error?.name === "AbortError" || /abort/i.test(error?.name ?? "")
    ? `no answer within ${LIMITS.request / SECOND} s`
    : error?.message ?? String(error);
  const cause = error?.cause?.message && !text.includes(error.cause.message) ? ` (${error.cause.message})` : "";
  return clean(text + cause).slice(0, 500);
}

/** The message inside an error body, whatever its envelope. @param {string} text */
function errorText(text) {
  const body = parseJson(text);
  const inner = body?.error && typeof body.error === "object" ? body.error : body;
  const found = SCM.errors.map((name) => inner?.[name]).find((value) => typeof value === "string");
  return clean(found ?? text).slice(0, 200);
}

// ---------------------------------------------------------------------------------------------------------------------
// Time and text. Times are integers in microseconds: SCM gives six digits, of which a Date keeps three.
// ---------------------------------------------------------------------------------------------------------------------

const TIME = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?)?\s*([Zz]|[+-]\d\d:?\d\d)?$/;

/** RFC 3339 or ISO 8601; without an offset it is UTC. Microseconds, or null. @param {unknown} text @returns {number | null} */
function parseTime(text) {
  const match = typeof text === "string" ? TIME.exec(text.trim()) : null;
  if (!match) return null;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = match;
  const ms = Date.UTC(+year, +month - 1, +day, +hour, +minute, +second);
  if (
    +month < 1 || +month > 12 || new Date(Date.UTC(+year, +month - 1, +day)).getUTCDate() !== +day || +hour > 24 ||
    +minute > 59 || +second > 60
  ) return null;
  const offset = /^[Zz]$/.test(zone)
    ? 0
    : (zone[0] === "-" ? -1 : 1) * (+zone.slice(1, 3) * 60 + +zone.slice(-2)) * MINUTE;
  return (ms - offset) * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** A number of seconds, milliseconds or microseconds since the epoch as ISO text; other text as it is. @param {string} text */
function numericTime(text) {
  if (!/^\d{9,17}$/.test(text)) return text;
  const value = Number(text);
  return formatTime(value >= 1e14 ? value : value >= 1e11 ? value * 1e3 : value * 1e6);
}

/** `2026-01-29T08:00:00Z`, or with the six digits SCM uses. @param {number} us */
function formatTime(us) {
  const whole = new Date(Math.floor(us / 1e6) * 1000).toISOString().slice(0, 19);
  const fraction = us % 1e6;
  return fraction === 0 ? `${whole}Z` : `${whole}.${String(fraction).padStart(6, "0")}Z`;
}

/** @param {number} ms */
function isoMs(ms) {
  return formatTime(Math.round(ms) * 1000);
}

/** `2h`, `1d`, `5d12h`; null where it is none of these or nothing. @param {unknown} value */
function parseDuration(value) {
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  const match = /^(?:(\d{1,4})d)?(?:(\d{1,4})h)?$/.exec(text);
  if (!match) return null;
  const [days, hours] = [Number(match[1] ?? 0), Number(match[2] ?? 0)];
  const ms = Math.min((days * 24 + hours) * HOUR, LIMITS.history);
  return ms > 0 ? { text, days, hours, ms } : null;
}

/** @param {number} ms */
function shownSpan(ms) {
  if (ms >= HOUR) return `${Math.round((ms / HOUR) * 10) / 10} hours`;
  return `${Math.round((ms / MINUTE) * 10) / 10} minutes`;
}

/** Seconds since this leg began. @param {Run} run */
function age(run) {
  return Math.round((Date.now() - run.started) / SECOND);
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Control characters are spelled out: a record must not forge a line, nor colour a terminal. @param {string} text */
function clean(text) {
  const spelled = (/** @type {string} */ character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return text.replace(CONTROL, spelled).toWellFormed();
}

/** @param {any} value @param {string} path */
function at(value, path) {
  return Object.hasOwn(value, path) ? value[path] : path.split(".").reduce(
    (
      inner,
      key,
    ) => (inner !== null && typeof inner === "object" && Object.hasOwn(inner, key) ? inner[key] : undefined),
    value,
  );
}

/** Scalar leaves of a record as [path, text]; deep parts as JSON. @param {any} value @param {string} [prefix] @param {number} [depth] @returns {Generator<[string, string]>} */
function* leaves(value, prefix = "", depth = 0) {
  for (const [key, inner] of Object.entries(value)) {
    const path = cutBytes(clean(prefix + key), LIMITS.keyBytes - 4);
    if (inner === null) continue;
    if (typeof inner === "object" && !Array.isArray(inner) && depth < 4) yield* leaves(inner, `${path}.`, depth + 1);
    else yield [path, typeof inner === "object" ? JSON.stringify(inner) : String(inner)];
  }
}

const encoder = new TextEncoder();

/** @param {string} text */
function utf8Length(text) {
  return encoder.encode(text).length;
}

/** @param {string} text @param {number} most Bytes; never cuts a character in two. */
function cutBytes(text, most) {
  if (text.length * 3 <= most) return text.toWellFormed();
  const bytes = encoder.encode(text);
  return bytes.length <= most
    ? text.toWellFormed()
    : new TextDecoder().decode(bytes.subarray(0, most)).replace(/\uFFFD+$/, "");
}

/** 48 bits of SHA-256 of a whole record: fewer would make a collision, which is a loss, thinkable. @param {string} text */
async function mark(text) {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest).subarray(0, 6)));
}

/** @param {string} text */
function parseJson(text) {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return undefined;
  }
}

/** @param {string} text */
function log(text) {
  console.log(text);
}

/** @param {Run} run @param {string} text */
function warn(run, text) {
  run.warnings += 1;
  console.warn(`WARN ${text}`);
}

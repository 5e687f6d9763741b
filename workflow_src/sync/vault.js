import { Failure } from "./errors.js";
import { DEFAULTS, LIMITS, MINUTE, SECOND } from "./limits.js";
import { PARAMETERS } from "./parameters.js";
import { credentialVaultClient } from "./platform.js";
import { retried, settled, within } from "./requests.js";
import { fence } from "./run.js";
import { log, parseJson, warn } from "./text.js";
import { formatTime, parseDuration, parseTime } from "./time.js";
/** @import { Run } from "./run.js" */
/** @import { Entry } from "./shapes.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Vault: credentials, configuration, checkpoint and lock are entries of the credential vault
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run */
export async function readVault(run) {
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
export async function readEntry(run, id, written = false) {
  const [details, metadata] = await settled(run, `vault entry ${id}`, () =>
    Promise.all([
      within(run, (abortSignal) => credentialVaultClient.getCredentialsDetails({ id, abortSignal })),
      written ? within(run, (abortSignal) => credentialVaultClient.getCredentials({ id, abortSignal })) : null,
    ]));
  const { name, token, username, password } = /** @type {Record<string, any>} */ (details);
  return { id, name: name ?? id, value: token ?? password ?? "", user: username ?? "", metadata };
}

/** @param {Run} run @param {Entry} entry @param {string} value */
export async function writeEntry(run, entry, value) {
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
export function readConfig(run, text) {
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

import { readConfig } from "./config.js";
import { fence } from "./clock.js";
import { Failure } from "./errors.js";
import { LIMITS, MINUTE, SECOND } from "./limits.js";
import { log } from "./output.js";
import { PARAMETERS } from "./parameters.js";
import { credentialVaultClient } from "./platform.js";
import { keepSecret } from "./redactor.js";
import { retried, settled, within } from "./requests.js";
import { parseDuration } from "./time.js";
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Vault: credentials, configuration, checkpoint and lock are entries of the credential vault
// ---------------------------------------------------------------------------------------------------------------------

/** @typedef {{id: string, name: string, value: string, user: string, metadata: Record<string, any> | null}} Entry */

export function newVault() {
  return {
    /** @type {Record<"scm" | "ingest" | "checkpoint" | "lock" | "config", Entry>} */
    entries: /** @type {any} */ ({}),
    /** An entry was deleted during this run: nothing more is written. */
    deleted: false,
  };
}

/** @param {Run} run */
export async function readVault(run) {
  log("Retrieving credentials from vault...");
  const { entries } = run.vault;
  // Each as it comes: with the token for log ingest a run can report that another entry could not be read.
  await Promise.all([
    readEntry(run, PARAMETERS.scmCredentialId).then((entry) => {
      keepSecret(entry.value);
      entries.scm = entry;
    }),
    readEntry(run, PARAMETERS.logIngestCredentialId).then((entry) => {
      readToken(`vault entry ${entry.name}`, entry.value, "run pulumi up with the right value");
      entries.ingest = entry;
    }),
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
export async function readEntry(run, id, written = false) {
  const [details, metadata] = await settled(run, `vault entry ${id}`, () =>
    Promise.all([
      within(run.leg, (abortSignal) => credentialVaultClient.getCredentialsDetails({ id, abortSignal })),
      written ? within(run.leg, (abortSignal) => credentialVaultClient.getCredentials({ id, abortSignal })) : null,
    ]));
  const { name, token, username, password } = /** @type {Record<string, any>} */ (details);
  return { id, name: name ?? id, value: token ?? password ?? "", user: username ?? "", metadata };
}

/**
 * Checks a token before it becomes part of a header: the HTTP library would show the whole header in its error. (L5)
 * @param {string} where @param {string} token @param {string} todo
 */
export function readToken(where, token, todo) {
  keepSecret(token.replace(/^dt0\w+\.\w+\./, "")); // What comes first in a token of Dynatrace is its public name.
  const at = token.search(/[^!-~]/);
  if (at < 0) return;
  const code = token.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
  throw new Failure(`${where}: character ${at + 1} of the token (U+${code}) cannot be sent in a header; ${todo}`);
}

/** @param {Run} run @param {Entry} entry @param {string} value */
export async function writeEntry(run, entry, value) {
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
    throw new Failure(`${entry.name} (${entry.id}) was deleted during this run; nothing more is written`);
  }
  entry.value = value;
}

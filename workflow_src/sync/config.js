import { hostNow } from "./clock.js";
import { LIMITS } from "./limits.js";
import { outgoing, warn } from "./output.js";
import { parseJson } from "./text.js";
import { formatTime, parseDuration, parseTime } from "./time.js";
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Runtime config: what customers edit in the vault
// ---------------------------------------------------------------------------------------------------------------------

const DEFAULTS = { maxRetries: 3, initHistoryDuration: "2h" };

/** `initialCheckpoint`: "" where none is set. */
export const DEFAULT_CONFIG = { ...DEFAULTS, initialCheckpoint: "" };

/** Bad values give the default and a warning: a customer's typo in the vault must not stop the audit trail.
 * @param {Run} run @param {string} text */
export function readConfig(run, text) {
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
  if (names) warn(run, `runtime config has unknown keys: ${outgoing(names).slice(0, 100)}`);
  return config;
}

/** @param {unknown} value */
export function isRetries(value) {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LIMITS.retries;
}

import { SCM } from "./assumptions.js";
import { hostNow } from "./clock.js";
import { LIMITS } from "./limits.js";
import { at, clean, cutBytes, leaves, mark } from "./text.js";
import { formatTime, numericTime, parseTime, WRITTEN } from "./time.js";

// ---------------------------------------------------------------------------------------------------------------------
// Events: one audit record becomes one log record
// ---------------------------------------------------------------------------------------------------------------------

/** `us`: the record's time in microseconds, null where none can be read; `json`: the log record; `clamped`: sent without
 * its time, as it is too old; `truncated`: something was cut or left out.
 * @typedef {{id: string, us: number | null, json: string, clamped: boolean, truncated: boolean}} Event */

/** @param {any} raw @param {string} text The same as JSON. @param {boolean} again Sent on request.
 * @param {number} now @returns {Promise<Event>} */
export async function toEvent(raw, text, again, now = hostNow()) {
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
  let json = JSON.stringify(log);
  // Log ingest's limits hold for the whole record, too: the longest attributes are cut first. (L4)
  for (let most = LIMITS.attributeBytes; json.length > LIMITS.recordLength; json = JSON.stringify(log)) {
    most /= 2;
    log["content.truncated"] = "true";
    truncated = true;
    for (const key of Object.keys(log)) if (key !== "content") log[key] = cutBytes(log[key], most);
  }
  return { id, us, json, clamped, truncated };
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

import { SCM } from "./assumptions.js";
import { hostNow } from "./clock.js";
import { LIMITS } from "./limits.js";
import { PARAMETERS } from "./parameters.js";
import { recordTime } from "./record_time.js";
import { at, clean, cutBytes, leaves, placeOf } from "./text.js";
import { formatTime, WRITTEN } from "./time.js";

// ---------------------------------------------------------------------------------------------------------------------
// Events: one audit record becomes one log record
// ---------------------------------------------------------------------------------------------------------------------

/** `us`: the record's time in microseconds, null where none can be read (`rawTime` is its text); `json`: the log record;
 * `clamped`: sent without its time, as it is too old; `truncated`: something was cut; `dropped`: fields left out.
 * @typedef {{id: string, us: number | null, rawTime: string, hasAction: boolean, json: string, clamped: boolean,
 *   truncated: boolean, dropped: number}} Event */

/** @param {any} raw @param {string} hash Of its canonical form. @param {boolean} again Sent on request.
 * @param {number} now @returns {Event} */
export function toEvent(raw, hash, again, now = hostNow()) {
  const record = raw !== null && typeof raw === "object" && !Array.isArray(raw) ? raw : { details: raw };
  const used = new Set();
  /** L8: the text of the first of a field's names that is not empty and fits.
   * @param {keyof typeof SCM.fields} field @param {(value: any) => boolean} [fits] */
  const pick = (field, fits = (value) => typeof value !== "object") => {
    for (const path of SCM.fields[field]) {
      const value = at(record, path);
      if (value === undefined || value === null || (typeof value === "string" && value.trim() === "")) continue;
      if (!fits(value)) continue;
      used.add(placeOf(record, path));
      return typeof value === "object" ? JSON.stringify(value) : String(value);
    }
    return "";
  };
  /** @type {number | null} */
  let us = null;
  const rawTime = pick("time", (value) => (us = recordTime(value, now)) !== null) || pick("time", () => true);
  const time = us === null ? "" : WRITTEN.test(rawTime) ? rawTime : formatTime(us);
  const clamped = us !== null && now - us / 1000 > LIMITS.ingestAge;
  const [service, namedAction] = [pick("service") || "unknown", pick("action")];
  const action = namedAction || "unknown";
  const namedStatus = pick("status");
  const status = namedStatus || "SUCCESS";
  const level = severityOf(status, action);
  // A record without an id gets one from its content: equal content, equal id.
  const ownId = pick("id");
  const id = ownId || `synthetic-${hash}`;
  /** @type {Record<string, string>} */
  const log = {};
  let truncated = false;
  const put = (/** @type {string} */ key, /** @type {string} */ value, most = LIMITS.attributeBytes) => {
    if (value === "") return;
    log[key] = cutBytes(value, most);
    if (log[key].length < value.length) truncated = true;
  };
  put("content", clean(`[${service}] ${action}: ${pick("details", () => true)}`), LIMITS.contentBytes);
  // Without a time that it takes, log ingest gives the moment of arrival.
  put("timestamp", clamped ? "" : time);
  // `loglevel` is what Dynatrace reads severity from; the manual's `log.level` is kept beside it. A key `status` would
  // be taken for a severity too, hence `scm.status`.
  put("loglevel", level);
  put("log.level", level);
  put("log.source", "sectigo-scm");
  put("event.id", id);
  // Where SCM gives one id to several records, this tells them apart. L17
  put("event.hash", hash);
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
  const [actor, address] = [pick("actor"), pick("address")];
  put("scm.actor", actor);
  put("scm.ip", address);
  // Dynatrace's names for the same values; none where SCM gives none (facts: dynatrace-api 7).
  const result = SCM.results.find(({ status }) => status.test(namedStatus));
  put("audit.action", namedAction);
  put("audit.identity", actor);
  put("audit.result", result?.name ?? "");
  put("audit.status", result?.name ?? "");
  put("audit.time", time);
  put("event.outcome", result?.outcome ?? "");
  put("client.ip", ADDRESS.test(address) ? address : "");
  put("user.email", EMAIL.test(actor) ? actor : "");
  for (const [key, value] of Object.entries(PARAMETERS.attributes)) put(key, value);
  put("scm.backfill", clamped ? "true" : "");
  put("scm.backfill_run", again ? "true" : "");
  let [room, dropped] = [LIMITS.attributes, 0];
  for (const [path, value] of leaves(record, used)) {
    if (room === 0) dropped += 1;
    else put(freeKey(log, `scm.${path}`), value);
    room = Math.max(0, room - 1);
  }
  if (truncated) log["content.truncated"] = "true";
  if (dropped > 0) log["content.dropped"] = String(dropped);
  let json = JSON.stringify(log);
  // Log ingest's limits hold for the whole record, too: the longest attributes are cut first. (L4)
  for (let most = LIMITS.attributeBytes; json.length > LIMITS.recordLength; json = JSON.stringify(log)) {
    most /= 2;
    log["content.truncated"] = "true";
    truncated = true;
    for (const key of Object.keys(log)) if (key !== "content") log[key] = cutBytes(log[key], most);
  }
  return { id, us, rawTime, hasAction: namedAction !== "", json, clamped, truncated, dropped };
}

/** Two fields with one path, or a field with the name of one of ours: nothing of a record disappears. L9
 * @param {Record<string, string>} log @param {string} key */
function freeKey(log, key) {
  let free = key;
  for (let n = 2; Object.hasOwn(log, free) || RESERVED.has(free); n += 1) {
    free = `${cutBytes(key, LIMITS.keyBytes - 4)}_${n}`;
  }
  return free;
}

const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|(?=.*:.*:)[\da-f:.]+)$/i;
const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;

/** Ours even where a record has none of that name: a flag of its own must not pass for it. */
const RESERVED = new Set(["scm.backfill", "scm.backfill_run", "scm.event.time_raw", "scm.event.timestamp"]);

/** @param {string} status @param {string} action */
function severityOf(status, action) {
  for (const rule of SCM.severity) {
    if ((rule.status?.test(status) ?? true) && (rule.action?.test(action) ?? true)) return rule.level;
  }
  return "INFO";
}

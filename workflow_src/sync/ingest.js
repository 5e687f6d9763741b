import { SCM } from "./assumptions.js";
import { Failure } from "./errors.js";
import { LIMITS } from "./limits.js";
import { PARAMETERS } from "./parameters.js";
import { errorText, request } from "./requests.js";
import { fence } from "./run.js";
import { at, clean, cutBytes, leaves, mark, warn } from "./text.js";
import { formatTime, numericTime, parseTime, WRITTEN } from "./time.js";
/** @import { Run } from "./run.js" */
/** @import { Event } from "./shapes.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Log ingest: one audit record becomes one log record
// ---------------------------------------------------------------------------------------------------------------------

/** @param {any} raw @param {string} text The same as JSON. @param {boolean} again Sent on request.
 * @param {number} now @returns {Promise<Event>} */
export async function toEvent(raw, text, again, now = Date.now()) {
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
export async function sendBatch(run, events) {
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
export function ingest(run, body) {
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

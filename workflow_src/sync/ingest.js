import { fence } from "./clock.js";
import { Failure } from "./errors.js";
import { LIMITS } from "./limits.js";
import { errorText, warn } from "./output.js";
import { PARAMETERS } from "./parameters.js";
import { request } from "./requests.js";
import { clean, cutBytes } from "./text.js";
/** @import { Event } from "./events.js" */
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Log ingest
// ---------------------------------------------------------------------------------------------------------------------

/** @typedef {{event: Event, why: string}} Refused */

/**
 * Sends a batch. A record that log ingest rejects while it accepts others is set aside: skipped, counted and named. If
 * it accepts none, the records are not the cause.
 * @param {Run} run @param {Event[]} events
 */
export async function sendBatch(run, events) {
  const before = run.counts.sent;
  const refused = await sendEvents(run, events);
  if (refused.length > 0 && run.counts.sent === before) {
    throw new Failure(`Log ingest rejects all of ${refused.length} records: ${refused[0].why}; none is skipped`);
  }
  for (const { event: { id }, why } of refused) {
    run.counts.setAside += 1;
    if (run.counts.setAsideIds.length < 10) run.counts.setAsideIds.push(cutBytes(clean(id), 100));
    warn(run, `record ${id} was rejected by log ingest and skipped: ${why}`);
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
    // L11
    const cause = answer.status === 404 ? "dynatraceEnvironmentUrl" : "logIngestToken and its scope logs.ingest";
    throw new Failure(`Log ingest: ${answer.status} ${errorText(answer)}; check ${cause}`);
  }
  if (events.length > 1) return await halves();
  const why = `${answer.status} ${errorText(answer)}`;
  // A record is cut to far less than a request may hold: log ingest has no room (internal_buffer_size_limit_reached).
  if (answer.status === 413) throw new Failure(`Log ingest rejects even a single record: ${why}; none is skipped`);
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
export function ingest(run, body) {
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

import { age, fence, ticks } from "./clock.js";
import { Failure, Stop } from "./errors.js";
import { LIMITS } from "./limits.js";
import { errorText, isAbort, outgoing, warn } from "./output.js";
import { PARAMETERS } from "./parameters.js";
import { request } from "./requests.js";
import { cutBytes } from "./text.js";
import { seconds } from "./time.js";
/** @import { Event } from "./events.js" */
/** @import { Answer } from "./requests.js" */
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Log ingest
// ---------------------------------------------------------------------------------------------------------------------

/** A record that log ingest rejects by itself, and whether it and its smaller forms were rejected again.
 * @typedef {{event: Event, why: string, isTried: boolean}} Doubtful */

export function newIngest() {
  return {
    /** Records in one request: fewer after an answer that did not come in time. (L13) */
    most: LIMITS.batchRecords,
    /** Milliseconds until an answer is given up, and how many the last one took. */
    limit: LIMITS.request,
    took: 0,
    /** Rejected requests since one was accepted, and what the first one was answered. */
    rejections: 0,
    cause: "",
    /** Rejected records, until it is known that log ingest accepts others. @type {Doubtful[]} */
    doubtful: [],
    /** Accepted or set aside, and not in the checkpoint yet. @type {Set<Event>} */
    done: new Set(),
  };
}

/**
 * Sends a batch. A record that log ingest rejects while it accepts others is set aside: skipped, counted and named. If
 * it accepts none of the batch, that may be its own fault: then they wait for one that is accepted later. (L23)
 * @param {Run} run @param {Event[]} events
 */
export async function sendBatch(run, events) {
  const before = run.counts.sent;
  await sendEvents(run, events, before);
  if (run.counts.sent > before) await setAside(run);
}

/**
 * L23: sending has ended: what is still in doubt is set aside if this leg has sent anything, else the run fails.
 * @param {Run} run @param {boolean} hasTime Whether more requests fit into this leg.
 */
export async function endDoubts(run, hasTime) {
  if (run.ingest.rejections > 0 && run.counts.sent === 0) throw rejectsAll(run);
  if (hasTime) await setAside(run);
}

/** L10 @param {Run} run */
function rejectsAll({ ingest: { cause, rejections } }) {
  return new Failure(`Log ingest rejects all records (${rejections} requests in a row): ${cause}; none is skipped`);
}

/**
 * Sends events; one request that is refused or stored in part is halved down to the records at fault (L10).
 * @param {Run} run @param {Event[]} events @param {number} before How many were sent before this batch.
 */
async function sendEvents(run, events, before) {
  const { counts, ingest: state, leg } = run;
  if (events.length === 0) return;
  fence(leg.clock, "records were not sent");
  if (age(leg.clock) + state.took > LIMITS.answer) {
    throw new Stop(`this leg has no time left for log ingest, whose last answer took ${seconds(state.took)} s`, true); // L25
  }
  const halves = async () => {
    const middle = Math.ceil(events.length / 2);
    await sendEvents(run, events.slice(0, middle), before);
    await sendEvents(run, events.slice(middle), before);
  };
  const body = `[${events.map((event) => event.json).join(",")}]`;
  if (events.length > 1 && (body.length > LIMITS.batchLength || events.length > state.most)) return await halves();
  const answer = await ingest(run, body, events.length);
  if (answer === null) {
    state.most = Math.ceil(events.length / 4);
    warn(
      run,
      `log ingest: no answer within ${seconds(state.limit / 2)} s; continuing with ${state.most} records in a request`,
    );
    return await halves();
  }
  if (answer.status === 204) return accepted(run, events);
  // 200: only a part was stored, and the answer does not say which. 400, 413: none was.
  if (![200, 400, 413].includes(answer.status)) {
    // L11
    const cause = answer.status === 404 ? "dynatraceEnvironmentUrl" : "logIngestToken and its scope logs.ingest";
    throw new Failure(`Log ingest: ${answer.status} ${errorText(answer)}; check ${cause}`);
  }
  const why = `${answer.status} ${errorText(answer)}`;
  if (state.rejections === 0) state.cause = why;
  state.rejections += 1;
  if (events.length > 1) return await halves();
  const isFirst = state.doubtful.length === 0;
  const [event] = events;
  const doubtful = { event, why, isTried: isFirst };
  if (isFirst && await sentAgain(run, doubtful)) return;
  state.doubtful.push(doubtful);
  // So many that it is no matter of single records: stop with the first cause. (L10)
  if (counts.sent === before && state.rejections > LIMITS.rejections) throw rejectsAll(run);
}

/**
 * A rejected record as log ingest may accept it: without its time, as by log ingest's clock it may be older than 24 h;
 * where it is too large, only what names it. (L4)
 * @param {Run} run @param {Doubtful} doubtful
 */
async function sentAgain(run, { event, why }) {
  const isLarge = why.startsWith("413");
  // A gateway's 413 may be chance, and cutting loses content.
  if (isLarge && (await ingest(run, `[${event.json}]`))?.status === 204) return accepted(run, [event]);
  const { timestamp, ...timeless } = JSON.parse(event.json);
  if (!isLarge && !event.clamped && event.us !== null) {
    const again = await ingest(run, JSON.stringify([{ ...timeless, "scm.backfill": "true" }]));
    if (again?.status === 204) return accepted(run, [{ ...event, clamped: true }], event);
  }
  if (!isLarge) return false;
  const kept = ["log.source", "event.id", "event.hash", "object.id", "scm.event.timestamp", "scm.backfill_run"];
  const named = Object.fromEntries(kept.map((key) => [key, timeless[key]]));
  const content = "Log ingest rejected this record: only what names it was sent";
  const small = { content, timestamp, loglevel: "ERROR", ...named, "content.truncated": "true" };
  const answer = await ingest(run, JSON.stringify([small]));
  if (answer?.status !== 204) return false;
  warn(run, `record ${counted(run, event)} was rejected by log ingest, which accepted only its id and time: ${why}`);
  return accepted(run, [{ ...event, truncated: true }], event);
}

/** L23: log ingest accepts others, so these records are at fault. @param {Run} run */
async function setAside(run) {
  const { doubtful, done } = run.ingest;
  for (const each of doubtful.splice(0)) {
    if (!each.isTried && await sentAgain(run, each)) continue;
    warn(run, `record ${counted(run, each.event)} was rejected by log ingest and skipped: ${each.why}`);
    done.add(each.event);
  }
}

/** Counts a record as set aside; its id, for messages. @param {Run} run @param {Event} event */
function counted({ counts }, { id }) {
  const shown = cutBytes(outgoing(id), 100);
  counts.setAside += 1;
  if (counts.setAsideIds.length < 10) counts.setAsideIds.push(shown);
  return shown;
}

/** @param {Run} run @param {Event[]} events As they were sent. @param {Event} [original] */
function accepted({ counts, ingest: state }, events, original) {
  counts.sent += events.length;
  state.rejections = 0;
  for (const event of events) {
    state.done.add(original ?? event);
    if (event.clamped) counts.clamped += 1;
    if (event.truncated) counts.truncated += 1;
    counts.dropped += event.dropped;
  }
  return true;
}

/** The answer of log ingest; null if it did not come in time and there are records to send in smaller requests.
 * @param {Run} run @param {string} body @param {number} [records] */
export async function ingest(run, body, records = 1) {
  const state = run.ingest;
  const headers = {
    Authorization: `Api-Token ${run.vault.entries.ingest.value}`,
    "Content-Type": "application/json; charset=utf-8",
  };
  const url = `${PARAMETERS.environmentUrl}/api/v2/logs/ingest`;
  let [asked, limit] = [0, state.limit];
  // A gateway's page is no answer of log ingest. (L10)
  const isWhole = (/** @type {Answer} */ { status, body }) =>
    status !== 200 || (typeof body === "object" && body !== null);
  try {
    const answer = await request(
      run,
      "log ingest",
      url,
      () => {
        if (!run.leg.closing) fence(run.leg.clock, "records were not sent");
        [asked, limit] = [ticks(), state.limit];
        return { method: "POST", headers, body };
      },
      isWhole,
      {
        limit: () => state.limit,
        // What was too slow may have been stored: the same again would repeat it, and be as slow. (L13)
        isFinal: (error) => {
          if (!isAbort(error)) return false;
          state.limit = limit * 2;
          return records > 1;
        },
      },
    );
    state.took = ticks() - asked;
    if (state.took < state.limit / 2) state.most = Math.min(LIMITS.batchRecords, state.most * 2);
    return answer;
  } catch (error) {
    if (records > 1 && isAbort(error)) return null;
    throw error;
  }
}

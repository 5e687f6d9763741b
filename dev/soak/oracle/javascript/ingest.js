/** Log ingest: stores what it accepts and remembers which request of which script brought it. */
import { answer } from "./scm.js";

const DAY_MS = 24 * 3600 * 1000;

export class Ingest {
  /** @param {"drop" | "silent" | "refuse"} oldRecords @param {() => number} nowMs @param {number} [limit] Of a request's length. */
  constructor(oldRecords, nowMs, limit = 10_000_000) {
    this.limit = limit;
    this.oldRecords = oldRecords;
    this.nowMs = nowMs;
    /** Every stored record, repeats included. @type {{id: string, record: any, request: any, atMs: number}[]} */
    this.stored = [];
    /** Runs' own records. @type {{record: any, request: any}[]} */
    this.ledger = [];
  }

  /**
   * @param {string} body @param {{request: any, partial: boolean}} circumstances `request` is kept with each record;
   * `partial`: store only every second one.
   */
  store(body, { request, partial }) {
    const records = JSON.parse(body);
    if (!Array.isArray(records) || records.length === 0) return answer(400, '{"error":{"message":"empty batch"}}');
    if (body.length > this.limit || records.length > 50_000) return answer(413, '{"error":{"message":"too large"}}');
    const old = records.filter((record) => this.nowMs() - Date.parse(record.timestamp ?? "") > DAY_MS);
    if (old.length > 0 && this.oldRecords === "refuse") {
      return answer(
        400,
        '{"error":{"message":"batch contains a log with a timestamp more than 24 hours in the past"}}',
      );
    }
    const kept = records.filter((record, index) => !old.includes(record) && !(partial && index % 2 === 1));
    for (const record of kept) {
      if (record["log.source"] === "sectigo-scm") {
        // Ids may repeat or be missing; the number of a record's object is its own.
        this.stored.push({ id: record["object.id"], record, request, atMs: this.nowMs() });
      } else this.ledger.push({ record, request });
    }
    const whole = kept.length === records.length || (this.oldRecords === "silent" && !partial);
    return whole ? answer(204, null) : answer(200, '{"details":{"message":"partly ingested"}}');
  }
}

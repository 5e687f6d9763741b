/**
 * A backlog that no single leg can carry: the script starts itself again until nothing is left or its time is used up,
 * then the next schedule goes on. Records are made page by page, so that a million of them need no memory.
 */
import { START_MS } from "./schedule.js";
import { answer, formatMicros, micros, Scm } from "./scm.js";
import { World } from "./world.js";

const INTERVAL_MS = 600_000;
const SPAN_US = 3600e6;

class Backlog extends Scm {
  /** @param {any} options @param {() => number} nowMs @param {number} count */
  constructor(options, nowMs, count) {
    super(options, nowMs);
    this.count = count;
    this.stepUs = SPAN_US / count;
    this.firstUs = START_MS * 1000 - 2 * SPAN_US;
  }

  /** @param {URLSearchParams} query @param {string} authorization */
  page(query, authorization) {
    if (!((this.tokens.get(authorization.replace("Bearer ", "")) ?? 0) > this.nowMs())) return answer(401, "{}");
    const place = (/** @type {string | null} */ time) => ((micros(time) ?? 0) - this.firstUs) / this.stepUs;
    const token = query.get("token");
    const from = token === null ? Math.max(0, Math.floor(place(query.get("from"))) + 1) : Number(token.split("|")[1]);
    const end = Math.min(from + this.options.pageSize, this.count, Math.floor(place(query.get("to"))) + 1);
    const shown = [];
    for (let number = from; number < end; number += 1) shown.push(this.#record(number));
    const headers = { date: new Date(this.nowMs()).toUTCString() };
    const more = shown.length > 0 ? { ...headers, token: `${this.#time(end - 1)}|${end}` } : headers;
    return answer(200, `[${shown.join(",")}]`, more);
  }

  /** @param {number} number */
  #time(number) {
    return formatMicros(Math.round(this.firstUs + number * this.stepUs));
  }

  /** @param {number} number */
  #record(number) {
    return `{"id":"${number}","timestamp":"${this.#time(number)}","service":"scm","action":"issue","details":"x"}`;
  }
}

/** Only counts, as a million stored records would need a gigabyte. */
class Counter {
  /** @param {number} count */
  constructor(count) {
    this.counts = new Uint8Array(count);
    this.stored = [];
    /** By run: how many records it has sent that were there already. @type {Map<number, number>} */
    this.repeats = new Map();
  }

  /** @param {string} body @param {{request: any}} circumstances */
  store(body, { request }) {
    const { number } = request.process;
    for (const record of JSON.parse(body)) {
      if (record["log.source"] !== "sectigo-scm") continue;
      const place = Number(record["event.id"]);
      if (this.counts[place] > 0) this.repeats.set(number, (this.repeats.get(number) ?? 0) + 1);
      this.counts[place] += 1;
    }
    return answer(204, null);
  }
}

/**
 * @param {any} script @param {number} count Records @param {number} latencyMs Of each call
 * @param {number} hours How long the schedule runs @param {number} [killEveryMs] Running scripts are killed so often
 */
export function legs(script, count, latencyMs, hours, killEveryMs = 0) {
  const ticks = Math.floor((hours * 3600_000) / INTERVAL_MS);
  const starts = Array.from({ length: ticks }, (_, index) => ({ after: index * INTERVAL_MS, offsetMs: 0 }));
  const options = { pageSize: 100, lastPageToken: true, from: "exclusive", tokenLifetimeS: 300 };
  const round = { at: 0, quiet: false, records: [], starts, faults: [], initialCheckpoint: "" };
  const schedule = { seed: 1, history: "4h", executions: true, legs: true, latencyMs, ...options, rounds: [round] };
  /** @type {any[]} */
  const runs = [];
  const watch = {
    started: () => {},
    ended: (/** @type {any} */ process) => {
      const execution = world.executions.find(({ id }) => id === process.executionId);
      const { outcome = "", sent = 0, leg = 0 } = process.result ?? {};
      const seconds = Math.round((process.endedMs - process.startedMs) / 1000);
      const atMinute = Math.round((process.startedMs - START_MS) / 6_000) / 10;
      runs.push({ atMinute, seconds, end: process.end, trigger: execution.triggerType, leg, outcome, sent });
    },
    saved: () => {},
    delivered: () => {},
    told: () => {},
  };
  const world = new World(schedule, script, { watch });
  world.scm = new Backlog(options, () => world.timeline.nowMs, count);
  const sink = new Counter(count);
  world.ingest = /** @type {any} */ (sink);
  world.mostRuns = Infinity;
  let kills = 0;
  for (let at = killEveryMs; killEveryMs > 0 && at < hours * 3600_000; at += killEveryMs) {
    world.timeline.after(at, () => {
      for (const process of world.processes) {
        if (!process.alive) continue;
        process.kill();
        kills += 1;
      }
    });
  }
  world.play(() => {});
  const delivered = sink.counts.reduce((sum, times) => sum + (times > 0 ? 1 : 0), 0);
  const repeats = sink.counts.reduce((sum, times) => sum + Math.max(0, times - 1), 0);
  return { count, delivered, repeats, mostRepeats: Math.max(0, ...sink.repeats.values()), kills, runs };
}

/**
 * What happens in the world of one seed, as data: records, starts, faults. No call of the script decides anything here,
 * so the same schedule can be played in process and on the local environment.
 *
 * Times in milliseconds from the world's start unless the name says otherwise; a record's own time in microseconds.
 */
import { Random } from "./random.js";

export const START_MS = Date.UTC(2026, 0, 29, 10);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
/** The overlap that the script promises. */
export const LATE_AT_MOST_S = 300;
export const HISTORIES = { "4h": 4 * HOUR, "1d": 24 * HOUR, "1d12h": 36 * HOUR };
const QUIET_ROUNDS = 3;
const ACTIONS = ["issue", "renew", "revoke", "login", "webhook_send_failure", "schedule"];
const TEXTS = ["Certificate ordered", "Größe geändert", "証明書を更新", "line\nbreak", "emoji 🔐", 'quotes "x" \\', ""];
const RECORDS = { api: "scm", method: "GET", path: "/api/v1/records" };
const INGEST = { api: "logs", method: "POST" };

/** @param {number} seed */
export function schedule(seed) {
  const random = new Random(seed, "schedule");
  const history = random.pick(["4h", "4h", "4h", "1d", "1d12h"]);
  const pageSize = random.pick([1, 3, 10, 10, 37, 100]);
  const most = Math.min(220, pageSize * random.between(1, 25));
  const world = {
    seed,
    history,
    /** Whether the actor may read executions; where not, the lock's lease decides. */
    executions: random.chance(0.8),
    /** Whether the actor may start the next leg. */
    legs: random.chance(0.85),
    pageSize,
    lastPageToken: random.chance(0.6),
    from: random.pick(["exclusive", "exclusive", "inclusive"]),
    oldRecords: random.pick(["drop", "silent", "refuse"]),
    tokenLifetimeS: random.pick([300, 300, 60]),
    latencyMs: random.pick([5, 50, 50, 500, 2500]),
    rounds: /** @type {any[]} */ ([]),
    /** Whether the local environment can play it: all but what only this world can do. */
    playable: true,
  };
  const records = recordMaker(random, most);
  const calm = random.chance(0.04);
  const rounds = random.between(3, 8);
  const initialAt = history === "4h" && random.chance(0.12) ? random.between(1, rounds - 1) : -1;
  let at = 0;
  for (let index = 0; index < rounds + QUIET_ROUNDS; index += 1) {
    const quiet = index >= rounds;
    const before = index === 0 ? -HOUR : world.rounds[index - 1].at;
    const round = {
      at,
      quiet,
      records: records(before, at, quiet ? 3 : Math.ceil(most / rounds)),
      starts: [{ after: 0, offsetMs: 0 }],
      faults: /** @type {any[]} */ ([]),
      initialCheckpoint: "",
    };
    if (index === 0 && history === "1d12h") round.records.push(...records(-30 * HOUR, -20 * HOUR, 6));
    if (index === initialAt) {
      round.initialCheckpoint = new Date(START_MS - 20 * HOUR).toISOString();
      round.records.push(...records(-19 * HOUR, -6 * HOUR, 6));
    }
    if (!quiet && !calm) {
      if (random.chance(0.3)) {
        round.starts.push({ after: random.pick([0, 1, 700, 20_000, 60_000, 118_000, 125_000]), offsetMs: 0 });
      }
      if (random.chance(0.08)) {
        const offsetMs = random.pick([-600, -45, -2, 2, 45, 110, 600]) * SECOND;
        for (const start of round.starts) start.offsetMs = offsetMs;
        world.playable = false;
      }
      for (let count = random.pick([0, 1, 1, 1, 2, 2, 3]); count > 0; count -= 1) round.faults.push(fault(random));
    }
    world.rounds.push(round);
    // The last disturbed round is followed by a whole interval, as a real schedule would have it.
    at += quiet || index === rounds - 1 || random.chance(0.7) ? 10 * MINUTE : random.between(30, 590) * SECOND;
  }
  const faults = world.rounds.flatMap((round) => round.faults);
  if (faults.some((rule) => Object.keys(rule).some((key) => key.startsWith("world_")))) world.playable = false;
  return world;
}

/** @param {Random} random @param {number} most */
function recordMaker(random, most) {
  let number = 0;
  let left = most;
  /** @param {number} from @param {number} to @param {number} count */
  return (from, to, count) => {
    const made = [];
    const late = random.chance(0.3) ? random.pick([20, 90, 240, LATE_AT_MOST_S]) : 0;
    let tie = 0;
    for (let index = 0; index < Math.min(count, left + 3); index += 1) {
      number += 1;
      const us = random.chance(0.15) && tie > 0
        ? tie
        : (START_MS + from) * 1000 + Math.floor(random.next() * (to - from) * 1000);
      tie = us;
      const lateS = late > 0 && random.chance(0.3) ? Math.floor(random.next() * late) : 0;
      made.push({ us, lateS, record: record(random, number, us) });
    }
    left -= made.length;
    return made;
  };
}

/** @param {Random} random @param {number} number @param {number} us */
function record(random, number, us) {
  const whole = new Date(Math.floor(us / 1000)).toISOString().slice(0, 23);
  /** @type {Record<string, unknown>} */
  const made = {
    id: `${number.toString(16).padStart(8, "0")}-${random.between(0, 0xffff).toString(16)}`,
    timestamp: `${whole}${String(us % 1000).padStart(3, "0")}Z`,
    type: "LOG",
    service: random.pick(["scm", "notification.sender"]),
    action: random.pick(ACTIONS),
    category: random.pick(["ssl", ""]),
    status: "SUCCESS",
    customerId: 31846,
    objectType: "scm.ssl",
    objectId: String(69809 + number),
    objectName: `www${number}.example.com`,
    details: random.pick(TEXTS),
  };
  if (random.chance(0.02)) made.details = "x".repeat(random.between(1_000, 40_000));
  return made;
}

/** One fault. @param {Random} random @returns {any} */
function fault(random) {
  const nth = random.between(1, 24);
  const few = random.between(1, 6);
  const times = random.pick([1, 1, 1, 2, 5]);
  const when = random.pick(["before", "after"]);
  const retryAfter = { "Retry-After": random.pick(["1", "7", "200"]) };
  switch (random.between(1, 18)) {
    case 1:
    case 2:
    case 3:
      return { api: "*", nth, script: "kill", when };
    case 4:
      return { ...INGEST, nth: random.between(1, 3), script: "kill", when };
    case 5:
      return { api: "vault", method: "PUT", nth: random.between(1, 4), script: "kill", when };
    case 6:
      return { api: "*", nth, script: "freeze", when, world_thaw_s: random.pick([3, 40, 100, 119, 200]) };
    case 7:
      return { ...RECORDS, nth: few, times, status: random.pick([500, 502, 503]) };
    case 8:
      return { ...RECORDS, nth: few, times, status: 429, headers: retryAfter };
    case 9:
      return random.pick([{ ...RECORDS, nth: few, status: 401 }, { ...RECORDS, nth: few, truncate: 40 }]);
    case 10:
      return { api: "*", nth, times, cut: when };
    case 11:
      return { ...INGEST, nth: random.between(1, 3), times, status: random.pick([413, 429, 500, 503]) };
    case 12:
      return { ...INGEST, nth: random.between(1, 3), times, cut: when };
    case 13:
      return random.pick([
        { ...INGEST, nth: random.between(1, 3), world_partial: true },
        { ...INGEST, nth: random.between(1, 3), status: 500, world_after: true },
        { ...INGEST, nth: random.between(1, 3), delay_s: 25 },
      ]);
    case 14:
      return { api: "vault", method: "PUT", nth: random.between(1, 4), times, status: random.pick([403, 500, 503]) };
    case 15:
      return random.pick([
        { api: "vault", method: "GET", nth: few, status: random.pick([403, 404, 500]) },
        { api: "vault", method: "PUT", nth: few, cut: when },
      ]);
    case 16:
      return random.pick([
        { api: "automation", nth: random.between(1, 5), times, status: random.pick([500, 503]) },
        { api: "automation", method: "POST", cut: when },
        { api: "scm-sso", times, status: random.pick([401, 503]) },
      ]);
    case 17:
      return { api: "*", nth, world_step_ms: random.pick([-600, -30, -2, 2, 30, 600]) * SECOND };
    default:
      return random.chance(0.7)
        ? { ...RECORDS, nth: few, delay_s: random.pick([5, 25]) }
        : { api: "*", nth, world_delete: random.pick([["checkpoint"], ["lock"], ["checkpoint", "lock"]]) };
  }
}

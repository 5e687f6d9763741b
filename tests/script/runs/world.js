/**
 * Whole runs of the linked script in a small world of the oracle, in virtual time: a test says what SCM holds and what
 * goes wrong, and looks at what the script asked, sent, saved, printed and reported.
 */
import assert from "node:assert/strict";
import { factory } from "../../../dev/soak/oracle/javascript/script.js";
import { answer, formatMicros } from "../../../dev/soak/oracle/javascript/scm.js";
import { START_MS } from "../../../dev/soak/oracle/javascript/schedule.js";
import { IDS, World } from "../../../dev/soak/oracle/javascript/world.js";

export { answer, IDS, START_MS };
export const MINUTE = 60_000;
export const LOCK = IDS.lock;
let script = factory(Deno.readTextFileSync(new URL(import.meta.resolve("linked-script"))));

/** From now on, runs are of another script. */
export const use = (other) => void (script = other);

/** A time so many milliseconds after the start, as SCM writes it. */
export const time = (ms) => formatMicros((START_MS + ms) * 1000);

/** A record so many milliseconds after the start (before it: negative). */
export const record = (id, ms, more = {}) => ({
  us: (START_MS + ms) * 1000,
  lateS: 0,
  record: { id, timestamp: time(ms), service: "scm", action: "issue", objectId: id, details: id, ...more },
});

/** So many records, one each `apart` milliseconds; the last one is two minutes old at the start. */
export const records = (count, apart = 1_000, last = -2 * MINUTE) =>
  Array.from({ length: count }, (_, n) => record(`r${n}`, last - (count - 1 - n) * apart));

/**
 * Plays runs, by default one. `vault`: values of entries by name; `config`: the runtime config; `gateways`: each may
 * answer a request itself, or change what comes back; `starts`: when scheduled runs begin; `action`: makes what the
 * script is called with from what it would be; `more`: of the schedule.
 */
export function play(
  { issued = [], vault = {}, config = {}, faults = [], gateways = [], starts = [0], input, action, ...more } = {},
) {
  const asked = [];
  const seen = { asked, runs: [], saved: [], ledger: [], unfinished: [] };
  const watch = {
    started() {},
    ended: (process) => {
      seen.runs.push(process);
      if (process.end !== "killed") seen.unfinished.push(...process.unfinished());
    },
    saved: (_, text) => seen.saved.push(text),
    told: (_world, _process, record) => seen.ledger.push(record),
    delivered() {},
    redeployed() {},
    startsOver() {},
  };
  const round = {
    at: 0,
    quiet: false,
    records: issued,
    faults,
    initialCheckpoint: "",
    starts: starts.map((start) => ({
      after: 0,
      offsetMs: 0,
      queueMs: 20,
      ...typeof start === "number" ? { after: start, input } : start,
    })),
  };
  const schedule = {
    seed: 1,
    history: "2h",
    executions: true,
    legs: true,
    pageSize: 10,
    lastPageToken: true,
    from: "exclusive",
    oldRecords: "drop",
    tokenLifetimeS: 300,
    latencyMs: 50,
    alwaysSlow: true,
    rounds: [round],
    ...more,
  };
  const started = (doors) => {
    const sync = script(doors);
    return (given) => sync(action ? action(given, doors) : given);
  };
  const world = new World(schedule, started, { watch });
  world.mostRuns = 500;
  for (const [name, token] of Object.entries(vault)) world.vault.entries.get(IDS[name]).secret.token = token;
  const text = typeof config === "string"
    ? config
    : JSON.stringify({ maxRetries: 3, initHistoryDuration: "2h", ...config });
  world.vault.entries.get(IDS.config).secret.token = text;
  world.gateways = [
    (request, next) => {
      asked.push({ ...request, ...request.target, ms: world.timeline.nowMs - START_MS });
      return next();
    },
    ...gateways.map((gateway) => (request, next) => gateway({ ...request, ...request.target, world }, next)),
  ];
  world.issue();
  world.play(() => {});
  assert.deepEqual(seen.unfinished.map(({ method, target }) => `${method} ${target.path}`), [], "writes on their way");
  return {
    ...seen,
    world,
    run: seen.runs[0],
    lines: seen.runs[0]?.lines ?? [],
    result: seen.runs[0]?.result ?? null,
    ids: world.ingest.stored.map(({ record }) => record["event.id"]),
    stored: world.ingest.stored.map(({ record }) => record),
    pages: asked.filter(({ api }) => api === "scm").map(({ query }) => Object.fromEntries(query)),
    batches: asked.filter(({ api, body }) => api === "logs" && !body.includes("sectigo-scm-connector")).map((
      { body },
    ) => JSON.parse(body)),
    lock: world.vault.value(IDS.lock),
    checkpoint: split(world.vault.value(IDS.checkpoint)),
    warnings: seen.runs.flatMap(({ lines }) => lines.filter((line) => line.startsWith("WARN "))),
  };
}

/** What the vendor's script would read, and the machine part. @param {string} text */
export function split(text) {
  const [human, machine = "{}"] = text.split("\n");
  return { human, ...JSON.parse(machine) };
}

/** Answers a request to part of a path itself; `given` sees the request and how many there were before it. */
export function answers(method, path, given) {
  let times = 0;
  return (request, next) => {
    if (request.method !== method || !request.path.includes(path)) return next();
    return given(request, times++, next) ?? next();
  };
}

export const json = (body, status = 200, headers = {}) => answer(status, JSON.stringify(body), headers);
export const refused = (status, message = "Fault") => json({ error: { code: status, message } }, status);

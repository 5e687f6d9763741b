/** Log ingest that is slow, small, or refuses. */
import { answer } from "../scm.js";
import { START_MS } from "../schedule.js";
import { instead } from "./answers.js";
import { more } from "./plans.js";

const MINUTE = 60_000;

const refused = () => answer(400, '{"error":{"code":400,"message":"Constraints violated"}}');
/** A run's own record is small and taken by all. @param {any} request */
const isLedger = (request) => request.body.includes('"sectigo-scm-connector"');

/** @param {(request: any, next: () => any, world: any, random: any) => any} lie @returns {import("../lies.js").Lie["world"]} */
const storage = (lie) => (world, random) => {
  world.gateways.push((request, next) =>
    request.target.api === "logs" && !isLedger(request) ? lie(request, next, world, random) : next()
  );
};

/** A record that log ingest takes, behind all others. @param {any} plan */
const last = (plan) => more(plan, 1, () => (START_MS + plan.rounds.at(-1).at - 15 * MINUTE) * 1000);

/** @type {Record<string, import("../lies.js").Lie>} */
export const LIES = {
  // Case 13: answers after 25 s, and has stored.
  "slow-store": {
    cases: [13],
    calm: true,
    excuses: { placeless: true, copies: 4 },
    world: storage((_, next, world) => world.round.quiet ? next() : { ...next(), delayMs: 25_000 }),
  },
  // Case 13: the larger the request, the later.
  "slow-by-size": {
    cases: [13],
    calm: true,
    excuses: { placeless: true, copies: 4 },
    world: (world, random) => {
      const msEach = random.pick([200, 500, 1500]);
      storage((request, next) => ({ ...next(), delayMs: msEach * JSON.parse(request.body).length }))?.(world, random);
    },
  },
  // Case 25: answers take long, and the leg ends meanwhile.
  "slow-at-legs-end": {
    cases: [25],
    calm: true,
    plan: (plan) => {
      Object.assign(plan, { latencyMs: 500, pageSize: 100, legs: true });
      more(plan, 4_000, (index) => (START_MS - 110 * MINUTE) * 1000 + index * 1_600_000);
    },
    world: storage((_, next, __, random) => ({ ...next(), delayMs: random.between(8_000, 12_000) })),
  },
  // Case 4: takes only so much in one request.
  "small-requests": {
    cases: [4],
    world: (world, random) => {
      const [most, length] = random.pick([[20, 1e7], [1000, 30_000], [7, 60_000]]);
      storage((request, next) =>
        JSON.parse(request.body).length > most || (request.body.length > length && request.body.includes("},{"))
          ? answer(413, '{"error":{"code":413,"message":"Payload too large"}}')
          : next()
      )?.(world, random);
    },
  },
  // Case 23: one record is always refused, and all that shares its request.
  "record-always-refused": {
    cases: [4, 23],
    excuses: { setAside: true },
    plan: (plan, random) => {
      plan.latencyMs = random.pick([50, 500, 500]);
      plan.bad = random.between(1, 30);
      last(plan);
    },
    world: storage((request, next, world) =>
      request.body.includes(`"object.id":"${69809 + world.schedule.bad}"`) ? refused() : next()
    ),
  },
  // Case 23: and that record is the last one of all but the quiet rounds' few.
  "last-record-refused": {
    cases: [23],
    excuses: { setAside: true },
    plan: (plan) => {
      const made = plan.rounds.filter(({ quiet }) => !quiet).flatMap(({ records }) => records);
      plan.bad = Number(made.at(-1)?.record.objectId ?? 0) - 69809;
      last(plan);
      plan.latencyMs = 500;
    },
    world: storage((request, next, world) =>
      request.body.includes(`"object.id":"${69809 + world.schedule.bad}"`) ? refused() : next()
    ),
  },
  // Case 10: refuses everything for a while, each record too.
  "refuses-everything": {
    cases: [10],
    world: storage(({ process }, next, world) => {
      if (world.round.quiet) return next();
      process.refusals += 1;
      return refused();
    }),
    verdict: (world) => {
      const most = Math.max(0, ...world.processes.map((/** @type {any} */ { refusals = 0 }) => refusals));
      return most > 40 ? [`${most} requests of one run were refused before it gave up`] : [];
    },
  },
  // Case 10: a 200 of a gateway, behind which nothing was stored.
  "ingest-not-json": { cases: [10], world: instead(["logs"], 0.5, () => answer(200, "<html>Welcome</html>")) },
};

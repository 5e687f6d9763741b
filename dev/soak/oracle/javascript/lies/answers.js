/** Answers that are not what they seem, from SCM and from gateways before it. */
import { answer } from "../scm.js";

/** In disturbed rounds, instead of some answers. @param {string[]} apis @param {number} probability
 * @param {(random: import("../random.js").Random, request: any) => ReturnType<typeof answer>} lie
 * @returns {import("../lies.js").Lie["world"]} */
export function instead(apis, probability, lie) {
  return (world, random) => {
    world.gateways.push((request, next) => {
      if (world.round.quiet || !apis.includes(request.target.api) || !random.chance(probability)) return next();
      return lie(random, request);
    });
  };
}

const HTML = "<!doctype html><title>Sign in</title><p>Your session has ended.";
/** Pages that say, each in its own way, that SCM does not know. */
const ERRORS = [
  { error: "backend timeout", data: [] },
  { success: false, records: [] },
  { status: "error", message: "upstream unavailable", records: [] },
  { records: [], errors: [{ code: -1, description: "shard 3 did not answer" }] },
  { data: null, error: { code: 500, message: "backend timeout" } },
  { items: [], code: -16, description: "Unknown user" },
];
const STATUSES = [507, 509, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530, 598];

/** @type {Record<string, import("../lies.js").Lie>} */
export const LIES = {
  // Case 2: an error inside a 200 is no empty page.
  "error-in-200": {
    cases: [2],
    world: instead(["scm"], 0.3, (random) => answer(200, JSON.stringify(random.pick(ERRORS)))),
  },
  // Case 2: nothing at all is no empty page either.
  "empty-body": {
    cases: [2],
    world: instead(["scm"], 0.3, (random) => answer(200, random.pick(["", " ", "\n", "null", '""', "{}"]))),
  },
  // Case 10: a gateway's page instead of an answer; nothing was stored behind it.
  "not-json": { cases: [2, 10], world: instead(["scm", "logs", "scm-sso"], 0.25, () => answer(200, HTML)) },
  // Case 11: statuses outside of the usual list.
  "odd-statuses": {
    cases: [11],
    world: instead(["scm", "logs", "scm-sso"], 0.2, (random) => answer(random.pick(STATUSES), "<html>gateway</html>")),
    verdict: (world) => recovers(world, /^(SCM|Log ingest)[^:]*: 5\d\d [^(]*$/),
  },
  // Case 11: a rate limit that does not say for how long.
  "rate-limit": {
    cases: [11],
    calm: true,
    world: (world, random) => {
      let [until, next] = [0, 0];
      world.gateways.push((request, pass) => {
        const now = world.timeline.nowMs;
        if (world.round.quiet || request.target.api !== "scm") return pass();
        if (now > next) [until, next] = [now + 45_000, now + 45_000 + random.between(5, 200) * 1000];
        return now < until ? answer(429, '{"description":"Too many requests"}') : pass();
      });
    },
    verdict: (world) => recovers(world, /429/),
  },
  // Case 26: 204 is how some APIs say "none".
  "no-content": {
    cases: [26],
    world: (world) => {
      world.gateways.push((request, next) => {
        const given = next();
        return request.target.api === "scm" && given.body === "[]" ? answer(204, null, given.headers) : given;
      });
    },
  },
};

/** No run may fail for what another try, or the next leg, would have got over.
 * @param {any} world @param {RegExp} reason */
function recovers(world, reason) {
  const failed = world.processes.filter((/** @type {any} */ { end, error }) => end === "failed" && reason.test(error));
  return failed.length > 0 ? [`${failed.length} runs failed for a temporary reason: ${failed[0].error}`] : [];
}

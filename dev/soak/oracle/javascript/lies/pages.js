/** Pages and their tokens: refused, expired, for ever new, of any order, without any. */
import { START_MS } from "../schedule.js";
import { answer } from "../scm.js";
import { more, moreRounds, restamp, spread } from "./plans.js";

const MINUTE = 60_000;

/** Every answer of SCM's records. @param {(world: any, random: any) => (request: any, next: () => any) => any} make
 * @returns {import("../lies.js").Lie["world"]} */
function pages(make) {
  return (world, random) => {
    const lie = make(world, random);
    world.gateways.push((request, next) => request.target.api === "scm" ? lie(request, next) : next());
  };
}

const refuse = () => answer(400, '{"code":-37,"description":"Invalid token"}');
/** @param {(request: any, token: string) => boolean} refused */
const refusing = (refused) => (/** @type {any} */ request, /** @type {() => any} */ next) => {
  const token = request.target.query.get("token");
  return token !== null && refused(request, token) ? refuse() : next();
};
const bigPages = (/** @type {any} */ plan, /** @type {any} */ random) => {
  plan.pageSize = random.pick([10, 37, 100]);
};
const newestFirst = (/** @type {any} */ plan) => {
  plan.order = "newest";
  plan.lastPageToken = true;
};

/** @type {Record<string, import("../lies.js").Lie>} */
export const LIES = {
  // Case 3: a token is refused the first time it is used.
  "token-refused-first": {
    cases: [3],
    excuses: { placeless: true },
    plan: bigPages,
    world: pages(() => {
      const seen = new Set();
      return refusing((_, token) => !seen.has(token) && seen.add(token) !== null);
    }),
  },
  // Case 3: all tokens are refused, always.
  "token-refused-always": {
    cases: [3],
    excuses: { placeless: true },
    plan: bigPages,
    world: pages(() => refusing(() => true)),
  },
  "token-refused-sometimes": {
    cases: [3],
    excuses: { placeless: true },
    plan: bigPages,
    world: pages((_, random) => refusing(() => random.chance(0.2))),
  },
  // Case 3: one place where every token is refused.
  "token-refused-once": {
    cases: [3],
    excuses: { placeless: true },
    plan: bigPages,
    world: pages((_, random) => {
      const nth = random.between(1, 6);
      const seen = new Set();
      return refusing((_, token) => [...seen.add(token)].indexOf(token) === nth);
    }),
  },
  // Case 3: the same page under ever new tokens, until the quiet rounds.
  "page-repeats-forever": {
    cases: [3],
    excuses: { placeless: true },
    world: pages((world) => {
      let [number, page] = [0, ""];
      return (request, next) => {
        const given = next();
        if (world.round.quiet || given.status !== 200) return given;
        if (request.target.query.get("token") === null || page === "") page = given.body;
        return answer(200, page, { ...given.headers, token: `again-${++number}` });
      };
    }),
    plan: (plan) => {
      plan.pageSize = 10;
    },
  },
  // Case 3: pages come twice.
  "pages-twice": {
    cases: [3],
    excuses: { placeless: true },
    world: pages((_, random) => {
      /** @type {Map<string, string>} Where a token leads that repeats its page. */
      const real = new Map();
      return (request, next) => {
        const { query } = request.target;
        const token = query.get("token");
        if (token !== null && real.has(token)) query.set("token", real.get(token));
        const given = next();
        if (!given.headers.token || token === null || !random.chance(0.3)) return given;
        const again = `twice-${real.size}`;
        real.set(again, real.get(token) ?? token);
        return { ...given, headers: { ...given.headers, token: again } };
      };
    }),
  },
  // Case 26: a session's name as the token of all its pages.
  "session-cursor": {
    cases: [26],
    calm: true,
    excuses: { placeless: true },
    world: pages(() => {
      /** @type {Map<string, string>} */
      const sessions = new Map();
      return (request, next) => {
        const { query } = request.target;
        const name = query.get("token") ?? `session-${sessions.size + 1}`;
        if (query.get("token") !== null) {
          if (!sessions.has(name)) return refuse();
          query.set("token", /** @type {string} */ (sessions.get(name)));
        }
        const given = next();
        if (!given.headers.token) return given;
        sessions.set(name, given.headers.token);
        return { ...given, headers: { ...given.headers, token: name } };
      };
    }),
  },
  // Case 24: tokens that say nothing and are good for a while only.
  "tokens-expire": {
    cases: [3, 24],
    excuses: { placeless: true },
    world: pages((world, random) => {
      const lifeMs = random.pick([2_000, 30_000, 90_000]);
      /** @type {Map<string, {token: string, until: number}>} */
      const known = new Map();
      return (request, next) => {
        const { query } = request.target;
        const token = query.get("token");
        if (token !== null) {
          const found = known.get(token);
          if (!found || found.until < world.timeline.nowMs) return random.chance(0.5) ? refuse() : answer(410, "{}");
          query.set("token", found.token);
        }
        const given = next();
        if (!given.headers.token) return given;
        const name = `t${known.size}-${random.between(0, 0xffffff).toString(36)}`;
        known.set(name, { token: given.headers.token, until: world.timeline.nowMs + lifeMs });
        return { ...given, headers: { ...given.headers, token: name } };
      };
    }),
  },
  // Case 18: no token ever, as behind a proxy that strips the header.
  "no-tokens": {
    cases: [18],
    excuses: { placeless: true },
    plan: bigPages,
    world: pages(() => (_, next) => {
      const given = next();
      const { token: _token, ...headers } = given.headers;
      return { ...given, headers };
    }),
  },
  // Case 28: newest records first.
  "newest-first": { cases: [24, 28], excuses: { placeless: true }, plan: newestFirst },
  // Case 28: in no order at all.
  "any-order": {
    cases: [28],
    excuses: { placeless: true },
    plan: (plan) => {
      plan.order = "any";
      plan.lastPageToken = true;
    },
  },
  // Case 19: newest first, and one page deep in the window whose token is refused.
  "newest-first-refused": {
    cases: [19],
    excuses: { placeless: true },
    plan: (plan) => {
      newestFirst(plan);
      plan.pageSize = 10;
    },
    world: pages((_, random) => {
      const nth = random.between(2, 4);
      const seen = new Set();
      return refusing((_, token) => [...seen.add(token)].indexOf(token) === nth);
    }),
  },
  // Case 24: a window that must be read again from its start and fits no leg: newest first, tokens that die with the
  // leg, no right to start another one.
  "endless-window": {
    cases: [24],
    calm: true,
    excuses: { placeless: true, copies: 6 },
    plan: (plan, random) => {
      newestFirst(plan);
      Object.assign(plan, { pageSize: 1, latencyMs: 2500, alwaysSlow: true, legs: false });
      spread(plan, random);
      plan.rounds[0].records.splice(40);
      more(plan, 60, (index) => (START_MS - 115 * MINUTE + index * MINUTE) * 1000);
      moreRounds(plan, 6);
    },
    world: pages(() => {
      /** @type {Map<any, Set<string>>} By script: the tokens that it was given. */
      const own = new Map();
      return (request, next) => {
        const { process, target: { query } } = request;
        const tokens = own.get(process) ?? new Set();
        own.set(process, tokens);
        if (query.get("token") !== null && !tokens.has(query.get("token"))) return refuse();
        const given = next();
        if (given.headers.token) tokens.add(given.headers.token);
        return given;
      };
    }),
  },
  // Case 21: `to` excludes its own moment, and records stand on the borders of windows.
  "to-exclusive": {
    cases: [21],
    plan: (plan, random) => {
      plan.to = "exclusive";
      onWholeSeconds(plan, random);
    },
  },
  // Case 12: a page of the whole window, which kills a script that reads it: 40 records are 40 MB here.
  "heavy-pages": {
    cases: [12],
    calm: true,
    // 360 windows of a minute.
    excuses: { placeless: true, copies: 4, requests: 500 },
    plan: (plan, random) => {
      plan.pageSize = 1000;
      plan.legs = true;
      spread(plan, random);
      plan.settlingRounds = 20;
      moreRounds(plan, 20);
    },
    world: pages(() => (_, next) => {
      const given = next();
      return given.status === 200 && JSON.parse(given.body).length > 40 ? { ...given, kills: true } : given;
    }),
  },
};

/** @param {any} plan @param {any} random */
function onWholeSeconds(plan, random) {
  for (const { records } of plan.rounds) {
    for (const made of records) if (random.chance(0.8)) restamp(made, Math.floor(made.us / 1e6) * 1e6);
  }
}

/** Records that are not as they were the last time, whose times say other things, or that are too large. */
import { restamp } from "./plans.js";

const MINUTE_US = 60e6;

/** @param {any} plan @param {(made: any) => void} act */
const each = (plan, act) => plan.rounds.forEach(({ records }) => records.forEach(act));

/** A record's own time is another one than SCM filters by. @param {number} us */
const stamped = (us) => (/** @type {any} */ made) => {
  const { us: filedUs } = made;
  restamp(made, filedUs + us);
  made.us = filedUs;
};

/** A page of a few records that is full says nothing where times do not help either. @param {any} plan @param {any} random */
function bigWithoutTokens(plan, random) {
  if (plan.lastPageToken) return;
  plan.pageSize = random.pick([10, 37, 100]);
  plan.excuses = { ...plan.excuses, placeless: true };
}

/** Another order of keys, at every depth. @param {any} value @param {any} random @returns {any} */
function shuffled(value, random) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, shuffled(inner, random), random.next()]);
  return Object.fromEntries(entries.sort((one, other) => one[2] - other[2]));
}

/** @param {(shown: any, random: any, world: any) => any} vary @returns {import("../lies.js").Lie["world"]} */
const shown = (vary) => (world, random) => {
  world.scm.show = ({ shown }) => JSON.stringify(vary(shown, random, world));
};

/** Ways to write one moment, given in milliseconds; all but the last few lose nothing. @type {((ms: number) => unknown)[]} */
export const FORMATS = [
  (ms) => ms,
  (ms) => String(ms),
  (ms) => ms / 1000,
  (ms) => (ms / 1000).toFixed(3),
  (ms) => ms * 1000,
  (ms) => `${ms}000000`,
  (ms) => new Date(ms).toISOString(),
  (ms) => new Date(ms).toISOString().replace("Z", "+00:00"),
  (ms) => new Date(ms).toISOString().replace("Z", "+0000"),
  (ms) => new Date(ms).toISOString().replace("Z", "+00"),
  (ms) => new Date(ms).toISOString().replace("Z", "000000Z"),
  (ms) => new Date(ms).toISOString().replace("Z", "Z[UTC]"),
  (ms) => new Date(ms).toISOString().replace("Z", "+00:00[UTC]"),
  (ms) => new Date(ms).toISOString().replace("T", " "),
  (ms) => new Date(ms).toISOString().replace("T", " ").replace("Z", " UTC"),
  (ms) => new Date(ms).toISOString().replace(".", ","),
  (ms) => new Date(ms).toISOString().replace(/[-:]/g, ""),
  (ms) => new Date(ms).toISOString().replace(/\D/g, "").slice(0, 14),
  (ms) => new Date(ms + 5.5 * 3600e3).toISOString().replace("Z", "+05:30"),
  (ms) => new Date(ms).toUTCString(),
  (ms) => calendar(new Date(ms)),
  (ms) => ({ epochSecond: Math.floor(ms / 1000), nano: (ms % 1000) * 1e6 }),
  (ms) => ({ $date: new Date(ms).toISOString() }),
];

/** As some JSON libraries write a date. @param {Date} date */
function calendar(date) {
  const day = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  return [...day, date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds() * 1e6];
}

/** @type {Record<string, import("../lies.js").Lie>} */
export const LIES = {
  // Case 6: the same records with their keys in another order.
  "key-order": { cases: [6], world: shown(shuffled) },
  // Case 6: no id, and another order: the id that is made from the content must be the same.
  "no-ids": {
    cases: [6],
    plan: (plan) => each(plan, ({ record }) => delete record.id),
    world: shown(shuffled),
  },
  // Cases 6 and 20: a member that is another one with every read.
  "volatile-fields": {
    cases: [6, 20],
    excuses: { copies: 15 },
    world: shown((record, random, world) => ({ ...record, fetchedAt: world.timeline.nowMs, request: random.next() })),
  },
  // Case 20: so on a last page without a token.
  "volatile-last-page": {
    cases: [20],
    calm: true,
    excuses: { copies: 15 },
    plan: (plan) => {
      plan.lastPageToken = false;
    },
    world: shown((record, random) => ({ ...record, request: random.next() })),
  },
  // Case 17: one id for several records.
  "repeated-ids": {
    cases: [17],
    plan: (plan, random) => each(plan, ({ record }) => record.id = `id-${random.between(1, 6)}`),
  },
  // Case 7: times of some zone, without saying which.
  "local-times": {
    cases: [7],
    excuses: { anyTime: true },
    plan: (plan, random) => {
      const hours = random.pick([-8, -5, 1, 2, 5.5, 9]);
      each(plan, (made) => {
        stamped(hours * 60 * MINUTE_US)(made);
        made.record.timestamp = made.record.timestamp.slice(0, -1);
      });
      bigWithoutTokens(plan, random);
    },
  },
  // Case 7: stamped minutes before SCM files the record, which is what its filter goes by.
  "stamped-early": {
    cases: [7],
    plan: (plan, random) => {
      each(plan, stamped(-random.pick([1, 4, 8, 30]) * MINUTE_US));
      bigWithoutTokens(plan, random);
    },
  },
  // Case 18: stamped ahead, with and without page tokens.
  "stamped-ahead": {
    cases: [7, 18],
    plan: (plan, random) => {
      each(plan, stamped(random.pick([2, 8, 120]) * MINUTE_US));
      plan.lastPageToken = random.chance(0.5);
      bigWithoutTokens(plan, random);
    },
  },
  // Case 18: one record dated days ahead.
  "one-far-ahead": {
    cases: [18],
    excuses: { undated: true },
    plan: (plan, random) => {
      plan.lastPageToken = random.chance(0.3);
      const all = plan.rounds.flatMap(({ records }) => records);
      if (all.length > 0) stamped(random.pick([3, 400]) * 24 * 60 * MINUTE_US)(random.pick(all));
    },
  },
  // Case 8: times in many forms. Each is understood, or is no time and counted as such.
  "time-formats": {
    cases: [8],
    excuses: { undated: true },
    plan: (plan, random) => {
      const form = random.pick(FORMATS);
      const [empty, mixed] = [random.chance(0.3), random.chance(0.3)];
      each(plan, (made) => {
        const whole = form === FORMATS[17] || form === FORMATS[19] ? 1e6 : 1e3;
        restamp(made, Math.floor(made.us / whole) * whole);
        const { timestamp: _, ...rest } = made.record;
        const text = (mixed && random.chance(0.5) ? FORMATS[6] : form)(made.us / 1000);
        // An empty field beside a good one, under another of its names.
        made.shown = empty ? { timestamp: "", ...rest, eventTime: text } : { ...rest, timestamp: text };
      });
    },
    verdict: (world) => {
      const undated = world.ingest.stored.filter(({ record }) => record["scm.event.timestamp"] === undefined);
      const silent = undated.filter(({ request: { process } }) => process.result && !(process.result.undated > 0));
      return silent.length > 0 ? [`${silent.length} records lost their time, and no run counts them`] : [];
    },
  },
  // Case 9: two members with one path; nothing of either may disappear.
  "two-paths": {
    cases: [9],
    excuses: { paths: true },
    plan: (plan, random) =>
      each(plan, (made) => {
        const flat = `flat-${random.between(0, 0xffffff)}`;
        const [one, other] = [{ "object.type": flat }, { object: { type: `deep-${flat}` } }];
        const { objectType: _, ...rest } = made.record;
        made.shown = random.chance(0.5) ? { ...rest, ...one, ...other } : { ...rest, ...other, ...one };
      }),
    verdict: (world) => {
      const shown = new Map(world.scm.records.map(({ record, shown }) => [record.objectId, shown]));
      const lost = world.ingest.stored.filter(({ id, record }) => {
        const [text, source] = [JSON.stringify(Object.values(record)), shown.get(id)];
        return source && !(text.includes(`"${source["object.type"]}"`) && text.includes(source.object.type));
      });
      return lost.length > 0 ? [`${lost.length} records lost one of two members with the same path`] : [];
    },
  },
  // Case 4: a record of many large members: each is within its limit, their sum is not.
  "large-record": {
    cases: [4],
    excuses: { setAside: true },
    plan: (plan, random) => {
      const all = plan.rounds.filter(({ quiet }) => !quiet).flatMap(({ records }) => records);
      if (all.length === 0) return;
      const made = random.pick(all);
      // Mostly a tenth of the real sizes, in time for thousands of worlds.
      const [count, limit] = random.chance(0.1) ? [350, 10_000_000] : [35, 1_000_000];
      plan.ingestLimit = limit;
      const text = "x".repeat(32_000);
      made.shown = { ...made.record };
      for (let number = 0; number < count; number += 1) made.shown[`attribute${number}`] = text;
    },
  },
};

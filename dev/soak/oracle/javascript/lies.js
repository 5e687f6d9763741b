/**
 * Lies: what SCM, gateways, clocks, log ingest and the platform may do that the script must not trust. Each has a name
 * for the command line (`--lies`) and the numbers of the cases it shows (docs: assumptions of the sync script).
 *
 * A lying world is the honest world of the same seed, changed first as data (`plan`), then by what stands between
 * script and servers (`world`). Lies that no script could bear for ever end when the quiet rounds begin.
 */
import * as answers from "./lies/answers.js";
import * as clocks from "./lies/clocks.js";
import * as pages from "./lies/pages.js";
import * as platform from "./lies/platform.js";
import * as records from "./lies/records.js";
import * as secrets from "./lies/secrets.js";
import * as storage from "./lies/storage.js";
import { Random } from "./random.js";
import { schedule } from "./schedule.js";

/**
 * What a lie excuses the script from.
 * @typedef {object} Excuses
 * @property {boolean} [placeless] Page tokens and order say nothing about places: repeats are counted only.
 * @property {number} [copies] How often a record may arrive without a fault (1).
 * @property {number} [delayMs] Records may arrive later by this.
 * @property {number} [requests] A run may send so many, besides those for each record.
 * @property {boolean} [undated] A record's time need not be understood; then it is sent as no time, with its text.
 * @property {boolean} [anyTime] Nobody can know a record's time.
 * @property {boolean} [setAside] Records may be set aside by id instead.
 * @property {boolean} [paths] Two fields share a path: the values are looked for anywhere.
 *
 * @typedef {object} Lie
 * @property {number[]} cases
 * @property {Excuses} [excuses]
 * @property {boolean} [calm] Never together with the honest worlds' faults.
 * @property {(plan: any, random: Random) => void} [plan]
 * @property {(world: import("./world.js").World, random: Random) => void} [world]
 * @property {(world: any, oracle: any) => string[]} [verdict] What else must hold.
 */

/** @type {Record<string, Lie>} */
export const LIES = {
  ...clocks.LIES,
  ...answers.LIES,
  ...pages.LIES,
  ...records.LIES,
  ...secrets.LIES,
  ...storage.LIES,
  ...platform.LIES,
};

/** Lies that the script withstands in every seed: all of them. */
export const HELD = Object.keys(LIES);

const QUIET_ROUNDS = 5;
/** So many quiet rounds a script may need to get over a lie. */
const SETTLING_ROUNDS = 3;
const INTERVAL_MS = 600_000;

/** The schedule of a seed in which these lies are told. @param {number} seed @param {string[]} names */
export function lying(seed, names) {
  const plan = schedule(seed);
  if (names.length === 0) return plan;
  const random = new Random(seed, "lies");
  const told = names.map((name) => LIES[name]);
  plan.lies = names;
  plan.playable = false;
  plan.excuses = Object.assign({}, ...told.map(({ excuses }) => excuses));
  const calm = random.chance(0.6);
  if (calm || told.some((lie) => lie.calm)) calmDown(plan);
  for (let left = QUIET_ROUNDS - 3; left > 0; left -= 1) {
    const last = plan.rounds.at(-1);
    plan.rounds.push({ ...last, at: last.at + INTERVAL_MS, records: [], starts: [{ after: 0, offsetMs: 0 }] });
  }
  for (const lie of told) lie.plan?.(plan, random);
  plan.rounds.filter(({ quiet }) => quiet).slice(0, plan.settlingRounds ?? SETTLING_ROUNDS).forEach((round) =>
    round.settling = true
  );
  return plan;
}

/** No faults, no second starts, no late records: whatever goes wrong now is the lie's. @param {any} plan */
function calmDown(plan) {
  plan.executions = true;
  plan.rounds.forEach((/** @type {any} */ round, /** @type {number} */ index) => {
    Object.assign(round, { at: index * INTERVAL_MS, faults: [], initialCheckpoint: "" });
    round.starts = [{ after: 0, offsetMs: 0 }];
    for (const made of round.records) made.lateS = 0;
  });
}

/** The lies of a seed: none in half of the seeds, else one of those that hold. @param {number} seed */
export function heldBy(seed) {
  const random = new Random(seed, "which lies");
  if (HELD.length === 0 || random.chance(0.5)) return [];
  return [random.pick(HELD)];
}

/** Put the lies between the scripts and their world. @param {import("./world.js").World} world */
export function tell(world) {
  const { lies = [], seed } = world.schedule;
  for (const name of lies) LIES[name].world?.(world, new Random(seed, name));
}

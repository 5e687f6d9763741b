/**
 * Plays worlds and prints one JSON object a line.
 *
 *   main.js play SCRIPT FROM COUNT LIES [verbose] [stop]
 *                                              sums so far, now and then; `failed` with a seed's problems; `stop` at the
 *                                              first. LIES: `honest`, `held` (none or one of HELD, by seed) or names
 *   main.js lies                               names, cases and `held` of all lies
 *   main.js schedule SEED                      the schedule of one seed
 *   main.js legs SCRIPT RECORDS LATENCY_MS H [KILL_EVERY_MS]
 *                                              a backlog that needs many legs, with a schedule of H hours; and with kills
 */
import { legs } from "./legs.js";
import { HELD, heldBy, LIES } from "./lies.js";
import { REPEATS_AFTER_A_DEATH } from "./oracle.js";
import { play } from "./play.js";
import { schedule } from "./schedule.js";
import { factory } from "./script.js";

const SAY_EVERY_MS = 500;
const say = (/** @type {any} */ message) => console.log(JSON.stringify(message));

/** The same script with parts so short that it reads ahead in these small worlds, too. @param {string} text */
function eager(text) {
  const shorter = text.replace(/\blanePages: \d+/, "lanePages: 2");
  if (shorter === text) throw new Error("the limits of reading ahead have other names");
  return shorter;
}

/** @param {string} path @param {number} from @param {number} count @param {string} lies @param {string[]} how */
function campaign(path, from, count, lies, how) {
  const text = Deno.readTextFileSync(path);
  const scripts = [factory(text), factory(eager(text))];
  const told = (/** @type {number} */ seed) =>
    lies === "honest" ? [] : lies === "held" ? heldBy(seed) : lies.split(",");
  /** @type {Record<string, any>} */
  const sums = { seeds: 0, faults: {} };
  let said = performance.now();
  for (let seed = from; seed < from + count; seed += 1) {
    const { hits, problems, mostInFlight, ...counts } = play(
      scripts[seed % 2],
      seed,
      told(seed),
      how.includes("verbose") && say,
    );
    sums.seeds += 1;
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
    for (const [name, count] of Object.entries(hits)) sums.faults[name] = (sums.faults[name] ?? 0) + count;
    sums.mostInFlight = Math.max(sums.mostInFlight ?? 0, mostInFlight);
    if (problems.length > 0) {
      say({ failed: seed, lies: told(seed), problems: problems.slice(0, 20) });
      if (how.includes("stop")) break;
    }
    if (performance.now() - said > SAY_EVERY_MS) {
      said = performance.now();
      say({ sums });
    }
  }
  say({ sums, done: true });
}

const [command, ...words] = Deno.args;
// In a timer of its own: within one, microtasks can be run to their end.
setTimeout(() => {
  if (command === "schedule") say(schedule(Number(words[0])));
  else if (command === "legs") {
    const [records, latencyMs, hours, killEveryMs] = words.slice(1).map(Number);
    const carried = legs(factory(Deno.readTextFileSync(words[0])), records, latencyMs, hours, killEveryMs);
    say({ ...carried, mostRepeatsAllowed: REPEATS_AFTER_A_DEATH });
  } else if (command === "lies") {
    say(
      Object.fromEntries(Object.entries(LIES).map(([name, { cases }]) => [name, { cases, held: HELD.includes(name) }])),
    );
  } else campaign(words[0], Number(words[1]), Number(words[2]), words[3], words.slice(4));
}, 0);

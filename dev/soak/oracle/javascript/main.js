/**
 * Plays worlds and prints one JSON object a line.
 *
 *   main.js play SCRIPT FROM COUNT LIES [verbose] [stop]
 *                                              sums so far, now and then; `failed` with a seed's problems; `stop` at the
 *                                              first. LIES: `honest`, `held` (none or one of HELD, by seed) or names
 *   main.js worlds SCRIPT WORLDS [reach]       stops at the first of these worlds that fails. WORLDS: JSON, [[seed, [lie]]];
 *                                              `reach`: plays all, and tells of each which places of an instrumented
 *                                              script ran (dev/soak/judging.py) and how long it took
 *   main.js lies                               names, cases and `held` of all lies
 *   main.js schedule SEED                      the schedule of one seed
 *   main.js legs SCRIPT RECORDS LATENCY_MS H [KILL_EVERY_MS]
 *                                              a backlog that needs many legs, with a schedule of H hours; and with kills
 */
import { legs } from "./legs.js";
import { HELD, heldBy, LIES, lying, tell } from "./lies.js";
import { Oracle, REPEATS_AFTER_A_DEATH } from "./oracle.js";
import { schedule } from "./schedule.js";
import { factory } from "./script.js";
import { World } from "./world.js";

const SAY_EVERY_MS = 500;
const say = (/** @type {any} */ message) => console.log(JSON.stringify(message));

/** @param {any} script @param {number} seed @param {string[]} lies @param {boolean} verbose */
function play(script, seed, lies, verbose) {
  const plan = lying(seed, lies);
  const oracle = new Oracle(plan);
  const world = new World(plan, script, { verbose, watch: oracle });
  const at = () => new Date(world.timeline.nowMs).toISOString().slice(11, 23);
  if (verbose) oracle.log = (text) => say({ at: at(), text });
  try {
    world.issue();
    tell(world);
    oracle.issued(world);
    world.play((round) => oracle.afterRound(world, round));
  } catch (error) {
    oracle.problems.push(String(/** @type {any} */ (error)?.stack ?? error));
  }
  if (verbose) {
    for (const { number, lines } of world.processes) for (const text of lines) say({ run: number, text });
  }
  return oracle.verdict(world);
}

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
      how.includes("verbose"),
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

/** @param {string} path @param {[number, string[]][]} worlds @param {boolean} reach */
function chosen(path, worlds, reach) {
  const script = factory(Deno.readTextFileSync(path));
  for (const [seed, lies] of worlds) {
    /** @type {any} */ (globalThis).$reached = new Uint8Array(reach ? 10_000 : 0);
    const began = performance.now();
    const { problems } = play(script, seed, lies, false);
    if (problems.length > 0) {
      say({ failed: seed, lies, problems: problems.slice(0, 3) });
      if (!reach) return;
    }
    const reached = [.../** @type {any} */ (globalThis).$reached].flatMap((ran, place) => ran ? [place] : []);
    if (reach) say({ seed, lies, ms: Math.round(performance.now() - began), reached });
  }
}

const [command, ...words] = Deno.args;
// In a timer of its own: within one, microtasks can be run to their end.
setTimeout(() => {
  if (command === "worlds") chosen(words[0], JSON.parse(words[1]), words[2] === "reach");
  else if (command === "schedule") say(schedule(Number(words[0])));
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

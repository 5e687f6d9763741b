/**
 * Judges mutants of the sync script in one process: tests of whole runs (tests/script/runs), then worlds of the oracle,
 * until one fails. Prints one JSON object a line.
 *
 *   judge.js reach SCRIPT TESTS WORLDS      the script is instrumented (judging.py): of each test and world, `reached`
 *                                           places and `ms`
 *   judge.js mutants SCRIPT TESTS MUTANTS   of each mutant {start, end, after, tests, worlds}: `by`, what has failed, or ""
 *
 * TESTS: a JSON list of files. The rest are files with JSON.
 */
import { play } from "./oracle/javascript/play.js";
import { factory } from "./oracle/javascript/script.js";

const say = (/** @type {any} */ message) => console.log(JSON.stringify(message));
const [command, path, files, plan] = Deno.args;
const text = Deno.readTextFileSync(path);
const given = JSON.parse(Deno.readTextFileSync(plan));

/** @type {Map<string, () => void>} */
const tests = new Map();
Deno.test =
  /** @type {any} */ ((/** @type {string} */ name, /** @type {() => void} */ act) => void tests.set(name, act));
for (const file of JSON.parse(files)) await import(file);
const { use } = await import("../../tests/script/runs/world.js");

/** @param {() => void} act */
function reach(act) {
  const reached = /** @type {any} */ (globalThis).$reached = new Uint8Array(10_000);
  const began = performance.now();
  act();
  return { ms: Math.round(performance.now() - began), reached: [...reached].flatMap((ran, n) => ran ? [n] : []) };
}

/** @param {any} mutant @returns {string} */
function killer({ start, end, after, tests: names, worlds }) {
  let script;
  try {
    script = factory(text.slice(0, start) + after + text.slice(end));
    use(script);
  } catch {
    return "it does not load";
  }
  for (const name of names) {
    try {
      tests.get(name)?.();
    } catch {
      return name;
    }
  }
  for (const [seed, lies] of worlds) {
    const { problems } = play(script, seed, lies);
    if (problems.length > 0) return `world ${[seed, ...lies].join(" ")}`;
  }
  return "";
}

// In a timer of its own: within one, microtasks can be run to their end.
setTimeout(() => {
  if (command === "mutants") return given.forEach((/** @type {any} */ mutant) => say({ by: killer(mutant) }));
  const script = factory(text);
  use(script);
  for (const [test, act] of tests) say({ test, ...reach(act) });
  for (const [seed, lies] of given) {
    let isHeld = false;
    const reached = reach(() => isHeld = play(script, seed, lies).problems.length === 0);
    // A world that the unchanged script does not withstand says nothing about mutants.
    if (isHeld) say({ seed, lies, ...reached });
  }
}, 0);

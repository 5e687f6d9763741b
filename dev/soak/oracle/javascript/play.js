/** One world of the oracle, from its seed to the verdict. */
import { lying, tell } from "./lies.js";
import { Oracle } from "./oracle.js";
import { World } from "./world.js";

/**
 * Plays the world of a seed; the oracle's verdict. `say`: is told each step.
 * @param {any} script @param {number} seed @param {string[]} lies @param {false | ((message: any) => void)} [say]
 */
export function play(script, seed, lies, say = false) {
  const plan = lying(seed, lies);
  const oracle = new Oracle(plan);
  const world = new World(plan, script, { verbose: say !== false, watch: oracle });
  const at = () => new Date(world.timeline.nowMs).toISOString().slice(11, 23);
  if (say) oracle.log = (text) => say({ at: at(), text });
  try {
    world.issue();
    tell(world);
    oracle.issued(world);
    world.play((round) => oracle.afterRound(world, round));
  } catch (error) {
    oracle.problems.push(String(/** @type {any} */ (error)?.stack ?? error));
  }
  if (say) {
    for (const { number, lines } of world.processes) for (const text of lines) say({ run: number, text });
  }
  return oracle.verdict(world);
}

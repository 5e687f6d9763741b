/**
 * Fault rules in the words of the local environment (simulator/README.md, "Faults"), so that a schedule can be played
 * there too. Members it does not know, all beginning with `world_`, exist only here:
 *
 *   world_thaw_s      how long a frozen script stays frozen
 *   world_step_ms     the host's clock is stepped by this when the call is made
 *   world_partial     log ingest answers 200 and stores a part
 *   world_after       the `status` is answered after the commit
 *   world_delete      the vault entries named are deleted before the call
 */
export class Faults {
  constructor() {
    /** @type {any[]} */
    this.rules = [];
    /** How many calls were hit, by effect. @type {Record<string, number>} */
    this.hits = {};
  }

  /** @param {any[]} rules */
  set(rules) {
    this.rules = rules.map((rule) => ({ method: "*", path: "*", nth: 1, times: 1, ...rule, seen: 0, hit: 0 }));
  }

  /** The first rule that matches and fires, as in the local environment; every matching rule counts the call.
   * @param {string} api @param {string} method @param {string} path */
  match(api, method, path) {
    let found = null;
    for (const rule of this.rules) {
      if (rule.api !== "*" && rule.api !== api) continue;
      if (rule.method !== "*" && rule.method !== method) continue;
      if (rule.path !== "*" && !covers(rule.path, path)) continue;
      rule.seen += 1;
      if (rule.seen < rule.nth || (rule.times !== null && rule.hit >= rule.times)) continue;
      rule.hit += 1;
      if (found === null) {
        found = rule;
        this.hits[effect(rule)] = (this.hits[effect(rule)] ?? 0) + 1;
      }
    }
    return found;
  }
}

/** @param {string} pattern Ends with `*` or is the path itself. @param {string} path */
function covers(pattern, path) {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}

/** @param {any} rule */
function effect(rule) {
  if (rule.script) return rule.script;
  if (rule.cut) return `cut ${rule.cut}`;
  if (rule.world_step_ms) return "clock step";
  if (rule.world_delete) return "entries deleted";
  if (rule.world_partial) return "partial";
  if (rule.truncate !== undefined) return "truncated";
  if (rule.status) return rule.world_after ? `${rule.status} after` : `${rule.status}`;
  return "delay";
}

/**
 * One running script: its host's clock, its timers, its requests on the way, and how it can end or stand still.
 *
 * A request reaches the server at one moment (the commit) and its answer comes back at a later one. A killed script
 * hears nothing more, but what it had sent may still arrive: each request on the way does, or does not, by chance.
 */
import { Answer, doors } from "./doors.js";

export class Process {
  /** @param {import("./world.js").World} world @param {string} executionId @param {number} number @param {number} offsetMs */
  constructor(world, executionId, number, offsetMs) {
    this.world = world;
    this.executionId = executionId;
    this.number = number;
    this.startedMs = world.timeline.nowMs;
    this.offsetMs = offsetMs;
    /** Whether its host's clock was stepped while it ran. */
    this.stepped = false;
    this.alive = true;
    this.frozen = false;
    /** What arrived while it was frozen. @type {(() => void)[]} */
    this.held = [];
    /** @type {Set<any>} */
    this.onTheWay = new Set();
    /** @type {string[]} */
    this.lines = [];
    /** @type {any} */
    this.result = null;
    this.error = "";
    /** "ended", "failed", "killed" */
    this.end = "";
    this.random = world.random;
    this.endedMs = 0;
    /** Vault entries that it knows to have made. @type {Set<string>} */
    this.made = new Set();
    /** Requests to SCM and log ingest. */
    this.requests = 0;
    /** Its host's clock was set. */
    this.stepped = false;
    /** How many of its calls a fault has hit. */
    this.faults = 0;
    /** How many of its requests a lying log ingest has refused. */
    this.refusals = 0;
  }

  hostMs() {
    return Math.floor(this.world.timeline.nowMs + this.offsetMs);
  }

  monotonicMs() {
    return this.world.timeline.nowMs - this.startedMs;
  }

  /** @param {string} text */
  print(text) {
    this.lines.push(text);
  }

  /** @param {any} script The factory from `script.js`. @param {() => void} ended */
  start(script, ended) {
    this.ended = ended;
    const sync = script(doors(this));
    sync({ executionId: this.executionId }).then(
      (/** @type {any} */ result) => this.#finish("ended", result, ""),
      (/** @type {any} */ error) => this.#finish("failed", null, String(error?.message ?? error)),
    );
  }

  /** @param {string} end @param {any} result @param {string} error */
  #finish(end, result, error) {
    if (!this.alive) return;
    this.endedMs = this.world.timeline.nowMs;
    Object.assign(this, { alive: false, end, result: JSON.parse(JSON.stringify(result ?? null)), error });
    this.ended?.();
  }

  /** As the platform does at its limit: nothing of it runs any more. */
  kill() {
    if (!this.alive) return;
    Object.assign(this, { alive: false, end: "killed", endedMs: this.world.timeline.nowMs });
    for (const request of this.onTheWay) if (this.random.chance(0.5)) request.lost = true;
    this.ended?.();
  }

  /** Writes that nobody waits for any more: when a script has ended, the platform need not let them finish. */
  unfinished() {
    return [...this.onTheWay].filter(({ method, signal, target }) =>
      method !== "GET" && target.api !== "scm-sso" && !signal?.aborted
    );
  }

  /** @param {number} thawMs */
  freeze(thawMs) {
    this.frozen = true;
    this.world.timeline.after(thawMs, () => {
      this.frozen = false;
      for (const act of this.held.splice(0)) this.world.timeline.after(0, () => this.#hear(act));
    });
  }

  /** @param {() => void} act */
  #hear(act) {
    if (!this.alive) return;
    if (this.frozen) this.held.push(act);
    else act();
  }

  /** @param {() => void} act @param {number} ms */
  setTimer(act, ms) {
    const timer = { cancelled: false };
    const event = this.world.timeline.after(ms ?? 0, () => this.#hear(() => timer.cancelled || act()));
    return Object.assign(timer, { event });
  }

  /** @param {any} timer */
  clearTimer(timer) {
    if (!timer) return;
    timer.cancelled = true;
    timer.event.act = null;
  }

  /** @param {string} url @param {any} init @returns {Promise<any>} */
  fetch(url, { method = "GET", headers = {}, body, signal }) {
    return new Promise((resolve, reject) => {
      const aborted = () => reject(new DOMException("The signal has been aborted", "AbortError"));
      if (signal?.aborted) return aborted();
      signal?.addEventListener("abort", aborted);
      const { world } = this;
      const { timeline } = world;
      const target = world.resolve(url);
      const invalid = Object.values(headers).find((value) => /[\r\n\0]/.test(value));
      if (invalid !== undefined) {
        return reject(new TypeError(`Headers.append: "${invalid}" is an invalid header value.`));
      }
      if (target.api === "scm" || target.api === "logs") this.requests += 1;
      // Whoever turns in circles is stopped here, or a world would take minutes.
      if (this.requests > world.mostRequests) return this.kill();
      const rule = world.faults.match(target.api, method, target.path);
      if (rule) this.faults += 1;
      const request = {
        process: this,
        target,
        method,
        headers,
        body,
        signal,
        lost: false,
        answered: false,
        accepted: false,
        sentMs: timeline.nowMs,
      };
      this.onTheWay.add(request);
      if (rule?.world_step_ms) {
        this.offsetMs += rule.world_step_ms;
        this.stepped = true;
        this.stepped = true;
      }
      if (rule?.world_delete) world.deleteEntries(rule.world_delete);
      const answered = (/** @type {() => void} */ act, delayMs = 0) =>
        timeline.after(world.latency() + delayMs, () => {
          this.onTheWay.delete(request);
          this.#hear(act);
        });
      timeline.after(world.latency() + (rule?.delay_s ?? 0) * 1000, () => {
        if (request.lost) return;
        if (rule?.script && rule.when === "before") this.#strike(rule);
        if (request.lost) return;
        if (rule?.cut === "before") return answered(() => reject(new TypeError("connection closed")));
        const { status, body: text, headers: more, delayMs, kills } = world.serve(request, rule);
        if (rule?.script && rule.when === "after") this.#strike(rule);
        if (rule?.cut === "after") return answered(() => reject(new TypeError("connection closed")));
        const broken = rule?.truncate !== undefined && (text ?? "").length > rule.truncate;
        answered(() => {
          if (signal?.aborted) return;
          if (kills) return this.kill();
          request.answered = true;
          request.accepted = status === 204;
          if (request.created) this.made.add(request.created);
          resolve(new Answer(status, text, more, broken));
        }, delayMs);
      });
    });
  }

  /** @param {any} rule */
  #strike(rule) {
    if (rule.script === "kill") this.kill();
    else if (this.alive) this.freeze((rule.world_thaw_s ?? 30) * 1000);
  }
}

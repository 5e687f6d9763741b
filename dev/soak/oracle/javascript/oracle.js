/**
 * What must hold in every world, judged from outside the script (after Vector's Antithesis model):
 *
 * - every record that was issued and became visible within the overlap is delivered, nothing else is, content unchanged;
 * - a repeat is delivered only of records that no saved checkpoint covered: what was in flight when a script died or
 *   when an answer was lost. So the number of repeats is bounded by the number of such deliveries;
 * - the checkpoint never goes back (where executions cannot be read it may, and then only repeats records);
 * - a script that reports success has saved all that it delivered;
 * - the first run after the faults have stopped succeeds, and a fresh record gets through;
 * - a script leaves the vault as it found it: no metadata changed, no entry made that somebody had deleted;
 * - what a run's own record claims as covered was delivered by then (or set aside by id);
 * - no secret, in any encoding, in anything a script prints, returns, throws or reports;
 * - never more than two successful runs in a row that deliver nothing new and come no further while records wait;
 * - a script that has ended has no write on its way;
 * - requests to SCM and log ingest are bounded per run and record;
 * - without a fault and a late record nothing is repeated.
 *
 * A world in which something lies (lies.js) excuses by name what cannot hold there (`Excuses` in schedule.js).
 */
import { LATE_AT_MOST_S, START_MS } from "./schedule.js";
import { cursor, micros } from "./scm.js";
import { LIES } from "./lies.js";
import { leaked } from "./secrets.js";

/** A run may send so many requests to SCM and log ingest, and so many more for each record that SCM holds. */
const REQUESTS_A_RUN = 60;
const REQUESTS_A_RECORD = 4;
/** What a script's death may repeat at most: what was sent since the last save (LIMITS.saveRecords). */
export const REPEATS_AFTER_A_DEATH = 5_000;
const IDLE_SUCCESSES = 2;
const SET_ASIDE = /^WARN record .* was rejected by log ingest/;
const UNREPORTED = /^WARN the run's ledger record was rejected/;
/** A world with more repeats is not worth playing to its end. */
const REPEATS_A_RECORD = 5;

/** The newest records are left for the next run (LIMITS.lag), and whole seconds are asked for. */
const LEFT_MS = 62_000;
const HOUR_US = 3600e6;
const MARKED_US = LATE_AT_MOST_S * 1e6;

export class Oracle {
  /** @param {any} schedule */
  constructor(schedule) {
    this.schedule = schedule;
    /** @type {string[]} */
    this.problems = [];
    /** @type {Map<string, number>} How often each record was delivered. */
    this.counts = new Map();
    /** Records that a saved checkpoint covers, and since when. @type {Map<string, number>} */
    this.covered = new Map();
    /** The furthest checkpoint saved. @type {any} */
    this.best = null;
    this.duplicates = 0;
    /** Deliveries that may be repeated. */
    this.bound = 0;
    this.mostInFlight = 0;
    this.regressions = 0;
    this.excusedRegressions = 0;
    /** @type {Map<any, any[]>} By process: deliveries that no checkpoint of its own covers yet. */
    this.open = new Map();
    /** By process: the checkpoint in force when it started. @type {Map<any, any>} */
    this.began = new Map();
    /** @type {Map<string, {us: number, number: number}>} */
    this.places = new Map();
    const tooLarge = schedule.rounds.flatMap((/** @type {any} */ { faults }) => faults)
      .filter((/** @type {any} */ { status }) => status === 413);
    /** L4: whatever its size, a record that is called too large again and again is cut, then set aside.
     * @type {import("./schedule.js").Excuses} */
    this.excuses = { ...schedule.excuses, ...(tooLarge.length > 0 && { setAside: true }) };
    const initial = schedule.rounds.some((/** @type {any} */ round) => round.initialCheckpoint);
    /** From here on records are due. */
    this.firstUs = schedule.firstUs ??
      START_MS * 1000 - (initial ? 20 : schedule.history === "1d12h" ? 31 : 2) * HOUR_US;
    /** Records that wait to be delivered for the first time. @type {Map<string, any>} */
    this.waiting = new Map();
    /** Records that a backfill on request has sent. @type {Set<string>} */
    this.resent = new Set();
    /** Which run's checkpoint reached how far first. @type {{reached: number, startedMs: number}[]} */
    this.reads = [];
    /** How often all memory was lost: entries deleted, an initial checkpoint. */
    this.resets = 0;
    /** Ids that runs have reported as set aside. */
    this.setAside = "";
    /** Successful runs in a row that delivered nothing new and came no further while records waited. */
    this.idle = 0;
    this.log = (/** @type {string} */ _text) => {};
  }

  /** All records are in SCM now. @param {any} world */
  issued(world) {
    const { requests = REQUESTS_A_RUN } = this.excuses;
    world.mostRequests = requests + REQUESTS_A_RECORD * world.scm.records.length;
    for (const entry of world.scm.records) {
      this.places.set(entry.record.objectId, { us: entry.us, number: entry.number });
      this.waiting.set(entry.record.objectId, entry);
    }
  }

  /** @param {any} process */
  started(process) {
    this.open.set(process, []);
    this.began.set(process, this.best);
    process.moved = false;
    this.log(`run ${process.number} started`);
  }

  /** @param {any} process */
  ended(process) {
    const left = this.#open(process);
    const inFlight = left.filter(({ request }) => request.accepted).length;
    this.bound += left.length;
    this.mostInFlight = Math.max(this.mostInFlight, left.length);
    const outcome = process.result?.outcome ?? process.error;
    this.log(`run ${process.number} ${process.end}${outcome ? `: ${outcome}` : ""}; ${left.length} records in flight`);
    // Its run log is all that is left of a dead run, and of one whose report nobody took.
    const isReported = process.end !== "killed" && !process.lines.some((line) => UNREPORTED.test(line));
    if (!isReported) this.setAside += process.lines.filter((line) => SET_ASIDE.test(line)).join(" ");
    if (process.end === "killed" && left.length > REPEATS_AFTER_A_DEATH) {
      this.problems.push(`run ${process.number} died with ${left.length} records that will be repeated`);
    }
    for (const { method, target } of process.end === "killed" ? [] : process.unfinished()) {
      this.problems.push(`run ${process.number} ended while ${method} ${target.path} was on its way`);
    }
    this.#checkSecrets(process);
    this.#checkRequests(process);
    this.#checkProgress(process);
    // A last page without cursor has no place of its own: what it brought may come once more.
    // Nor do records that are newer than a clock that was set back meanwhile.
    const isDone = process.end === "ended" && this.schedule.lastPageToken && !process.stepped;
    if (isDone && inFlight > 0 && !this.excuses.placeless) {
      this.problems.push(
        `run ${process.number} reported "${outcome}" with ${inFlight} accepted records behind no checkpoint`,
      );
    }
  }

  /** @param {any} process */
  #checkSecrets(process) {
    const { world, lines, error, result } = process;
    const found = leaked([...lines, error, JSON.stringify(result)].join("\n"), world.secrets);
    if (found) this.problems.push(`run ${process.number} shows a secret (${found})`);
  }

  /** @param {any} process */
  #checkRequests(process) {
    if (process.requests > process.world.mostRequests) {
      this.problems.push(`run ${process.number} sent ${process.requests} requests for ${this.places.size} records`);
      process.world.abandon();
    }
  }

  /** @param {any} process */
  #checkProgress(process) {
    if (process.moved) this.idle = 0;
    if (process.end !== "ended" || process.result?.outcome === "skipped" || process.result?.backfill) return;
    const waits = [...this.waiting.values()].some((entry) =>
      this.#isDue(entry, process.startedMs - LEFT_MS) && !this.#isSetAside(entry)
    );
    this.idle = process.moved || !waits ? 0 : this.idle + 1;
    if (this.idle === IDLE_SUCCESSES + 1) {
      this.problems.push(`${this.idle} successful runs in a row delivered nothing while records wait`);
    }
  }

  /** Whether a record must have been delivered by a run that read SCM as it was at a moment.
   * @param {any} entry @param {number} untilMs */
  #isDue({ us, visibleMs }, untilMs) {
    const until = untilMs - (this.excuses.delayMs ?? 0);
    return us >= this.firstUs && us / 1000 <= until && visibleMs <= until &&
      visibleMs - us / 1000 <= LATE_AT_MOST_S * 1000;
  }

  /** A run's own record has arrived. @param {any} world @param {any} process @param {any} record */
  told(world, process, record) {
    this.setAside += ` ${record["connector.setAsideIds"] ?? ""}`;
    const found = leaked(JSON.stringify(record), world.secrets);
    if (found) this.problems.push(`run ${process.number} shows a secret in the ledger (${found})`);
    const [from, to] = [micros(record["connector.coveredFrom"]), micros(record["connector.coveredTo"])];
    if (from === null || to === null) return;
    for (const [id, entry] of this.waiting) {
      if (entry.us < from || entry.us >= to) continue;
      // What SCM showed only after that part was read is for the next run, which begins earlier by the overlap.
      const reader = this.reads.find(({ reached }) => reached >= entry.us);
      if (!this.#isDue(entry, Math.min(process.startedMs, reader?.startedMs ?? Infinity))) continue;
      if (this.resent.has(id) || this.#isSetAside(entry)) continue;
      this.problems.push(`run ${process.number} claims ${entry.record.timestamp} as covered, without ${id}`);
      return;
    }
  }

  /** @param {any} entry */
  #isSetAside({ record }) {
    return this.excuses.setAside && record.id && this.setAside.includes(record.id);
  }

  /** @param {any} delivery */
  delivered(delivery) {
    const { id, record, request: { process, sentMs } } = delivery;
    if (record["scm.backfill_run"]) return void this.resent.add(id);
    const count = (this.counts.get(id) ?? 0) + 1;
    this.counts.set(id, count);
    if (this.waiting.delete(id)) process.moved = true;
    this.#open(process).push(delivery);
    if (!process.alive) this.bound += 1; // arrived after its sender's death
    if (count === 1) return;
    this.duplicates += 1;
    if (this.duplicates > REPEATS_A_RECORD * this.places.size + 1_000) {
      if (!process.world.abandoned) this.problems.push(`${this.duplicates} repeats and no end`);
      process.world.abandon();
    }
    if (!this.schedule.executions && this.#overlapped()) {
      this.bound += 1;
      return;
    }
    if (this.excuses.placeless || count <= (this.excuses.copies ?? 1)) {
      this.bound += 1;
      return;
    }
    // A request that was sent before, but came late, was on its way when its sender gave it up.
    if (!((this.covered.get(id) ?? Infinity) < sentMs)) return;
    if (this.#isSecondLook(process, id)) {
      this.bound += 1;
      return;
    }
    this.problems.push(`run ${process.number} repeated ${id}, which a saved checkpoint covered`);
  }

  /**
   * Where SCM gives no cursor with the last page, the script looks once more from a second before its newest record;
   * a run that took over in the middle of a window does not know what lies in that second.
   * @param {any} process @param {string} id
   */
  #isSecondLook(process, id) {
    const began = this.began.get(process);
    if (this.schedule.lastPageToken || !began || began.place.us === Infinity) return false;
    return Math.abs(began.place.us - this.#place(id).us) <= 1e6;
  }

  /** Whether two scripts were ever at work at once: possible where executions cannot be read. */
  #overlapped() {
    const all = [...this.open.keys()].filter(({ result }) => result?.outcome !== "skipped");
    return all.some((one, index) => index > 0 && (all[index - 1].alive || all[index - 1].endedMs >= one.startedMs));
  }

  /** A checkpoint was committed. @param {any} process @param {string} text */
  saved(process, text) {
    const checkpoint = parse(text);
    this.log(`run ${process.number} saved ${text.replaceAll("\n", " ").slice(0, 200)}`);
    if (checkpoint === null) {
      this.problems.push(`run ${process.number} saved an unreadable checkpoint: ${text.slice(0, 80)}`);
      return;
    }
    if (text.length > 8_000) {
      this.problems.push(`run ${process.number} saved a checkpoint of ${text.length} characters`);
    }
    if (checkpoint.initial !== (this.best?.initial ?? "")) this.best = null;
    if (!this.excuses.placeless && this.best && isBehind(checkpoint, this.best, !this.schedule.lastPageToken)) {
      this.#forget();
      // L1: after a step of its clock a run answers for no more than the earliest clock does, which repeats.
      if (this.schedule.executions && !process.stepped) {
        this.regressions += 1;
        this.problems.push(`run ${process.number} moved the checkpoint back`);
      } else this.excusedRegressions += 1;
    }
    this.best = checkpoint;
    if (checkpoint.reached > (this.reads.at(-1)?.reached ?? -Infinity)) {
      this.reads.push({ reached: checkpoint.reached, startedMs: process.startedMs });
      process.moved = true;
    }
    const left = [];
    for (const delivery of this.#open(process)) {
      if (delivery.request.accepted && covers(checkpoint, this.#place(delivery.id))) {
        this.covered.set(delivery.id, this.covered.get(delivery.id) ?? process.world.timeline.nowMs);
      } else left.push(delivery);
    }
    this.open.set(process, left);
  }

  /** Entries were made anew; `left` are those that a script had made after their deletion. @param {string[]} left */
  redeployed(left) {
    this.#forget();
    for (const id of left) {
      const made = [...this.open.keys()].some((process) => process.end !== "killed" && process.made.has(id));
      if (made) this.problems.push(`a script left ${id} behind, which had been deleted`);
    }
  }

  /** A customer asked for it by `initialCheckpoint`. */
  startsOver() {
    this.#forget();
  }

  /** What comes now may repeat all that was delivered: bounded, but not by the deaths of scripts. */
  #forget() {
    this.resets += 1;
    this.reads = [];
    this.bound += this.covered.size;
    this.covered.clear();
    this.best = null;
  }

  /** @param {any} process @returns {any[]} */
  #open(process) {
    return this.open.get(process) ?? [];
  }

  /** @param {string} id */
  #place(id) {
    return this.places.get(id) ?? { us: Infinity, number: Infinity };
  }

  /** @param {any} world @param {any} round */
  afterRound(world, round) {
    if (!round.quiet || round.settling) return;
    const begun = world.processes.find((/** @type {any} */ process) => process.startedMs >= START_MS + round.at);
    const last = world.processes.at(-1);
    // Where only the lease decides, a host's wrong clock makes it longer: by one more interval at most.
    const clocks = this.schedule.rounds.some((/** @type {any} */ { starts, faults }) =>
      starts[0].offsetMs !== 0 || faults.some((/** @type {any} */ rule) => rule.world_step_ms)
    );
    const first = !this.schedule.rounds[this.schedule.rounds.indexOf(round) - 1].quiet;
    if (first && clocks && !this.schedule.executions && last?.result?.outcome === "skipped") return;
    for (const process of [begun, last]) {
      const outcome = process?.result?.outcome;
      if (!["caught up", "more waiting"].includes(outcome)) {
        this.problems.push(`a run without faults did not succeed: ${outcome ?? process?.error ?? process?.end}`);
        return;
      }
    }
  }

  /** @param {any} world */
  verdict(world) {
    const { schedule, problems } = this;
    const until = START_MS + schedule.rounds.at(-1).at - LEFT_MS;
    let missing = 0;
    for (const entry of world.abandoned ? [] : this.waiting.values()) {
      const { us, visibleMs, record } = entry;
      if (!this.#isDue(entry, until) || this.#isSetAside(entry)) continue;
      missing += 1;
      const late = Math.round((visibleMs - us / 1000) / 1000);
      problems.push(`missing: ${record.id} of ${record.timestamp}${late ? `, visible ${late} s late` : ""}`);
    }
    this.#checkContents(world);
    this.#checkCopies(world);
    for (const lie of schedule.lies ?? []) problems.push(...(LIES[lie].verdict?.(world, this) ?? []));
    for (const what of new Set(world.vault.spoiled)) problems.push(`a write changed more than the value: ${what}`);
    if (this.duplicates > this.bound) problems.push(`${this.duplicates} repeats, ${this.bound} explained`);
    return {
      missing,
      duplicates: this.duplicates,
      bound: this.bound,
      mostInFlight: this.mostInFlight,
      regressions: this.regressions,
      excusedRegressions: this.excusedRegressions,
      delivered: world.ingest.stored.length,
      issued: world.scm.records.length,
      runs: world.processes.length,
      kills: world.processes.filter((/** @type {any} */ { end }) => end === "killed").length,
      hits: world.faults.hits,
      problems,
    };
  }

  /** @param {any} world */
  #checkContents(world) {
    const issued = new Map(world.scm.records.map((/** @type {any} */ entry) => [entry.record.objectId, entry]));
    /** The id that a record without one was given. @type {Map<string, string>} */
    const given = new Map();
    for (const { id, record } of world.ingest.stored) {
      const entry = issued.get(id);
      if (!entry) this.problems.push(`delivered but never issued: ${id}`);
      else if (!sameContent(entry.record, record, this.excuses)) this.problems.push(`changed on the way: ${id}`);
      else if (given.get(id) !== undefined && given.get(id) !== record["event.id"]) {
        this.problems.push(`delivered with two ids: ${id}`);
      }
      given.set(id, record["event.id"]);
    }
  }

  /** How often a record may be delivered: once, and once more after each run that something happened to.
   * @param {any} world */
  #checkCopies(world) {
    const { schedule, excuses, problems } = this;
    if (!schedule.lies && this.duplicates === 0) return;
    let faults = world.processes.reduce((/** @type {number} */ sum, /** @type {any} */ { faults }) => sum + faults, 0);
    // A run that a lie has stopped is repeated only where faults had hit it, or others, before.
    for (const { end } of world.processes) if (end === "killed" || (faults > 0 && end === "failed")) faults += 1;
    const late = world.scm.records.some((/** @type {any} */ { us, visibleMs }) => visibleMs > us / 1000);
    if (!schedule.executions || (faults === 0 && late)) return;
    const most = (excuses.copies ?? 1) * (1 + this.resets + faults);
    const often = [...this.counts].filter(([, count]) => count > most);
    if (often.length > 0) {
      problems.push(
        `${often.length} records repeated too often, ${often[0][0]} ${often[0][1]} times of at most ${most}`,
      );
    }
  }
}

/** The machine part of a checkpoint, and where it stands. @param {string} text */
function parse(text) {
  const [human, machine] = text.split("\n");
  if (micros(human.split("|")[0]) === null) return null;
  const { hw, from, to, token, initial = "" } = JSON.parse(machine ?? "{}");
  const open = from !== undefined && to !== undefined;
  const end = micros(open ? to : hw) ?? 0;
  const place = !open
    ? { us: Infinity, number: Infinity }
    : token === undefined
    ? { us: micros(from) ?? 0, number: -1 }
    : cursor(token) ?? { us: 0, number: 0 };
  return { end, place, initial, reached: micros(hw) ?? -Infinity };
}

/**
 * Whether a checkpoint covers less than another did. Where SCM gives no cursor with the last page, the script goes on by
 * time, which may lie before the last cursor by as much as the marks in the checkpoint reach back.
 * @param {any} one @param {any} other @param {boolean} byTime
 */
function isBehind(one, other, byTime) {
  const [now, before] = [furthest(one), furthest(other)];
  if (!byTime || before.number === Infinity) return comesBefore(now, before);
  return now.us < before.us - MARKED_US;
}

/** The last place that a checkpoint covers. @param {any} checkpoint */
function furthest({ place, reached }) {
  const whole = { us: reached, number: Infinity };
  return place.us !== Infinity && comesBefore(whole, place) ? place : whole;
}

/** @param {{us: number, number: number}} one @param {{us: number, number: number}} other */
function comesBefore(one, other) {
  return one.us < other.us || (one.us === other.us && one.number < other.number);
}

/** @param {any} checkpoint @param {{us: number, number: number}} place */
function covers(checkpoint, place) {
  return place.us <= checkpoint.reached || (place.us <= checkpoint.end && !comesBefore(checkpoint.place, place));
}

/** What a reader of the log looks at, by the vendor's field table (facts: sectigo 1.6).
 * @param {any} source @param {any} log @param {import("./schedule.js").Excuses} excuses */
function sameContent(source, log, excuses) {
  const content = `[${source.service}] ${source.action}: ${source.details.replaceAll("\n", "\\u000a")}`;
  const cut = source.details.length > 400_000;
  if (excuses.setAside && log["content.truncated"] && log.content.startsWith("Log ingest rejected this record")) {
    return true;
  }
  const undated = excuses.undated && log["scm.event.timestamp"] === undefined && log["scm.event.time_raw"];
  return (cut ? content.startsWith(log.content.slice(0, 400_000)) : log.content === content) &&
    (excuses.anyTime || undated || micros(log["scm.event.timestamp"]) === micros(source.timestamp)) &&
    (source.id === undefined || log["event.id"] === source.id) &&
    log["event.service"] === source.service && log["event.action"] === source.action &&
    (log["event.category"] ?? "") === source.category && log["object.id"] === source.objectId &&
    log["object.name"] === source.objectName && (excuses.paths || log["object.type"] === source.objectType) &&
    log["customer.id"] === String(source.customerId) && log["scm.status"] === source.status;
}

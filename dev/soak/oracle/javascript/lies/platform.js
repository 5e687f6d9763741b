/** What the platform and people do: queues, edited checkpoints, closed entries, bursts, backfills. */
import { HOUR, START_MS } from "../schedule.js";
import { answer } from "../scm.js";
import { IDS } from "../world.js";
import { more, restamp } from "./plans.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const iso = (/** @type {number} */ ms) => new Date(ms).toISOString();

/** @type {Record<string, import("../lies.js").Lie>} */
export const LIES = {
  // Case 22: scripts begin long after their execution started, and the next one comes meanwhile.
  "begins-late": {
    cases: [22],
    calm: true,
    plan: (plan, random) => {
      Object.assign(plan, { latencyMs: 2500, pageSize: 10 });
      more(plan, 1200, (index) => (START_MS - 110 * MINUTE + index * 5 * SECOND) * 1000);
      for (const { quiet, starts } of plan.rounds) {
        if (quiet) continue;
        starts[0].queueMs = random.between(60, 95) * SECOND;
        starts.push({ after: random.between(100, 170) * SECOND, offsetMs: 0 });
      }
    },
  },
  // Case 14: the first line of the checkpoint lies in the future.
  "future-checkpoint": {
    cases: [14],
    calm: true,
    plan: (plan, random) => {
      const ahead = iso(START_MS + random.pick([1, 30, 500]) * HOUR).replace("Z", "000Z");
      plan.checkpoint = `${ahead}|somebody${random.chance(0.5) ? "" : `\n${JSON.stringify({ v: 1, hw: ahead })}`}`;
    },
    verdict: (world) => {
      const text = world.vault.value(IDS.checkpoint);
      return Date.parse(text.split("|")[0]) > world.timeline.nowMs
        ? [`the checkpoint is still in the future: ${text}`]
        : [];
    },
  },
  // Case 14: a bare checkpoint in the past is how a person moves the start; what came before it is neither read nor claimed.
  "bare-checkpoint": {
    cases: [14],
    calm: true,
    plan: (plan, random) => {
      const ms = START_MS - random.between(1, 110) * MINUTE;
      plan.checkpoint = `${iso(ms).replace("Z", "000Z")}|somebody`;
      plan.firstUs = ms * 1000;
    },
  },
  // Case 27: an initial checkpoint that goes back, and a run that fails before it has read anything of it.
  "moved-back": {
    cases: [27],
    plan: (plan, random) => {
      const round = plan.rounds[random.between(1, 2)];
      round.initialCheckpoint = iso(START_MS - 20 * HOUR);
      round.faults.push({ api: "vault", method: "PUT", nth: 2, times: 9, status: 403 });
      plan.rounds[0].records.forEach((/** @type {any} */ made, /** @type {number} */ index) => {
        if (index % 2 === 0) restamp(made, (START_MS - random.between(7 * 60, 19 * 60) * MINUTE) * 1000);
      });
    },
  },
  // Case 15: an entry that may not be used from scripts.
  "closed-entry": {
    cases: [15],
    calm: true,
    world: (world, random) => {
      const id = random.pick(Object.values(IDS));
      world.gateways.push((request, next) => {
        if (world.round.quiet || request.target.api !== "vault" || !request.target.path.includes(id)) return next();
        const message = "Credential is not available in the scope APP_ENGINE";
        return answer(400, JSON.stringify({ error: { code: 400, message } }));
      });
    },
    verdict: (world) => {
      const failed = world.processes.filter((/** @type {any} */ { end }) => end === "failed");
      // A run that fails at once makes eight calls at most.
      const most = 12_000 + 8 * world.schedule.latencyMs;
      const slow = failed.find(({ endedMs, startedMs }) => endedMs - startedMs > most);
      const misled = failed.find(({ error }) => /does not exist/.test(error) || !/scope/i.test(error));
      return [
        ...slow ? [`a run waited ${(slow.endedMs - slow.startedMs) / 1000} s for an entry that is closed to it`] : [],
        ...misled ? [`a closed entry was reported as: ${misled.error}`] : [],
      ];
    },
  },
  // Case 16: some hundred records a minute and a schedule of one minute; no repeat.
  "burst": {
    cases: [16],
    calm: true,
    plan: (plan, random) => {
      Object.assign(plan, { pageSize: 100, latencyMs: 50, lastPageToken: true });
      const [count, minutes] = [random.pick([300, 600, 600, 1500]), 3];
      more(plan, count, (index) => (START_MS + (minutes * MINUTE * index) / count) * 1000 + index % 997);
      plan.rounds[0].starts = Array.from({ length: 10 }, (_, minute) => ({ after: minute * MINUTE, offsetMs: 0 }));
    },
  },
  // Cases 21 and 27: a backfill in legs beside the schedule, of a window or of single ids; what it claims was sent.
  "backfill": {
    cases: [21, 27],
    calm: true,
    plan: (plan, random) => {
      Object.assign(plan, {
        legs: true,
        to: random.pick(["exclusive", undefined]),
        pageSize: random.between(8, 12),
        history: "4h",
      });
      // So that some leg ends between two windows.
      plan.latencyMs = random.between(2_000, 3_000);
      plan.from = random.pick(["exclusive", "inclusive"]);
      const start = START_MS - 15 * HOUR;
      more(plan, 721, (index) => (start + index * MINUTE) * 1000);
      const ids = random.chance(0.3) ? { ids: ["more-1", "more-700"] } : {};
      const backfill = { from: iso(start), to: iso(start + 720 * MINUTE), ...ids };
      plan.backfill = backfill;
      plan.rounds[1].starts.push({ after: 5_000, offsetMs: 0, input: { backfill } });
    },
    verdict: (world, oracle) => {
      const { backfill } = world.schedule;
      const done = world.processes.some((/** @type {any} */ { result }) => result?.outcome === "backfilled");
      // Whether the end is in it, is SCM's to say.
      const asked = world.scm.records.filter(({ us, record }) =>
        us / 1000 > Date.parse(backfill.from) && us / 1000 < Date.parse(backfill.to) &&
        (!backfill.ids || backfill.ids.includes(record.id))
      );
      const lost = asked.filter(({ record }) => !oracle.resent.has(record.objectId));
      if (!done) return ["the backfill never came to its end"];
      return lost.length > 0 ? [`the backfill left out ${lost.length} records, like ${lost[0].record.timestamp}`] : [];
    },
  },
};

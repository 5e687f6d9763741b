/** Clocks that differ: SCM's Date header, the host, the platform's start times, the times in records. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** @type {Record<string, import("../lies.js").Lie>} */
export const LIES = {
  // Case 1: the header of SCM is ahead of the clock that stamps its records, by minutes up to days.
  "header-ahead": {
    cases: [1],
    plan: (plan, random) => {
      const ms = random.pick([7 * MINUTE, 20 * MINUTE, HOUR, 23 * HOUR, 30 * HOUR]);
      plan.headerMs = () => ms;
    },
  },
  // Case 1: behind it. What was asked for too early comes later, all of it.
  "header-behind": {
    cases: [1],
    excuses: { delayMs: 20 * MINUTE },
    plan: (plan, random) => {
      const ms = random.pick([-3 * MINUTE, -7 * MINUTE, -20 * MINUTE, -30 * HOUR]);
      plan.headerMs = () => ms;
    },
  },
  // Case 1: the header drifts and is set now and then.
  "header-drifts": {
    cases: [1],
    excuses: { delayMs: 20 * MINUTE },
    plan: (plan, random) => {
      const [rate, every] = [random.pick([-0.1, 0.1, 0.3]), random.pick([7, 20, 60]) * MINUTE];
      plan.headerMs = (/** @type {number} */ now) => rate * (now % every);
    },
  },
  // Cases 1 and 26: the host is ahead of everybody, also where executions cannot be read.
  "host-ahead": {
    cases: [1, 26],
    plan: (plan, random) => {
      const offsetMs = random.pick([2 * MINUTE, 20 * MINUTE, 5 * HOUR]);
      for (const round of plan.rounds) for (const start of round.starts) start.offsetMs = offsetMs;
      plan.executions = random.chance(0.5);
    },
  },
  "host-behind": {
    cases: [1],
    excuses: { delayMs: 20 * MINUTE },
    plan: (plan, random) => {
      const offsetMs = random.pick([-2 * MINUTE, -7 * MINUTE, -20 * MINUTE]);
      for (const round of plan.rounds) for (const start of round.starts) start.offsetMs = offsetMs;
    },
  },
  // Case 1: the platform's times of executions.
  "platform-apart": {
    cases: [1],
    excuses: { delayMs: 20 * MINUTE },
    plan: (plan, random) => {
      plan.platformMs = random.pick([-20, -5, 5, 20, 300]) * MINUTE;
    },
  },
  // Case 1: where SCM stamps late, its records come late; within the promise.
  "records-behind": {
    cases: [1],
    plan: (plan, random) => {
      const lateS = random.pick([30, 120, 290]);
      for (const { records } of plan.rounds) for (const made of records) made.lateS = lateS;
    },
  },
};

/** Changes of a schedule's records that several lies share. */
import { HOUR, START_MS } from "../schedule.js";

/** So many more records, like the first one of a plan. @param {any} plan @param {number} count @param {(index: number) => number} us */
export function more(plan, count, us) {
  const like = plan.rounds.flatMap((/** @type {any} */ { records }) => records)[0];
  if (!like) return;
  for (let index = 0; index < count; index += 1) {
    const made = structuredClone({ ...like, lateS: 0 });
    Object.assign(made.record, { id: `more-${index}`, objectId: String(200_000 + index), details: "x" });
    restamp(made, us(index));
    plan.rounds[0].records.push(made);
  }
}

/** All records of the disturbed rounds evenly over the two hours before the start. @param {any} plan @param {any} random */
export function spread(plan, random) {
  const first = plan.rounds[0].records;
  for (const round of plan.rounds.slice(1)) if (!round.quiet) first.push(...round.records.splice(0));
  first.forEach((/** @type {any} */ made, /** @type {number} */ index) => {
    const us = (START_MS - 1.9 * HOUR) * 1000 + Math.floor((110 * 60e6 * index) / first.length);
    restamp(made, us + random.between(0, 999_999));
  });
}

/** So many more quiet rounds, for what needs many runs. @param {any} plan @param {number} count */
export function moreRounds(plan, count) {
  const last = plan.rounds.at(-1);
  for (let n = 1; n <= count; n += 1) plan.rounds.push({ ...last, records: [], at: last.at + n * 600_000 });
}

/** @param {any} made @param {number} us */
export function restamp(made, us) {
  made.us = us;
  made.record.timestamp = `${new Date(Math.floor(us / 1000)).toISOString().slice(0, 23)}${
    String(us % 1000).padStart(3, "0")
  }Z`;
}

import assert from "node:assert/strict";
import { judge } from "sync/records.js";
import { newRun } from "sync/run.js";

let shown = 0;
console.warn = () => shown += 1;

const to = Date.parse("2026-01-29T10:00:00Z") * 1000;
const window = { from: to - 600e6, to, token: null, ordered: true };
const record = (more) => ({ id: "a", timestamp: "2026-01-29T09:55:00.5Z", action: "issue", ...more });
const verdicts = (run, records, again) => judge(run, records, window, again).map(({ verdict }) => verdict);

Deno.test("test_L20 content that differs with every read is sent once more, then counted only", () => {
  const run = newRun("x");
  const read = (n) => verdicts(run, [record({ n })], n > 0);
  assert.deepEqual([0, 1, 2, 3].flatMap(read), ["send", "send", "repeated", "repeated"]);
  assert.equal(run.counts.changed, 3);
});

Deno.test("test_L17 several records with one id all arrive; three warnings, then a count", () => {
  const run = newRun("x");
  shown = 0;
  const records = Array.from({ length: 20 }, (_, n) => record({ n }));
  assert.ok(records.every((each) => verdicts(run, [each], false)[0] === "send"));
  assert.deepEqual([run.counts.changed, run.counts.warnings, shown], [19, 19, 3]);
  assert.deepEqual(new Set(verdicts(run, [...records, record({ n: 20 })], true).slice(0, 20)), new Set(["repeated"]));
});

Deno.test("test_L7 the distance between record time and window is measured", () => {
  const run = newRun("x");
  verdicts(run, [record({ timestamp: "2026-01-29T09:42:00Z" })], false);
  assert.equal(run.memory.outside, 8 * 60_000);
});

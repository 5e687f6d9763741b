// The values that tests/unit reads too: what stack config accepts, the script accepts, with the same meaning.
import assert from "node:assert/strict";
import { readConfig } from "sync/config.js";
import { newRun } from "sync/run.js";
import { formatTime, parseDuration, parseTime } from "sync/time.js";

console.warn = () => {};

const values = (name) => {
  const { accepted, rejected } = JSON.parse(
    Deno.readTextFileSync(new URL(`../../values/${name}.json`, import.meta.url)),
  );
  assert.ok(Object.keys(accepted).length > 0 && rejected.length > 0);
  return [Object.entries(accepted), rejected];
};

/** The runtime config with this JSON text of one key, and how often it warned. */
const configured = (key, text) => {
  const run = newRun("x");
  return [readConfig(run, `{"${key}":${text}}`)[key], run.counts.warnings];
};

Deno.test("durations", () => {
  const [accepted, rejected] = values("durations");
  for (const [text, seconds] of accepted) {
    assert.equal(parseDuration(text)?.ms, seconds * 1000, text);
    const [taken, warnings] = configured("initHistoryDuration", JSON.stringify(text));
    assert.deepEqual([parseDuration(taken)?.ms, warnings], [seconds * 1000, 0], text);
  }
  for (const text of rejected) {
    assert.deepEqual(configured("initHistoryDuration", JSON.stringify(text)), ["2h", 1], text);
  }
});

Deno.test("times", () => {
  const [accepted, rejected] = values("times");
  for (const [text, meant] of accepted) assert.equal(formatTime(Number(parseTime(text))), meant, text);
  for (const text of rejected) assert.equal(parseTime(text), null, text);
});

Deno.test("retries", () => {
  const [accepted, rejected] = values("retries");
  for (const [text, number] of accepted) assert.deepEqual(configured("maxRetries", text), [number, 0], text);
  for (const text of rejected) assert.deepEqual(configured("maxRetries", text), [3, 1], text);
});

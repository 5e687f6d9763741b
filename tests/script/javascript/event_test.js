import assert from "node:assert/strict";
import fc from "fast-check";
import { SCM } from "sync/assumptions.js";
import { toEvent } from "sync/events.js";
import { LIMITS } from "sync/limits.js";
import { keep, newMemory } from "sync/records.js";

const size = (text) => new TextEncoder().encode(text).length;
// Keys that log ingest reads as something else (facts: dynatrace-api 7); `content`, `timestamp`, `loglevel` are meant.
const TAKEN = ["status", "level", "severity", "syslog.severity", "message", "payload", "body", "log", "time", "date"];

const names = fc.oneof(fc.constantFrom(...Object.values(SCM.fields).flat(), ...TAKEN, "__proto__"), fc.string());
const records = fc.oneof(fc.jsonValue(), fc.dictionary(names, fc.jsonValue(), { maxKeys: 30 }));

Deno.test("any JSON value becomes one log record that log ingest takes", async () => {
  await fc.assert(
    fc.asyncProperty(records, async (record) => {
      const { id, us, json } = await toEvent(record, JSON.stringify(record));
      const log = JSON.parse(json);

      assert.ok(json.isWellFormed());
      assert.equal(log["event.id"], id.toWellFormed());
      assert.notEqual(id, "");
      assert.ok(["INFO", "WARN", "ERROR"].includes(log.loglevel) && log["log.level"] === log.loglevel);
      assert.equal(log["log.source"], "sectigo-scm");
      assert.ok(us === null ? log.timestamp === undefined : Number.isInteger(us));
      assert.ok(Object.keys(log).length <= 500);
      for (const [key, value] of Object.entries(log)) {
        assert.equal(typeof value, "string");
        assert.ok(size(key) <= 100 && size(value) <= (key === "content" ? LIMITS.contentBytes : LIMITS.attributeBytes));
        assert.ok(!TAKEN.includes(key), key);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("equal records have equal ids, also without one of their own", async () => {
  await fc.assert(fc.asyncProperty(records, async (record) => {
    const text = JSON.stringify(record);
    assert.equal((await toEvent(record, text)).id, (await toEvent(JSON.parse(text), text)).id);
  }));
});

Deno.test("what is remembered to recognise repeats is bounded", () => {
  const memory = newMemory();
  for (let n = 0; n < 100; n += 1) keep(memory, `id ${n % 60}`, "x".repeat(LIMITS.rememberedLength / 20));

  assert.ok(memory.length <= LIMITS.rememberedLength);
  assert.equal(memory.length, [...memory.recent.values()].reduce((sum, text) => sum + text.length, 0));
  assert.ok(memory.recent.has("id 39"));
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { SCM } from "sync/assumptions.js";
import { toEvent } from "sync/events.js";
import { LIMITS } from "sync/limits.js";
import { keep, newMemory } from "sync/records.js";
import { canonical, fingerprint } from "sync/text.js";

const size = (text) => new TextEncoder().encode(text).length;
// Keys that log ingest reads as something else (facts: dynatrace-api 7); `content`, `timestamp`, `loglevel` are meant.
const TAKEN = ["status", "level", "severity", "syslog.severity", "message", "payload", "body", "log", "time", "date"];

const names = fc.oneof(fc.constantFrom(...Object.values(SCM.fields).flat(), ...TAKEN, "__proto__"), fc.string());
const records = fc.oneof(fc.jsonValue(), fc.dictionary(names, fc.jsonValue(), { maxKeys: 30 }));

Deno.test("any JSON value becomes one log record that log ingest takes", () => {
  fc.assert(
    fc.property(records, (record) => {
      const { id, us, json } = toEvent(record, fingerprint(canonical(record)));
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
    {
      numRuns: 500,
      examples: [[{ id: { toString: "no function" }, timestamp: { seconds: { valueOf: 1, toString: 1 } } }]],
    },
  );
});

/** The same value with the keys of all its objects the other way round. */
function turned(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(turned);
  return Object.fromEntries(Object.entries(value).reverse().map(([key, inner]) => [key, turned(inner)]));
}

Deno.test("test_L6 equal records have equal hashes and ids, whatever the order of their keys", () => {
  fc.assert(fc.property(records, (record) => {
    const [hash, other] = [record, turned(record)].map((each) => fingerprint(canonical(each)));
    assert.equal(hash, other);
    assert.match(hash, /^[0-9a-f]{16}$/);
    assert.equal(toEvent(record, hash).id, toEvent(turned(record), other).id);
  }));
  assert.notEqual(canonical({ a: 1, b: 2 }), canonical({ a: 2, b: 1 }));
});

Deno.test("test_L8 an empty or unreadable time gives way to the next name; action and time are missed", () => {
  const event = toEvent({ timestamp: "", time: "soon", created: "20260129T093000Z" }, "0");
  assert.equal(event.us, Date.parse("2026-01-29T09:30:00Z") * 1000);
  assert.equal(event.hasAction, false);
  assert.deepEqual([toEvent({ timestamp: "soon" }, "0").us, toEvent({ timestamp: "soon" }, "0").rawTime], [
    null,
    "soon",
  ]);
});

Deno.test("test_L9 two fields with one path, or with a name of ours, are both kept", () => {
  const log = (record) => JSON.parse(toEvent(record, "0").json);
  const both = log({ "object.type": "flat", object: { type: "X" } });
  assert.deepEqual([both["object.type"], both["scm.object.type"]], ["flat", "X"]);
  const same = log({ "a.b": 1, a: { b: 2 }, backfill: "theirs" });
  assert.deepEqual([same["scm.a.b"], same["scm.a.b_2"], same["scm.backfill_2"]], ["1", "2", "theirs"]);
  const wide = log(Object.fromEntries(Array.from({ length: 450 }, (_, n) => [`f${n}`, n])));
  assert.deepEqual([wide["content.dropped"], wide["content.truncated"]], ["50", undefined]);
});

Deno.test("what is remembered to recognise repeats is bounded", () => {
  const memory = newMemory();
  for (let n = 0; n < 100; n += 1) keep(memory, `id ${n % 60} `.padEnd(LIMITS.rememberedLength / 20), n);

  assert.ok(memory.length <= LIMITS.rememberedLength);
  assert.equal(memory.length, [...memory.recent.keys()].reduce((sum, text) => sum + text.length, 0));
  assert.ok([...memory.recent.keys()].some((key) => key.startsWith("id 39 ")));
});

Deno.test("Dynatrace's names are beside the manual's, and only where SCM gives a value", () => {
  const log = (record) => JSON.parse(toEvent({ timestamp: "2026-01-29T09:30:00Z", ...record }, "0").json);
  const full = log({ action: "login", user: "eve@nordhav.example", status: "FAILURE", ip: "2001:db8::7" });
  const names = ["audit.action", "audit.identity", "audit.result", "audit.status", "audit.time", "event.outcome"];
  assert.deepEqual(names.map((name) => full[name]), [
    "login",
    "eve@nordhav.example",
    "Failed",
    "Failed",
    "2026-01-29T09:30:00Z",
    "failure",
  ]);
  assert.deepEqual([full["client.ip"], full["user.email"], full["scm.actor"], full["scm.ip"], full["scm.status"]], [
    "2001:db8::7",
    "eve@nordhav.example",
    "eve@nordhav.example",
    "2001:db8::7",
    "FAILURE",
  ]);

  const bare = log({ details: "something" });
  assert.deepEqual([...names, "client.ip", "user.email"].filter((name) => name in bare), ["audit.time"]);
  assert.equal(toEvent({}, "0").json.includes("audit."), false);
});

Deno.test("a status is a result only where its word is clear; an address only where it is one", () => {
  const log = (record) => JSON.parse(toEvent(record, "0").json);
  const results = { SUCCESS: "Succeeded", ok: "Succeeded", failed: "Failed", Denied: "Failed", PENDING: undefined };
  for (const [status, result] of Object.entries(results)) assert.equal(log({ status })["audit.result"], result);
  const addresses = ["192.0.2.1", "::1", "proxy-7", "10.0.0.1:443", "a:b", ""];
  assert.deepEqual(addresses.map((ip) => "client.ip" in log({ ip })), [true, true, false, false, false, false]);
});

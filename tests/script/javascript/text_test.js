import assert from "node:assert/strict";
import fc from "fast-check";
import { errorText } from "sync/output.js";
import { clean, cutBytes, fingerprint, parseJson } from "sync/text.js";

const size = (text) => new TextEncoder().encode(text).length;
const texts = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));

Deno.test("cut text fits, begins as the whole and ends between characters", () => {
  const segmenter = new Intl.Segmenter("en");
  fc.assert(fc.property(texts, fc.nat(60), (text, most) => {
    const cut = cutBytes(text, most);
    const whole = text.toWellFormed();
    assert.ok(size(cut) <= most);
    assert.ok(cut.isWellFormed() && whole.startsWith(cut));
    if (cut === whole) return;
    const borders = [...segmenter.segment(whole)].map(({ index }) => index);
    assert.ok(borders.includes(cut.length));
  }));
});

Deno.test("cleaned text has no control characters, and cleaning it again changes nothing", () => {
  fc.assert(fc.property(texts, (text) => {
    const cleaned = clean(text);
    assert.doesNotMatch(cleaned, /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
    assert.ok(cleaned.isWellFormed());
    assert.equal(clean(cleaned), cleaned);
  }));
});

Deno.test("JSON keeps every digit of a whole number, and everything else as it is", () => {
  fc.assert(fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }), (id) => {
    assert.deepEqual(parseJson(`[{"id":${id},"n":-${id}}]`), [{ id: String(id), n: `-${id}` }]);
  }));
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = JSON.stringify(value);
    if (!/\d{16}|e[+-]?\d/.test(text)) assert.deepEqual(parseJson(text), JSON.parse(text));
  }));
  for (const text of ["", "{", "<html>", "undefined"]) assert.equal(parseJson(text), undefined);
  assert.deepEqual(parseJson("\uFEFF[1]"), [1]);
});

Deno.test("an error's text is found in any envelope and is one short line", () => {
  const told = (body) => errorText({ text: typeof body === "string" ? body : JSON.stringify(body), body });
  assert.equal(told({ code: -16, description: "Unknown user" }), "Unknown user");
  assert.equal(told({ error: { code: 400, message: "Constraints violated." } }), "Constraints violated.");
  assert.equal(told({ error: "invalid_client" }), "invalid_client");
  assert.equal(told({ error: "invalid_client", error_description: "Wrong secret" }), "Wrong secret");
  assert.equal(told("<html>\nno"), "<html>\\u000ano");
  fc.assert(fc.property(fc.jsonValue(), (body) => {
    const line = told(body);
    assert.ok(line.length <= 200 && !line.includes("\n"));
  }));
});

Deno.test("fingerprints are equal for equal texts only", () => {
  fc.assert(fc.property(fc.uniqueArray(fc.string(), { minLength: 2 }), (different) => {
    const prints = new Set(different.map(fingerprint));
    assert.equal(prints.size, new Set(different.map((text) => text.toWellFormed())).size);
  }));
});

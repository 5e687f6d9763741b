import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, errorText } from "sync/output.js";
import { keepSecret, redact } from "sync/redactor.js";

const SECRETS = [
  "=Local!]not[a=secret$\"\\ü/x+y z'<%漢🔑&>",
  "dt0c01.PUBLICPART.PRIVATEPARTPRIVATEPART",
  "eyJhbGciOi.abc-_DEF.x9",
];
SECRETS.forEach(keepSecret);

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const inJson = (text) => JSON.stringify(text).slice(1, -1);
const units = (text, spell) => Array.from({ length: text.length }, (_, at) => spell(text.charCodeAt(at))).join("");
const hex = (text) => Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0"));
const ENCODINGS = {
  plain: (text) => text,
  json: inJson,
  jsonTwice: (text) => inJson(inJson(text)),
  jsonUnits: (text) => units(text, (unit) => `\\u${unit.toString(16).padStart(4, "0")}`),
  address: encodeURIComponent,
  lowerCaseAddress: (text) => encodeURIComponent(text).toLowerCase(),
  everyByte: (text) => hex(text).map((byte) => `%${byte}`).join(""),
  form: (text) => new URLSearchParams({ "": text }).toString().slice(1),
  jsonInAddress: (text) => encodeURIComponent(inJson(text)),
  hex: (text) => hex(text).join("").toUpperCase(),
  html: (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
  base64,
  base64url: (text) => base64(text).replaceAll("+", "-").replaceAll("/", "_"),
  base64Behind1: (text) => base64(`1${text}`).slice(2),
  base64Behind2: (text) => base64(`12${text}+`).slice(3),
};

/** Whether two texts share a run of 12 characters. */
const share = (text, secret) =>
  [...Array(Math.max(0, secret.length - 11)).keys()].some((at) => text.includes(secret.slice(at, at + 12)));

Deno.test("L5 no secret is shown, in whatever encoding, from wherever and however far it is repeated", () => {
  for (const [name, encode] of Object.entries(ENCODINGS)) {
    for (const secret of SECRETS) {
      const spelled = encode(secret);
      fc.assert(fc.property(fc.nat(spelled.length), fc.nat(spelled.length), fc.nat(300), (from, to, before) => {
        const part = spelled.slice(Math.min(from, to), Math.max(from, to));
        const text = `${"word·".repeat(before)}${part}·ends`;
        for (const shown of [redact(text), describe(new Error(text)), errorText({ text, body: { message: text } })]) {
          assert.ok(!share(shown, spelled), `${name}: ${shown}`);
        }
        assert.ok(
          redact(text).startsWith("word·".repeat(before)) && redact(text).endsWith("·ends"),
          `${name}: ${part}`,
        );
      }));
    }
  }
});

Deno.test("L5 what shares nothing with a secret is left as it is", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    if (
      !SECRETS.some((secret) => Object.values(ENCODINGS).some((encode) => encode(secret).includes(text.slice(0, 8))))
    ) {
      assert.equal(redact(text), text);
    }
  }));
  assert.equal(redact("✓ Sent 100 logs to Dynatrace"), "✓ Sent 100 logs to Dynatrace");
});

Deno.test("L5 a short secret is hidden where it appears whole", () => {
  keepSecret("pa%5");
  assert.equal(redact("PA%5 pa%255 pass"), "*** *** pass");
});

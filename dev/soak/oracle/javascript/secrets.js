/** Every way in which a server may spell a secret back, and the search for any of them in what a script prints. */

/** What is left of a secret that was cut: enough of it to be one. */
const PART = 12;

const base64 = (/** @type {string} */ text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const units = (/** @type {string} */ text, /** @type {(unit: number) => string} */ spell) =>
  [...Array(text.length).keys()].map((index) => spell(text.charCodeAt(index))).join("");

/** By name. @type {Record<string, (text: string) => string>} */
export const ENCODINGS = {
  plain: (text) => text,
  form: (text) => new URLSearchParams({ "": text }).toString().slice(1),
  url: (text) => encodeURIComponent(text),
  base64,
  base64url: (text) => base64(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
  "base64 of the pair": (text) => base64(`client:${text}`).slice(12),
  json: (text) => JSON.stringify(text).slice(1, -1),
  "json twice": (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1),
  "json escapes": (text) => units(text, (unit) => `\\u${unit.toString(16).padStart(4, "0")}`),
  html: (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
  hex: (text) => [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
};

/** By secret: what two parts of it look like in each encoding. @type {Map<string, [string, string][]>} */
const parts = new Map();

/** @param {string} secret */
function partsOf(secret) {
  let found = parts.get(secret);
  if (!found) {
    found = Object.entries(ENCODINGS).flatMap(([name, encode]) => {
      const text = encode(secret);
      // The first half of a Dynatrace token is its public name.
      const first = secret.startsWith("dt0c01.") ? Math.floor(text.length / 2) : 0;
      return /** @type {[string, string][]} */ ([
        [name, text.slice(first, first + PART)],
        [`${name}, its end`, text.slice(-PART)],
      ]);
    });
    const seen = new Set();
    found = found.filter(([, part]) => !seen.has(part) && seen.add(part));
    parts.set(secret, found);
  }
  return found;
}

/** The encoding in which a text shows one of the secrets, or null. @param {string} text @param {string[]} secrets */
export function leaked(text, secrets) {
  for (const secret of secrets) {
    for (const [name, part] of partsOf(secret)) if (text.includes(part)) return name;
  }
  return null;
}

// ---------------------------------------------------------------------------------------------------------------------
// Redactor: no secret leaves the script, whole or in part, in whatever encoding a server repeats it (L5)
// ---------------------------------------------------------------------------------------------------------------------

/** Whoever repeats a secret may cut it anywhere: so many characters in common with one are hidden. */
const FRAGMENT = 8;

/** Fragments of every secret in every encoding. @type {Set<string>} */
const fragments = new Set();

/** Secrets shorter than a fragment. @type {Set<string>} */
const shortSecrets = new Set();

/** From now on `redact` hides this text. @param {string} secret */
export function keepSecret(secret) {
  for (const spelled of spellings(secret)) {
    // Errors wrap one encoding in another: JSON in an address, an address in JSON.
    for (const text of new Set([spelled, inJson(spelled), encodeURIComponent(spelled)])) {
      const searched = searchable(text);
      if (searched.length >= 3 && searched.length < FRAGMENT) shortSecrets.add(searched);
      for (let at = 0; at + FRAGMENT <= searched.length; at += 1) fragments.add(searched.slice(at, at + FRAGMENT));
    }
  }
}

/** The text with `***` in place of each secret and each part of one. @param {string} text */
export function redact(text) {
  const searched = searchable(text);
  let [shown, from] = ["", 0];
  for (let at = 0; at < text.length;) {
    const end = endOfSecret(searched, at);
    if (end > at) {
      shown += `${text.slice(from, at)}***`;
      from = end;
    }
    at = Math.max(end, at + 1);
  }
  return shown + text.slice(from);
}

/** Where the secret that begins at `at` ends; `at` if none does. @param {string} text @param {number} at */
function endOfSecret(text, at) {
  for (const secret of shortSecrets) if (text.startsWith(secret, at)) return at + secret.length;
  let end = at;
  for (let next = at; next <= end; next += 1) {
    if (fragments.has(text.slice(next, next + FRAGMENT))) end = next + FRAGMENT;
  }
  return end;
}

/** Hexadecimal digits and names of entities come in either case. Only letters of one unit change: positions stay.
 * @param {string} text */
function searchable(text) {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** A secret as it is, and as it looks in JSON, an address, a form, HTML, base64 and hexadecimal digits.
 * @param {string} text @returns {Set<string>} */
function spellings(text) {
  const secret = text.toWellFormed();
  const bytes = new TextEncoder().encode(secret);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const units = Array.from({ length: secret.length }, (_, index) => secret.charCodeAt(index));
  const escaped = (/** @type {number} */ unit) => `\\u${unit.toString(16).padStart(4, "0")}`;
  const form = new URLSearchParams({ "": secret }).toString().slice(1);
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
  return new Set([
    secret,
    inJson(secret),
    inJson(secret).replaceAll("/", "\\/"),
    inJson(secret).replace(/[^ -~]|[&<>'=]/g, (unit) => escaped(unit.charCodeAt(0))),
    units.map(escaped).join(""),
    encodeURIComponent(secret),
    form,
    form.replaceAll("+", "%20").replaceAll("%2F", "/"),
    hex.map((byte) => `%${byte}`).join(""),
    hex.join(""),
    secret.replace(/[&<>"']/g, (one) => entities[/** @type {keyof typeof entities} */ (one)]),
    secret.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`),
    units.map((unit) => `&#${unit};`).join(""),
    units.map((unit) => `&#x${unit.toString(16)};`).join(""),
    ...[0, 1, 2].flatMap((skipped) => base64(bytes, skipped)),
  ]);
}

/** @param {string} text */
function inJson(text) {
  return JSON.stringify(text).slice(1, -1);
}

/** The characters of base64 that these bytes alone decide, where `skipped` other bytes come before them.
 * @param {Uint8Array} bytes @param {number} skipped */
function base64(bytes, skipped) {
  const binary = "\0".repeat(skipped) + Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const text = btoa(binary);
  const own = text.slice(skipped && skipped + 1, Math.floor(((skipped + bytes.length) * 8) / 6));
  return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
}

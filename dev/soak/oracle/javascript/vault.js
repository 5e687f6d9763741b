/** The credential vault of one world, as the script's actor sees it. */
import { answer } from "./scm.js";

const METADATA = {
  description: "sectigo-dynatrace stack=oracle",
  scopes: ["APP_ENGINE"],
  ownerAccessOnly: true,
  allowContextlessRequests: true,
  allowedEntities: [{ type: "USER", id: "actor" }],
};

export class Vault {
  /** @param {Record<string, {name: string, type: string, secret: any}>} entries By id. */
  constructor(entries) {
    /** @type {Map<string, any>} */
    this.entries = new Map();
    for (const [id, entry] of Object.entries(entries)) {
      this.entries.set(id, { id, ...structuredClone(METADATA), ...entry });
    }
    this.known = structuredClone(entries);
    /** What a write has spoiled besides the value, for the oracle. @type {string[]} */
    this.spoiled = [];
  }

  /** @param {string} id @param {boolean} details With the secret. */
  get(id, details) {
    const entry = this.entries.get(id);
    if (!entry) return unknown(id);
    const { secret, ...metadata } = entry;
    return answer(200, JSON.stringify(details ? { name: entry.name, type: entry.type, ...secret } : metadata));
  }

  /** A PUT replaces the whole entry; one to an unknown id makes it (201). @param {string} id @param {string} body */
  put(id, body) {
    const { name, type, token, ...metadata } = JSON.parse(body);
    const known = this.known[id];
    for (const key of /** @type {(keyof typeof METADATA)[]} */ (Object.keys(METADATA))) {
      if (JSON.stringify(metadata[key]) !== JSON.stringify(METADATA[key])) this.spoiled.push(`${id}: ${key}`);
    }
    if (name !== known.name || type !== known.type) this.spoiled.push(`${id}: name or type`);
    const created = !this.entries.has(id);
    this.entries.set(id, { id, ...metadata, name, type, secret: { token } });
    return created ? answer(201, JSON.stringify({ id })) : answer(204, null);
  }

  /** @param {string} id */
  remove(id) {
    return this.entries.delete(id) ? answer(204, null) : unknown(id);
  }

  /** As a new deployment makes it. @param {string} id */
  renew(id) {
    this.entries.set(id, { id, ...structuredClone(METADATA), ...structuredClone(this.known[id]) });
  }

  /** @param {string} id @returns {string} */
  value(id) {
    return this.entries.get(id)?.secret.token ?? "";
  }
}

/** @param {string} id */
function unknown(id) {
  return answer(404, JSON.stringify({ error: { code: 404, message: `Credential ${id} does not exist` } }));
}

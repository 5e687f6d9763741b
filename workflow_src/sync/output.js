import { SCM } from "./assumptions.js";
import { LIMITS } from "./limits.js";
import { clean } from "./text.js";
import { seconds } from "./time.js";
/** @import { Answer } from "./requests.js" */
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Output: the one way out for everything that the script prints, throws, returns or sends about itself
// ---------------------------------------------------------------------------------------------------------------------

/** @param {string} text */
export function outgoing(text) {
  return clean(text);
}

/** @param {string} text */
export function log(text) {
  console.log(outgoing(text));
}

/** @param {Run} run @param {string} text */
export function warn(run, text) {
  run.counts.warnings += 1;
  console.warn(outgoing(`WARN ${text}`));
}

/** One line about an error that holds nothing of the request. @param {any} error @returns {string} */
export function describe(error) {
  const text = /abort/i.test(error?.name ?? "")
    ? `no answer within ${seconds(LIMITS.request)} s`
    : error?.message ?? String(error);
  const cause = error?.cause?.message && !text.includes(error.cause.message) ? ` (${error.cause.message})` : "";
  return outgoing(text + cause).slice(0, 500).toWellFormed();
}

/** The message inside an error's body, whatever its envelope. @param {Answer} answer */
export function errorText({ text, body }) {
  const inner = body?.error && typeof body.error === "object" ? body.error : body;
  const found = SCM.errors.map((name) => inner?.[name]).find((value) => typeof value === "string");
  return outgoing(found ?? (text.trim() === "" ? "empty body" : text.slice(0, 1_000))).slice(0, 200).toWellFormed();
}

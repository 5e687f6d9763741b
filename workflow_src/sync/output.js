import { SCM } from "./assumptions.js";
import { LIMITS } from "./limits.js";
import { redact } from "./redactor.js";
import { clean } from "./text.js";
import { seconds } from "./time.js";
/** @import { Answer } from "./requests.js" */
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Output: the one way out for everything that the script prints, throws, returns or sends about itself
// ---------------------------------------------------------------------------------------------------------------------

/** What may leave the script: no secret, no control character. Cut it afterwards only. @param {string} text */
export function outgoing(text) {
  return clean(redact(text)); // L5
}

/** @param {string} text */
export function log(text) {
  console.log(outgoing(text));
}

/** Of many warnings of one kind the first three are logged; `report` says how many there were. (L17)
 * @param {Run} run @param {string} text */
export function warn(run, text) {
  const { counts } = run;
  const kind = text.replace(/^record .+? (came|was) /, "$1 ").slice(0, 30);
  counts.warnings += 1;
  const warned = counts.warned.get(kind) ?? { text, times: 0 };
  counts.warned.set(kind, { text, times: warned.times + 1 });
  if (warned.times >= 3) return;
  console.warn(outgoing(`WARN ${text}`));
}

/** Whether an exchange had reached its time limit. @param {any} error @returns {boolean} */
export function isAbort(error) {
  return /abort/i.test(error?.name ?? "");
}

/** One line about an error that holds nothing of the request. @param {any} error @returns {string} */
export function describe(error) {
  const text = isAbort(error) ? `no answer within ${seconds(LIMITS.request)} s` : error?.message ?? String(error);
  const cause = error?.cause?.message && !text.includes(error.cause.message) ? ` (${error.cause.message})` : "";
  return outgoing(`${text}${cause}`.slice(0, 10_000)).slice(0, 500).toWellFormed();
}

/** The message inside an error's body, whatever its envelope. @param {Answer} answer */
export function errorText({ text, body }) {
  const inner = body?.error && typeof body.error === "object" ? body.error : body;
  const found = SCM.errors.map((name) => inner?.[name]).find((value) => typeof value === "string");
  const words = found ?? (text.trim() === "" ? "empty body" : text);
  return outgoing(words.slice(0, 10_000)).slice(0, 200).toWellFormed();
}

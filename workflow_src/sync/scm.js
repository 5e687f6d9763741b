import { SCM } from "./assumptions.js";
import { fetchTime } from "./chain.js";
import { age, latest, readDate, ticks } from "./clock.js";
import { Failure, Stop } from "./errors.js";
import { LIMITS, SECOND } from "./limits.js";
import { errorText } from "./output.js";
import { PARAMETERS } from "./parameters.js";
import { keepSecret } from "./redactor.js";
import { request } from "./requests.js";
import { formatTime, seconds } from "./time.js";
import { readToken } from "./vault.js";
/** @import { PageAnswer, Query } from "./paging.js" */
/** @import { Answer } from "./requests.js" */
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// SCM: access token and pages
// ---------------------------------------------------------------------------------------------------------------------

/** A token that lives for the next request at least. @param {Run} run @returns {Promise<string>} */
export async function accessToken(run) {
  if (run.access && ticks() < run.access.renewAt) return run.access.token;
  run.renewal ??= renew(run).finally(() => void (run.renewal = null));
  return await run.renewal;
}

/** @param {Run} run @returns {Promise<string>} */
async function renew(run) {
  const { user, value } = run.vault.entries.scm;
  // Always the configured address: one named by a 401's WWW-Authenticate would be given the secret.
  const answer = await request(run, "SCM token endpoint", PARAMETERS.scmTokenUrl, () => ({
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
    body: new URLSearchParams({ grant_type: "client_credentials", client_id: user, client_secret: value }).toString(),
  }));
  readDate(run.leg.clock, answer.headers);
  if (answer.status !== 200) {
    // L11: by class, the hint by status.
    if (![400, 401, 403].includes(answer.status)) {
      throw new Failure(`SCM token endpoint: ${answer.status} ${errorText(answer)}; check scmTokenUrl`);
    }
    throw new Failure(
      `SCM refused the OAuth client (${answer.status}: ${
        errorText(answer)
      }); check sectigoClientId and sectigoClientSecret`,
    );
  }
  const { access_token: token, expires_in: lifetime, refresh_token, id_token } = answer.body ?? {};
  for (const other of [refresh_token, id_token]) if (typeof other === "string") keepSecret(other);
  if (typeof token !== "string" || token === "") {
    throw new Failure(`SCM's token endpoint answered without an access_token; check scmTokenUrl`);
  }
  readToken("SCM's token endpoint", token, "check scmTokenUrl");
  const valid = Number.isFinite(lifetime) && lifetime > 0 ? lifetime : 300;
  run.access = { token, renewAt: ticks() + (valid - Math.min(60, valid / 5)) * SECOND };
  return token;
}

/**
 * One page, or null if SCM rejects the page token. Throws Stop at the end of the leg.
 * @param {Run} run @param {Query} query @param {boolean} [once] Without another try. @returns {Promise<PageAnswer | null>}
 */
export async function fetchPage(run, { token, from, to }, once = false) {
  const { clock } = run.leg;
  if (age(clock) >= fetchTime(run.leg)) {
    throw new Stop(`this leg has used ${seconds(age(clock))} of its ${seconds(fetchTime(run.leg))} s`, true);
  }
  const url = new URL(PARAMETERS.scmApiUrl + SCM.path);
  if (token === null) url.searchParams.set("from", formatTime(from));
  else url.searchParams.set("token", token);
  // With every call, and the one of the first call: SCM refuses a token without it.
  url.searchParams.set("to", formatTime(to));
  for (let renewed = false;; renewed = true) {
    const at = ticks();
    let access = "";
    const answer = await request(
      run,
      "SCM audit API",
      url.href,
      async () => {
        access = await accessToken(run);
        return { headers: { Authorization: `Bearer ${access}`, Accept: "application/json" } };
      },
      (given) => given.status >= 300 || recordsIn(given) !== undefined,
      { isFinal: () => once },
    );
    const { status, headers, tries, text } = answer;
    if (status === 401 && !renewed) {
      // Another request may have renewed it.
      if (run.access?.token === access) run.access = null;
      continue;
    }
    const records = recordsIn(answer);
    if (records) {
      readDate(clock, headers);
      const cursor = headers.get(SCM.cursorHeader) || null;
      return { records, token: cursor, tries, at, took: ticks() - at, length: text.length };
    }
    // L3: whether it is the token that is wrong, a query by time shows.
    if (token !== null && status < 500 && ![401, 402, 403, 407].includes(status)) return null;
    const isOld = status === 400 && latest(clock) - from / 1000 > LIMITS.kept;
    const old = `asked from ${
      formatTime(from)
    } on: if SCM keeps nothing that old, set initialCheckpoint to a later time`;
    const hint = isOld ? old : SCM.hints[status];
    throw new Failure(`SCM audit API: ${status} ${errorText(answer)}${hint ? ` (${hint})` : ""}`);
  }
}

/**
 * The records of an answer, if it is known to be a page (L2).
 * @param {Pick<Answer, "status" | "text" | "body">} answer @returns {any[] | undefined}
 */
export function recordsIn({ status, text, body }) {
  // L26
  if (status === 204 && text === "") return [];
  if (status !== 200) return undefined;
  if (Array.isArray(body)) return body;
  if (body === null || typeof body !== "object" || Object.entries(body).some(isSignOfError)) return undefined;
  const lists = SCM.lists.filter((name) => Array.isArray(body[name]));
  return lists.length === 1 ? body[lists[0]] : undefined;
}

/** L2 @param {[string, any]} field @returns {boolean} */
function isSignOfError([name, value]) {
  const { outcomes, trouble, fine } = SCM.signs;
  if (SCM.lists.includes(name) && Array.isArray(value)) return false;
  const isTrouble = SCM.errors.includes(name) || trouble.test(name);
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    const inner = Object.entries(value);
    return isTrouble ? inner.length > 0 : inner.some(isSignOfError);
  }
  const text = String(value ?? "").trim();
  if (outcomes.test(name)) return !fine.test(text);
  return isTrouble && text !== "false" && (text === "true" || !fine.test(text));
}

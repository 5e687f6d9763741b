import { SCM } from "./assumptions.js";
import { fetchTime } from "./chain.js";
import { age, latest, readDate, ticks } from "./clock.js";
import { Failure, Stop } from "./errors.js";
import { LIMITS, SECOND } from "./limits.js";
import { errorText } from "./output.js";
import { PARAMETERS } from "./parameters.js";
import { request } from "./requests.js";
import { formatTime, seconds } from "./time.js";
/** @import { PageAnswer, Query } from "./paging.js" */
/** @import { Run } from "./run.js" */
/** @import { Window } from "./windows.js" */

// ---------------------------------------------------------------------------------------------------------------------
// SCM: access token and pages
// ---------------------------------------------------------------------------------------------------------------------

/** A token that lives for the next request at least. @param {Run} run @returns {Promise<string>} */
export async function accessToken(run) {
  if (run.access && ticks() < run.access.renewAt) return run.access.token;
  const { user, value } = run.vault.entries.scm;
  // Always the configured address: one named by a 401's WWW-Authenticate would be given the secret.
  const answer = await request(run, "SCM token endpoint", PARAMETERS.scmTokenUrl, () => ({
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
    body: new URLSearchParams({ grant_type: "client_credentials", client_id: user, client_secret: value }).toString(),
  }));
  readDate(run.leg.clock, answer.headers);
  if (answer.status !== 200) {
    const why = errorText(answer).replaceAll(value, "***");
    throw new Failure(
      `SCM refused the OAuth client (${answer.status}: ${why}); check sectigoClientId and sectigoClientSecret`,
    );
  }
  const { access_token: token, expires_in: lifetime } = answer.body ?? {};
  if (typeof token !== "string" || token === "") {
    throw new Failure(`SCM's token endpoint answered without an access_token; check scmTokenUrl`);
  }
  const valid = Number.isFinite(lifetime) && lifetime > 0 ? lifetime : 300;
  run.access = { token, renewAt: ticks() + (valid - Math.min(60, valid / 5)) * SECOND };
  return token;
}

/**
 * One page, or null if SCM refuses a page token that an earlier run had saved. Throws Stop at the end of the leg.
 * @param {Run} run @param {Window} window @param {Query} query @returns {Promise<PageAnswer | null>}
 */
export async function fetchPage(run, window, { token, from }) {
  const { clock } = run.leg;
  if (age(clock) >= fetchTime(run.leg)) {
    throw new Stop(`this leg has used ${seconds(age(clock))} of its ${seconds(fetchTime(run.leg))} s`, true);
  }
  const url = new URL(PARAMETERS.scmApiUrl + SCM.path);
  if (token === null) url.searchParams.set("from", formatTime(from));
  else url.searchParams.set("token", token);
  // With every call, and the window's own: SCM refuses a token without it.
  url.searchParams.set("to", formatTime(window.to));
  for (let renewed = false;; renewed = true) {
    const at = ticks();
    const answer = await request(run, "SCM audit API", url.href, async () => ({
      headers: { Authorization: `Bearer ${await accessToken(run)}`, Accept: "application/json" },
    }), ({ status, body }) => status !== 200 || recordsIn(body) !== undefined);
    if (answer.status === 401 && !renewed) {
      run.access = null;
      continue;
    }
    if ([400, 404, 410].includes(answer.status) && token !== null && token === window.token) return null;
    if (answer.status !== 200) {
      const old = answer.status === 400 && token === null && latest(clock) - from / 1000 > LIMITS.kept;
      const hint = answer.status === 403
        ? " (is audit API access enabled for this key?)"
        : old
        ? ` (asked from ${formatTime(from)} on: if SCM keeps nothing that old, set initialCheckpoint to a later time)`
        : "";
      throw new Failure(`SCM audit API: ${answer.status} ${errorText(answer)}${hint}`);
    }
    readDate(run.leg.clock, answer.headers);
    return { records: recordsIn(answer.body) ?? [], token: answer.headers.get(SCM.cursorHeader) || null, at };
  }
}

/** The array of records in a page's body. @param {any} body @returns {any[] | undefined} */
function recordsIn(body) {
  return Array.isArray(body) ? body : SCM.lists.map((name) => body?.[name]).find(Array.isArray);
}

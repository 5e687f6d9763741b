import { fetchTime } from "./chain.js";
import { age, fence, retryAfter } from "./clock.js";
import { Failure, Stop } from "./errors.js";
import { LIMITS, SECOND } from "./limits.js";
import { describe, errorText, log } from "./output.js";
import { parseJson } from "./text.js";
import { seconds } from "./time.js";
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Requests: time limits, retries, waiting
// ---------------------------------------------------------------------------------------------------------------------

/**
 * `body`: the text as JSON, undefined where it is none; `tries`: how many requests it took.
 * @typedef {{status: number, headers: Headers, text: string, body: any, tries: number}} Answer
 */

/**
 * One HTTP exchange with retries. `init` is called for every attempt, so that a renewed token is used.
 * @param {Run} run @param {string} what @param {string} url @param {() => RequestInit | Promise<RequestInit>} init
 * @param {(answer: Answer) => boolean} [isWhole] Whether an answer is what it claims to be; another try is worth it if not.
 * @param {{limit?: () => number, isFinal?: (error: any) => boolean}} [more] Milliseconds for each attempt; which errors are not retried.
 */
export async function request(run, what, url, init, isWhole = () => true, { limit, isFinal } = {}) {
  let tries = 0;
  return await retried(run, what, async () => {
    const options = await init();
    tries += 1;
    const answer = await within(run.leg, async (signal) => {
      // A redirect would carry the token or the client secret elsewhere.
      const response = await fetch(url, { ...options, redirect: "error", signal });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: parseJson(text), tries };
    }, limit?.());
    if (isTemporaryStatus(answer.status) || !isWhole(answer)) {
      throw Object.assign(new Failure(`${answer.status} ${errorText(answer)}`), {
        retryAfter: retryAfter(answer.headers),
        temporary: true,
        code: answer.status,
      });
    }
    return answer;
  }, isFinal);
}

/** Repeats what may succeed later; waits by exponential backoff with full jitter, at least the server's Retry-After.
 * @template T @param {Run} run @param {string} what @param {() => Promise<T>} attempt
 * @param {(error: any) => boolean} [isFinal] @returns {Promise<T>} */
export async function retried(run, what, attempt, isFinal = () => false) {
  for (let [failed, limited] = [0, 0];;) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Stop || isFinal(error) || !isTemporary(error)) throw error;
      // A process that was paused wakes up to time limits that have passed, too: the pause is the reason to report.
      fence(run.leg.clock, `${what}: ${describe(error)}`);
      if (isBlocked(error)) {
        if (age(run.leg.clock) > LIMITS.settle) {
          throw new Failure(
            `${what}: ${describe(error)}; add the host under Settings > General > External requests, or run pulumi up`,
          );
        }
        await settle(run.leg, "waiting for new hosts in the outbound allowlist to become usable (up to 10 s)");
        continue;
      }
      const { maxRetries } = run.config;
      // L11: a rate limit is no failure; once a wait does not fit, it ends the leg in good order.
      if (statusOf(error) === 429) limited += 1;
      else if (failed < maxRetries) failed += 1;
      else throw new Failure(`${what}: ${describe(error)} (after ${maxRetries} retries)`);
      const backoff = Math.random() * Math.min(LIMITS.backoffMost, LIMITS.backoff * 2 ** (failed + limited - 1));
      const wait = Math.max(backoff, /** @type {any} */ (error).retryAfter ?? 0);
      run.counts.retries += 1;
      const retry = statusOf(error) === 429 ? "rate limit" : `retry ${failed} of ${maxRetries}`;
      await pause(run.leg, wait, `${what}: ${describe(error)}; ${retry}`);
    }
  }
}

/** A call of the SDK, which has neither time limit nor retries of its own.
 * @template T @param {Run} run @param {string} what @param {(signal: AbortSignal) => Promise<T>} call */
export async function asked(run, what, call) {
  return await retried(run, what, () => within(run.leg, call));
}

/** New vault entries are reported as unknown for some seconds.
 * @template T @param {Run} run @param {string} what @param {() => Promise<T>} read @returns {Promise<T>} */
export async function settled(run, what, read) {
  while (true) {
    try {
      return await retried(run, what, read);
    } catch (error) {
      const status = statusOf(error);
      // A refusal that names the scope does not pass with time. (L15)
      if (status === 403 || (status === 400 && /scope/i.test(describe(error)))) {
        throw new Failure(
          `${what}: ${
            describe(error)
          }; the workflow's actor may not read it (environment-api:credentials:read; its scope must be AppEngine; it may belong to another user)`,
        );
      }
      if (status !== 400 && status !== 404) throw error;
      if (age(run.leg.clock) > LIMITS.settle) {
        throw new Failure(`${what} does not exist (${describe(error)}); run pulumi up`);
      }
      await settle(run.leg, "waiting for new vault entries to become usable (up to 10 s)");
    }
  }
}

/** Runs an exchange with a time limit of its own, never far past the moment after which nothing is written.
 * @template T @param {Run["leg"]} leg @param {(signal: AbortSignal) => Promise<T>} exchange @param {number} [most]
 * @returns {Promise<T>} */
export async function within(leg, exchange, most = LIMITS.request) {
  const controller = new AbortController();
  const last = leg.closing ? LIMITS.write : LIMITS.answer;
  const limit = Math.max(SECOND, Math.min(most, last - age(leg.clock)));
  const timer = setTimeout(() => controller.abort(), limit);
  try {
    return await exchange(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Run["leg"]} leg @param {number} ms @param {string} why */
async function pause(leg, ms, why) {
  // While fetching, a wait that does not fit ends the leg in good order; afterwards there is some time left to save.
  if (age(leg.clock) + ms > (leg.closing ? LIMITS.write : fetchTime(leg))) {
    throw new Stop(`${why}, but a wait of ${seconds(ms)} s does not fit into this leg`, false);
  }
  log(`  ${why} (waiting ${(ms / SECOND).toFixed(1)} s)`);
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** A short wait for what Dynatrace has stored but not made usable yet; logged once, however many wait.
 * @param {Run["leg"]} leg @param {string} why */
async function settle(leg, why) {
  if (!leg.hints.has(why)) log(`  ${why}`);
  leg.hints.add(why);
  await new Promise((resolve) => setTimeout(resolve, SECOND));
}

/** L11: by class, as gateways have statuses of their own. @param {number} status */
function isTemporaryStatus(status) {
  return [408, 425, 429].includes(status) || (status >= 500 && ![501, 505].includes(status));
}

/** @param {any} error */
function isTemporary(error) {
  if (error?.temporary || isBlocked(error)) return true;
  const status = statusOf(error);
  return status === undefined ? !(error instanceof Failure) : isTemporaryStatus(status);
}

/** The runtime's refusal of a host; its wording is known from one app's log only. @param {any} error */
function isBlocked(error) {
  return /not in (the )?allowlist/i.test(describe(error));
}

/** @param {any} error @returns {number | undefined} */
export function statusOf(error) {
  const status = error?.response?.status ?? Number(error?.code);
  // A DOMException has a small number as its code.
  return Number.isInteger(status) && status >= 100 ? status : undefined;
}

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

/** @typedef {{status: number, headers: Headers, text: string, body: any}} Answer `body`: the text as JSON, undefined where it is none. */

/**
 * One HTTP exchange with retries. `init` is called for every attempt, so that a renewed token is used.
 * @param {Run} run @param {string} what @param {string} url @param {() => RequestInit | Promise<RequestInit>} init
 * @param {(answer: Answer) => boolean} [isWhole] Whether an answer is what it claims to be; another try is worth it if not.
 */
export async function request(run, what, url, init, isWhole = () => true) {
  return await retried(run, what, async () => {
    const options = await init();
    const answer = await within(run.leg, async (signal) => {
      // A redirect would carry the token or the client secret elsewhere.
      const response = await fetch(url, { ...options, redirect: "error", signal });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: parseJson(text) };
    });
    if (isTemporaryStatus(answer.status) || !isWhole(answer)) {
      throw Object.assign(new Failure(`${answer.status} ${errorText(answer)}`), {
        retryAfter: retryAfter(answer.headers),
        temporary: true,
      });
    }
    return answer;
  });
}

/** Repeats what may succeed later; waits by exponential backoff with full jitter, at least the server's Retry-After.
 * @template T @param {Run} run @param {string} what @param {() => Promise<T>} attempt @returns {Promise<T>} */
export async function retried(run, what, attempt) {
  for (let tries = 0;; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Stop || !isTemporary(error)) throw error;
      // A process that was paused wakes up to time limits that have passed, too: the pause is the reason to report.
      fence(run.leg.clock, `${what}: ${describe(error)}`);
      if (isBlocked(error)) {
        if (age(run.leg.clock) > LIMITS.settle) {
          throw new Failure(
            `${what}: ${describe(error)}; add the host under Settings > General > External requests, or run pulumi up`,
          );
        }
        await settle(run.leg, "waiting for new hosts in the outbound allowlist to become usable (up to 10 s)");
        tries -= 1;
        continue;
      }
      const { maxRetries } = run.config;
      if (tries >= maxRetries) throw new Failure(`${what}: ${describe(error)} (after ${maxRetries} retries)`);
      const backoff = Math.random() * Math.min(LIMITS.backoffMost, LIMITS.backoff * 2 ** tries);
      const wait = Math.max(backoff, /** @type {any} */ (error).retryAfter ?? 0);
      run.counts.retries += 1;
      await pause(run.leg, wait, `${what}: ${describe(error)}; retry ${tries + 1} of ${maxRetries}`);
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
      if (status === 403) {
        throw new Failure(
          `${what}: ${
            describe(error)
          }; the workflow's actor may not read it (environment-api:credentials:read, or it belongs to another user)`,
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
 * @template T @param {Run["leg"]} leg @param {(signal: AbortSignal) => Promise<T>} exchange @returns {Promise<T>} */
export async function within(leg, exchange) {
  const controller = new AbortController();
  const last = leg.closing ? LIMITS.write : LIMITS.answer;
  const limit = Math.max(SECOND, Math.min(LIMITS.request, last - age(leg.clock)));
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

/** @param {number} status */
function isTemporaryStatus(status) {
  return [408, 425, 429, 500, 502, 503, 504].includes(status);
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

import { sendPages, tellProgress } from "./delivery.js";
import { LIMITS } from "./limits.js";
import { fetchPages } from "./paging.js";
import { sum } from "./text.js";
import { planWindows } from "./windows.js";
/** @import { Run } from "./run.js" */
/** @import { Page } from "./shapes.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Catching up: the next page is being fetched while earlier ones are converted, sent and saved
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run */
export async function catchUp(run) {
  /** @type {Page[]} */
  const waiting = [];
  /** @type {Promise<void> | null} */
  let sending = null;
  /** @type {{error: unknown} | null} */
  let failed = null;
  const records = () => sum(waiting, (page) => page.events.length);
  const length = () => sum(waiting, (page) => page.length);
  const ripe = () => records() >= LIMITS.ripeRecords || performance.now() - waiting[0].at >= LIMITS.ripeAfter;
  const full = () => records() >= LIMITS.waitingRecords || length() >= LIMITS.waitingLength;
  const send = () => {
    sending ??= sendPages(run, waiting).catch((error) => void (failed = { error })).finally(() =>
      void (sending = null)
    );
    return sending;
  };
  try {
    for await (const page of fetchPages(run, planWindows(run))) {
      // Nothing behind a page that was not accepted: the checkpoint would pass over it.
      if (failed) break;
      waiting.push(page);
      if (full()) await send();
      else if (ripe()) send();
    }
  } finally {
    // Also when fetching ended early: what was fetched is sent and counted.
    while (!failed && (sending || waiting.length > 0)) await send();
    tellProgress(run);
  }
  if (failed) throw /** @type {any} */ (failed).error;
}

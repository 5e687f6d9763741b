import { shownCheckpoint } from "./checkpoint.js";
import { ingest } from "./ingest.js";
import { workflowId } from "./platform.js";
import { describe, errorText } from "./requests.js";
import { age } from "./run.js";
import { clean, log, warn } from "./text.js";
import { formatTime, parseTime, seconds } from "./time.js";
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// The run ledger: what this run did, as its result and as a record of its own, so that a query finds holes and silence
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run @param {"caught up" | "more waiting" | "backfilled" | "skipped" | "failed"} outcome @param {string} [reason] */
export async function report(run, outcome, reason) {
  const { window, coveredFrom, backfill } = run;
  // A backfill answers for its window when it was read to the end and sent as a whole.
  const savedHw = !backfill ? run.savedHw : outcome === "backfilled" && !backfill.ids ? run.checkpoint.hw : null;
  const reached = backfill && (run.checkpoint.open?.from ?? run.checkpoint.hw);
  const covers = coveredFrom !== null && savedHw !== null && savedHw >= coveredFrom;
  const newest = parseTime(run.checkpoint.ts);
  const summary = {
    outcome,
    reason,
    executionId: run.executionId,
    revision: run.chain.revision || undefined,
    leg: run.chain.leg,
    backfill: backfill ? true : undefined,
    reached: reached === null ? undefined : formatTime(reached),
    windowFrom: window ? formatTime(window.from) : undefined,
    windowTo: window ? formatTime(window.to) : undefined,
    coveredFrom: covers ? formatTime(coveredFrom) : undefined,
    coveredTo: covers ? formatTime(savedHw) : undefined,
    pages: run.pages,
    fetched: run.fetched,
    sent: run.sent,
    repeated: run.repeated,
    clamped: run.clamped,
    truncated: run.truncated,
    setAside: run.setAside,
    setAsideIds: run.setAsideIds.join(" ") || undefined,
    notRemembered: run.notRemembered,
    retries: run.retries,
    warnings: run.warnings,
    checkpointBefore: run.checkpointBefore,
    checkpointAfter: backfill ? undefined : shownCheckpoint(run.checkpoint),
    newestRecord: newest === null ? undefined : formatTime(newest),
    lagSeconds: backfill || savedHw === null ? undefined : seconds(Math.max(0, Date.now() - savedHw / 1000)),
    durationSeconds: Math.round(age(run) / 100) / 10,
  };
  const sentence =
    `Run ${outcome}${reason ? ` (${reason})` : ""}: ${run.pages} pages, ${run.fetched} fetched, ${run.sent} sent, ` +
    `${run.repeated} repeated, ${run.clamped} older than 24 h, ${run.setAside} set aside`;
  log(sentence);
  if (run.clamped > 0) {
    log(`  ${run.clamped} records were older than 24 h: sent with the present time, their own in scm.event.timestamp`);
  }
  if (run.notRemembered > 0) {
    log(`  ${run.notRemembered} records of the last minutes do not fit the checkpoint: the next run repeats them`);
  }
  if (!run.entries.ingest) return summary;
  /** @type {Record<string, string | undefined>} */
  const record = {
    content: clean(sentence),
    loglevel: outcome === "failed" ? "ERROR" : run.setAside > 0 || run.warnings > 0 ? "WARN" : "INFO",
    "log.source": "sectigo-scm-connector",
    "connector.workflow": workflowId,
  };
  for (const [key, value] of Object.entries(summary)) {
    if (value !== undefined) record[`connector.${key}`] = String(value);
  }
  try {
    const answer = await ingest(run, JSON.stringify([record]));
    run.reported = answer.status === 204;
    if (!run.reported) warn(run, `the run's own record was refused: ${answer.status} ${errorText(answer)}`);
  } catch (error) {
    warn(run, `the run's own record could not be sent: ${describe(error)}`);
  }
  return summary;
}

import { shownCheckpoint } from "./checkpoint.js";
import { age, latest } from "./clock.js";
import { ingest } from "./ingest.js";
import { describe, errorText, log, outgoing, warn } from "./output.js";
import { workflowId } from "./platform.js";
import { formatTime, parseTime, seconds } from "./time.js";
/** @import { Run } from "./run.js" */

// ---------------------------------------------------------------------------------------------------------------------
// The run ledger: what this run did, as its result and as a record of its own, so that a query finds holes and silence
// ---------------------------------------------------------------------------------------------------------------------

/** @param {Run} run @param {"caught up" | "more waiting" | "backfilled" | "skipped" | "failed"} outcome @param {string} [reason] */
export async function report(run, outcome, reason) {
  const { backfill, counts, leg, progress } = run;
  const { checkpoint, coveredFrom, saved, window } = progress;
  // A backfill answers for its window when it was read to the end and sent as a whole.
  const savedHw = !backfill ? saved.hw : outcome === "backfilled" && !backfill.ids ? checkpoint.hw : null;
  const reached = backfill && (checkpoint.open?.from ?? checkpoint.hw);
  const covers = coveredFrom !== null && savedHw !== null && savedHw >= coveredFrom;
  // L27: only what was saved is claimed, and no span that ends before it begins.
  const span = window && window.from <= window.to ? window : null;
  const newest = parseTime(checkpoint.ts);
  const summary = {
    outcome,
    reason,
    executionId: leg.executionId,
    revision: leg.chain.revision || undefined,
    leg: leg.chain.number,
    backfill: backfill ? true : undefined,
    reached: reached === null ? undefined : formatTime(reached),
    windowFrom: span ? formatTime(span.from) : undefined,
    windowTo: span ? formatTime(span.to) : undefined,
    coveredFrom: covers ? formatTime(coveredFrom) : undefined,
    coveredTo: covers ? formatTime(savedHw) : undefined,
    pages: counts.pages,
    fetched: counts.fetched,
    sent: counts.sent,
    repeated: counts.repeated,
    clamped: counts.clamped,
    truncated: counts.truncated,
    dropped: counts.dropped,
    undated: counts.undated,
    unknownAction: counts.unknownAction,
    changed: counts.changed,
    setAside: counts.setAside,
    setAsideIds: counts.setAsideIds.join(" ") || undefined,
    notRemembered: progress.notRemembered,
    retries: counts.retries,
    warnings: counts.warnings,
    checkpointBefore: progress.shownBefore,
    checkpointAfter: backfill ? undefined : shownCheckpoint(checkpoint),
    newestRecord: newest === null ? undefined : formatTime(newest),
    lagSeconds: backfill || savedHw === null ? undefined : seconds(Math.max(0, latest(leg.clock) - savedHw / 1000)),
    durationSeconds: Math.round(age(leg.clock) / 100) / 10,
  };
  for (const [key, value] of Object.entries(summary)) {
    if (typeof value === "string") Object.assign(summary, { [key]: outgoing(value) });
  }
  const sentence =
    `Run ${outcome}${
      reason ? ` (${reason})` : ""
    }: ${counts.pages} pages, ${counts.fetched} fetched, ${counts.sent} sent, ` +
    `${counts.repeated} repeated, ${counts.clamped} older than 24 h, ${counts.setAside} skipped as invalid`;
  log(sentence);
  for (const { text, times } of counts.warned.values()) {
    if (times > 3) log(`  ${times - 3} more warnings of this kind, the last one: ${text}`);
  }
  if (counts.clamped > 0) {
    log(
      `  ${counts.clamped} records were older than 24 h: sent with the current time, the original is in scm.event.timestamp`,
    );
  }
  if (progress.notRemembered > 0) {
    log(
      `  ${progress.notRemembered} records of the last minutes do not fit into the checkpoint: the next run repeats them`,
    );
  }
  if (!run.vault.entries.ingest) return summary;
  /** @type {Record<string, string | undefined>} */
  const record = {
    content: outgoing(sentence),
    loglevel: outcome === "failed" ? "ERROR" : counts.setAside > 0 || counts.warnings > 0 ? "WARN" : "INFO",
    "log.source": "sectigo-scm-connector",
    "connector.workflow": workflowId,
  };
  for (const [key, value] of Object.entries(summary)) {
    if (value !== undefined) record[`connector.${key}`] = String(value);
  }
  try {
    const answer = await ingest(run, JSON.stringify([record]));
    leg.reported = answer?.status === 204;
    if (answer && !leg.reported) {
      warn(run, `the run's ledger record was rejected: ${answer.status} ${errorText(answer)}`);
    }
  } catch (error) {
    warn(run, `the run's ledger record could not be sent: ${describe(error)}`);
  }
  return summary;
}

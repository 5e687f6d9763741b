import { Failure } from "./errors.js";
import { LIMITS } from "./limits.js";
import { PARAMETERS } from "./parameters.js";
import { describe } from "./requests.js";
import { log, parseJson, utf8Length, warn } from "./text.js";
import { formatTime, parseTime } from "./time.js";
import { readEntry, writeEntry } from "./vault.js";
/** @import { Run } from "./run.js" */
/** @import { Checkpoint } from "./shapes.js" */

// ---------------------------------------------------------------------------------------------------------------------
// Checkpoint: `<time>|<id>` of the newest accepted record, as the vendor writes it, and a machine part on line two
// ---------------------------------------------------------------------------------------------------------------------

/** @returns {Checkpoint} */
export function emptyCheckpoint() {
  return { ts: "", id: "", hw: null, open: null, told: null, initial: "", seen: [] };
}

/** Only now that the lock is ours: what stood there before may have been another run's. @param {Run} run */
export async function readCheckpoint(run) {
  const entry = await readEntry(run, PARAMETERS.checkpointCredentialId, true);
  const checkpoint = parseCheckpoint(run, entry.value);
  run.entries.checkpoint = entry;
  run.checkpoint = checkpoint;
  run.foundText = run.savedText = entry.value;
  run.savedHw = checkpoint.hw;
  run.seen = new Set(checkpoint.seen);
  run.seenTo = Math.max(checkpoint.open?.to ?? -Infinity, checkpoint.hw ?? -Infinity);
  if (checkpoint.open) run.tail = new Set(checkpoint.seen);
  run.checkpointBefore = shownCheckpoint(checkpoint);
  log(`Checkpoint: ${run.checkpointBefore === "none" ? "none (initial run)" : run.checkpointBefore}`);
}

/** @param {Run} run @param {string} text @returns {Checkpoint} */
export function parseCheckpoint(run, text) {
  const checkpoint = emptyCheckpoint();
  const [human = "", machine = "{}"] = text.replace(/^\uFEFF/, "").trim().split("\n");
  if (human === "" || human.toUpperCase() === "NONE") return checkpoint;
  const [ts, ...id] = human.split("|");
  const us = parseTime(ts);
  if (us === null) {
    warn(run, "the checkpoint is unreadable; starting as a first run, which repeats records rather than lose them");
    return checkpoint;
  }
  Object.assign(checkpoint, { ts, id: id.join("|"), hw: us });
  const { v, hw, from, to, token, ordered, told, initial, seen } = parseJson(machine) ?? {};
  if (v !== 1 && machine !== "{}") warn(run, "the checkpoint's second line is unreadable; going on from its time");
  checkpoint.told = parseTime(told);
  if (typeof initial === "string") checkpoint.initial = initial;
  if (typeof seen === "string") checkpoint.seen = seen.match(/.{8}/g) ?? [];
  const [begin, end] = [parseTime(from), parseTime(to)];
  if (begin !== null && end !== null && end > begin) {
    checkpoint.open = { from: begin, to: end, token: typeof token === "string" ? token : null, ordered: !!ordered };
  }
  // In the first window nothing has been read to an end yet.
  checkpoint.hw = parseTime(hw) ?? (checkpoint.open ? null : us);
  return checkpoint;
}

/** @param {Checkpoint} checkpoint */
export function formatCheckpoint({ ts, id, hw, open, told, initial, seen }) {
  const moment = (/** @type {number | null | undefined} */ us) =>
    us === null || us === undefined ? undefined : formatTime(us);
  const machine = {
    v: 1,
    hw: moment(hw),
    from: moment(open?.from),
    to: moment(open?.to),
    // A longer one would not leave room for anything else: that window goes on by time.
    token: open?.token && open.token.length <= LIMITS.tokenLength ? open.token : undefined,
    ordered: open?.ordered || undefined,
    told: moment(told),
    initial: initial || undefined,
  };
  const human = `${ts || formatTime(hw ?? open?.from ?? 0)}|${id}`;
  const fixed = utf8Length(`${human}\n${JSON.stringify({ ...machine, seen: "" })}`);
  const room = Math.max(0, Math.floor((LIMITS.checkpointBytes - fixed) / 8));
  const kept = room === 0 ? [] : seen.slice(-room);
  return {
    text: `${human}\n${JSON.stringify({ ...machine, seen: kept.join("") || undefined })}`,
    dropped: seen.length - kept.length,
  };
}

/** @param {Checkpoint} checkpoint */
export function shownCheckpoint({ ts, id, hw, open }) {
  const reached = hw ?? open?.from;
  if (!ts && reached === undefined) return "none";
  return `${ts || formatTime(reached ?? 0)}|${id.length > 8 ? id.slice(0, 8) + "..." : id}`;
}

/** @param {Run} run @param {string} [said] */
export async function saveCheckpoint(run, said) {
  const { checkpoint } = run;
  if (run.backfill || (checkpoint.hw === null && checkpoint.open === null)) return;
  const { text, dropped } = formatCheckpoint(checkpoint);
  run.notRemembered = checkpoint.open ? 0 : dropped + run.forgotten;
  if (text === run.savedText) return;
  try {
    await writeEntry(run, run.entries.checkpoint, text);
  } catch (error) {
    run.saveFailed = true;
    throw new Failure(`the checkpoint could not be saved: ${describe(error)}`);
  }
  Object.assign(run, { savedText: text, savedHw: checkpoint.hw, savedAt: performance.now(), savedSent: run.sent });
  log(said ?? `✓ Checkpoint saved to vault: ${shownCheckpoint(checkpoint)}`);
}

/** What was accepted before the failure need not be sent again. @param {Run} run */
export async function saveAfterFailure(run) {
  if (run.savedText === null || run.saveFailed || run.deleted) return;
  try {
    await saveCheckpoint(run);
  } catch (error) {
    warn(run, describe(error));
  }
}

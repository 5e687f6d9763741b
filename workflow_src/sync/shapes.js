/**
 * Times are microseconds since the epoch.
 *
 * A window is one query of SCM. `from` is where somebody without the token must begin; `ordered`: its pages have come
 * oldest first so far.
 * @typedef {{from: number, to: number, token: string | null, ordered: boolean}} Window
 *
 * `ts` and `id`: the newest accepted record. `hw`: everything up to here was read. `open`: a window that is not read to
 * its end. `told`: what is covered up to here stands in the record of a run. `initial`: the initialCheckpoint applied last.
 * @typedef {{ts: string, id: string, hw: number | null, open: Window | null, told: number | null, initial: string, seen: string[]}} Checkpoint
 *
 * @typedef {{id: string, us: number | null, json: string, clamped: boolean, truncated: boolean}} Event
 *
 * A page to send, and what the checkpoint is to say when it is accepted: `open` the rest of the window, or null where
 * the window is `done` up to that moment; `marks` of the records that the next run will read again.
 * @typedef {{at: number, fetched: number, events: Event[], length: number, marks: string[], open: Window | null, done: number}} Page
 *
 * @typedef {{id: string, name: string, value: string, user: string, metadata: Record<string, any> | null}} Entry
 *
 * A run's `input.backfill`: `from` and `to` as times, `ids` to send only these, `reached` from the leg before (in the
 * form of a checkpoint).
 * @typedef {{from: number, to: number, ids: Set<string> | null, reached: string}} Backfill
 */

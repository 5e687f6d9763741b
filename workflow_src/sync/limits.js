export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Milliseconds unless the name says otherwise. */
export const LIMITS = {
  /** No new page after this age of the leg; the platform's kill is at 120 s. */
  leg: 100 * SECOND,
  /** While fetching, no answer is waited for after this age: there must be time left to save and to release. */
  answer: 110 * SECOND,
  /** Nothing is written after this age, whatever happens: another run may own the checkpoint soon. */
  write: 118 * SECOND,
  /** A run that started longer ago than this cannot be alive: 120 s and the start of a script. */
  dead: 130 * SECOND,
  /** The lock's lease, for readers that cannot ask whether its owner is alive. */
  lease: 180 * SECOND,
  /** The vendor's lock timeout, for locks that name no owner. */
  vendorLease: 120 * MINUTE,
  /** How far the clocks of two hosts may differ before a time in a lock is no time. */
  clocks: 15 * MINUTE,
  /** Vault entries need up to 10 s and allowed hosts up to 10 s before they work. */
  settle: 20 * SECOND,
  request: 20 * SECOND,
  /** Newest records are left for the next run: SCM may still be writing them. */
  lag: 60 * SECOND,
  /** How long a record may become visible late and still arrive. */
  overlap: 5 * MINUTE,
  /** One query's span; a window that must be read again is at most this long. */
  slice: 6 * HOUR,
  history: 365 * DAY,
  /** How long SCM is sure to keep records; how long it does is not documented. */
  kept: 7 * DAY,
  /** Log ingest refuses records older than 24 h; ten minutes are for the way. */
  ingestAge: DAY - 10 * MINUTE,
  backoff: SECOND,
  backoffMost: 60 * SECOND,
  /** The checkpoint is saved after this many records or this long, and at the end: what a kill repeats at most, and a batch. */
  saveRecords: 5_000,
  saveEvery: 10 * SECOND,
  batchRecords: 5_000,
  /** UTF-16 units; a unit is at most 3 bytes and log ingest takes 10 MB. */
  batchLength: 3_000_000,
  /** From when on waiting pages are sent: few and large requests cost both sides least. */
  ripeRecords: 1_000,
  ripeAfter: 250,
  quickAnswer: 5,
  /** What may wait for log ingest before fetching pauses, and what is remembered to recognise repeats. */
  waitingRecords: 10_000,
  waitingLength: 8_000_000,
  rememberedLength: 10_000_000,
  checkpointBytes: 8_000,
  /** As many of 8 characters as would fit. */
  marks: 1_000,
  tokenLength: 2_000,
  contentBytes: 500_000,
  attributeBytes: 32_000,
  keyBytes: 100,
  attributes: 400,
  retries: 10,
};

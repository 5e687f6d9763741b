export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Milliseconds unless the name says otherwise. */
export const LIMITS = {
  /** No new page after this age of the leg; the platform's kill is at 120 s. */
  leg: 100 * SECOND,
  /** While fetching, no request waits for its answer after this age: saving and releasing the lock need time, too. */
  answer: 110 * SECOND,
  /** Nothing is written after this age, whatever happens: another run may own the checkpoint soon. */
  write: 118 * SECOND,
  /** A run that started longer ago than this cannot be alive: 120 s and the start of a script. */
  dead: 130 * SECOND,
  /** The lock's lease: how long it counts as held for a run that cannot ask whether the lock's owner has ended. */
  lease: 180 * SECOND,
  /** The vendor's lock timeout, for locks without an owner. */
  vendorLease: 120 * MINUTE,
  /** A time in a lock that is further in the future than its lease and this is not believed. */
  clocks: 15 * MINUTE,
  /** Vault entries need up to 10 s and allowed hosts up to 10 s before they work. */
  settle: 20 * SECOND,
  request: 20 * SECOND,
  /** The newest records are left to the next run: SCM may still be writing them. */
  lag: 60 * SECOND,
  /** How late a record may become visible and still arrive. */
  overlap: 5 * MINUTE,
  /** The span of one window; at most this much is read again. */
  slice: 6 * HOUR,
  history: 365 * DAY,
  /** SCM is assumed to keep records at least this long; it does not document how long. */
  kept: 7 * DAY,
  /** Log ingest refuses records older than 24 h; ten minutes are left for the transfer. */
  ingestAge: DAY - 10 * MINUTE,
  backoff: SECOND,
  backoffMost: 60 * SECOND,
  /** The checkpoint is saved after this many records or this long, and at the end. No more are sent without a save, so a
   * kill repeats at most this many, or one page of SCM's if it is larger. */
  saveRecords: 5_000,
  saveEvery: 10 * SECOND,
  batchRecords: 5_000,
  /** UTF-16 units: each is at most 3 bytes, and log ingest takes 10 MB. */
  batchLength: 3_000_000,
  /** Waiting pages are sent from this size or age on: few large requests cost both sides least. */
  ripeRecords: 1_000,
  ripeAfter: 250,
  quickAnswer: 5,
  /** How much may wait for log ingest before fetching pauses, and how much is remembered to recognise repeats. */
  waitingRecords: 10_000,
  waitingLength: 8_000_000,
  rememberedLength: 6_000_000,
  /** Read ahead (L29): windows that are requested at once; how much may wait for its turn; pages that a window is meant
   * to hold, at most and at least, and records; its least span; what this script itself may add to the time of a page. */
  lanes: 5,
  aheadRecords: 12_000,
  aheadLength: 8_000_000,
  lanePages: 12,
  leastPages: 3,
  laneRecords: 4_000,
  leastSpan: 10 * SECOND,
  ownDelay: 50,
  /** JSON of the records in the overlap that are not decided on yet. */
  heldLength: 12_000_000,
  /** After so many pages in a row without news, tokens are given up; after so many full parts, the window is. */
  idlePages: 3,
  idleParts: 40,
  /** How many records of a window are remembered to see whether a page brings news. */
  knownRecords: 20_000,
  /** Pages of fewer records are not taken for full. */
  smallPage: 10,
  /** Microseconds: a shorter part of a window is not split. */
  narrowPart: 16,
  checkpointBytes: 8_000,
  /** As many marks of 8 characters as fit into the checkpoint. */
  marks: 1_000,
  tokenLength: 2_000,
  contentBytes: 500_000,
  attributeBytes: 32_000,
  keyBytes: 100,
  attributes: 400,
  /** UTF-16 units of a record as JSON: one must fit into a request. */
  recordLength: 2_000_000,
  /** Requests that log ingest may reject in a row before it counts as rejecting everything. */
  rejections: 30,
  retries: 10,
};

/** Ends the leg in good order: progress is saved and the next run continues. `again`: the next leg may start at once. */
export class Stop extends Error {
  /** @param {string} why @param {boolean} again */
  constructor(why, again) {
    super(why);
    this.again = again;
  }
}
/** Ends the run as failed; the text is for the person who reads the execution. */
export class Failure extends Error {}

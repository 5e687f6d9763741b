/**
 * Virtual time: a queue of events, and the microtasks of each event done before the next one begins.
 *
 * `core.runMicrotasks` settles every promise that can settle without another event, synchronously; so a run of the
 * whole world is one uninterrupted computation, and the same seed is the same computation.
 */
const { core } = Deno[Deno.internal];

export class Timeline {
  /** @param {number} startMs Milliseconds since the epoch. */
  constructor(startMs) {
    this.nowMs = startMs;
    /** A binary heap by (due, number). @type {{due: number, number: number, act: (() => void) | null}[]} */
    this.heap = [];
    this.last = 0;
  }

  /** @param {number} ms From now. @param {() => void} act @returns {{act: (() => void) | null}} Set `act` to null to cancel. */
  after(ms, act) {
    const event = { due: this.nowMs + Math.max(0, ms), number: ++this.last, act };
    const { heap } = this;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(event, heap[above])) break;
      heap[at] = heap[above];
      at = above;
    }
    heap[at] = event;
    return event;
  }

  /** Let time pass until a moment; events at that very moment happen. @param {number} untilMs */
  runUntil(untilMs) {
    while (this.heap.length > 0 && this.heap[0].due <= untilMs) this.#step();
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** Let time pass until a condition holds or nothing is left to happen. @param {() => boolean} done */
  runWhile(done) {
    while (!done() && this.heap.length > 0) this.#step();
  }

  #step() {
    const event = this.#pop();
    if (event.act === null) return;
    this.nowMs = event.due;
    event.act();
    core.runMicrotasks();
  }

  #pop() {
    const { heap } = this;
    const first = heap[0];
    const moved = /** @type {typeof first} */ (heap.pop());
    if (heap.length > 0) {
      let at = 0;
      while (true) {
        let below = 2 * at + 1;
        if (below >= heap.length) break;
        if (below + 1 < heap.length && before(heap[below + 1], heap[below])) below += 1;
        if (!before(heap[below], moved)) break;
        heap[at] = heap[below];
        at = below;
      }
      heap[at] = moved;
    }
    return first;
  }
}

/** @param {{due: number, number: number}} one @param {{due: number, number: number}} other */
function before(one, other) {
  return one.due < other.due || (one.due === other.due && one.number < other.number);
}

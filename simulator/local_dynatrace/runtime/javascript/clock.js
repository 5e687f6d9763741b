// Date, performance.now and timers on the simulated clock. On a frozen clock, timers wait until it is moved.

import { activity, clockTold, setNextTimer } from "./control.js";

const { parse } = JSON;
const NativeDate = Date;
const nativeNow = NativeDate.now;
const nativeSetTimeout = globalThis.setTimeout;
const nativeClearTimeout = globalThis.clearTimeout;
const SET_BACK_US = 100_000; // less is the way of a message between two processes
const LONGEST_MS = 2 ** 31 - 1;

let base = { sequence: -1, mode: "running", now_us: 0, at_us: 0 };
let startUs;
const timers = new Map();
let lastTimer = 0;
let armed;

/**
 * Take over what the environment's clock says: the simulated time that belonged to a moment of real time.
 *
 * A clock set forward is time that has passed. One set back changes dates only: a timer keeps the time it has left.
 */
export function tell(clock) {
  if (clock.sequence < base.sequence) return; // an answer was faster than this line
  const before = nowUs();
  base = clock;
  const back = startUs === undefined ? 0 : Math.max(0, before - nowUs());
  if (back > SET_BACK_US) {
    for (const timer of timers.values()) timer.dueUs -= back;
    startUs -= back;
  }
  startUs ??= nowUs();
  clockTold(clock.sequence, clock.mode);
  arm();
}

/** The same from an answer, which may come before the line that tells it. */
export function hear(text) {
  const clock = text === null ? base : parse(text);
  if (clock.sequence > base.sequence) tell(clock);
}

function nowUs() {
  return base.mode === "running" ? base.now_us + nativeNow() * 1000 - base.at_us : base.now_us;
}

function nowMs() {
  return Math.floor(nowUs() / 1000);
}

function earliest() {
  let first = null;
  for (const timer of timers.values()) if (first === null || timer.dueUs < first.dueUs) first = timer;
  return first;
}

setNextTimer(() => earliest()?.dueUs ?? null);

function arm() {
  nativeClearTimeout(armed);
  armed = undefined;
  const first = earliest();
  if (first === null) return;
  const waitMs = (first.dueUs - nowUs()) / 1000;
  if (waitMs <= 0) armed = nativeSetTimeout(fire, 0);
  else if (base.mode === "running") armed = nativeSetTimeout(fire, Math.min(Math.ceil(waitMs), LONGEST_MS));
}

/** One timer a turn, so that its promises settle before the next one fires, as in any event loop. */
function fire() {
  armed = undefined;
  const first = earliest();
  try {
    if (first !== null && first.dueUs <= nowUs()) {
      if (first.everyUs === null) timers.delete(first.id);
      else first.dueUs = nowUs() + first.everyUs;
      activity();
      first.callback(...first.args);
    }
  } finally {
    arm();
  }
}

function addTimer(callback, delay, args, repeat) {
  if (typeof callback !== "function") throw new TypeError("The callback of a timer must be a function");
  const waitUs = Math.round(Math.min(Math.max(Number(delay) || 0, repeat ? 1 : 0), LONGEST_MS) * 1000);
  const id = ++lastTimer;
  timers.set(id, { id, dueUs: Math.round(nowUs()) + waitUs, everyUs: repeat ? waitUs : null, callback, args });
  activity();
  arm();
  return id;
}

function removeTimer(id) {
  if (timers.delete(Number(id))) {
    activity();
    arm();
  }
}

export function install() {
  NativeDate.now = nowMs;
  const SimulatedDate = new Proxy(NativeDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length ? args : [nowMs()], newTarget),
    apply: () => new NativeDate(nowMs()).toString(),
  });
  NativeDate.prototype.constructor = SimulatedDate;
  globalThis.Date = SimulatedDate;
  performance.now = () => (nowUs() - startUs) / 1000;
  globalThis.setTimeout = (callback, delay, ...args) => addTimer(callback, delay, args, false);
  globalThis.setInterval = (callback, delay, ...args) => addTimer(callback, delay, args, true);
  globalThis.clearTimeout = removeTimer;
  globalThis.clearInterval = removeTimer;
  delete AbortSignal.timeout; // real time, and not among what the platform documents (facts: dynatrace-runtime 2)
}

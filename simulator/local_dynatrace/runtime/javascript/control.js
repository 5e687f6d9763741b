// The connection to the local environment: JSON lines, in on stdin and out on stdout.
//
// It receives `start` (once, first) and `clock` (whenever the time was changed). It sends `log`, `result`,
// `error`, and `idle`: nothing will happen here before the clock moves or an open request is answered. The `auto`
// clock then jumps, so it must never be sent too early. Where no request is open, the event loop itself
// knows: it has run dry (`beforeunload`), as reading stdin does not count as work. An open request keeps the loop
// alive; then two empty turns of it without any activity are taken for idle.

const { core } = Deno[Deno.internal];
const { stringify, parse } = JSON;
const nativeSetTimeout = globalThis.setTimeout;
const encoder = new TextEncoder();
const STDIN = 0;
const STDOUT = 1;

const open = new Set();
let clockSeen = 0;
let mode = "running";
let turn = 0;
let looking = false;
let working = 0;
let reading;
/** The earliest timer of the script in microseconds of simulated time, or null; set by the clock. */
let nextTimer = () => null;

export function setNextTimer(earliest) {
  nextTimer = earliest;
}

export function say(message) {
  let bytes = encoder.encode(stringify(message) + "\n");
  while (bytes.length > 0) bytes = bytes.subarray(core.writeSync(STDOUT, bytes));
}

/** Hand every line that comes in to `heard`; the process ends with the line. */
export async function listen(heard, exit) {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let rest = "";
  for (;;) {
    reading = core.read(STDIN, buffer);
    core.unrefOpPromise(reading);
    const count = await reading;
    if (!count) return exit(1);
    rest += decoder.decode(buffer.subarray(0, count), { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop();
    for (const line of lines) heard(parse(line));
  }
}

addEventListener("beforeunload", (event) => {
  event.preventDefault();
  core.refOpPromise(reading);
  if (open.size === 0) sayIdle();
});

function sayIdle() {
  if (mode === "auto") say({ idle: { clock: clockSeen, open: [...open], until_us: nextTimer() } });
}

/** The clock has told its time; whatever was said before is void. */
export function clockTold(sequence, newMode) {
  clockSeen = sequence;
  mode = newMode;
  activity();
}

export function requestOpened(id) {
  open.add(id);
  activity();
}

export function requestClosed(id) {
  open.delete(id);
  activity();
}

/** Native work that the event loop does beside an open request (hashing, encrypting). */
export async function during(work) {
  working++;
  try {
    return await work();
  } finally {
    working--;
    activity();
  }
}

export function activity() {
  turn++;
  if (mode !== "auto" || open.size === 0 || looking) return;
  looking = true;
  const before = turn;
  nativeSetTimeout(() =>
    nativeSetTimeout(() => {
      looking = false;
      if (turn !== before) activity();
      else if (open.size > 0 && working === 0) sayIdle();
    }, 0), 0);
}

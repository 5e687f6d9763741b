// Runs one script: builds its world, imports it, calls its default function, reports the outcome.

import * as clock from "./clock.js";
import { listen, say } from "./control.js";
import * as fetching from "./fetch.js";
import { keepOnlyDocumented, setDtRuntime } from "./globals.js";
import * as refusals from "./refusals.js";

const exit = Deno.exit;
const { Console } = Deno[Deno.internal];
const { stringify } = JSON;
const LONGEST_RESULT = 16 * 1024 * 1024; // far above the platform's limit, which the environment checks

listen((message) => {
  if (message.start) start(message.start);
  else clock.tell(message.clock);
}, exit);

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  crash(event.reason);
});
addEventListener("error", (event) => {
  event.preventDefault();
  crash(event.error);
});

async function start(task) {
  clock.tell(task.clock);
  globalThis.console = new Console((text) => say({ log: text.replace(/\n$/, "") }));
  fetching.install(task.egress);
  fetching.countCrypto();
  clock.install();
  refusals.install(task.refusals);
  setDtRuntime(task);
  keepOnlyDocumented();
  try {
    const script = await import("dt:script");
    if (typeof script.default !== "function") {
      throw new TypeError("The script has no default export that is a function");
    }
    const text = stringify((await script.default(task.argument)) ?? null) ?? "null";
    say(text.length > LONGEST_RESULT ? { result_length: text.length } : { result: text });
  } catch (error) {
    crash(error);
  }
  exit(0);
}

function crash(error) {
  const known = error instanceof Error;
  say({
    error: {
      name: known ? String(error.name) : typeof error,
      message: known ? String(error.message) : String(error),
      stack: known ? String(error.stack) : "",
    },
  });
  exit(1);
}

/**
 * Runs the sync script as the platform does: an ES module with the unmodified SDK, its relative calls answered by
 * `--location`. Prints what the script returned and how large V8's heap became.
 */
const [script] = Deno.args;
const LOOK_MS = 100;
Object.assign(globalThis, {
  dtRuntime: {
    callerServiceMetadata: { workflowId: "bench", workflowExecutionId: "bench-1", workflowTaskName: "sync" },
  },
});
console.log = console.warn = () => {};
let heap = 0;
const look = () => heap = Math.max(heap, Deno.memoryUsage().heapTotal);
const looking = setInterval(look, LOOK_MS);
const { default: sync } = await import(script);
const result = await sync({ executionId: "bench-1" });
clearInterval(looking);
look();
console.info(JSON.stringify({ result, heapMb: heap / 2 ** 20 }));
Deno.exit(0);

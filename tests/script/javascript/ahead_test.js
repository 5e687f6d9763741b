import assert from "node:assert/strict";
import { Reader } from "sync/ahead.js";
import { Paging } from "sync/paging.js";
import { PARAMETERS } from "sync/parameters.js";
import { newRun } from "sync/run.js";
import { formatTime, parseTime } from "sync/time.js";
import { cutOff } from "sync/windows.js";

const FROM = 1_769_673_600_000_000;
const HALF_HOUR = 1_800_000_000;
const window = (more) => ({ from: FROM, to: FROM + HALF_HOUR, token: null, ordered: true, ...more });

/** A SCM with one record a second in pages of ten, which takes 10 ms; `refuse`: its answer to some requests. */
function world(refuse = () => null) {
  const asked = { now: 0, most: 0, queries: [] };
  globalThis.fetch = async (url) => {
    const query = new URL(url).searchParams;
    asked.queries.push(query);
    asked.most = Math.max(asked.most, ++asked.now);
    await new Promise((resolve) => setTimeout(resolve, 10));
    asked.now -= 1;
    const refused = refuse(asked);
    if (refused) return refused;
    const begin = Number(query.get("token") ?? parseTime(query.get("from")));
    const times = Array.from({ length: 10 }, (_, n) => begin + n * 1e6).filter((us) => us < parseTime(query.get("to")));
    const headers = times.length > 0 ? { token: String(times.at(-1) + 1e6) } : {};
    return new Response(JSON.stringify(times.map((us) => ({ id: String(us), timestamp: formatTime(us) }))), {
      headers,
    });
  };
  PARAMETERS.scmApiUrl = "https://audit.demo.sectigo.com";
  const run = newRun("x");
  run.access = { token: "t", renewAt: Infinity };
  run.config.maxRetries = 3;
  return { asked, run };
}

/** Reads all windows as catchUp does. @returns {Promise<{times: number[], windows: any[]}>} */
async function readAll(run, planned) {
  const reader = new Reader(run, planned);
  const [times, windows] = [[], []];
  for (let window = await reader.next(); window; window = await reader.next()) {
    windows.push(window);
    const paging = new Paging(window);
    for (let query = paging.asked; query;) {
      const answer = await reader.page(query);
      query = paging.next(answer);
      if (!answer) continue;
      const read = answer.records.map(({ id }) => ({ key: id, us: Number(id) }));
      times.push(...read.map(({ us }) => us));
      query = paging.read(read) ?? query;
      reader.look(paging);
    }
  }
  return { times, windows };
}

Deno.test("L29: many pages are read in small windows, several at once, and come in order", async () => {
  const { asked, run } = world();
  const { times, windows } = await readAll(run, [window()]);

  assert.equal(asked.most, 5);
  assert.ok(windows.length > 10);
  assert.equal(windows.at(-1).to, FROM + HALF_HOUR);
  windows.slice(1).forEach(({ from }, n) => assert.equal(from, windows[n].to - 1e6, "each begins a second before"));
  assert.deepEqual([...new Set(times)], Array.from({ length: 1800 }, (_, n) => FROM + n * 1e6));
  assert.ok(asked.queries.length < 1800 / 10 * 1.25, `${asked.queries.length} requests`);
});

Deno.test("L29: a refusal leads back to one page at a time, and costs no record", async () => {
  const { asked, run } = world(({ queries: { length } }) =>
    length === 30 ? new Response("slow down", { status: 429, headers: { "retry-after": "0" } }) : null
  );
  const { times } = await readAll(run, [window()]);

  assert.equal(new Set(times).size, 1800);
  const late = asked.queries.slice(90).map((query) => query.get("token"));
  assert.ok(late.length > 50 && !late.includes(null), "one window is left, read from token to token");
});

Deno.test("L29: where little is waiting, nothing is requested that would not be requested otherwise", async () => {
  const { asked, run } = world();
  await readAll(run, [window({ to: FROM + 200e6 })]);

  assert.deepEqual([asked.most, asked.queries.length], [1, 21]);
});

Deno.test("L29: what is left behind a cut holds all of the last minutes", () => {
  const [part, rest] = cutOff(window(), 600.5e6);

  assert.deepEqual([part, rest], [window({ to: FROM + 600e6 }), window({ from: FROM + 599e6 })]);
  assert.equal(cutOff(window({ to: FROM + 899e6 }), 600e6), null);
  assert.equal(cutOff(window({ to: FROM + 3_000e6 }), 2_001e6), null);
});

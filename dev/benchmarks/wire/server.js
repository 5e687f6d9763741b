/**
 * The same SCM and the same sink for every contestant of the sync benchmark, on one loopback port.
 *
 *   server.js RECORDS LATENCY_MS PAGE_SIZE
 *
 * Prints its port. `GET /figures` tells what was seen: pages, records accepted, and the milliseconds from the first
 * page's request to the last record's acceptance (`done` is false until then). The parts of Dynatrace that the sync
 * script asks for stand beside it, as small as they can be: vault entries that remember what was written, no other runs.
 */
const [records, latencyMs, pageSize] = Deno.args.map(Number);
const MINUTE_US = 60e6;
// Spread over the two hours that end a minute ago, which is where the script's first window lies.
const END_US = (Date.now() - 120_000) * 1000;
const STEP_US = Math.floor((110 * MINUTE_US) / records);
const FIRST_US = END_US - STEP_US * (records - 1);
const NAMES = ["issue", "renew", "revoke", "webhook_notification_prepare", "login"];

/** @type {Map<string, any>} */
const entries = new Map();
const figures = { pages: 0, sent: 0, requests: 0, firstMs: 0, lastMs: 0, lastPageMs: 0, saves: 0 };

/** @param {number} us */
function time(us) {
  return `${new Date(Math.floor(us / 1000)).toISOString().slice(0, 23)}${String(us % 1000).padStart(3, "0")}Z`;
}

/** @param {number} number */
function record(number) {
  const action = NAMES[number % NAMES.length];
  const id = number.toString(16).padStart(12, "0");
  return `{"id":"9d3cd09c-4c1e-4e7a-9b1f-${id}","timestamp":"${time(FIRST_US + number * STEP_US)}","type":"LOG",` +
    `"service":"scm","action":"${action}","category":"ssl","status":"SUCCESS","customerId":31846,` +
    `"objectType":"scm.ssl","objectId":"${69809 + number}","objectName":"www${number}.nordhav.example",` +
    `"details":"Certificate www${number}.nordhav.example: ${action} by policy","actor":"mara.lindqvist","ip":"192.0.2.7"}`;
}

/** @param {URLSearchParams} query */
async function page(query) {
  figures.firstMs ||= performance.now();
  figures.pages += 1;
  const token = query.get("token");
  const fromUs = Date.parse(query.get("from") ?? "") * 1000;
  const from = token !== null ? Number(token) : Math.max(0, Math.ceil((fromUs - FIRST_US) / STEP_US));
  const to = Math.min(records, Math.floor((Date.parse(query.get("to") ?? "") * 1000 - FIRST_US) / STEP_US) + 1);
  const end = Math.max(from, Math.min(from + pageSize, to));
  const shown = [];
  for (let number = from; number < end; number += 1) shown.push(record(number));
  if (latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, latencyMs));
  if (end >= records) figures.lastPageMs = performance.now();
  /** @type {Record<string, string>} */
  const headers = { "content-type": "application/json" };
  if (end > from) headers.token = String(end);
  return new Response(`[${shown.join(",")}]`, { headers });
}

/** @param {Request} request */
async function ingest(request) {
  const body = await request.json();
  // The script's record about its own run is none of SCM's.
  figures.sent += body.filter((/** @type {any} */ one) => one["log.source"] !== "sectigo-scm-connector").length;
  figures.requests += 1;
  if (figures.lastMs === 0 && figures.sent >= records) figures.lastMs = performance.now();
  return new Response(null, { status: 204 });
}

/** @param {Request} request @param {string} path */
async function vault(request, path) {
  const id = path.split("/")[6];
  if (request.method === "PUT") {
    figures.saves += 1;
    entries.set(id, (await request.json()).token);
    return new Response(null, { status: 204 });
  }
  /** @type {Record<string, any>} */
  const values = {
    scm: { username: "client", password: "secret" },
    checkpoint: { token: "NONE" },
    lock: { token: "IDLE" },
    config: { token: JSON.stringify({ maxRetries: 3, initHistoryDuration: "2h" }) },
  };
  const stored = entries.has(id) ? { token: entries.get(id) } : values[id] ?? { token: "dt0c01.local" };
  return Response.json({ id, name: id, type: "TOKEN", scopes: ["APP_ENGINE"], ...stored });
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, async (request) => {
  const { pathname: path, searchParams } = new URL(request.url);
  if (path === "/api/v1/records") return await page(searchParams);
  if (path === "/api/v2/logs/ingest") return await ingest(request);
  if (path.endsWith("/openid-connect/token")) return Response.json({ access_token: "access", expires_in: 300 });
  if (path.includes("/credentials/")) return await vault(request, path);
  if (path.endsWith("/executions")) return Response.json({ count: 0, results: [] });
  if (path.includes("/executions/")) {
    return Response.json({
      id: path.split("/").at(-1),
      state: "RUNNING",
      startedAt: new Date().toISOString(),
      input: {},
    });
  }
  if (path === "/figures") return Response.json({ ...figures, done: figures.lastMs > 0 });
  return new Response("not here", { status: 404 });
});

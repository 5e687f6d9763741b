import assert from "node:assert/strict";
import fc from "fast-check";
import { Paging } from "sync/paging.js";
import { recordsIn } from "sync/scm.js";

const FROM = Date.UTC(2026, 0, 29, 8) * 1000;
const window = (changes = {}) => ({ from: FROM, to: FROM + 7_200e6, token: null, ordered: true, ...changes });

/**
 * A SCM that filters and orders by `at`; its records show `us`.
 * `refuses`: whether a token is rejected when it is used for the nth time.
 */
function reading(records, { size = 10, order = "oldest", tokens = true, refuses = () => false, answer, to } = {}) {
  const rank = { oldest: ({ at }) => at, newest: ({ at }) => -at, any: ({ id }) => (id * 7919) % 1009 }[order];
  const sorted = records.toSorted((one, other) => rank(one) - rank(other));
  const paging = new Paging(window({ ...to && { to } }));
  const read = new Map();
  const used = new Map();
  let requests = 0;
  let next = paging.asked;
  const warnings = [];
  while (next) {
    requests += 1;
    assert.ok(requests < 5_000, "a loop without end");
    const { token, from, to } = next;
    used.set(token, (used.get(token) ?? 0) + 1);
    const start = token === null ? 0 : Number(token.split("|")[0]);
    const since = token === null ? from : Number(token.split("|")[1]);
    let given = null;
    if (token === null || !refuses(used.get(token), token)) {
      const found = sorted.filter(({ at }) => at >= since && at <= to);
      const shown = found.slice(start, start + size);
      given = {
        records: shown,
        token: tokens && shown.length > 0 ? `${start + shown.length}|${since}` : null,
        tries: 1,
      };
      given = answer?.(given, next, requests) ?? given;
    }
    next = paging.next(given);
    if (given) {
      for (const record of given.records) read.set(record.id, record);
      const judged = given.records.map(({ id, us, content = "" }) => ({ key: `${us}|${id}${content}`, us }));
      next = paging.read(judged) ?? next;
    }
    if (paging.warning) warnings.push(paging.warning);
    paging.warning = "";
  }
  return { read: read.size, requests, warnings, paging };
}

const made = (count, apart = 60e6, shown = (at) => at) =>
  Array.from({ length: count }, (_, id) => {
    const at = FROM + 1e6 + Math.floor(id * apart);
    return { id, at, us: shown(at, id) };
  });

const ORDERS = ["oldest", "newest", "any"];

for (const order of ORDERS) {
  Deno.test(`L3, L19: tokens that are rejected always, at first or once lose nothing: ${order} first`, () => {
    const records = made(60);
    for (const refuses of [() => true, (nth) => nth === 1, (_, token) => token.startsWith("30|")]) {
      const { read, requests } = reading(records, { order, refuses });
      assert.equal(read, 60);
      assert.ok(requests <= 100, `${requests} requests for 6 pages`);
    }
  });

  Deno.test(`without any token every record is read: ${order} first`, () => {
    fc.assert(fc.property(
      fc.array(fc.integer({ min: 0, max: 7_200_000 }), { maxLength: 80 }),
      fc.integer({ min: 10, max: 30 }),
      (times, size) => {
        const records = [...new Set(times)].map((ms, id) => ({ id, at: FROM + ms * 1000, us: FROM + ms * 1000 }));
        const { read, requests } = reading(records, { order, size, tokens: false });
        assert.equal(read, records.length);
        assert.ok(requests <= 60 + records.length * 4);
      },
    ));
  });
}

Deno.test("L19: one record, or several of one time, show no order: a reader without a token begins at the window's start", () => {
  const paging = new Paging(window());
  const page = (...times) => {
    const judged = times.map((us, id) => ({ key: `${us} ${id}`, us }));
    paging.next({ records: judged, token: `t${times[0]}`, tries: 1, at: 0 });
    paging.read(judged);
    return paging.rest(FROM + 7_200e6);
  };
  const late = FROM + 6_000e6;
  assert.equal(page(late).from, FROM);
  assert.equal(page(late, late).from, FROM);
  const after = page(late + 5e6);
  assert.deepEqual([after.from, after.ordered], [late + 4e6, true]);
  assert.deepEqual([page(late - 5e6).from, paging.ordered], [FROM, false]);
});

Deno.test("L18: times outside the window, or of another zone, are no measure of how far a page came", () => {
  const day = 86_400e6;
  for (const shown of [(at) => at + 7_200e6, (at) => at + 1_800e6, (at) => at - 900e6, () => null]) {
    assert.equal(reading(made(100, 60e6, shown), { tokens: false }).read, 100);
  }
  const one = reading(made(60, 60e6, (at, id) => id === 3 ? at + 2 * day : at), { tokens: false });
  assert.deepEqual([one.read, one.warnings], [60, []]);
  assert.ok(one.paging.ordered, "one time ahead does not make pages unordered");
});

Deno.test("L18: a time that SCM does not filter by is found out", () => {
  const { warnings } = reading(made(100, 60e6, (at) => at + 1_800e6), { tokens: false });
  assert.deepEqual(warnings, ["SCM filters by other times than its records show; reading smaller windows"]);
});

Deno.test("L3: the same page under ever new tokens is given up after three pages, and the window is read by time", () => {
  let number = 0;
  let page = null;
  const { read, requests, warnings } = reading(made(60), {
    answer: (given, { token }) => {
      if (token === null) page = given;
      return { ...page, token: `0|again-${++number}` };
    },
  });
  assert.equal(read, 60);
  assert.ok(requests < 60, `${requests} requests`);
  assert.deepEqual(warnings, [
    "SCM repeats its pages under new tokens; continuing by time",
    "SCM repeats its pages under new tokens again; reading smaller windows",
  ]);
});

Deno.test("L3: a SCM that gives one page whatever is asked fails with a reason", () => {
  const page = { records: made(20), token: "0|x", tries: 1 };
  assert.throws(() => reading([], { answer: () => page }), /SCM sends no page token that works/);
});

Deno.test("L20: content that changes with every read is no progress", () => {
  let read = 0;
  const changing = (given) => ({
    ...given,
    records: given.records.map((record) => ({ ...record, seen: read += 1 })),
  });
  assert.ok(reading(made(1), { tokens: false, answer: changing }).requests <= 3);
  const nameless = (given) => ({
    ...given,
    records: given.records.map((record) => ({ ...record, content: `#${read += 1}` })),
  });
  for (const count of [1, 12]) {
    const { read, requests } = reading(made(count), { size: 100, tokens: false, answer: nameless });
    assert.equal(read, count);
    assert.ok(requests <= 8, `${requests} requests`);
  }
});

/** Tokens that name a session, which each request moves on by a page. */
function session({ lose = 0 } = {}) {
  const places = new Map();
  return (_given, { token, from, to }, records, size) => {
    const name = token ?? `session-${places.size}`;
    const found = records.filter(({ at }) => at >= from && at <= to);
    let start = places.get(name) ?? 0;
    let tries = 1;
    if (lose > 0 && token !== null && start === lose) [start, tries] = [start + size, 2];
    if (tries === 2) lose = 0;
    places.set(name, start + size);
    const shown = found.slice(start, start + size);
    return { records: shown, token: shown.length > 0 ? name : null, tries };
  };
}

Deno.test("L26: one token for all pages is progress as long as they bring something new", () => {
  for (const lose of [0, 20]) {
    const records = made(60);
    const scm = session({ lose });
    const paging = new Paging(window());
    const read = new Set();
    let requests = 0;
    for (let next = paging.asked; next; requests += 1) {
      const given = scm(null, next, records, 10);
      next = paging.next(given);
      for (const { id } of given.records) read.add(id);
      next = paging.read(given.records.map(({ id, us }) => ({ key: `${us}|${id}`, us }))) ?? next;
      assert.equal(paging.rest(FROM + 7_200e6)?.token ?? null, requests === 0 ? "session-0" : null);
    }
    assert.equal(read.size, 60, "a page that was lost with its answer is read again");
    assert.ok(requests <= 12);
  }
});

Deno.test("L26: a 204 without a body is an empty page", () => {
  assert.deepEqual(recordsIn({ status: 204, text: "", body: undefined }), []);
  assert.equal(recordsIn({ status: 200, text: "", body: undefined }), undefined);
});

Deno.test("L2: only what is known to be a page is a page", () => {
  const page = (body, status = 200) => recordsIn({ status, text: JSON.stringify(body), body });
  assert.deepEqual(page([]), []);
  const fine = [{}, { status: "OK" }, { code: 0 }, { statusCode: 200 }, { success: true }, { error: null }, {
    errors: [],
  }];
  for (const more of fine) assert.deepEqual(page({ data: [1], ...more }), [1], JSON.stringify(more));
  const bad = [
    { error: "backend timeout" },
    { errors: [{ code: 1 }] },
    { success: false },
    { status: "error" },
    { status: { code: 500 } },
    { code: -16 },
    { message: "upstream unavailable" },
    { _shards: { failed: 1 } },
    { partial: true },
    { items: [] },
  ];
  for (const more of bad) assert.equal(page({ data: [], ...more }), undefined, JSON.stringify(more));
  for (const status of [201, 202, 206, 400]) assert.equal(page([], status), undefined);
  for (const body of [null, "", 0, {}, { data: null }, { data: {} }]) assert.equal(page(body), undefined);
});

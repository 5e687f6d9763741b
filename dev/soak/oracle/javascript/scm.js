/** The SCM audit API of one world: a token endpoint and pages of records, ascending by time, then by number. */
export class Scm {
  /** @param {any} options `pageSize`, `lastPageToken`, `from`, `tokenLifetimeS` @param {() => number} nowMs */
  constructor(options, nowMs) {
    this.options = options;
    this.nowMs = nowMs;
    /** @type {{us: number, number: number, visibleMs: number, text: string, record: any}[]} */
    this.records = [];
    /** @type {Map<string, number>} Access tokens and until when they are good. */
    this.tokens = new Map();
  }

  /** @param {{us: number, visibleMs: number, record: any}[]} issued */
  issue(issued) {
    for (const { us, visibleMs, record } of issued) {
      this.records.push({ us, number: this.records.length + 1, visibleMs, text: JSON.stringify(record), record });
    }
    this.records.sort((one, other) => one.us - other.us || one.number - other.number);
  }

  token() {
    const token = `access-${this.tokens.size + 1}`;
    this.tokens.set(token, this.nowMs() + this.options.tokenLifetimeS * 1000);
    return answer(200, JSON.stringify({ access_token: token, expires_in: this.options.tokenLifetimeS }), this.#date());
  }

  /** @param {URLSearchParams} query @param {string} authorization */
  page(query, authorization) {
    if (!((this.tokens.get(authorization.replace("Bearer ", "")) ?? 0) > this.nowMs())) {
      return answer(401, '{"code":-16,"description":"Unknown user"}');
    }
    const to = micros(query.get("to"));
    if (to === null) return answer(400, '{"description":"Required parameter \'to\' is missing"}');
    let after;
    const token = query.get("token");
    if (token !== null) {
      after = cursor(token);
      if (after === null) return answer(400, '{"description":"Invalid token"}');
    } else {
      const from = micros(query.get("from"));
      if (from === null || from > to) {
        return answer(400, "{\"description\":\"Parameter 'from' is missing or after 'to'\"}");
      }
      after = { us: from, number: this.options.from === "exclusive" ? Infinity : 0 };
    }
    const { us, number } = after;
    const found = this.records.filter((record) =>
      (record.us > us || (record.us === us && record.number > number)) && record.us <= to &&
      record.visibleMs <= this.nowMs()
    );
    const shown = found.slice(0, this.options.pageSize);
    const last = shown.at(-1);
    const more = last !== undefined && (found.length > shown.length || this.options.lastPageToken);
    const headers = more ? { ...this.#date(), token: `${formatMicros(last.us)}|${last.number}` } : this.#date();
    return answer(200, `[${shown.map(({ text }) => text).join(",")}]`, headers);
  }

  #date() {
    return { date: new Date(this.nowMs()).toUTCString() };
  }
}

/** The record a page's cursor stands on; null for anything this API did not write. @param {string} token */
export function cursor(token) {
  const [time, number] = token.split("|");
  const us = micros(time);
  return us === null || !/^\d+$/.test(number ?? "") ? null : { us, number: Number(number) };
}

/** RFC 3339 in UTC as microseconds. @param {string | null | undefined} text */
export function micros(text) {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/.exec(text ?? "");
  return match ? Date.parse(`${match[1]}Z`) * 1000 + Number((match[2] ?? "").padEnd(6, "0")) : null;
}

/** @param {number} us */
export function formatMicros(us) {
  return `${new Date(Math.floor(us / 1e6) * 1000).toISOString().slice(0, 19)}.${String(us % 1e6).padStart(6, "0")}Z`;
}

/** @param {number} status @param {string | null} body @param {Record<string, string>} [headers] */
export function answer(status, body, headers = {}) {
  return { status, body, headers };
}

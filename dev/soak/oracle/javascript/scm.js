/** The beginning of every access token. */
export const ACCESS = "eyJhbGciOi.J9+access/";

/** Page order: a record's rank; equal ranks follow by number. @type {Record<string, (record: any) => number>} */
const RANKS = {
  oldest: ({ us }) => us,
  newest: ({ us }) => -us,
  any: ({ number }) => Math.imul(number, 0x9e3779b1) >>> 0,
};

/** The SCM audit API of one world: a token endpoint and pages of records. */
export class Scm {
  /**
   * @param {any} options `pageSize`, `lastPageToken`, `from`, `tokenLifetimeS`; lies add `to` ("exclusive"), `order`
   * (see RANKS) and `headerMs` (how far the Date header is ahead at a moment)
   * @param {() => number} nowMs
   */
  constructor(options, nowMs) {
    this.options = options;
    this.nowMs = nowMs;
    /** @type {{us: number, number: number, visibleMs: number, text: string, record: any}[]} */
    this.records = [];
    /** @type {Map<string, number>} Access tokens and until when they are good. */
    this.tokens = new Map();
    this.rank = RANKS[options.order ?? "oldest"];
    /** How a record is shown in a page. @param {any} entry @returns {string} */
    this.show = ({ text }) => text;
  }

  /** @param {{us: number, visibleMs: number, record: any, shown?: any}[]} issued `shown`: what pages hold instead. */
  issue(issued) {
    for (const { us, visibleMs, record, shown = record } of issued) {
      this.records.push({ us, number: this.records.length + 1, visibleMs, text: JSON.stringify(shown), record, shown });
    }
    this.records.sort((one, other) => this.rank(one) - this.rank(other) || one.number - other.number);
  }

  token() {
    const token = `${ACCESS}${String(this.tokens.size + 1).padStart(6, "0")}`;
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
    let { us: from, number } = { us: -Infinity, number: 0 };
    let after = -Infinity;
    const token = query.get("token");
    if (token !== null) {
      const place = cursor(token);
      if (place === null) return answer(400, '{"description":"Invalid token"}');
      number = place.number;
      from = micros(token.split("|")[2]) ?? -Infinity;
      after = this.rank(place);
    } else {
      const given = micros(query.get("from"));
      if (given === null || given > to) {
        return answer(400, "{\"description\":\"Parameter 'from' is missing or after 'to'\"}");
      }
      from = given + (this.options.from === "exclusive" ? 1 : 0);
    }
    const until = this.options.to === "exclusive" ? to - 1 : to;
    const now = this.nowMs();
    const found = this.records.filter((record) => {
      if (record.us < from || record.us > until || record.visibleMs > now) return false;
      const rank = this.rank(record);
      return rank > after || (rank === after && record.number > number);
    });
    const shown = found.slice(0, this.options.pageSize);
    const last = shown.at(-1);
    const more = last !== undefined && (found.length > shown.length || this.options.lastPageToken);
    const begin = this.rank === RANKS.oldest ? "" : `|${formatMicros(Math.max(0, from))}`;
    const headers = more ? { ...this.#date(), token: `${formatMicros(last.us)}|${last.number}${begin}` } : this.#date();
    return answer(200, `[${shown.map((entry) => this.show(entry)).join(",")}]`, headers);
  }

  #date() {
    const now = this.nowMs();
    return { date: new Date(now + (this.options.headerMs?.(now) ?? 0)).toUTCString() };
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

/**
 * @param {number} status @param {string | null} body @param {Record<string, string>} [headers]
 * @returns {{status: number, body: string | null, headers: Record<string, string>, delayMs?: number, kills?: boolean}}
 * `delayMs`: the answer comes later than it was made; `kills`: the script that reads it is killed.
 */
export function answer(status, body, headers = {}) {
  return { status, body, headers };
}

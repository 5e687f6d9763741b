// fetch through the local environment's egress, which knows what each host name leads to.
//
// Every call goes to one loopback port with the true target in a header; answers are read whole, so that it is certain
// when a call is over. Redirects are followed here, hop by hop, each under the allowlist's eyes.

import { hear } from "./clock.js";
import { during, requestClosed, requestOpened } from "./control.js";

const nativeFetch = globalThis.fetch;
const NativeRequest = globalThis.Request;
const NO_BODY = new Set([101, 103, 204, 205, 304]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 20;

export function install({ port, nonce }) {
  // No connection is used twice: one that breaks must break exactly one call.
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0, http2: false });
  const egress = `http://127.0.0.1:${port}/`;
  let lastRequest = 0;

  const ofRelativeUrls = new WeakSet();
  const isRelative = (input) => ofRelativeUrls.has(input) || (typeof input === "string" && !URL.canParse(input));
  globalThis.Request = class Request extends NativeRequest {
    constructor(input, init) {
      super(input, init);
      if (isRelative(input)) ofRelativeUrls.add(this);
    }
  };

  globalThis.fetch = async function fetch(input, init) {
    let relative = isRelative(input);
    const request = new NativeRequest(input, init);
    request.signal.throwIfAborted();
    let body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
    let { method, url } = request;
    const headers = new Headers(request.headers);
    for (let hops = 0;; hops++) {
      const answer = await exchange({ method, url, headers, body, relative, signal: request.signal });
      const location = answer.headers.get("location");
      if (request.redirect === "manual" || !REDIRECTS.has(answer.status) || location === null) {
        Object.defineProperties(answer, { url: { value: url }, redirected: { value: hops > 0 } });
        return answer;
      }
      if (request.redirect === "error") {
        throw new TypeError(`Redirect from ${url} not allowed by redirect mode 'error'`);
      }
      if (hops === MOST_REDIRECTS) throw new TypeError("Maximum number of redirects (20) reached");
      const next = new URL(location, url);
      if (next.origin !== new URL(url).origin) {
        headers.delete("authorization");
        relative = false;
      }
      url = next.href;
      if (answer.status === 303 ? method !== "HEAD" : answer.status < 303 && method === "POST") {
        method = "GET";
        body = undefined;
        headers.delete("content-type");
      }
    }
  };

  async function exchange({ method, url, headers, body, relative, signal }) {
    const id = ++lastRequest;
    const sent = new Headers(headers);
    sent.set("x-dt-execution", nonce);
    sent.set("x-dt-request", String(id));
    sent.set("x-dt-target", url);
    if (relative) sent.set("x-dt-relative", "true");
    requestOpened(id);
    try {
      const answer = await nativeFetch(egress, { method, headers: sent, body, redirect: "manual", signal, client })
        .catch(() => broken(signal, `error sending request for url (${url}): connection closed`));
      if (answer.headers.has("x-dt-refused")) throw new TypeError(await answer.text());
      hear(answer.headers.get("x-dt-clock"));
      const content = await whole(answer, signal);
      const plain = NO_BODY.has(answer.status) || method === "HEAD";
      return new Response(plain ? null : content, {
        status: answer.status,
        statusText: answer.statusText,
        headers: answer.headers,
      });
    } finally {
      requestClosed(id);
    }
  }
}

/** The body as bytes; where it breaks off, a stream that fails when the script reads it. */
async function whole(answer, signal) {
  try {
    return new Uint8Array(await answer.arrayBuffer());
  } catch {
    signal.throwIfAborted();
    const error = new TypeError("error reading a body from connection: unexpected end of file");
    return new ReadableStream({ pull: (controller) => controller.error(error) });
  }
}

function broken(signal, message) {
  signal.throwIfAborted();
  throw new TypeError(message);
}

/** crypto.subtle works beside the event loop: count it as work (see control.js). */
export function countCrypto() {
  for (const name of Object.getOwnPropertyNames(SubtleCrypto.prototype)) {
    const native = SubtleCrypto.prototype[name];
    if (name === "constructor" || typeof native !== "function") continue;
    SubtleCrypto.prototype[name] = function (...args) {
      return during(() => native.apply(this, args));
    };
  }
}

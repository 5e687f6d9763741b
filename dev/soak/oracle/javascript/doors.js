/**
 * What one running script sees of its world: fetch, the SDK's clients, Date, timers, randomness, the console.
 *
 * The clients are the SDK's own classes on an HTTP client of the world, so call shapes and errors are the real ones.
 */
import { ExecutionsClient, WorkflowsClient } from "@dynatrace-sdk/client-automation";
import { CredentialVaultClient } from "@dynatrace-sdk/client-classic-environment-v2";
import {
  PlatformHttpClientAbortError,
  PlatformHttpClientRequestError,
  PlatformHttpClientResponse,
  PlatformHttpClientResponseError,
} from "@dynatrace-sdk/http-client";
import { createHash } from "node:crypto";
import { Random } from "./random.js";

export const WORKFLOW = "5b1f4ac6-8d1c-4b54-8f4e-3a5f0e1f7c11";

/** The names that the script's text is given, in this order. @param {import("./process.js").Process} process */
export function doors(process) {
  const fetch = (/** @type {any} */ url, /** @type {any} */ init) => process.fetch(String(url), init ?? {});
  const client = new HttpClient(fetch);
  const random = new Random(process.number, "jitter");
  return {
    executionsClient: new ExecutionsClient(/** @type {any} */ (client)),
    workflowsClient: new WorkflowsClient(/** @type {any} */ (client)),
    credentialVaultClient: new CredentialVaultClient(/** @type {any} */ (client)),
    executionId: process.executionId,
    workflowId: WORKFLOW,
    fetch,
    Date: hostDate(process),
    performance: { now: () => process.monotonicMs() },
    setTimeout: (/** @type {() => void} */ act, /** @type {number} */ ms) => process.setTimer(act, ms),
    clearTimeout: (/** @type {any} */ timer) => process.clearTimer(timer),
    Math: Object.assign(Object.create(Math), { random: () => random.next() }),
    createHash,
    console: Object.fromEntries(
      ["log", "warn", "error", "info"].map((level) => [level, (/** @type {string} */ text) => process.print(text)]),
    ),
  };
}

/** The host's clock, which need not be right. @param {import("./process.js").Process} process */
function hostDate(process) {
  return class extends Date {
    constructor(/** @type {any[]} */ ...given) {
      // @ts-ignore: Date takes whatever it is given
      super(...(given.length > 0 ? given : [process.hostMs()]));
    }
    static now() {
      return process.hostMs();
    }
  };
}

/** `@dynatrace-sdk/http-client` on the world's fetch. */
class HttpClient {
  /** @param {(url: string, init: any) => Promise<any>} fetch */
  constructor(fetch) {
    this.fetch = fetch;
  }

  /** @param {any} options */
  async send(options) {
    const { url, method, headers, abortSignal: signal, body } = options;
    let response;
    try {
      const text = body === undefined ? undefined : JSON.stringify(body);
      response = await this.fetch(url, { method, headers, signal, body: text });
    } catch (error) {
      if (/** @type {any} */ (error)?.name === "AbortError") throw new PlatformHttpClientAbortError(error);
      throw new PlatformHttpClientRequestError(error);
    }
    if (options.statusValidator(response.status)) return new PlatformHttpClientResponse(response);
    throw new PlatformHttpClientResponseError(response, { requestMethod: method });
  }
}

/** What fetch resolves to: enough of a Response, without native work behind its promises. */
export class Answer {
  /** @param {number} status @param {string | null} body @param {Record<string, string>} headers @param {boolean} broken */
  constructor(status, body, headers, broken) {
    Object.assign(this, { status, statusText: "", ok: status >= 200 && status < 300, url: "", content: body, broken });
    this.status = status;
    this.headers = new Headers(headers);
    this.body = body;
    this.content = body ?? "";
    this.broken = broken;
  }

  // deno-lint-ignore require-await
  async text() {
    if (this.broken) throw new TypeError("error reading a body from connection: unexpected end of file");
    return this.content;
  }

  async json() {
    return JSON.parse(await this.text());
  }

  async arrayBuffer() {
    return new TextEncoder().encode(await this.text()).buffer;
  }

  clone() {
    return this;
  }
}

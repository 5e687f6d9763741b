// What a script finds on globalThis: the language, and what the platform documents (facts: dynatrace-runtime 2).

const deno = globalThis.Deno;
const NativeError = Error;

const LANGUAGE = `Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date
  Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError
  globalThis JSON Math Intl ArrayBuffer Atomics Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array
  BigUint64Array BigInt64Array Uint8ClampedArray Float16Array Float32Array Float64Array DataView Map BigInt Set Iterator
  WeakMap WeakSet Proxy Reflect FinalizationRegistry WeakRef DisposableStack AsyncDisposableStack
  decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape isFinite isNaN`;
const DOCUMENTED = `console fetch Headers Request Response FormData URL URLSearchParams URLPattern
  AbortController AbortSignal setTimeout clearTimeout setInterval clearInterval queueMicrotask structuredClone
  TextEncoder TextDecoder TextEncoderStream TextDecoderStream
  ReadableStream ReadableStreamDefaultReader ReadableStreamDefaultController ReadableStreamBYOBReader
  ReadableStreamBYOBRequest ReadableByteStreamController WritableStream WritableStreamDefaultWriter
  WritableStreamDefaultController TransformStream TransformStreamDefaultController
  ByteLengthQueuingStrategy CountQueuingStrategy CompressionStream DecompressionStream
  Blob File crypto Crypto CryptoKey SubtleCrypto atob btoa performance Performance Location location Navigator navigator
  DOMException Event EventTarget CustomEvent ErrorEvent PromiseRejectionEvent self reportError
  dtRuntime`;

export function keepOnlyDocumented() {
  const kept = new Set(`${LANGUAGE} ${DOCUMENTED}`.split(/\s+/));
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!kept.has(name)) delete globalThis[name];
  }
  hideDeno();
}

/** Deno's own node: modules (crypto, stream, zlib, ...) load late and look for this name; scripts find nothing. */
function hideDeno() {
  const caller = /^ +at (?:.*\()?(?:ext|node):/;
  Object.defineProperty(globalThis, "Deno", {
    enumerable: false,
    get: () => caller.test(new NativeError().stack.split("\n")[2]) ? deno : undefined,
  });
}

/** What the `@dynatrace-sdk` packages ask about the environment and the running task. */
export function setDtRuntime({ environment, metadata }) {
  const { id, url, user } = environment;
  globalThis.dtRuntime = {
    appEnvironment: {
      getEnvironmentId: () => id,
      getEnvironmentUrl: () => url,
      getCurrentUserDetails: () => ({ ...user }),
      getAppId: () => "dynatrace.automations",
      getAppName: () => "Workflows",
      getAppVersion: () => "1.0.0",
    },
    callerServiceMetadata: { ...metadata },
  };
}

// Errors of missing permissions, without Deno's flags and without paths of this machine.

/** `texts`: by the kind of access that is missing; the empty one is for all others (see messages.py). */
export function install(texts) {
  const refused = Deno.errors.NotCapable;
  class Refused extends Error {
    constructor(message) {
      const kind = /^Requires (\w+) access/.exec(message)?.[1];
      super(texts[kind] ?? texts[""]);
    }
  }
  // Deno's constructor looks up `super` when it is called, and sets a name that should not be visible.
  Object.setPrototypeOf(refused, Refused);
  Object.defineProperty(refused, "name", { value: "Error" });
  Object.defineProperty(refused.prototype, "name", { get: () => "Error", set() {} });
}

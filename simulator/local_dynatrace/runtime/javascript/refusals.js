// Errors of missing permissions, in the platform's place: no flag of Deno's, no path of this machine.

/** `texts`: by the kind of access that is missing; the empty one is for all others (see messages.py). */
export function install(texts) {
  const refused = Deno.errors.NotCapable;
  class Refused extends Error {
    constructor(message) {
      const kind = /^Requires (\w+) access/.exec(message)?.[1];
      super(texts[kind] ?? texts[""]);
    }
  }
  // Its constructor calls super, which is looked up then and there, and sets its name, which nobody should read.
  Object.setPrototypeOf(refused, Refused);
  Object.defineProperty(refused, "name", { value: "Error" });
  Object.defineProperty(refused.prototype, "name", { get: () => "Error", set() {} });
}

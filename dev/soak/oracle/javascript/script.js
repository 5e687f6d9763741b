/**
 * The sync script's text as a factory: the same text, its imports and globals led to the doors it is given.
 *
 * A module is evaluated once and never freed; a factory makes a fresh one for every run and forgets it.
 */
const IMPORT = /^import \{([^}]*)\} from "(?:@dynatrace-sdk\/[a-z0-9-]+|node:crypto)";$/gm;
const NAMES = ["fetch", "Date", "performance", "setTimeout", "clearTimeout", "Math", "console"];

/** @param {string} text A rendered script. @returns {(doors: any) => (action: any) => Promise<any>} */
export function factory(text) {
  const led = text
    .replace(IMPORT, (_, names) => `const {${names.replaceAll(" as ", ": ")}} = doors;`)
    .replace("export default async function sync(", "async function sync(");
  if (/^\s*(import|export)\b/m.test(led)) throw new Error("the script imports or exports more than this driver knows");
  const make = new Function("doors", ...NAMES, `"use strict";${led}\nreturn sync;`);
  return (doors) => make(doors, ...NAMES.map((name) => doors[name]));
}

/** What the sync script uses of Node's module, for the type check. */
interface Hash {
  update(text: string): Hash;
  digest(encoding: "hex"): string;
}
export function createHash(algorithm: "sha256"): Hash;

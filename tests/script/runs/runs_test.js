import assert from "node:assert/strict";
import { play, records } from "./world.js";

Deno.test("a first run reads its history oldest first, saves once and reports what it did", () => {
  const { ids, checkpoint, lock, ledger, pages, result, saved, lines } = play({ issued: records(25) });

  assert.deepEqual(ids, Array.from({ length: 25 }, (_, n) => `r${n}`));
  assert.equal(checkpoint.human, "2026-01-29T09:58:00Z|r24");
  assert.equal(lock, "IDLE");
  console.error(lines, pages, ledger, saved, result, checkpoint);
});

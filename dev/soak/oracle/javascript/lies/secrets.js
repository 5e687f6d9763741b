/** Servers that spell secrets back, and secrets that are no secrets of one line. */
import { answer } from "../scm.js";
import { ENCODINGS } from "../secrets.js";
import { IDS } from "../world.js";
import { instead } from "./answers.js";

/** @type {Record<string, import("../lies.js").Lie>} */
export const LIES = {
  // Case 5: errors that repeat the request with its secrets, in some encoding, behind a text of some length.
  "secrets-echoed": {
    cases: [5],
    // A 400 rejects a page token.
    excuses: { placeless: true },
    world: instead(["scm", "logs", "scm-sso"], 0.25, (random, { process, target, headers, body }) => {
      const { world } = process;
      const encode = random.pick(Object.values(ENCODINGS));
      const secret = target.api === "scm-sso"
        ? world.vault.entries.get(IDS.scm).secret.password
        : String(headers.Authorization ?? headers.authorization ?? "").split(" ").at(-1);
      const echo = `${"Upstream request could not be served. ".repeat(random.between(0, 30))}${encode(secret)} refused`;
      const whole = random.pick([
        echo,
        JSON.stringify({ message: echo }),
        JSON.stringify({ error: { message: echo } }),
      ]);
      const text = target.api === "scm-sso" && random.chance(0.3) ? `cannot process ${body}` : whole;
      return answer(random.pick([400, 401, 403, 500, 503, 503]), text);
    }),
  },
  // Case 5: a line break within a token, which the HTTP library shows with the whole header.
  "secret-with-line-break": {
    cases: [5],
    world: (world, random) => {
      const entry = world.vault.entries.get(IDS.ingest);
      const { token } = entry.secret;
      const place = random.pick([token.length, Math.floor(token.length * 0.8)]);
      const broken = `${token.slice(0, place)}${random.pick(["\n", "\r\n", "\u0000"])}${token.slice(place)}`;
      world.secrets.push(broken);
      world.gateways.push((_, next) => {
        entry.secret.token = world.round.quiet ? token : broken;
        return next();
      });
    },
  },
  // Case 5: the same within the access token that SCM gives out.
  "access-token-with-line-break": {
    cases: [5],
    world: (world) => {
      world.gateways.push((request, next) => {
        const given = next();
        if (world.round.quiet || request.target.api !== "scm-sso" || given.status !== 200) return given;
        const { access_token: token, ...rest } = JSON.parse(given.body ?? "");
        return { ...given, body: JSON.stringify({ ...rest, access_token: `${token}\r\nX-Forwarded: 1` }) };
      });
    },
  },
};

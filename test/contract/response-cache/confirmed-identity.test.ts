import { describe, expect, it } from "vitest";
import { confirmedIdentity } from "../../../src/identity/confirmed.ts";
import {
  type AskOptions,
  counted,
  json,
  Origin,
  openCache,
  outcomesOf,
  sessionOf,
  tiers,
} from "../../support/cache.ts";

const LONG = { "cache-control": "max-age=60" };
const ada = (turnsOut: "alive" | "over") => ({ session: { claims: sessionOf("ada"), turnsOut } });
/** The identity of a request whose session lives. */
function aliveOf(asked: AskOptions) {
  const outcomes = outcomesOf(asked);
  return outcomes.kind === "open" ? outcomes.alive : outcomes.identity;
}
const bea = { session: { claims: sessionOf("bea"), turnsOut: "alive" as const } };

describe.each(tiers)("entries of a caller, $name", (tier) => {
  const open = (answer = counted({ "cache-control": "private, max-age=60" })) =>
    tier.open({ origin: new Origin(answer), rule: { scope: "caller" } });

  it("are searched for with the request's one batch, and served where the session lives", async () => {
    const { first, next } = await open();
    expect((await first.ask("/v1/x", ada("alive"))).word).toBe("MISS");
    const hit = await next().ask("/v1/x", ada("alive"));
    expect(hit).toMatchObject({ word: "HIT", text: '{"count":1}' });
    expect(hit.calls, "calls").toBeLessThanOrEqual(1);
    expect((await next().ask("/v1/x", bea)).text, "another user's are another's").toBe('{"count":2}');
  });

  it("are not used where the session is over: the request goes past the cache, and nothing is stored", async () => {
    const { first, next } = await open();
    await first.ask("/v1/x", ada("alive"));
    const over = await next().ask("/v1/x", ada("over"));
    expect(over).toMatchObject({ word: "BYPASS", text: '{"count":2}' });
    expect(over.headers.get("cache-status")).toBe("EnvoyouEdge;fwd=bypass;detail=session-not-valid");
    expect((await next().ask("/v1/x", ada("alive"))).text, "hers is as it was").toBe('{"count":1}');
  });

  it("are the same for a session that this isolate has confirmed before", async () => {
    const { first, next } = await open();
    await first.ask("/v1/x", ada("alive"));
    const { identity, credentials } = aliveOf(ada("alive"));
    const settled = { confirmed: { session: sessionOf("ada"), identity, credentials } };
    expect((await next().ask("/v1/x", settled)).text).toBe('{"count":1}');
  });

  it("are nobody's whose token is not valid, and nobody's without credentials", async () => {
    const { first } = await open();
    const { credentials } = aliveOf(ada("alive"));
    expect((await first.ask("/v1/x", { confirmed: { credentials } })).word).toBe("BYPASS");
    expect((await first.ask("/v1/x")).word).toBe("BYPASS");
    expect(first.cache.sizes.urls).toBe(0);
  });
});

it("only the very identity that was prepared for is believed, not one like it", async () => {
  const { ask, begin } = openCache({ origin: new Origin(counted(LONG)), rule: { scope: "caller" } });
  await ask("/v1/x", ada("alive"));
  const copy = confirmedIdentity({ ...aliveOf(ada("alive")) });
  const { reply } = await begin("/v1/x", { ...ada("alive"), turnsOutToBe: copy });
  expect((await reply).cache?.word).toBe("BYPASS");
});

describe("entries of everybody, asked for by whoever's session is over", () => {
  it.each([
    ["public", "max-age=60", "MISS"],
    ["public", "public, max-age=60", "HIT"],
    ["shared", "max-age=60", "HIT"],
  ] as const)("in scope %s, an answer of %j: %s, as for any credential", async (scope, directives, word) => {
    const origin = new Origin(() => json({}, { "cache-control": directives }));
    const { ask } = openCache({ origin, rule: { scope } });
    await ask("/v1/x");
    for (const turnsOut of ["over", "alive"] as const)
      expect((await ask("/v1/x", ada(turnsOut))).word, turnsOut).toBe(word);
  });
});

import { expect, test } from "vitest";
import { type ConfirmedIdentity, confirmedIdentity } from "../../../src/identity/confirmed.ts";
import { audienceOf } from "../../../src/response-cache/audience.ts";
import { outcomesOf } from "../../support/cache.ts";
import { claims } from "../../support/session-samples.ts";

type Facts = Partial<ConfirmedIdentity>;

function identityOf(facts: Facts): ConfirmedIdentity {
  const outcomes = outcomesOf({});
  if (outcomes.kind !== "settled") throw new Error("not settled");
  return confirmedIdentity({ ...outcomes.identity, ...facts });
}

const session = (userId: string, tier: string | null, more = {}): Facts => ({
  session: claims({ userId, tier, ...more }),
  user: { id: userId, tier },
});
const key = (hash: string, userId: string | null = null, tier: string | null = null): Facts => ({
  key: { kind: "verified", hash, name: null, tier, userId },
  user: userId === null ? null : { id: userId, tier },
});
const jwt = (text: string, userId = "ada"): Facts => ({
  jwt: { kind: "verified", userId, tier: null, claims: text },
  user: { id: userId, tier: null },
});
const ofFacts = (facts: Facts) => audienceOf(identityOf(facts), async (kind, text) => `${kind}:${text}`);

test.each<[string, Facts, Facts, boolean]>([
  [
    "two sessions of one user and tier",
    session("ada", "gold"),
    session("ada", "gold", { id: "B".repeat(27) }),
    true,
  ],
  ["two tiers of one user", session("ada", "gold"), session("ada", null), false],
  ["a tier and none", session("ada", ""), session("ada", null), false],
  ["two users", session("ada", null), session("bea", null), false],
  ["a text that is user and tier", session("ada gold", null), session("ada", "gold"), false],
  ["one key", key("h"), key("h"), true],
  ["two keys of one user", key("h", "ada"), key("i", "ada"), false],
  ["a key that has become another user's", key("h", "ada"), key("h", "bea"), false],
  ["a key that has got a tier", key("h", "ada"), key("h", "ada", "gold"), false],
  ["two tokens with the same claims", jwt('{"sub":"ada"}'), jwt('{"sub":"ada"}'), true],
  ["a token with fewer scopes", jwt('{"scope":"a b","sub":"ada"}'), jwt('{"scope":"a","sub":"ada"}'), false],
  ["a session and a token of one user", session("ada", null), jwt('{"sub":"ada"}'), false],
  ["a session and a key that is called so", session("ada", null), key("ada"), false],
])("%s", async (_, one, other, same) => {
  expect((await ofFacts(one)).key === (await ofFacts(other)).key).toBe(same);
});

test.each<[string, Facts, string | null]>([
  ["a session", session("ada", "gold"), "user:ada"],
  ["a token", jwt("{}", "ada"), "user:ada"],
  ["a key with a user", key("h", "ada"), "user:ada"],
  ["a key without one", key("h"), null],
])("the user of %s, by whom its entries end", async (_, facts, user) => {
  expect((await ofFacts(facts)).user).toBe(user);
});

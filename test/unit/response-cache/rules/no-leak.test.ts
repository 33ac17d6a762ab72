import { describe, expect, test } from "vitest";
import { mayReuse } from "../../../../src/response-cache/rules/reuse.ts";
import type { Requester, Scope } from "../../../../src/response-cache/rules/scope-table.ts";
import type { StoredResponse } from "../../../../src/response-cache/rules/stored.ts";
import { storing } from "../../../../src/response-cache/rules/storing.ts";
import { variantKey } from "../../../../src/response-cache/rules/vary.ts";
import { dateAt, get, NOON, rule } from "../../../support/cache-samples.ts";

const PAIRS = 10_000;
const CREDENTIALS = ["authorization", "cookie", "x-api-key", "apikey", "x-auth-token"];

/** Mulberry32: the same dice in every run. */
function dice(seed: number): <Item>(items: readonly Item[]) => Item {
  let state = seed;
  return (items) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    const item = items[Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * items.length)];
    if (item === undefined) throw new Error("nothing to choose from");
    return item;
  };
}

/** Whether an origin said in so many words that others may have it; read without the code under test. */
function saysSo(fields: Record<string, string>): boolean {
  const governing = fields["cdn-cache-control"] ?? fields["cache-control"] ?? "";
  return /(^|, )(public|s-maxage=\d+|must-revalidate)(,|$)/i.test(governing);
}

describe("no answer leaks", () => {
  test.each<[Scope, number]>([
    ["public", 1],
    ["public", 2],
    ["shared", 3],
    ["caller", 4],
  ])(
    "%s: 10,000 seeded requests, and nobody is given what was answered to somebody else (seed %i)",
    (scope, seed) => {
      const choose = dice(seed);
      const entries = new Map<
        string,
        { stored: StoredResponse; by: string; fields: Record<string, string> }[]
      >();
      const leaks: string[] = [];
      const outcomes = { own: 0, others: 0, stored: 0 };

      for (let index = 0; index < PAIRS; index += 1) {
        const user = choose(["", "ada", "bea", "cem"]);
        const field = choose(CREDENTIALS);
        const verified = user !== "" && choose([true, true, false]);
        const requester: Requester = user === "" ? "anonymous" : verified ? "verified" : "credentialed";
        const path = choose(["/a", "/b", "/c"]);
        const request = get(user === "" ? {} : { [field]: user });
        const now = NOON + index * choose([1, 20]);
        const key = scope === "caller" ? `${path} ${requester} ${verified ? user : ""}` : path;
        const found = (entries.get(key) ?? []).filter(({ stored }) => {
          const reuse = mayReuse({
            stored,
            requestHeaders: request.headers,
            rule: rule({ scope, ttl: 60 }),
            now,
          });
          const wanted = variantKey(stored.vary, request.headers);
          return reuse.kind !== "revalidate" && variantOf.get(stored) === wanted;
        });
        for (const { by, fields } of found) {
          if (by === user) outcomes.own += 1;
          else outcomes.others += 1;
          const allowed =
            by === user ||
            (scope === "public" && (by === "" || saysSo(fields))) ||
            (scope === "shared" && !/private/i.test(governs(fields)));
          const never = "set-cookie" in fields || /no-store/i.test(governs(fields));
          if (!allowed || never)
            leaks.push(`${by || "nobody"} → ${user || "nobody"}: ${JSON.stringify(fields)}`);
        }

        const fields = answer(choose);
        const verdict = storing({
          request,
          response: { status: choose([200, 200, 200, 301, 404, 500]), headers: new Headers(fields) },
          requestTime: now,
          responseTime: now,
          requester,
          rule: rule({ scope, ttl: 60 }),
        });
        if (verdict.kind === "refuse") continue;
        outcomes.stored += 1;
        variantOf.set(verdict.stored, variantKey(verdict.stored.vary, request.headers));
        entries.set(key, [
          ...(entries.get(key) ?? []).slice(-3),
          { stored: verdict.stored, by: user, fields },
        ]);
      }

      expect(leaks).toEqual([]);
      // It proves something only if much is stored and reused, also across people where that is allowed.
      expect(outcomes.stored).toBeGreaterThan(1000);
      expect(outcomes.own).toBeGreaterThan(1000);
      if (scope !== "caller") expect(outcomes.others).toBeGreaterThan(1000);
      else expect(outcomes.others).toBe(0);
    },
  );
});

const variantOf = new WeakMap<StoredResponse, string>();

function governs(fields: Record<string, string>): string {
  return fields["cdn-cache-control"] ?? fields["cache-control"] ?? "";
}

function answer(choose: ReturnType<typeof dice>): Record<string, string> {
  const lifetime = choose(["max-age=60", "Max-Age=60", "s-maxage=60", "max-age=0", ""]);
  const word = choose([
    "",
    "",
    "public",
    "private",
    "No-Store",
    "no-cache",
    "must-revalidate",
    'x="public, s-maxage=9"',
  ]);
  const cacheControl = [lifetime, word].filter(Boolean).join(", ");
  const targeted = choose([null, null, null, "max-age=60", "private", "no-store", "public, max-age=60"]);
  return {
    etag: '"v"',
    date: dateAt(0),
    ...(cacheControl !== "" && { "cache-control": cacheControl }),
    ...(targeted !== null && { "cdn-cache-control": targeted }),
    ...(choose([true, false, false, false]) && { "set-cookie": "session=1" }),
    ...(choose([true, false, false]) && { vary: choose(["authorization", "cookie", "Accept", "*"]) }),
  };
}

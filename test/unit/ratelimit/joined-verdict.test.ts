import { describe, expect, it } from "vitest";
import { joinedVerdict } from "../../../src/ratelimit/joined-verdict.ts";
import { type LimitVerdict, refusedByList, unlimited } from "../../../src/ratelimit/verdict.ts";

/** A limit with so many units left. */
function allowed(name: string, remaining: number): LimitVerdict {
  return {
    ...unlimited("redis"),
    nearest: { name, limit: 10, remaining, resetAt: 1 },
    headers: {
      "RateLimit-Policy": `"${name}";q=10;w=60`,
      RateLimit: `"${name}";r=${remaining};t=1`,
      "X-RateLimit-Remaining": String(remaining),
    },
  };
}

/** A limit that refuses for so many seconds. */
function denied(name: string, retryAfterSeconds: number | null): LimitVerdict {
  const { headers, nearest } = allowed(name, 0);
  const fields =
    retryAfterSeconds === null ? headers : { ...headers, "Retry-After": String(retryAfterSeconds) };
  return {
    ...unlimited("redis"),
    kind: "denied",
    listed: false,
    violated: [name],
    nearest,
    headers: fields,
    retryAfterSeconds,
  };
}

const unavailable: LimitVerdict = {
  ...unlimited("memory"),
  kind: "unavailable",
  retryAfterSeconds: 3,
  headers: { "Retry-After": "3" },
};
const off = (name: string, remaining: number): LimitVerdict => ({
  ...allowed(name, remaining),
  headers: { "X-RateLimit-Remaining": String(remaining) },
});

describe("the verdict of several limits", () => {
  it.each<[string, LimitVerdict | null, LimitVerdict | null, string | null]>([
    ["none", null, null, null],
    ["one alone", allowed("a", 5), null, "a"],
    ["the one with fewer units", allowed("a", 5), allowed("b", 4), "b"],
    ["the first of two alike", allowed("a", 4), allowed("b", 4), "a"],
    ["one that refuses", allowed("a", 0), denied("b", 1), "b"],
    ["the one that refuses longer", denied("a", 1), denied("b", 9), "b"],
    ["the one that never passes", denied("a", 9), denied("b", null), "b"],
    ["the one that never passes, the other way round", denied("a", null), denied("b", 9), "a"],
    ["one that has windows", unlimited("isolate"), allowed("b", 9), "b"],
    ["one that has windows, the other way round", allowed("a", 9), unlimited("isolate"), "a"],
  ])("is that of %s", (_what, one, other, name) => {
    expect(joinedVerdict(one, other)?.nearest?.name ?? null).toBe(name);
  });

  it("is a refusal where one refuses, whoever is asked first", () => {
    for (const refusal of [denied("d", 2), unavailable, refusedByList()]) {
      expect(joinedVerdict(refusal, allowed("a", 0))?.kind).toBe(refusal.kind);
      expect(joinedVerdict(allowed("a", 0), refusal)?.kind).toBe(refusal.kind);
    }
  });

  it.each<[string, LimitVerdict[], Record<string, string>]>([
    [
      "lists all, the tightest first",
      [allowed("a", 5), allowed("b", 4)],
      {
        "RateLimit-Policy": '"b";q=10;w=60, "a";q=10;w=60',
        RateLimit: '"b";r=4;t=1, "a";r=5;t=1',
        "X-RateLimit-Remaining": "4",
      },
    ],
    [
      "tells limits of one name apart",
      [allowed("w", 5), allowed("w", 4), allowed("w", 6)],
      {
        "RateLimit-Policy": '"w";q=10;w=60, "w-2";q=10;w=60, "w-3";q=10;w=60',
        RateLimit: '"w";r=4;t=1, "w-2";r=5;t=1, "w-3";r=6;t=1',
        "X-RateLimit-Remaining": "4",
      },
    ],
    [
      "does not take the name of another for free",
      [allowed("w", 1), allowed("w-2", 2), allowed("w", 3)],
      {
        "RateLimit-Policy": '"w";q=10;w=60, "w-2";q=10;w=60, "w-3";q=10;w=60',
        RateLimit: '"w";r=1;t=1, "w-2";r=2;t=1, "w-3";r=3;t=1',
        "X-RateLimit-Remaining": "1",
      },
    ],
    [
      "has no lists where they are switched off",
      [off("a", 5), off("b", 4)],
      { "X-RateLimit-Remaining": "4" },
    ],
    [
      "keeps the time to wait",
      [denied("a", 7), allowed("b", 4)],
      {
        "RateLimit-Policy": '"a";q=10;w=60, "b";q=10;w=60',
        RateLimit: '"a";r=0;t=1, "b";r=4;t=1',
        "X-RateLimit-Remaining": "0",
        "Retry-After": "7",
      },
    ],
    [
      "names no time where one never passes",
      [denied("a", 7), denied("b", null), denied("c", 8)],
      {
        "RateLimit-Policy": '"b";q=10;w=60, "a";q=10;w=60, "c";q=10;w=60',
        RateLimit: '"b";r=0;t=1, "a";r=0;t=1, "c";r=0;t=1',
        "X-RateLimit-Remaining": "0",
      },
    ],
  ])("%s", (_what, verdicts, headers) => {
    expect(verdicts.reduce<LimitVerdict | null>(joinedVerdict, null)?.headers).toEqual(headers);
  });

  it("names every limit that refuses", () => {
    expect(joinedVerdict(denied("a", 1), denied("b", 2))?.violated).toEqual(["b", "a"]);
  });
});

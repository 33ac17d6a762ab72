import { describe, expect, it } from "vitest";
import { purgeRoutes } from "../../../../src/endpoints/admin/purge.ts";
import { Problem } from "../../../../src/http/problem.ts";
import type { PurgeRequest } from "../../../../src/response-cache/withdrawals.ts";
import { testPlatform } from "../../../support/platform.ts";

/** What the cache is told for a body, or the code of the refusal. */
async function told(body: unknown): Promise<PurgeRequest | string> {
  let asked: PurgeRequest | null = null;
  let refused = "";
  const cache = {
    async purge(request: PurgeRequest) {
      asked = request;
      return "everywhere" as const;
    },
  };
  const app = purgeRoutes({ cache, platform: testPlatform() });
  app.onError((error, c) => {
    refused = error instanceof Problem ? error.code : String(error);
    return c.body(null, 400);
  });
  const init = { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) };
  await app.fetch(new Request("https://edge.example/cache/purge", init));
  return asked ?? refused;
}

describe("a prefix", () => {
  it.each<[string, string | null]>([
    ["edge.example/", "edge.example/"],
    ["edge.example/a/", "edge.example/a/"],
    ["EDGE.example/A/", "edge.example/A/"],
    ["https://edge.example/a/", "edge.example/a/"],
    ["https://edge.example:443/a/", "edge.example/a/"],
    ["http://edge.example:80/a/", "edge.example/a/"],
    ["edge.example:8080/a/", "edge.example:8080/a/"],
    ["b\u00fccher.example/", "xn--bcher-kva.example/"],
    ["[::1]:8787/a/", "[::1]:8787/a/"],
    ["edge.example/caf%c3%a9/", "edge.example/caf%c3%a9/"],
    ["edge.example", null],
    ["edge.example/a", null],
    ["edge.example/a?b=/", null],
    ["edge.example/?a/", null],
    ["edge.example/a#/", null],
    ["user@edge.example/a/", null],
    ["/a/", null],
    ["edge.example:99999/a/", null],
    ["", null],
  ])("%j is read as %j", async (prefix, expected) => {
    const asked = await told({ prefixes: [prefix] });
    expect(typeof asked === "string" ? asked : asked.prefixes).toEqual(
      expected === null ? "BAD_PURGE" : [expected],
    );
  });
});

it.each<[string, unknown]>([
  ["no JSON", "{"],
  ["nothing", {}],
  ["empty lists", { users: [], files: [] }],
  ["an empty user", { users: [""] }],
  ["a user of another type", { users: [1] }],
  ["too many users", { users: Array(501).fill("a") }],
  ["a key that nobody knows", { user: "ada" }],
  ["a list that is none", { tags: "a" }],
])("%s is refused", async (_, body) => {
  expect(await told(body)).toBe("BAD_PURGE");
});

it("users go on as they were sent", async () => {
  expect(await told({ users: ["Ada", "ada "] })).toMatchObject({ users: ["Ada", "ada "], everything: false });
});

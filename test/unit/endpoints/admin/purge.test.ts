import { describe, expect, it } from "vitest";
import { purgeRoutes } from "../../../../src/endpoints/admin/purge.ts";
import { Problem } from "../../../../src/http/problem.ts";
import type { PurgeOutcome, PurgeRequest } from "../../../../src/response-cache/withdrawals.ts";
import { testPlatform } from "../../../support/platform.ts";

function firstField({ facts }: Problem): string | undefined {
  const { errors = [] } = (facts.members ?? {}) as { errors?: { field: string }[] };
  return errors[0]?.field;
}

/** What the cache is told for a body, or the code of the refusal. */
async function told(
  body: unknown,
  { host = "edge.example", apiHost = null as string | null, outcome = "everywhere" as PurgeOutcome } = {},
): Promise<PurgeRequest | string> {
  let asked: PurgeRequest | null = null;
  let refused = "";
  const cache = {
    async purge(request: PurgeRequest) {
      asked = request;
      return outcome;
    },
    latestPurges: async () => ({ complete: true, shared: true, purges: [] }),
  };
  const app = purgeRoutes({
    cache,
    hosts: { consoleHost: "console.example", apiHost },
    platform: testPlatform(),
  });
  app.onError((error, c) => {
    const field = error instanceof Problem ? firstField(error) : "";
    refused = error instanceof Problem ? `${error.code}${field === "host" ? " host" : ""}` : String(error);
    return c.body(null, 400);
  });
  const init = { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) };
  await app.fetch(new Request(`https://${host}/cache/purge`, init));
  return refused === "" && asked ? asked : refused;
}

it.each<[tag: string, expected: string | null]>([
  ["items", "items"],
  ["Items", "items"],
  [" items\t", "items"],
  ["a tag", "a tag"],
  ["item:1/x", "item:1/x"],
  // Two in a Cache-Tag: no answer has such a one.
  ["items,lists", null],
  [",", null],
  [" ", null],
  // As Fastly and others name several: a tag that no answer has.
  // No field carries it.
  ["a\u0000b", null],
  ["a\nb", null],
  ["items*", null],
  ["*", null],
  ["a*b", "a*b"],
])("the tag %j is read as %j", async (tag, expected) => {
  const asked = await told({ tags: [tag] });
  expect(typeof asked === "string" ? asked : asked.tags).toEqual(
    expected === null ? "BAD_PURGE" : [expected],
  );
});

describe("a prefix", () => {
  it.each<[string, string | null]>([
    ["edge.example/", "edge.example/"],
    ["edge.example/a/", "edge.example/a/"],
    ["EDGE.example/A/", "edge.example/A/"],
    ["https://edge.example/a/", "edge.example/a/"],
    ["https://edge.example:443/a/", "edge.example/a/"],
    ["http://edge.example:80/a/", "edge.example/a/"],
    ["HTTPS://edge.example/a/", "edge.example/a/"],
    ["Http://EDGE.example/A/", "edge.example/A/"],
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
    ["edge.example/*/", null],
    ["edge.example/a*/", null],
    ["edge.example/*/b/", null],
    ["edge.example/a/*", null],
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

/** CloudFront's and nginx's form: it would be a success that reaches nothing. */
it.each<[file: string, address: string | null]>([
  ["/a/*", null],
  ["/*", null],
  ["/a*", null],
  ["/**", null],
  ["https://edge.example/a/*", null],
  ["https://edge.example/*", null],
  ["/a*b", "https://edge.example/a*b"],
  // A path, to whoever writes one; a browser reads another host's address.
  ["//v1/items", null],
  ["/\\v1/items", null],
  ["/\t/v1/items", null],
  ["///v1/items", null],
  ["/v1//items", "https://edge.example/v1//items"],
  ["//edge.example/a", "https://edge.example/a"],
  ["/search?q=a*", "https://edge.example/search?q=a*"],
  ["https://edge.example/search?q=*", "https://edge.example/search?q=*"],
])("the file %j is the address %j", async (file, address) => {
  const asked = await told({ files: [file] });
  expect(typeof asked === "string" ? asked : asked.files?.map(String)).toEqual(
    address === null ? "BAD_PURGE" : [address],
  );
});

it.each<[outcome: PurgeOutcome, isRefused: boolean]>([
  ["everywhere", false],
  ["isolate", false],
  ["too many", true],
])("what the cache calls %j is refused: %j", async (outcome, isRefused) => {
  expect((await told({ files: ["/a"] }, { outcome })) === "BAD_PURGE").toBe(isRefused);
});

describe("a file that is a path", () => {
  const on = { host: "console.example" };
  const withApi = { ...on, apiHost: "api.example:8443" };
  it.each<[what: string, body: object, given: object, address: string]>([
    ["is the request's host's", { files: ["/a?x=1"] }, {}, "https://edge.example/a?x=1"],
    ["or the body's host's", { files: ["/a"], host: "api.example" }, {}, "https://api.example/a"],
    ["a port", { files: ["/a"], host: "api.example:8443" }, {}, "https://api.example:8443/a"],
    [
      "in capitals, with a dot at its end",
      { files: ["/a"], host: "API.example." },
      {},
      "https://api.example/a",
    ],
    ["on the console's host that of API_HOST", { files: ["/a"] }, withApi, "https://api.example:8443/a"],
    [
      "on the console's host the body's host's",
      { files: ["/a"], host: "b.example" },
      withApi,
      "https://b.example/a",
    ],
    ["a whole address needs no host there", { files: ["https://c.example/a"] }, on, "https://c.example/a"],
    [
      "its own host's name with a port",
      { files: ["/a"] },
      { host: "edge.example:8443" },
      "https://edge.example:8443/a",
    ],
    ["no host is known on the console's", { files: ["/a"] }, on, "BAD_PURGE host"],
    ["nor on that with a dot at its end", { files: ["/a"] }, { host: "console.example." }, "BAD_PURGE host"],
    ["the console's host", { files: ["/a"], host: "console.example" }, {}, "BAD_PURGE host"],
    [
      "the console's host with a port",
      { files: ["/a"], host: "Console.Example.:8443" },
      {},
      "BAD_PURGE host",
    ],
    ["an address for a host", { files: ["/a"], host: "https://api.example" }, {}, "BAD_PURGE host"],
    ["a path in the host", { files: ["/a"], host: "api.example/x" }, {}, "BAD_PURGE host"],
    ["a user in the host", { files: ["/a"], host: "me@api.example" }, {}, "BAD_PURGE host"],
    ["an empty host", { files: ["/a"], host: "" }, {}, "BAD_PURGE host"],
    ["a wildcard", { tags: ["a"], host: "*.example" }, {}, "BAD_PURGE host"],
  ])("%s", async (_what, body, given, address) => {
    const answer = await told(body, given);
    expect(typeof answer === "string" ? answer : answer.files.map(({ href }) => href).join()).toBe(address);
  });
});

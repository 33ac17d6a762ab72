import { describe, expect, it } from "vitest";
import type { Route } from "../../../src/config/route.ts";
import { counted, json, Origin, openCache } from "../../support/cache.ts";

const LONG = { "cache-control": "max-age=600", etag: '"1"' };
const PATHS = ["/v1/items", "/v1/items?page=2", "/v1/items/42", "/v1/items/7", "/v1/itemsets", "/v1/users"];

/** Answers GET with tags by its path, and everything else as it is told. */
function itemOrigin(write: Origin["answer"] = () => json({})) {
  const reads = counted(LONG);
  const origin = new Origin((request) => {
    if (request.method !== "GET") return write(request);
    const response = reads(request) as Response;
    const { pathname } = new URL(request.url);
    const id = pathname.split("/")[3];
    if (pathname.startsWith("/v1/items/") || pathname === "/v1/items")
      response.headers.set("cache-tag", id ? `Item:${id}` : "items");
    return response;
  });
  return origin;
}

/** Two isolates that hold all paths; the first has a route that says what its writes change. */
async function opened(route: Partial<Route>, origin = itemOrigin()) {
  const one = openCache({ origin, route: { path: "/v1/items/:id", ...route } });
  const other = openCache({ origin, platform: one.platform, prefix: one.prefix });
  for (const path of PATHS) {
    await one.ask(path);
    await other.ask(path);
  }
  one.platform.advance(1);
  return { one, other };
}

async function gone(isolate: Awaited<ReturnType<typeof opened>>["one"]): Promise<string[]> {
  const missed: string[] = [];
  for (const path of PATHS) if ((await isolate.ask(path)).word !== "HIT") missed.push(path);
  return missed;
}

const named = (tags: string[], prefixes: string[] = []) => ({ invalidates: { tags, prefixes } });

describe("a successful write takes out of use what its route names", () => {
  it.each<[what: string, route: Partial<Route>, missed: string[]]>([
    ["a tag", named(["items"]), ["/v1/items", "/v1/items?page=2"]],
    ["a tag of the item that is written to", named(["item:{id}"]), ["/v1/items/42"]],
    ["a tag that nothing has", named(["nothing"]), []],
    ["a path, with what is below it", named([], ["/v1/items"]), PATHS.slice(0, 4)],
    ["a path that ends with a slash", named([], ["/v1/items/"]), PATHS.slice(0, 4)],
    ["one item's path", named([], ["/v1/items/{id}"]), ["/v1/items/42"]],
    ["a part of a segment: nothing", named([], ["/v1/ite"]), []],
    ["everything", named([], ["/"]), PATHS],
    ["both", named(["items"], ["/v1/users"]), ["/v1/items", "/v1/items?page=2", "/v1/users"]],
    [
      "what a parameter that stands for nothing may be",
      named(["item:{no}"]),
      ["/v1/items/42", "/v1/items/7"],
    ],
  ])("%s", async (_, route, missed) => {
    const { one, other } = await opened(route);
    await one.ask("/v1/items/42?x=1", { method: "POST" });
    one.platform.advance(1);
    const fresh = openCache({ origin: one.origin, platform: one.platform, prefix: one.prefix });
    expect(await gone(one), "here at once").toEqual(missed);
    one.platform.advance(6000);
    expect((await gone(fresh)).length, "stored anew since").toBe(0);
    expect(await gone(other), "elsewhere within the maximum age").toEqual([]);
    const texts = await Promise.all(missed.map(async (path) => (await other.ask(path)).text));
    const now = await Promise.all(missed.map(async (path) => (await one.ask(path)).text));
    expect(texts, "what was stored since, and not the copy from before").toEqual(now);
  });

  it.each<[method: string, status: number, isGone: boolean]>([
    ["POST", 201, true],
    ["PUT", 204, true],
    ["PATCH", 200, true],
    ["DELETE", 303, true],
    ["POST", 200, true],
    ["POST", 400, false],
    ["POST", 404, false],
    ["DELETE", 500, false],
    ["QUERY", 200, false],
    ["OPTIONS", 204, false],
  ])("%s answered with %i: %s", async (method, status, isGone) => {
    const origin = itemOrigin(() => new Response(null, { status }));
    const { one } = await opened(named(["items"]), origin);
    await one.ask("/v1/items/9", { method });
    expect((await one.ask("/v1/items")).word).toBe(isGone ? "MISS" : "HIT");
  });

  it.each([
    ["ORIGIN_TIMEOUT", 504, "MISS"],
    ["ORIGIN_UNREACHABLE", 502, "HIT"],
  ] as const)("a write that ends with %s", async (code, status, word) => {
    const { one } = await opened(named(["items"]));
    const { origin } = one;
    const { fetchFor } = origin;
    origin.fetchFor = () => ({ repeatable: true, fetch: async () => ({ kind: "failed", status, code }) });
    await one.ask("/v1/items/42", { method: "POST" });
    origin.fetchFor = fetchFor;
    expect((await one.ask("/v1/items")).word).toBe(word);
    expect((await one.ask("/v1/items/42")).word, "its own URL").toBe(word);
  });

  it.each([
    ["cache-tag", "a"],
    ["cache-tag", "a b"],
    ["cache-tag", "a,b"],
    ["cache-tag", "a , b"],
    ["cache-tag", "a "],
    ["surrogate-key", "a b"],
    ["surrogate-key", "a,b"],
    ["surrogate-key", "A"],
  ])("an answer is found by the %s of an item whose id is %j", async (field, id) => {
    const origin = new Origin(({ method }) =>
      method === "GET" ? json({}, { ...LONG, [field]: `item:${id}` }) : json({}),
    );
    const one = openCache({ origin, route: { path: "/v1/items/:id", ...named(["item:{id}"]) } });
    await one.ask("/v1/lists/1");
    one.platform.advance(1);
    await one.ask(`/v1/items/${encodeURIComponent(id)}`, { method: "PUT" });
    expect((await one.ask("/v1/lists/1")).word).toBe("MISS");
  });

  it("costs no call of its own", async () => {
    const { one } = await opened(named(["items", "item:{id}"], ["/v1/items"]));
    one.wire.calls = 0;
    one.wire.commands.length = 0;
    await one.ask("/v1/items/42", { method: "POST" });
    expect(one.wire.calls).toBe(1);
    expect(one.wire.commands.map(([name]) => name)).toEqual(["evalsha", "evalsha"]);
  });

  it("in an outage is written when the store is back", async () => {
    const { one, other } = await opened(named(["items"]));
    await one.lose();
    for (let n = 0; n < 1200; n += 1) await one.ask("/v1/items/42", { method: "POST" });
    expect((await one.ask("/v1/items")).word, "here at once").toBe("MISS");
    await one.recover();
    expect((await other.ask("/v1/users")).word, "and nothing else is forgotten").toBe("HIT");
    other.platform.advance(6000);
    expect((await other.ask("/v1/items")).word).toBe("MISS");
  });

  it("however many there are, forgets nothing else", async () => {
    const { one, other } = await opened(named(["items", "item:{id}"], ["/v1/items/{id}"]));
    for (let n = 100; n < 1300; n += 1) await one.ask(`/v1/items/${n}`, { method: "POST" });
    one.platform.advance(6000);
    expect(await gone(other), "of the items all, of the rest nothing").toEqual(PATHS.slice(0, 4));
    expect((await one.ask("/v1/users")).word).toBe("HIT");
    expect(one.cache.sizes.purges).toBeLessThan(1000);
  });

  it.each<[tag: string, stays: string]>([
    ["bar", "foobar"],
    ["bar", "barfoo"],
    ["/a", "/a/b"],
    ["a.c", "abc"],
    ["a*", "ab"],
    ["[x]", "x"],
  ])("the tag %s is not %s (FOSHttpCache #404, #95; Souin's index)", async (tag, stays) => {
    const origin = new Origin(({ method, url }) =>
      method === "GET"
        ? json({}, { "cache-control": "max-age=600", "cache-tag": url.includes("stays") ? stays : tag })
        : json({}),
    );
    const { ask, platform } = openCache({ origin, route: named([tag]) });
    for (const path of ["/v1/goes", "/v1/stays"]) await ask(path);
    platform.advance(1);
    await ask("/v1/other", { method: "POST" });
    expect((await ask("/v1/stays")).word).toBe("HIT");
    expect((await ask("/v1/goes")).word).toBe("MISS");
    expect((await ask("/v1/goes")).word, "and is stored anew").toBe("MISS");
    platform.advance(1);
    await ask("/v1/goes");
    expect((await ask("/v1/goes")).word).toBe("HIT");
  });

  it.each([
    ["as the path has it", "item:%C3%BC"],
    ["of another case", "ITEM:%c3%bc"],
  ])("an id beyond ASCII reaches a tag that holds it %s", async (_, tag) => {
    const origin = new Origin(({ method }) =>
      method === "GET" ? json({}, { "cache-control": "max-age=600", "cache-tag": tag }) : json({}),
    );
    const { ask, platform } = openCache({
      origin,
      route: { path: "/v1/items/:id", ...named(["item:{id}"]) },
    });
    await ask("/v1/list");
    platform.advance(1);
    await ask("/v1/items/%C3%BC", { method: "POST" });
    expect((await ask("/v1/list")).word).toBe("MISS");
  });

  it("an id of any length takes no room in the log that all batches read", async () => {
    const { one } = await opened(named(["item:{id}"], ["/v1/items/{id}"]));
    one.wire.commands.length = 0;
    await one.ask(`/v1/items/${"x".repeat(8000)}`, { method: "POST" });
    const lengths = one.wire.commands.flat(2).map((each) => String(each).length);
    expect(Math.max(...lengths)).toBeLessThan(1000);
    expect((await one.ask("/v1/items/42")).word, "all items, to be sure").toBe("MISS");
  });
});

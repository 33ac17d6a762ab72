import { expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { cacheable, gatedEdge } from "../../support/edge/gated-edge.ts";

const CACHED: RouteInput = { path: "/v1/items/*", cache: {} };
const LISTS: RouteInput = { path: "/v1/lists/*", cache: {} };
const WRITES: RouteInput = {
  path: "/v1/items/:id",
  methods: ["PUT"],
  invalidates: { tags: ["item:{id}"], prefixes: ["/v1/lists/{id}"] },
};
const ITEM = "/v1/items/Ab7";
const LIST = "/v1/lists/Ab7";
const TAGGED = "/v1/lists/tagged";

async function missedAfter(path: string, routes: RouteInput[], watched = [ITEM, LIST, TAGGED]) {
  const { ask } = gatedEdge({
    routes,
    env: { LOG_LEVEL: "error" },
    answer: (call) => cacheable("x", call.path === TAGGED ? { "cache-tag": "item:Ab7" } : {}),
  });
  for (const each of watched) await ask(each);
  const { status } = await ask(path, {
    method: "PUT",
    body: "{}",
    headers: { "content-type": "text/plain" },
  });
  const missed: string[] = [];
  for (const each of watched) if ((await ask(each)).word !== "HIT") missed.push(each);
  return { status, missed };
}

/** Servers that forgive these write to what is stored under the plain spelling (RFC 9111 §4.4 names the URL of the write alone). */
it.each([[ITEM], [`${ITEM};v=1`], [`${ITEM}.`], [`${ITEM}..`], ["/v1/items;v=1/Ab7"]])(
  "a write to %s reaches what is stored of the plain path",
  async (path) => {
    const { status, missed } = await missedAfter(path, [WRITES, CACHED, LISTS]);
    expect({ status, missed }).toEqual({ status: 200, missed: [ITEM, LIST, TAGGED] });
  },
);

it.each([
  ["/v1/items/ab7/", ["/v1/items/ab7"]],
  ["/v1/items/ab7//", []],
  ["/V1/Items/AB7/", ["/v1/items/ab7"]],
  ["/v1/items/ab7/x", []],
  ["/v1/items/ab78", []],
])("a write to %s to a route for all methods makes %j invalid", async (path, missed) => {
  const watched = ["/v1/items/ab7", "/v1/items/other"];
  expect((await missedAfter(path, [CACHED], watched)).missed).toEqual(missed);
});

it.each([
  [`${ITEM};v=1`, { ...WRITES, forgiving: false }, { ...CACHED, forgiving: false }],
  [`${ITEM}.`, { ...WRITES, forgiving: false }, { ...CACHED, forgiving: false }],
])("a write to %s reaches nothing else where the server tells spellings apart", async (path, ...routes) => {
  expect((await missedAfter(path, [...routes, LISTS])).missed).toEqual([]);
});

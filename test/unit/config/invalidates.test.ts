import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { configIssues } from "../../support/config.ts";

const PATH = "/v1/:kind/:id";
const issuesOf = (route: Partial<RouteInput>) =>
  configIssues({}, [{ path: PATH, ...route }]).map(({ place }) => place.replace("routes[0].", ""));

describe("a route's invalidates", () => {
  it.each<[what: string, route: Partial<RouteInput>, places: string[]]>([
    ["tags and prefixes", { invalidates: { tags: ["items"], prefixes: ["/v1/items"] } }, []],
    ["parameters", { invalidates: { tags: ["{kind}:{id}"], prefixes: ["/v1/{kind}/"] } }, []],
    ["a colon in a tag", { invalidates: { tags: ["item:x"] } }, []],
    ["a parameter the path has not", { invalidates: { tags: ["{no}"] } }, ["invalidates.tags[0]"]],
    ["an empty place", { invalidates: { tags: ["a{}"] } }, ["invalidates.tags[0]"]],
    ["a brace alone", { invalidates: { tags: ["x", "a{id"] } }, ["invalidates.tags[1]"]],
    ["Hono's parameter", { invalidates: { prefixes: ["/v1/:kind"] } }, ["invalidates.prefixes[0]"]],
    ["a wildcard", { invalidates: { prefixes: ["/v1/*"] } }, ["invalidates.prefixes[0]"]],
    ["a query", { invalidates: { prefixes: ["/v1?x=1"] } }, ["invalidates.prefixes[0]"]],
    ["a host", { invalidates: { prefixes: ["api.example/v1"] } }, ["invalidates.prefixes[0]"]],
    ["two slashes", { invalidates: { prefixes: ["//api.example/v1"] } }, ["invalidates.prefixes[0]"]],
    ["a blank in a tag", { invalidates: { tags: ["a b"] } }, ["invalidates.tags[0]"]],
    ["a comma in a tag", { invalidates: { tags: ["a,b"] } }, ["invalidates.tags[0]"]],
    ["an empty tag", { invalidates: { tags: [""] } }, ["invalidates.tags[0]"]],
    ["a tag that ends with a star", { invalidates: { tags: ["item*"] } }, ["invalidates.tags[0]"]],
    ["a star in a tag", { invalidates: { tags: ["a*b"] } }, []],
    // Of all answers of the route: a place would be a letter, and the tag reached by no write.
    ["a cache's tag", { cache: { ttl: 1, tags: ["item:x"] } }, []],
    ["a parameter in a cache's tag", { cache: { ttl: 1, tags: ["a", "item:{id}"] } }, ["cache.tags[1]"]],
    ["too many", { invalidates: { tags: Array(17).fill("a") } }, ["invalidates.tags"]],
    ["a key that does not exist", { invalidates: { files: [] } as never }, ["invalidates.files"]],
    ["only safe methods", { methods: ["GET", "HEAD"], invalidates: { tags: ["a"] } }, ["invalidates"]],
    ["one unsafe method", { methods: ["GET", "post"], invalidates: { tags: ["a"] } }, []],
  ])("%s", (_, route, places) => {
    expect(issuesOf(route)).toEqual(places);
  });

  it("is lower case, but for the names of its parameters", () => {
    const routes: RouteInput[] = [
      { path: "/v1/:Id", invalidates: { tags: ["Item:{Id}:X"], prefixes: ["/V1"] } },
    ];
    const [route] = loadConfig({}, routes).routes;
    expect(route?.invalidates).toEqual({ tags: ["item:{Id}:x"], prefixes: ["/V1"] });
  });

  it("names nothing where its lists are empty", () => {
    const [route] = loadConfig({}, [{ path: "/a", invalidates: { tags: [] } }]).routes;
    expect(route?.invalidates).toEqual({ tags: [], prefixes: [] });
  });
});

import { expect, test } from "vitest";
import { invalidatedUrls } from "../../../../src/response-cache/rules/invalidation.ts";

const HERE = "https://api.example/v1/items?x=1";

const invalidatedBy = (method: string, status: number, fields: Record<string, string> = {}, url = HERE) =>
  invalidatedUrls({ method, url: new URL(url) }, { status, headers: new Headers(fields) }).map(
    ({ href }) => href,
  );

test.each(["POST", "PUT", "DELETE", "PATCH", "FOO", "post", "LOCK"])(
  "%s invalidates its target (RFC 9111 §4.4)",
  (method) => {
    for (const status of [200, 201, 204, 299, 301, 303, 304, 399])
      expect(invalidatedBy(method, status)).toEqual([HERE]);
  },
);

test.each(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY", "PROPFIND"])(
  "%s is safe and invalidates nothing",
  (method) => {
    expect(invalidatedBy(method, 200, { location: "/v1/items/2" })).toEqual([]);
  },
);

test.each([101, 400, 401, 404, 409, 412, 429, 500, 503])("a %i invalidates nothing", (status) => {
  expect(invalidatedBy("POST", status, { location: "/v1/items/2" })).toEqual([]);
});

test.each<[Record<string, string>, string[]]>([
  [{ location: "/v1/items/2" }, ["https://api.example/v1/items/2"]],
  [{ location: "items/2" }, ["https://api.example/v1/items/2"]],
  [{ location: "https://API.example:443/v1/items/2#top" }, ["https://api.example/v1/items/2"]],
  [{ "content-location": "?x=2" }, ["https://api.example/v1/items?x=2"]],
  [{ location: "/a", "content-location": "/b" }, ["https://api.example/a", "https://api.example/b"]],
  [{ location: HERE, "content-location": HERE }, []],
  [{ location: "https://other.example/v1/items/2" }, []],
  [{ location: "//other.example/v1/items/2" }, []],
  [{ location: "http://api.example/v1/items/2" }, []],
  [{ location: "https://api.example:8443/v1/items/2" }, []],
  [{ location: "https://[" }, []],
  [{ location: "" }, []],
  [{ location: "data:text/plain,x" }, []],
])("%j adds %j", (fields, added) => {
  expect(invalidatedBy("POST", 201, fields)).toEqual([HERE, ...added]);
});

test("fragments are no part of a target, and the request keeps its own", () => {
  expect(invalidatedBy("POST", 200, {}, `${HERE}#top`)).toEqual([HERE]);
  const url = new URL(`${HERE}#top`);
  invalidatedUrls({ method: "POST", url }, { status: 200, headers: new Headers() });
  expect(url.hash).toBe("#top");
});

import { describe, expect, it } from "vitest";
import { type FeedEntry, RequestFeed, serverLine } from "../../../../src/tools/start/request-feed.ts";

const event = (id: string, more: object = {}) => ({
  level: "info",
  event: "request",
  request_id: id,
  method: "GET",
  route: "*",
  status: 200,
  total_ms: 10,
  store_calls: 1,
  store_ms: 2,
  verdict: "allowed",
  cache: "hit",
  ...more,
});
const line = (path: string, at: number, ms: number, more: object = {}) => ({
  method: "GET",
  path,
  status: 200,
  ms,
  at,
  ...more,
});
const paths = (feed: RequestFeed) => Object.fromEntries(feed.entries.map(({ id, path }) => [id, path]));

describe("serverLine", () => {
  it.each([
    ["[wrangler:info] GET /v1/user 200 OK (12ms)", { method: "GET", path: "/v1/user", status: 200, ms: 12 }],
    ["[wrangler:info] POST /%3Cscript%3E 502 Bad Gateway (0ms)", { path: "/%3Cscript%3E", status: 502 }],
    ["[wrangler:info] GET / 499  (3ms)", { path: "/", status: 499 }],
    ["[wrangler:info] M-SEARCH / 405 Method Not Allowed (3ms)", { method: "M-SEARCH" }],
    ["[wrangler:info] Ready on http://127.0.0.1:8787", null],
    ["⎔ Reloading local server...", null],
    ["GET / 200 OK (3ms)", null],
  ])("%s", (text, read) => {
    if (read === null) expect(serverLine(text, 5)).toBeNull();
    else expect(serverLine(text, 5)).toMatchObject({ ...read, at: 5 });
  });
});

describe("RequestFeed", () => {
  it("hands a request over at once, and again with its path", () => {
    const feed = new RequestFeed();
    const seen: FeedEntry[] = [];
    const end = feed.listen((entry) => seen.push({ ...entry }));
    feed.logged(event("a"), 1000);
    feed.served(line("/a", 1005, 16));
    expect(seen.map(({ path }) => path)).toEqual([null, "/a"]);
    expect(seen[0]).toMatchObject({
      id: "a",
      verdict: "allowed",
      cache: "hit",
      storeCalls: 1,
      storeMs: 2,
      totalMs: 10,
    });
    end();
    feed.logged(event("b"), 2000);
    expect(seen).toHaveLength(2);
  });

  it.each<{ what: string; feed: (feed: RequestFeed) => void; paths: Record<string, string | null> }>([
    {
      what: "one after the other",
      feed(feed) {
        feed.logged(event("a"), 1000);
        feed.served(line("/a", 1002, 15));
        feed.logged(event("b"), 1100);
        feed.served(line("/b", 1102, 15));
      },
      paths: { a: "/a", b: "/b" },
    },
    {
      what: "at once, of other methods",
      feed(feed) {
        feed.logged(event("a"), 1000);
        feed.logged(event("b", { method: "POST" }), 1001);
        feed.served(line("/b", 1003, 15, { method: "POST" }));
        feed.served(line("/a", 1003, 15));
      },
      paths: { a: "/a", b: "/b" },
    },
    {
      what: "at once, of other statuses",
      feed(feed) {
        feed.logged(event("a"), 1000);
        feed.logged(event("b", { status: 404 }), 1001);
        feed.served(line("/b", 1003, 15, { status: 404 }));
        feed.served(line("/a", 1003, 15));
      },
      paths: { a: "/a", b: "/b" },
    },
    {
      what: "at once, alike: nobody knows which is which",
      feed(feed) {
        feed.logged(event("a"), 1000);
        feed.logged(event("b"), 1001);
        feed.served(line("/b", 1003, 15));
      },
      paths: { a: null, b: null },
    },
    {
      what: "at once, alike, of one path",
      feed(feed) {
        for (const id of ["a", "b", "c"]) feed.logged(event(id), 1000);
        for (const at of [1003, 1004, 1006]) feed.served(line("/same", at, 15));
      },
      paths: { a: "/same", b: "/same", c: "/same" },
    },
    {
      what: "at once, alike, of one path and of another",
      feed(feed) {
        for (const id of ["a", "b", "c"]) feed.logged(event(id), 1000);
        for (const path of ["/same", "/same", "/other"]) feed.served(line(path, 1003, 15));
      },
      paths: { a: null, b: null, c: null },
    },
    {
      what: "at once, alike, and the line of one is missing",
      feed(feed) {
        for (const id of ["a", "b", "c"]) feed.logged(event(id), 1000);
        for (const at of [1003, 1004]) feed.served(line("/same", at, 15));
      },
      paths: { a: null, b: null, c: null },
    },
    {
      what: "quickly one after the other, logged before the lines come",
      feed(feed) {
        for (const [index, id] of ["a", "b", "c"].entries())
          feed.logged(event(id, { total_ms: 5 }), 1000 + index * 8);
        for (const [index, path] of ["/a", "/b", "/c"].entries())
          feed.served(line(path, 1002 + index * 8, 7));
      },
      paths: { a: "/a", b: "/b", c: "/c" },
    },
    {
      what: "quickly one after the other, a refusal between them",
      feed(feed) {
        feed.logged(event("a", { total_ms: 4 }), 1000);
        feed.logged(event("no", { total_ms: 1, status: 429 }), 1006);
        feed.logged(event("b", { total_ms: 4 }), 1012);
        feed.served(line("/a", 1002, 6));
        feed.served(line("/no", 1008, 3, { status: 429 }));
        feed.served(line("/b", 1014, 6));
      },
      paths: { a: "/a", no: "/no", b: "/b" },
    },
    {
      what: "alike, one inside the time of the other",
      feed(feed) {
        feed.logged(event("a", { total_ms: 20 }), 1000);
        feed.logged(event("b", { total_ms: 2 }), 996);
        feed.served(line("/b", 998, 12));
        feed.served(line("/a", 1003, 22));
      },
      paths: { a: null, b: null },
    },
    {
      what: "a pair that nobody can tell, and a later one that is alone",
      feed(feed) {
        for (const id of ["a", "b"]) feed.logged(event(id), 1000);
        for (const path of ["/a", "/b"]) feed.served(line(path, 1003, 15));
        feed.logged(event("c"), 9000);
        feed.served(line("/c", 9003, 15));
      },
      paths: { a: null, b: null, c: "/c" },
    },
    {
      what: "one that started earlier and took longer",
      feed(feed) {
        feed.logged(event("short", { total_ms: 10 }), 1000);
        feed.logged(event("long", { total_ms: 500 }), 1005);
        feed.served(line("/short", 1003, 14));
        feed.served(line("/long", 1008, 504));
      },
      paths: { short: "/short", long: "/long" },
    },
    {
      what: "a line of a request that the Worker has not logged",
      feed(feed) {
        feed.logged(event("a"), 1000);
        feed.served(line("/other", 5000, 15));
      },
      paths: { a: null },
    },
    {
      what: "an unusual method, which the log calls other",
      feed(feed) {
        feed.logged(event("a", { method: "other" }), 1000);
        feed.served(line("/a", 1003, 15, { method: "PROPFIND" }));
      },
      paths: { a: "/a" },
    },
    {
      what: "a line before the log",
      feed(feed) {
        feed.served(line("/a", 1003, 15));
        feed.logged(event("a"), 1000);
      },
      paths: { a: "/a" },
    },
    {
      what: "a line long before a log",
      feed(feed) {
        feed.served(line("/old", 1003, 15));
        feed.logged(event("a"), 9000);
      },
      paths: { a: null },
    },
  ])("$what", ({ feed: play, paths: expected }) => {
    const feed = new RequestFeed();
    play(feed);
    expect(paths(feed)).toEqual(expected);
  });

  it("keeps the newest 200", () => {
    const feed = new RequestFeed();
    for (let index = 0; index < 500; index += 1) feed.logged(event(String(index)), index);
    expect(feed.entries).toHaveLength(200);
    expect(feed.entries[0]?.id).toBe("300");
  });

  it("a line of the log without any field is shown", () => {
    const feed = new RequestFeed();
    feed.logged({ level: "info", event: "request" }, 1);
    expect(feed.entries[0]).toMatchObject({ id: "", status: 0, cache: null });
  });
});

import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { laxName } from "../../../src/http/field-name.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

const ROUTES: RouteInput[] = [
  { path: "/shared/*", cache: { scope: "shared", ttl: 60 } },
  { path: "/ignoring/*", cache: { ttl: 60, query: { ignore: ["utm_*", "ref"] } } },
  { path: "/allowing/*", cache: { ttl: 60, query: { allow: ["page"] } } },
  { path: "/sorted/*", cache: { ttl: 60, query: { sort: true } } },
  { path: "/cookies/*", cache: { ttl: 60, ignoreCookies: ["_ga*"] } },
  { path: "/raw/*", rawPath: true, cache: { ttl: 60 } },
  { path: "/*", cache: { ttl: 60 } },
];
const FIELDS = [
  "x-tenant",
  "accept-language",
  "x-original-url",
  "x-forwarded-host",
  "cookie",
  "expect",
  "te",
];

type Ask = [path: string, headers?: [string, string][]];

/** A field as a CGI program reads it: each spelling of its name is the name. */
function readByCgi(headers: Headers, name: string): string | null {
  const values = [...headers].filter(([each]) => laxName(each) === name).map(([, value]) => value);
  return values.length > 0 ? values.join(", ") : null;
}

/** An origin that reads all it is sent, splits queries at `;` too, and answers with what it has read. */
function readAloud(input: string | URL | Request, init: RequestInit = {}): Response {
  const url = new URL(String(input instanceof Request ? input.url : input));
  const headers = new Headers(init.headers);
  const fields = FIELDS.filter((name) => name !== "x-forwarded-host").map((name) => readByCgi(headers, name));
  const parameters = url.search
    .slice(1)
    .split(/[&;]/)
    .filter((part) => !/^(api_key|API_KEY)(=|$)/.test(part));
  return new Response(JSON.stringify([url.pathname, parameters, fields]), {
    headers: { vary: FIELDS.join(", "), "cache-control": "public, max-age=60" },
  });
}

function openEdge(platform = testPlatform({ fetch: async (input, init) => readAloud(input, init) })) {
  const vars = { ORIGIN_URL: "http://origin.example", IDENTITY_SECRET: "identity-secret-of-this-test-only" };
  const answer = edgeAnswer(openIsolate({ ...vars, LOG_LEVEL: "error" }, ROUTES, platform));
  return async ([path, headers = []]: Ask) => {
    const background: Promise<unknown>[] = [];
    const context = { waitUntil: (work: Promise<unknown>) => void background.push(work) };
    const request = new Headers();
    for (const [name, value] of headers) request.append(name, value);
    const response = await answer(
      new Request(`https://edge.example${path}`, { headers: request }),
      context as unknown as ExecutionContext,
    );
    const text = await response.text();
    await Promise.all(background);
    return { text, word: response.headers.get("x-cache") };
  };
}

describe("whatever somebody sent before, an answer is what the origin says to this very request", () => {
  it.each<[string, Ask, Ask]>([
    ["a `;` behind the key", ["/shared/a?api_key=x;lang=evil"], ["/shared/a"]],
    ["a `;` before the key", ["/shared/a?lang=fr;api_key=x"], ["/shared/a?lang=fr"]],
    ["a `;` in an ignored pair", ["/ignoring/a?a=1&utm_source=x;lang=evil"], ["/ignoring/a?a=1"]],
    ["a `;` before an ignored pair", ["/ignoring/a?lang=fr;ref=x"], ["/ignoring/a?lang=fr"]],
    ["a `;` in an allowed pair", ["/allowing/a?page=1;lang=evil"], ["/allowing/a?page=1"]],
    ["an escaped `;`", ["/ignoring/a?ref=x%3Blang=evil"], ["/ignoring/a"]],
    ["an escaped name of the key", ["/shared/a?%61pi_key=x&b=1"], ["/shared/a?b=1"]],
    ["another case of the key", ["/shared/a?API_KEY=x"], ["/shared/a"]],
    ["an ignored parameter", ["/ignoring/a?utm_source=x&a=1"], ["/ignoring/a?a=1"]],
    ["one that is not allowed", ["/allowing/a?page=1&lang=evil"], ["/allowing/a?page=1"]],
    ["the order of names", ["/sorted/a?b=1&a=2"], ["/sorted/a?a=2&b=1"]],
    ["an empty query", ["/a?"], ["/a"]],
    ["an empty pair", ["/a?a=1&"], ["/a?a=1"]],
    ["`+` and `%20`", ["/a?a=b+c"], ["/a?a=b%20c"]],
    ["a repeated name", ["/a?a=1&a=2"], ["/a?a=2&a=1"]],
    ["an escape", ["/a?a=%7e"], ["/a?a=~"]],
    ["an escape in a raw path", ["/raw/%7e"], ["/raw/~"]],
    ["a reserved character", ["/a%3Bb"], ["/a;b"]],
    [
      "a field that Connection names",
      [
        "/a",
        [
          ["x-tenant", "acme"],
          ["connection", "X-Tenant"],
        ],
      ],
      ["/a", [["x-tenant", "acme"]]],
    ],
    [
      "a list that Connection names",
      [
        "/a",
        [
          ["accept-language", "fr"],
          ["connection", "close , accept-language"],
        ],
      ],
      ["/a", [["accept-language", "fr"]]],
    ],
    ["a field the edge drops", ["/a", [["x-original-url", "/admin"]]], ["/a"]],
    ["a field the edge sends itself", ["/a", [["x-forwarded-host", "evil.example"]]], ["/a"]],
    ["a field of the connection", ["/a", [["te", "trailers"]]], ["/a"]],
    ["a no-break space", ["/a", [["x-tenant", "\u00a0acme"]]], ["/a", [["x-tenant", "acme"]]]],
    ["a next-line", ["/a", [["x-tenant", "acme\u0085"]]], ["/a", [["x-tenant", "acme"]]]],
    ["an ideographic space", ["/a", [["accept-language", "\u3000fr"]]], ["/a", [["accept-language", "fr"]]]],
    ["a vertical tab", ["/a", [["x-tenant", "acme\v"]]], ["/a", [["x-tenant", "acme"]]]],
    [
      "a letter whose small one is ASCII",
      ["/a", [["accept-language", "\u212al"]]],
      ["/a", [["accept-language", "kl"]]],
    ],
    ["an empty value", ["/a", [["x-tenant", ""]]], ["/a"]],
    ["an empty cookie", ["/shared/a", [["cookie", ""]]], ["/shared/a"]],
    ["case of a value", ["/a", [["x-tenant", "ACME"]]], ["/a", [["x-tenant", "acme"]]]],
    [
      "several lines",
      [
        "/a",
        [
          ["x-tenant", "a"],
          ["x-tenant", "b"],
        ],
      ],
      ["/a", [["x-tenant", "a, b"]]],
    ],
    ["another spelling of a name", ["/a", [["x_tenant", "evil"]]], ["/a"]],
    ["another sign in a name", ["/a", [["Accept.Language", "fr"]]], ["/a"]],
    [
      "another spelling beside the name",
      [
        "/a",
        [
          ["x-tenant", "acme"],
          ["x_tenant", "evil"],
        ],
      ],
      ["/a", [["x-tenant", "acme"]]],
    ],
    [
      "the values of two spellings swapped",
      [
        "/a",
        [
          ["x_tenant", "a"],
          ["x.tenant", "b"],
        ],
      ],
      [
        "/a",
        [
          ["x_tenant", "b"],
          ["x.tenant", "a"],
        ],
      ],
    ],
    [
      "an ignored cookie",
      ["/cookies/a", [["cookie", "_ga=1; theme=dark"]]],
      ["/cookies/a", [["cookie", "theme=dark"]]],
    ],
  ])("%s", async (_, before, then) => {
    for (const [first, second] of [
      [before, then],
      [then, before],
    ] as const) {
      const alone = await openEdge()(second);
      const ask = openEdge();
      await ask(first);
      expect((await ask(second)).text).toBe(alone.text);
    }
  });

  it.each<[string, Ask, Ask]>([
    ["what is ignored", ["/ignoring/a?utm_source=x&a=1&ref"], ["/ignoring/a?a=1"]],
    ["what is not allowed", ["/allowing/a?x=1&page=1"], ["/allowing/a?page=1&y=2"]],
    ["the order of names", ["/sorted/a?b=1&a=2"], ["/sorted/a?a=2&b=1"]],
    ["an escape of an unreserved character", ["/%41?q=%7e"], ["/A?q=~"]],
    [
      "a field that goes nowhere",
      [
        "/a",
        [
          ["x-original-url", "/b"],
          ["x-forwarded-host", "b"],
        ],
      ],
      ["/a"],
    ],
    ["an ignored cookie", ["/cookies/a", [["cookie", "_ga=1; _ga_2=3"]]], ["/cookies/a"]],
    ["a list's blanks", ["/a", [["accept-language", "fr ,de"]]], ["/a", [["accept-language", "fr, de"]]]],
  ])("two requests that differ by %s alone share one answer", async (_, one, other) => {
    const ask = openEdge();
    expect((await ask(one)).word).toBe("MISS");
    expect((await ask(other)).word).toBe("HIT");
  });
});

it.each(["if_modified_since", "If.Modified_Since", "if-modified.since"])(
  "no 304 to a client's own %s makes an old answer fresh",
  async (name) => {
    const dates = ["Thu, 01 Jan 2026 00:00:00 GMT", "Fri, 02 Jan 2026 00:00:00 GMT"];
    let [modified = ""] = dates;
    const platform = testPlatform({
      // It has nothing new for whoever has seen its latest, by whatever name he says so, and says no more than that.
      fetch: async (_, init) =>
        readByCgi(new Headers(init?.headers), "if-modified-since")?.includes(modified)
          ? new Response(null, { status: 304 })
          : new Response(modified, { headers: { "last-modified": modified, "cache-control": "max-age=60" } }),
    });
    const ask = openEdge(platform);
    await ask(["/a"]);
    modified = dates[1] ?? "";
    platform.advance(61_000);
    await ask(["/a", [[name, modified]]]);
    expect((await ask(["/a"])).text).toBe(modified);
  },
);

import { expect, it } from "vitest";

/** Every source file's text, by its path below `src`. */
const sources = Object.entries(
  import.meta.glob<string>(["../../../src/**/*.ts", "!../../../src/routes.ts"], {
    query: "?raw",
    import: "default",
    eager: true,
  }),
).map(([path, text]) => [path.replace("../../../src/", ""), withoutComments(text)] as const);

/** Comments may name what they explain. */
function withoutComments(text: string): string {
  return text.replace(/\/\*\*?[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** A fact of HTTP or of this product, as it would be written down a second time, and the file that holds it. */
const FACTS: readonly (readonly [fact: string, pattern: RegExp, file: string])[] = [
  ["the bearer grammar", /\^bearer|["'`]Bearer/, "http/bearer.ts"],
  ["credential fields", /x-auth-token|"apikey"/i, "http/credential-fields.ts"],
  ["fields that hold a secret", /x-csrf-token/i, "http/credential-fields.ts"],
  ["the field of an API key", /["'`]x-api-key/i, "http/credential-fields.ts"],
  ["the parameter of an API key", /["'`]api_key["'`]/, "http/credential-fields.ts"],
  ["the session cookie's name", /__Host-session/, "identity/session-cookie.ts"],
  ["the session token's prefix", /["'`^]\s*es1/, "http/session-token.ts"],
  ["how cookies are parsed", /\bparse\b.* from "hono\/utils\/cookie"|hono\/cookie/, "http/cookies.ts"],
  ["fields of one connection", /proxy-connection|"keep-alive"/i, "http/hop-by-hop.ts"],
  ["the request for a WebSocket", /=== "websocket"/, "http/hop-by-hop.ts"],
  ["fields of one request", /if-\.\*|cf-ray/, "http/per-request-fields.ts"],
  ["fields that only the edge may say", /x-real-ip|x-rewrite-url/, "http/edge-fields.ts"],
  ["signals of the origin", /x-edge-session|x-edge-caller/, "http/edge-fields.ts"],
  ["the field of a session's token", /["'`]x-session-token/i, "http/session-token.ts"],
  ["fields that caching rules need", /"cdn-cache-control",\n.*"content-encoding"/, "http/cache-fields.ts"],
  ["how long a body may be silent", /BODY_SILENCE_MS = /, "http/content.ts"],
  ["field names", /9a-z-\]\+\$/, "http/field-name.ts"],
  ["how a path is decoded", /decodeURIComponent\(pathname/, "http/path.ts"],
  ["dot segments", /%2e/i, "http/path.ts"],
  ["one case", /toUpperCase\(\)\.toLowerCase\(\)/, "http/path.ts"],
  ["the problems", /\btitle: ["'`]/, "http/problem-codes.ts"],
];

/** Files that write a fact down again because they stand on the other side of the wire. */
const OTHER_SIDE = /^tools\//;

it.each(FACTS)("%s stands in one file", (_fact, pattern, file) => {
  const files = sources.filter(([path, text]) => !OTHER_SIDE.test(path) && pattern.test(text));
  expect(files.map(([path]) => path)).toEqual([file]);
});

it("reads the sources", () => {
  expect(sources.length).toBeGreaterThan(100);
});

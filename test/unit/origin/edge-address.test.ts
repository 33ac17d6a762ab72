import { describe, expect, it } from "vitest";
import {
  edgeAddress,
  edgeChallenge,
  edgeCookiePath,
  edgeLinks,
  edgeRefresh,
  edgeStrings,
} from "../../../src/origin/edge-address.ts";

const at = (basePath: string) => ({
  originUrl: new URL(`http://internal:8000${basePath}/v1/x?q=1`),
  edgeUrl: new URL("https://edge.example/v1/x?q=1"),
  basePath,
});
const based = at("/app");
const EDGE = "https://edge.example";

describe("behind a base path", () => {
  it.each([
    ["/app/y", "/y"],
    ["/app", "/"],
    ["/app/", "/"],
    ["/app?a=1#f", "/?a=1#f"],
    ["/%61pp/y", "/y"],
    ["/app/a//b", "/a//b"],
    ["/application/z", "/application/z"],
    ["/v1/y", "/v1/y"],
    ["http://internal:8000/app/y", `${EDGE}/y`],
    ["https://internal:8000/app", `${EDGE}/`],
    ["HTTP://INTERNAL:8000/app?x=1", `${EDGE}/?x=1`],
    ["//internal:8000/app/y", `${EDGE}/y`],
    ["https://edge.example/app/y", `${EDGE}/y`],
    ["http://edge.example/app/y", "http://edge.example/y"],
    ["//edge.example/app/y", `${EDGE}/y`],
    ["https://edge.example/y", "https://edge.example/y"],
    ["y?a=1", "y?a=1"],
    ["", ""],
    ["#part", "#part"],
    ["../../app/y", "/y"],
    ["../../outside", "../../outside"],
    ["https://elsewhere.example/app/y", "https://elsewhere.example/app/y"],
    ["//elsewhere.example/app/y", "//elsewhere.example/app/y"],
    ["app://internal:8000/app/y", "app://internal:8000/app/y"],
    ["mailto:a@internal", "mailto:a@internal"],
    ["http://[", "http://["],
  ])("%j is %j", (reference, expected) => {
    expect(edgeAddress(reference, based)).toBe(expected);
  });

  it.each([
    "/app//evil.example/x",
    "/app/\\evil.example/x",
    "/app///evil.example/x",
    "/app/\t/evil.example",
    "/app/.//evil.example",
    "/app/x/..//evil.example",
    "\\app\\\\evil.example",
    "../..//app//evil.example",
    "http://internal:8000/app//evil.example",
    "//internal:8000/app/\\evil.example",
  ])("%j never becomes another host", (reference) => {
    expect(new URL(edgeAddress(reference, based), based.edgeUrl).host).toBe("edge.example");
  });

  it.each([
    ["/app", "/"],
    ["/app/", "/"],
    ["/app/admin", "/admin"],
    ["/", "/"],
    ["/application", "/application"],
    ["/App", "/App"],
    ["app", "app"],
    ["", ""],
  ])("a cookie's path %j is %j", (path, expected) => {
    expect(edgeCookiePath(path, based)).toBe(expected);
  });

  it.each([
    ['</app/p?page=2>; rel="next"', '</p?page=2>; rel="next"'],
    ["<http://internal:8000/app/a,b>;rel=x,</c>;rel=y", `<${EDGE}/a,b>;rel=x,</c>;rel=y`],
    ['</app/a>; title="</app/b>"; rel=x', '</a>; title="</app/b>"; rel=x'],
    ['</app/a>; title="\\"</app/b>"', '</a>; title="\\"</app/b>"'],
    ['</app/a>; anchor="/app/b"', '</a>; anchor="/b"'],
    ["<https://cdn.example/app/x>; rel=preload", "<https://cdn.example/app/x>; rel=preload"],
    ["</app//evil.example>; rel=next", `<${EDGE}//evil.example>; rel=next`],
    ["no link", "no link"],
    ["<>", "<>"],
    ["</app/a", "</app/a"],
    ["</app/a>; rel=x, </app/b", "</a>; rel=x, </app/b"],
    ['</app/a>; title="b, </app/c>', '</a>; title="b, </app/c>'],
    ['</app/a>; title="b\\', '</a>; title="b\\'],
    ['</app/a>; title="b\\\\", </app/c>', '</a>; title="b\\\\", </c>'],
    ['</app/a>; anchor="/app/b', '</a>; anchor="/app/b'],
    ['</app/a>; anchor="/app/\\"b"; rel=x, </app/c>', '</a>; anchor="/app/\\"b"; rel=x, </c>'],
    ['</app/a>; ANCHOR = "/app/b"', '</a>; ANCHOR = "/b"'],
  ])("the links %s are %s", (link, expected) => {
    expect(edgeLinks(link, based)).toBe(expected);
  });

  it.each([
    ["3; url=/app/y", "3; url=/y"],
    ["3;url='/app/y'", "3;url='/y'"],
    ['3 , URL = "/app/y"', '3 , URL = "/y"'],
    ['3; url="/app/y" and more', '3; url="/y" and more'],
    ['3; url="/app/y', '3; url="/y'],
    ["3; url='/app/y\"", "3; url='/y%22"],
    ["3 /app/y", "3 /y"],
    ["3; /app/y  ", "3; /y  "],
    ["0.5;/app/y", "0.5;/y"],
    ["  3  ;  url  =  /app/y", "  3  ;  url  =  /y"],
    ["3; url=", "3; url="],
    ['3; url=""', '3; url=""'],
    ["3;", "3;"],
    ["3", "3"],
    ["", ""],
    ["3; url /app/y", "3; url /app/y"],
    ["3; url=http://internal:8000/app/y", `3; url=${EDGE}/y`],
  ])("Refresh %j is %j", (refresh, expected) => {
    expect(edgeRefresh(refresh, based)).toBe(expected);
  });

  const METADATA = "/.well-known/oauth-protected-resource";
  it.each([
    [
      `Bearer resource_metadata="http://internal:8000${METADATA}"`,
      `Bearer resource_metadata="${EDGE}${METADATA}"`,
    ],
    [
      `Basic realm="a", Bearer error="invalid_token", resource_metadata="http://internal:8000/app/meta", scope="x"`,
      `Basic realm="a", Bearer error="invalid_token", resource_metadata="${EDGE}/meta", scope="x"`,
    ],
    ['Bearer RESOURCE_METADATA = "/app/meta"', 'Bearer RESOURCE_METADATA = "/meta"'],
    ['Bearer realm="resource_metadata=\\"/app/meta\\""', 'Bearer realm="resource_metadata=\\"/app/meta\\""'],
    [
      'Bearer resource_metadata="https://elsewhere.example/m"',
      'Bearer resource_metadata="https://elsewhere.example/m"',
    ],
    // A container registry's: clients get their token there.
    [
      'Bearer realm="http://internal:8000/app/token",service="r",scope="repository:a:pull"',
      `Bearer realm="${EDGE}/token",service="r",scope="repository:a:pull"`,
    ],
    [`bearer  REALM = "https://internal:8000/app/"`, `bearer  REALM = "${EDGE}/"`],
    ['Bearer realm="https://auth.example/token"', 'Bearer realm="https://auth.example/token"'],
    // Names, and what a password's hash holds.
    ['Bearer realm="/app/"', 'Bearer realm="/app/"'],
    [
      'Bearer error="e", realm="http://internal:8000/app/"',
      'Bearer error="e", realm="http://internal:8000/app/"',
    ],
    ['Basic realm="http://internal:8000/app/"', 'Basic realm="http://internal:8000/app/"'],
    [
      'Digest realm="http://internal:8000/app/", nonce="n"',
      'Digest realm="http://internal:8000/app/", nonce="n"',
    ],
    ['Bearer resource_metadata="/app/meta', 'Bearer resource_metadata="/app/meta'],
    ["Bearer", "Bearer"],
  ])("the challenge %s is %s", (challenge, expected) => {
    expect(edgeChallenge(challenge, based)).toBe(expected);
  });

  it.each([
    ['csp="/app/reports", other="http://internal:8000/app/r?x=1"', `csp="/reports", other="${EDGE}/r?x=1"`],
    ['csp="https://reports.example/app/r"', 'csp="https://reports.example/app/r"'],
    ['"/app/rules.json"', '"/rules.json"'],
    ['"/app/rules.json', '"/app/rules.json'],
    ['"a\\"/app/b"', '"a\\"/app/b"'],
    ["", ""],
  ])("the strings %s are %s", (field, expected) => {
    expect(edgeStrings(field, based)).toBe(expected);
  });

  /** Each took time that grew with the square of its length, or its cube, or would have in a simpler way to read it. */
  it.each<[what: string, value: (many: (text: string) => string) => string]>([
    ["blanks", (many) => many(" ")],
    ["blanks before an address", (many) => `3;${many(" ")}/x`],
    ["blanks inside of an address", (many) => `3; url=/x${many(" ")}y`],
    ["blanks after a quote", (many) => `3; url='/x'${many(" ")}y`],
    ["blanks after a name", (many) => `3; url${many(" ")}/x`],
    ["digits", (many) => `${many("1")}x`],
    ["links that are never closed", (many) => many("<")],
    ["quotes", (many) => many('"')],
    ["quotes that are escaped", (many) => many('\\"')],
    ["a text that is never closed", (many) => `"${many('\\"')}\\`],
    ["anchors that are never closed", (many) => `${many('anchor="\\')}`],
    ["anchors without a value", (many) => many("anchor ")],
    ["blanks after an anchor", (many) => `anchor${many(" ")}x`],
    ["links", (many) => many("</x>")],
    ["challenges that are never closed", (many) => many('resource_metadata="\\')],
    ["names of challenges", (many) => many("resource_metadata ")],
    ["bearers", (many) => many("bearer ")],
    ["blanks after a bearer", (many) => `bearer${many(" ")}realm`],
    ["realms", (many) => many('bearer realm="http:\\')],
  ])("100,000 characters are read at once: %s", (_what, value) => {
    const text = value((unit) => unit.repeat(100_000 / unit.length));
    expect(edgeLinks(text, based)).toBe(text);
    expect(edgeRefresh(text, based)).toBe(text);
    expect(edgeChallenge(text, based)).toBe(text);
    expect(edgeStrings(text, based)).toBe(text);
  });
});

describe("without a base path", () => {
  it.each([
    ["/app/y", "/app/y"],
    ["http://internal:8000/y", `${EDGE}/y`],
    ["http://internal/y", "http://internal/y"],
    ["//elsewhere.example", "//elsewhere.example"],
    ["https://edge.example/y", "https://edge.example/y"],
  ])("%j is %j", (reference, expected) => {
    expect(edgeAddress(reference, at(""))).toBe(expected);
  });
  it("a cookie keeps its path", () => {
    expect(edgeCookiePath("/app", at(""))).toBe("/app");
  });
});

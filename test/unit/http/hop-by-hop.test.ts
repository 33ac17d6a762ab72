import { describe, expect, it, vi } from "vitest";
import { CACHE_FIELDS } from "../../../src/http/cache-fields.ts";
import {
  connectionOptions,
  dropHopByHop,
  isHopByHop,
  isNeverStored,
  isWebSocketUpgrade,
} from "../../../src/http/hop-by-hop.ts";

describe("a field", () => {
  it.each<[name: string, hop: boolean, neverStored: boolean]>([
    ["connection", true, true],
    ["keep-alive", true, true],
    ["proxy-authenticate", true, true],
    ["proxy-authorization", true, true],
    ["proxy-connection", true, true],
    ["te", true, true],
    ["trailer", true, true],
    ["transfer-encoding", true, true],
    ["upgrade", true, true],
    ["proxy-authentication-info", false, true],
    ["date", false, false],
  ])("%s: of the connection %s, never stored %s", (name, hop, neverStored) => {
    expect(isHopByHop(name)).toBe(hop);
    expect(isNeverStored(name)).toBe(neverStored);
  });
});

describe("what Connection names", () => {
  it.each<[connection: string, names: string[]]>([
    ["close, X-Hop", ["close", "x-hop"]],
    [",, x-hop ,", ["x-hop"]],
    ["x hop, x:hop", []],
    ["Cache-Control, vary, x-hop", ["x-hop"]],
  ])("%j: %j", (connection, names) => {
    expect(connectionOptions(new Headers({ connection }), CACHE_FIELDS)).toEqual(names);
  });

  it("is dropped with the fields of the connection, and nothing else is", () => {
    const headers = new Headers({
      connection: "x-hop, cache-control",
      "x-hop": "1",
      te: "trailers",
      "cache-control": "no-store",
      "x-kept": "1",
    });
    dropHopByHop(headers, { endToEnd: CACHE_FIELDS });
    expect(Object.fromEntries(headers)).toEqual({ "cache-control": "no-store", "x-kept": "1" });
    const request = new Headers({ connection: "cache-control", "cache-control": "no-cache" });
    dropHopByHop(request);
    expect([...request]).toEqual([]);
  });

  it("takes no time that grows with the fields times the names in Connection", () => {
    const names = Array.from({ length: 3000 }, (_, n) => `x-${n}`);
    const compared = vi.spyOn(Array.prototype, "includes");
    const headers = new Headers(names.map((name) => [`${name}-kept`, "1"]));
    headers.set("connection", [...names, "x-0-kept"].join());
    const left = dropHopByHop(headers);
    const comparisons = compared.mock.calls.length;
    vi.restoreAllMocks();
    expect(left.size).toBe(2999);
    expect(comparisons).toBeLessThan(10);
  });

  it("is dropped in one pass with what the caller drops", () => {
    const headers = new Headers({
      connection: "x-hop",
      "x-hop": "1",
      "x-edge-a": "1",
      "x-edge-b": "1",
      a: "1",
    });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    dropHopByHop(headers, { drops: (name) => name.startsWith("x-edge-") });
    expect([...headers]).toEqual([
      ["a", "1"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    dropHopByHop(headers, { drops: (name) => name === "set-cookie" });
    expect([...headers]).toEqual([["a", "1"]]);
  });
});

it.each<[method: string, upgrade: string, is: boolean]>([
  ["GET", "websocket", true],
  ["GET", " WebSocket ", true],
  ["GET", "h2c", false],
  ["GET", "websocket, h2c", false],
  ["HEAD", "websocket", false],
  ["POST", "websocket", false],
])("%s with Upgrade: %j asks for a WebSocket: %s", (method, upgrade, is) => {
  expect(isWebSocketUpgrade({ method, headers: new Headers({ upgrade }) })).toBe(is);
});

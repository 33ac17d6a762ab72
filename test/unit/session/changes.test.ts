import { describe, expect, it } from "vitest";
import { clearedCookie } from "../../../src/identity/session-cookie.ts";
import type { SessionChange } from "../../../src/request/session-change.ts";
import { changeOf, issued, writeSessionFields } from "../../../src/session/changes.ts";
import { recordOf } from "../../../src/session/claims.ts";
import type { SessionVerdict } from "../../../src/session/verdict.ts";
import { claims, NOW } from "../../support/session-samples.ts";

const https = new URL("https://api.example.com/x");
const active = (over: Partial<Extract<SessionVerdict, { kind: "active" }>> = {}): SessionVerdict => ({
  kind: "active",
  claims: claims(),
  ...recordOf(claims()),
  source: "redis",
  tokenSource: "cookie",
  renewed: "es1.new",
  ...over,
});
const never = () => false;
function renewed(tokenSource: "cookie" | "bearer") {
  return { kind: "renewed", token: "es1.new", expiresAt: NOW + 1000, tokenSource } as const;
}
function written(change: SessionChange | null, fields: HeadersInit = {}): Headers {
  const headers = new Headers(fields);
  if (change) writeSessionFields(change, headers, https, NOW);
  return headers;
}

describe("the change for a verdict", () => {
  it.each<[string, SessionVerdict]>([
    ["a session that need not be renewed", active({ renewed: null })],
    ["no session", { kind: "none" }],
    ["a session that cannot be checked", { kind: "unknown", tokenSource: "cookie" }],
    ["a bearer that is over", { kind: "over", because: "revoked", tokenSource: "bearer" }],
    ["a revoked cookie: it may be an old one", { kind: "over", because: "revoked", tokenSource: "cookie" }],
    ["an idle cookie", { kind: "over", because: "idle", tokenSource: "cookie" }],
    ["a forged cookie", { kind: "over", because: "invalid", tokenSource: "cookie" }],
  ])("nothing for %s", (_, verdict) => {
    expect(changeOf(verdict, never)).toBeNull();
  });

  it("is a renewed token from the same token source", () => {
    for (const tokenSource of ["cookie", "bearer"] as const) {
      expect(changeOf(active({ tokenSource }), never)).toEqual({
        kind: "renewed",
        token: "es1.new",
        expiresAt: claims().expiresAt,
        tokenSource,
      });
    }
  });

  it.each<[what: string, over: Parameters<typeof active>[0], tookMs: number, renews: boolean]>([
    ["a quick answer", {}, 2000, true],
    ["a slow one, in which another may have brought a newer cookie", {}, 2001, false],
    ["a slow one, confirmed by the database", { source: "database" }, 60_000, false],
    ["a slow one where only the token tells of activity", { source: "memory" }, 60_000, true],
    ["a slow one to a bearer, whose client sees what it replaces", { tokenSource: "bearer" }, 60_000, true],
  ])("a renewal, or none, by %s", (_, over, tookMs, renews) => {
    expect(changeOf(active(over), never, tookMs) !== null).toBe(renews);
  });

  it("no renewal for a session that this isolate has ended meanwhile", () => {
    expect(changeOf(active({ claims: claims({ id: "ended" }) }), ({ id }) => id === "ended")).toBeNull();
  });
});

describe("the fields of a change", () => {
  it("a renewed cookie gets no-store, and the origin's cookies stay", () => {
    const headers = written(changeOf(active(), never), {
      "cache-control": "max-age=60",
      "set-cookie": "theme=dark",
    });
    expect(headers.getSetCookie()).toEqual([
      "theme=dark",
      expect.stringMatching(/^__Host-session=es1\.new; /),
    ]);
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("a renewed bearer token is in X-Session-Token, and a private response stays private", () => {
    const headers = written(changeOf(active({ tokenSource: "bearer" }), never), {
      "cache-control": "private, max-age=60",
    });
    expect(headers.get("x-session-token")).toBe("es1.new");
    expect(headers.get("cache-control")).toBe("private, max-age=60");
    expect(headers.has("set-cookie")).toBe(false);
  });

  it("an issued session gets no-store, whatever the response had", () => {
    const change = issued({ token: "es1.first", claims: claims() }, "bearer");
    const headers = written(change, { "cache-control": "private, max-age=60" });
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-session-token")).toBe("es1.first");
  });

  it("a cleared cookie does not replace the origin's cookies", () => {
    expect(written({ kind: "cleared" }, { "set-cookie": "theme=dark" }).getSetCookie()).toEqual([
      "theme=dark",
      clearedCookie(https),
    ]);
  });

  it.each<[string, SessionChange, HeadersInit, string]>([
    ["clears the cookie", { kind: "cleared" }, { "cache-control": "public, max-age=600" }, "no-store"],
    ["clears it, private", { kind: "cleared" }, { "cache-control": "private" }, "no-store"],
    ["clears it, silent", { kind: "cleared" }, {}, "no-store"],
    ["clears it, for CDNs", { kind: "cleared" }, { "cdn-cache-control": "max-age=60" }, "no-store"],
    ["renews the cookie", renewed("cookie"), { "cache-control": "private, max-age=60" }, "no-store"],
    ["renews it, for CDNs", renewed("cookie"), { "surrogate-control": "max-age=60" }, "no-store"],
    ["renews it, expiring", renewed("cookie"), { expires: "Thu, 01 Jan 2099 00:00:00 GMT" }, "no-store"],
    ["issues a cookie", { ...renewed("cookie"), kind: "issued" }, { "cache-control": "private" }, "no-store"],
    ["renews a bearer", renewed("bearer"), { "cache-control": "private" }, "private"],
    ["renews a bearer, public", renewed("bearer"), { "cache-control": "public" }, "no-store"],
  ])("an answer that %s says by whom it may be stored", (_, change, fields, expected) => {
    const headers = written(change, fields);
    expect(headers.get("cache-control")).toBe(expected);
    for (const name of ["cdn-cache-control", "surrogate-control", "expires"])
      expect(headers.has(name), name).toBe(false);
  });

  it("a cookie of the origin's with the session's name changes nothing that the edge does", () => {
    const headers = written(changeOf(active(), never), { "set-cookie": "session=of-the-origin; Path=/" });
    expect(headers.getSetCookie()).toHaveLength(2);
    expect(headers.getSetCookie()[1]).toMatch(/^__Host-session=es1\.new; /);
  });
});

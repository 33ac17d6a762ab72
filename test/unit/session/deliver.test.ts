import { describe, expect, it } from "vitest";
import { clearedCookie } from "../../../src/identity/session-cookie.ts";
import { recordOf } from "../../../src/session/claims.ts";
import { createDelivery } from "../../../src/session/deliver.ts";
import type { SessionVerdict } from "../../../src/session/verdict.ts";
import { claims, NOW } from "../../support/session-samples.ts";

const https = new URL("https://api.example.com/x");
const carrier = createDelivery({ platform: { now: () => NOW }, hasTombstone: (id) => id === "hasTombstone" });
const active = (over: Partial<Extract<SessionVerdict, { kind: "active" }>> = {}): SessionVerdict => ({
  kind: "active",
  claims: claims(),
  record: recordOf(claims()),
  source: "redis",
  tokenSource: "cookie",
  renewed: "es1.new",
  ...over,
});

describe("an answer", () => {
  it("says nothing where nothing changed", () => {
    const headers = new Headers();
    carrier.apply(active({ renewed: null }), headers, { url: https });
    carrier.apply({ kind: "none" }, headers, { url: https });
    carrier.apply({ kind: "unknown", tokenSource: "cookie" }, headers, { url: https });
    expect([...headers]).toEqual([]);
  });

  it("hands a renewed token back the way it came, and is stored by nobody", () => {
    const cookie = new Headers({ "cache-control": "max-age=60", "set-cookie": "theme=dark" });
    carrier.apply(active(), cookie, { url: https });
    expect(cookie.getSetCookie()[1]).toMatch(/^__Host-session=es1\.new; /);
    expect(cookie.get("cache-control")).toBe("no-store");
    const bearer = new Headers({ "cache-control": "private, max-age=60" });
    carrier.apply(active({ tokenSource: "bearer" }), bearer, { url: https });
    expect(bearer.get("x-session-token")).toBe("es1.new");
    expect(bearer.get("cache-control"), "private already").toBe("private, max-age=60");
    expect(bearer.has("set-cookie")).toBe(false);
  });

  it("clears the cookie of a session that is over, beside cookies of the origin's", () => {
    const headers = new Headers({ "set-cookie": "theme=dark" });
    carrier.apply({ kind: "over", because: "revoked", tokenSource: "cookie" }, headers, { url: https });
    expect(headers.getSetCookie()).toEqual(["theme=dark", clearedCookie(https)]);
  });

  it("does not speak twice: what set a session already stands", () => {
    const headers = new Headers({ "set-cookie": "__Host-session=es1.other; Path=/" });
    carrier.apply(active(), headers, { url: https });
    carrier.apply({ kind: "over", because: "invalid", tokenSource: "cookie" }, headers, { url: https });
    expect(headers.getSetCookie()).toEqual(["__Host-session=es1.other; Path=/"]);
  });

  it("renews no session that ended meanwhile", () => {
    const headers = new Headers();
    carrier.apply(active({ claims: claims({ id: "hasTombstone" }) }), headers, { url: https });
    expect([...headers]).toEqual([]);
  });
});

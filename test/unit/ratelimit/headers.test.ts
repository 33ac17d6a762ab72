/// <reference types="vite/types/importMeta.d.ts" />
import { parseList } from "structured-headers";
import { describe, expect, it } from "vitest";
import { problemResponse } from "../../../src/http/problem.ts";
import { type LimitVerdict, quotaProblem } from "../../../src/ratelimit/verdict.ts";
import { hashOf, openIsolate, routeOf } from "../../support/limits.ts";
import { testPlatform } from "../../support/platform.ts";

const limits = routeOf({
  limits: [
    { name: "burst", limit: 3, window: "1 m", algorithm: "fixed-window" },
    { name: "day", limit: 1000, window: "1 d", algorithm: "fixed-window" },
    { name: "trial", limit: 1, window: "1 m", shadow: true },
    { name: "bucket", capacity: 10, refill: 4, window: "1 m", algorithm: "token-bucket" },
  ],
});

async function verdictAfter(requests: number, options = {}): Promise<LimitVerdict> {
  const one = openIsolate({ platform: testPlatform(), connection: null, ...options });
  for (let each = 1; each < requests; each += 1) await one.ask(limits, "alice");
  return (await one.ask(limits, "alice")).verdict;
}

describe("the headers", () => {
  it("list one item per enforced window, and nothing of those in shadow", async () => {
    const { headers } = await verdictAfter(1);
    expect(headers["RateLimit-Policy"]).toBe('"burst";q=3;w=60, "day";q=1000;w=86400, "bucket";q=10;w=180');
    expect(headers.RateLimit).toBe('"burst";r=2;t=30, "day";r=999;t=43170, "bucket";r=9;t=60');
  });

  it("are structured lists as RFC 9651 parses them", async () => {
    const { headers } = await verdictAfter(2, { headers: { partitionKey: true } });
    for (const field of ["RateLimit", "RateLimit-Policy"]) {
      const list = parseList(headers[field] ?? "");
      expect(list.map(([name]) => name)).toEqual(["burst", "day", "bucket"]);
      for (const [, parameters] of list) {
        const key = parameters.get("pk");
        expect(key).toBeInstanceOf(ArrayBuffer);
        const hex = Array.from(new Uint8Array(key as ArrayBuffer), (byte) =>
          byte.toString(16).padStart(2, "0"),
        );
        expect(hex.join(""), "six bytes of the hash, no more").toBe(hashOf("alice").slice(0, 12));
      }
    }
  });

  it("describe the window nearest to denial in the original's fields, with Unix seconds", async () => {
    const { headers } = await verdictAfter(1);
    expect(headers).toMatchObject({
      "X-RateLimit-Limit": "3",
      "X-RateLimit-Remaining": "2",
      "X-RateLimit-Reset": String(Date.UTC(2026, 0, 15, 12, 1, 0) / 1000),
    });
  });

  it("end the effective window no later than Retry-After when denied", async () => {
    const { headers } = await verdictAfter(4);
    expect(headers["Retry-After"]).toBe("30");
    expect(headers.RateLimit).toContain('"burst";r=0;t=30');
  });

  it("can be kept to X-RateLimit", async () => {
    const { headers } = await verdictAfter(1, { headers: { revision: "off" } });
    expect(Object.keys(headers)).toEqual(["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]);
  });
});

describe("the problem of a denied request", () => {
  it("is the draft's quota-exceeded with the violated policies, and has no detail", async () => {
    const verdict = await verdictAfter(4);
    if (verdict.kind !== "denied") throw new Error("it should be denied");
    const response = problemResponse(quotaProblem(verdict), "request-1");
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("30");
    expect(response.headers.get("ratelimit")).toBe(verdict.headers.RateLimit);
    expect(await response.json()).toEqual({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Rate limit exceeded",
      status: 429,
      code: "RATE_LIMIT_EXCEEDED",
      error: "Rate limit exceeded",
      message: "Too many requests. Try again in 30 seconds.",
      retry_after: 30,
      "violated-policies": ["burst"],
      request_id: "request-1",
    });
  });
});

describe("the state", () => {
  const sources = import.meta.glob<string>("../../../src/ratelimit/**/*.ts", {
    query: "?raw",
    import: "default",
    eager: true,
  });
  const importing = (name: RegExp) =>
    Object.entries(sources)
      .filter(([, source]) =>
        source.split(";").some((part) => /^\s*import (?!type)/.test(part) && name.test(part)),
      )
      .map(([path]) => path.split("/").at(-1));

  it("is the only file that uses the places where counts live", () => {
    expect(Object.keys(sources).length).toBeGreaterThan(20);
    const places = /\b(MemoryLimitStore|UpstashLimitStore|PendingCharges|Leases)\b.*\bfrom\b/s;
    expect(importing(places)).toEqual(["limit-state.ts"]);
  });

  it("charges Redis through its limit store alone", () => {
    expect(importing(/\bchargeByScript\b.*\bfrom\b/s)).toEqual(["upstash-limit-store.ts"]);
    expect(importing(/\bchargeByLibrary\b.*\bfrom\b/s)).toEqual(["sliding-window.ts"]);
  });
});

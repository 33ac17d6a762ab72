import { describe, expect, it } from "vitest";
import { finish, problemOf } from "../../../src/edge/finish.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { type Answer, NO_FINDINGS, refusal } from "../../../src/edge/outcome.ts";
import { receive } from "../../../src/edge/receive.ts";
import { problem } from "../../../src/http/problem.ts";
import { type LimitVerdict, unlimited } from "../../../src/ratelimit/verdict.ts";
import { testPlatform } from "../../support/platform.ts";

const EDGE_LIMITS = {
  RateLimit: '"all";r=3;t=36',
  "RateLimit-Policy": '"all";q=10;w=60',
  "X-RateLimit-Limit": "10",
  "X-RateLimit-Remaining": "3",
  "X-RateLimit-Reset": "1768478466",
};
const LIMITS: LimitVerdict = { ...unlimited("isolate"), headers: EDGE_LIMITS };

const ORIGIN_LIMITS = {
  "retry-after": "7",
  "x-ratelimit-limit": "1000",
  "x-ratelimit-reset": "12",
  "x-ratelimit-resource": "search",
};

function isolate() {
  const events: { event: string; fields: Record<string, unknown> }[] = [];
  const sink = { receive: (each: (typeof events)[number]) => void events.push(each) };
  const opened = openIsolate(
    { ORIGIN_URL: "https://origin.example", LOG_LEVEL: "error" },
    [],
    testPlatform(),
    [sink as never],
  );
  return { opened, events };
}

function finished(outcome: Answer | ReturnType<typeof refusal>, method = "GET", limits = LIMITS) {
  const { opened, events } = isolate();
  const received = receive(opened, new Request("https://edge.example/x", { method }), () => {});
  const response = finish(opened, received, { ...NO_FINDINGS, limits }, outcome);
  const logged = events.find(({ event }) => event === "request")?.fields;
  return { response, logged, requestId: received.requestId };
}

const answered = (status: number, headers: HeadersInit = {}, body: string | null = "x"): Answer => ({
  kind: "answer",
  response: new Response(body, { status, headers }),
  cache: null,
  session: null,
});

const limitFields = (headers: Headers) =>
  Object.fromEntries([...headers].filter(([name]) => /^(ratelimit|x-rate-?limit|retry-after)/.test(name)));
const lower = (fields: Record<string, string>) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));

describe("the fields of the edge's quota", () => {
  it.each([200, 201, 206, 301, 304, 404, 409, 422, 500, 502, 504])("are on an answer %i", (status) => {
    const body = status === 304 ? null : "x";
    const { response } = finished(answered(status, { "x-ratelimit-limit": "1000" }, body));
    expect(limitFields(response.headers)).toEqual(lower(EDGE_LIMITS));
  });

  it.each([413, 420, 429, 430, 503, 509, 529])("are not beside the origin's own on its %i", (status) => {
    for (const method of ["GET", "HEAD", "POST"]) {
      const { response, logged } = finished(answered(status, ORIGIN_LIMITS), method);
      expect(limitFields(response.headers)).toEqual(ORIGIN_LIMITS);
      expect(logged, "the log has the edge's verdict").toMatchObject({
        status,
        verdict: "allowed",
        limits: "allowed by isolate",
      });
    }
  });

  it.each([413, 429, 503])("are not on an origin's %i that says nothing of a limit", (status) => {
    expect(limitFields(finished(answered(status)).response.headers)).toEqual({});
  });

  it.each<[status: number, fields: Record<string, string>, theirs: boolean]>([
    [403, { "retry-after": "60" }, true],
    [403, { "x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "99" }, true],
    [400, { "x-ratelimit-remaining": "00" }, true],
    [422, { "x-ratelimit-remaining": "-1" }, true],
    [403, { "ratelimit-limit": "60", "ratelimit-remaining": "0", "ratelimit-reset": "9" }, true],
    [400, { "x-rate-limit-remaining": "0", "x-rate-limit-reset": "99" }, true],
    [403, { ratelimit: '"day";r=0;t=9', "ratelimit-policy": '"day";q=5;w=60' }, true],
    [403, { ratelimit: '"burst";r=5, "day";t=9;r=0' }, true],
    [403, { ratelimit: "limit=60, remaining=0, reset=9" }, true],
    [502, { "retry-after": "5" }, true],
    [500, { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" }, true],
    [403, { "x-ratelimit-limit": "60", "x-ratelimit-remaining": "59" }, false],
    [404, { "x-ratelimit-remaining": "" }, false],
    [404, { "ratelimit-remaining": "12" }, false],
    [404, { "x-rate-limit-remaining": "1" }, false],
    [200, { "ratelimit-remaining": "0" }, false],
    [200, { "x-ratelimit-remaining": "0" }, false],
    [403, {}, false],
  ])("on an origin's %i with %j: the origin's own stand alone: %s", (status, fields, theirs) => {
    const shown = limitFields(finished(answered(status, fields)).response.headers);
    expect(shown).toEqual(theirs ? fields : { ...fields, ...lower(EDGE_LIMITS) });
  });

  it("keep the origin's in the draft's form too", () => {
    const theirs = { ratelimit: '"theirs";r=0;t=5', "ratelimit-policy": '"theirs";q=5;w=5' };
    expect(limitFields(finished(answered(429, theirs)).response.headers)).toEqual(theirs);
  });

  it.each([
    ["SESSION_REQUIRED", false],
    ["CROSS_SITE_REQUEST", false],
    ["SESSION_UNAVAILABLE", false],
    ["ORIGIN_NOT_CONFIGURED", false],
    ["ORIGIN_UNREACHABLE", true],
    ["ORIGIN_TIMEOUT", true],
    ["LOOP_DETECTED", true],
    ["CONTENT_STALLED", true],
  ] as const)("on a refusal %s: %s", (code, shown) => {
    const { response } = finished(refusal(problem(code)));
    expect(response.headers.has("x-ratelimit-limit")).toBe(shown);
  });

  it("are those of the limit on the edge's own 429, with its Retry-After", async () => {
    const denied = {
      ...LIMITS,
      kind: "denied",
      violated: ["all"],
      headers: { ...EDGE_LIMITS, "Retry-After": "36" },
    };
    const outcome = refusal(problem("RATE_LIMIT_EXCEEDED", { values: { seconds: 36 }, retryAfter: 36 }));
    const { response, logged } = finished(outcome, "GET", denied as never);
    expect(limitFields(response.headers)).toEqual({ ...lower(EDGE_LIMITS), "retry-after": "36" });
    expect(logged).toMatchObject({
      verdict: "rate_limit_exceeded",
      limits: "denied by isolate",
      policy: "all",
      source: "isolate",
      status: 429,
    });
  });
});

describe("every response", () => {
  it.each([200, 429, 500])("has the edge's request id, whatever the origin says: %i", (status) => {
    const { response, requestId } = finished(answered(status, { "x-request-id": "theirs" }));
    expect(response.headers.get("x-request-id")).toBe(requestId);
  });

  it("has no X-Cache where no cache took part", () => {
    expect(finished(answered(200, { "x-cache": "HIT" })).response.headers.has("x-cache")).toBe(false);
  });

  it("that is a WebSocket is left as it is", () => {
    const switched = new Response(null, { status: 101, webSocket: new WebSocketPair()[0] });
    const { response } = finished({ kind: "answer", response: switched, cache: null, session: null });
    expect(response).toBe(switched);
  });

  it("can be written to, also one of a fetch", () => {
    const frozen = Response.redirect("https://edge.example/y", 307);
    const { response } = finished({ kind: "answer", response: frozen, cache: null, session: null });
    expect([response.status, response.headers.get("location")]).toEqual([307, "https://edge.example/y"]);
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("an error", () => {
  it("that nobody expected is a 500 without its words, in the answer and in the log", async () => {
    const { response, logged } = finished(refusal(new TypeError("the secret is 12345")));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("12345");
    expect(logged).toMatchObject({ status: 500, verdict: "failed" });
  });

  it("without an isolate is a problem all the same", async () => {
    const response = problemOf(problem("NOT_FOUND"), "an-id");
    expect(await response.json()).toMatchObject({ code: "NOT_FOUND", request_id: "an-id" });
  });
});

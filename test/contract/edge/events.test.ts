import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import type { EmittedEvent } from "../../../src/events/sink.ts";
import type { EventName } from "../../../src/events/table.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";
import { claims, NOW } from "../../support/session-samples.ts";
import { until } from "../../support/until.ts";

const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const STORE = {
  UPSTASH_REDIS_REST_URL: "https://store.example",
  UPSTASH_REDIS_REST_TOKEN: "a-token-of-the-test",
};
const ENV = {
  ORIGIN_URL: "https://origin.example:8443/base",
  CORS_ALLOWED_ORIGINS: "https://app.example",
  SESSION_SECRET,
  LOG_LEVEL: "error",
};
const ROUTES: RouteInput[] = [
  { path: "/session", access: "session" },
  { path: "/limited", limits: [{ name: "one", limit: 1, window: "1 m", by: "address" }] },
  { path: "/*" },
];
/** Whatever is thrown says this, and no event may. */
const SENT = "text-of-the-caller";

interface EdgeOptions {
  env?: Record<string, unknown>;
  origin?: (init: RequestInit | undefined) => Response | Promise<Response>;
  store?: () => Response | Promise<Response>;
}

/** An edge whose events are gathered, and what it answers. */
function edge({ env = {}, origin = () => new Response("fine"), store = lost }: EdgeOptions = {}) {
  const received: EmittedEvent[] = [];
  const platform = testPlatform({
    now: NOW,
    fetch: async (input, init) => (String(input).startsWith("https://store.") ? store() : origin(init)),
  });
  const sink = { receive: (event: EmittedEvent) => void received.push(event) };
  const isolate = openIsolate({ ...ENV, ...env }, ROUTES, platform, [sink]);
  const answer = edgeAnswer(isolate);
  const waiting: Promise<unknown>[] = [];
  const waitUntil = (work: Promise<unknown>) => void waiting.push(work);
  const context = { waitUntil, passThroughOnException() {}, props: {} } as unknown as ExecutionContext;
  return {
    isolate,
    platform,
    received,
    async ask(path: string, init?: RequestInit): Promise<Response> {
      const response = await answer(new Request(`https://edge.example${path}`, init), context);
      await Promise.all(waiting.splice(0));
      return response;
    },
    named: (name: EventName) => received.filter(({ event }) => event === name),
  };
}

function lost(): never {
  throw new TypeError("cut");
}

/** A store that says the same of each command. */
const everyReply = (reply: object) => () =>
  // One MGET is all that these routes ask for.
  Response.json([reply]);

describe("a preflight", () => {
  const preflight = (origin: string) => ({
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "PUT" },
  });

  it("is an event that says whether it was granted, and nothing of the page", async () => {
    const { ask, named } = edge();
    await ask("/x", preflight("https://app.example"));
    await ask("/x", preflight("https://stranger.example"));
    const fields = named("cors.preflight").map((event) => event.fields);
    expect(fields).toMatchObject([
      { status: 204, allowed: true },
      { status: 204, allowed: false },
    ]);
    expect(fields.map(({ request_id: id }) => String(id).length)).toEqual([32, 32]);
    expect(JSON.stringify(fields)).not.toContain("stranger");
  });
});

describe("a session that does not count", () => {
  const cookie = (token: string) => ({ headers: { cookie: `__Host-session=${token}` } });
  const signed = (confirmedAt: number) => signToken(claims({ confirmedAt }), SESSION_SECRET);

  it("is refused as invalid where its token is forged, once, on any route", async () => {
    for (const [path, status] of [["/session", 401] as const, ["/open", 200] as const]) {
      const { ask, named } = edge();
      const response = await ask(path, cookie("es1.forged.token"));
      expect(response.status).toBe(status);
      expect(named("session.refused").map(({ fields }) => fields)).toEqual([
        {
          request_id: response.headers.get("x-request-id"),
          route: expect.any(String),
          reason: "invalid",
        },
      ]);
    }
  });

  it("is refused as unknown where the store is lost, as revoked where Redis has no record of it", async () => {
    const outage = edge({ env: STORE });
    expect((await outage.ask("/session", cookie(await signed(NOW - 3_600_000)))).status).toBe(503);
    expect(outage.named("session.refused")).toMatchObject([{ level: "info", fields: { reason: "unknown" } }]);
    const over = edge({ env: STORE, store: everyReply({ result: [null, null, null, null] }) });
    expect((await over.ask("/session", cookie(await signed(NOW)))).status).toBe(401);
    expect(over.named("session.refused")).toMatchObject([{ fields: { reason: "revoked" } }]);
  });

  it("is refused as idle after too long a silence", async () => {
    const { ask, named } = edge({ env: { SESSION_IDLE_SECONDS: "3600" } });
    await ask("/session", cookie(await signed(NOW - 3_700_000)));
    expect(named("session.refused")).toMatchObject([{ fields: { reason: "idle" } }]);
  });

  it("is no event where none came along", async () => {
    const { ask, named } = edge();
    await ask("/session");
    expect(named("session.refused")).toEqual([]);
  });
});

describe("an origin that fails", () => {
  const failing: [string, NonNullable<EdgeOptions["origin"]>, object][] = [
    ["cannot be reached", () => Promise.reject(new TypeError(SENT)), { reason: "unreachable" }],
    ["answers with a 5xx", () => new Response(SENT, { status: 503 }), { reason: "bad status", status: 503 }],
    [
      "answers with a status that is none",
      () => ({ status: 103, headers: new Headers(), body: null }) as unknown as Response,
      { reason: "bad status", status: 103 },
    ],
  ];
  it.each(failing)("is an event with its host: it %s", async (_, origin, fields) => {
    const { ask, named } = edge({ origin });
    const response = await ask(`/open?q=${SENT}`);
    const request_id = response.headers.get("x-request-id");
    expect(named("origin.failed")).toMatchObject([
      { level: "warn", fields: { request_id, route: "/*", host: "origin.example:8443", ...fields } },
    ]);
    expect(JSON.stringify(named("origin.failed"))).not.toContain(SENT);
  });

  it("is an event where it is too late", async () => {
    let isAsked = false;
    const hang = (init: RequestInit | undefined) =>
      new Promise<Response>((_, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
        isAsked = true;
      });
    const { ask, named, platform } = edge({ origin: hang });
    const response = ask("/open");
    await until(() => isAsked, "the origin is asked");
    platform.advance(30_000);
    expect((await response).status).toBe(504);
    expect(named("origin.failed")).toMatchObject([{ fields: { reason: "timeout" } }]);
  });

  it("is no event where it answers, a 404 included", async () => {
    const { ask, named } = edge({ origin: () => new Response("", { status: 404 }) });
    await ask("/open");
    expect(named("origin.failed")).toEqual([]);
  });
});

describe("a fault of the edge's own", () => {
  it("is named by class and place, with the request, and never by its message", async () => {
    const { ask, named, isolate } = edge();
    const fault = () => {
      throw new RangeError(SENT);
    };
    isolate.matchRoute = Object.assign(fault, { readingsDiffer: () => false });
    const response = await ask("/open");
    expect(response.status).toBe(500);
    const [failed] = named("request.failed");
    expect(failed?.fields).toEqual({
      request_id: response.headers.get("x-request-id"),
      class: "RangeError",
      place: expect.stringMatching(/^\S+ [\w.-]+:\d+:\d+$/),
    });
    expect(await response.text()).not.toContain(SENT);
  });
});

describe("what Redis refuses", () => {
  it("is an event with the code alone, once a minute", async () => {
    const { isolate, named, platform } = edge({
      env: STORE,
      store: everyReply({ error: `WRONGTYPE Operation against ${SENT}` }),
    });
    const refused = async () => {
      const batch = isolate.store.batch();
      void batch.read("a");
      await batch.send();
    };
    await refused();
    await refused();
    expect(named("store.refused").map(({ level, fields }) => ({ level, fields }))).toEqual([
      { level: "warn", fields: { code: "WRONGTYPE" } },
    ]);
    platform.advance(60_000);
    await refused();
    expect(named("store.refused")).toHaveLength(2);
  });
});

describe("the event of a request", () => {
  it("comes with every answer, and those of the capabilities bear its id", async () => {
    const { ask, named } = edge();
    await ask("/limited");
    const refused = await ask("/limited");
    expect(refused.status).toBe(429);
    const request_id = refused.headers.get("x-request-id");
    expect(named("limit.violated")).toMatchObject([
      { fields: { request_id, policy: "one", source: "memory" } },
    ]);
    expect(named("request").at(-1)).toMatchObject({
      level: "info",
      fields: { request_id, method: "GET", status: 429, limits: "denied by memory" },
    });
  });
});

import { inject } from "vitest";
import type { CacheRuleInput, Route } from "../../src/config/route.ts";
import { createEvents } from "../../src/events/events.ts";
import type { LogFields } from "../../src/events/sink.ts";
import {
  type ConfirmedIdentity,
  confirmedIdentity,
  type IdentityOutcomes,
} from "../../src/identity/confirmed.ts";
import type { SessionClaims } from "../../src/identity/session-token.ts";
import { forwardedRequest } from "../../src/request/forwarded.ts";
import type { OriginFetch, OriginReply } from "../../src/request/origin-reply.ts";
import type { CacheRequest } from "../../src/response-cache/context.ts";
import { type CacheReply, setCacheFields } from "../../src/response-cache/outcome.ts";
import { createResponseCache, type ResponseCacheOptions } from "../../src/response-cache/response-cache.ts";
import type { Batch } from "../../src/store/batch.ts";
import { createKeys } from "../../src/store/keys.ts";
import { Store } from "../../src/store/store.ts";
import { freshPrefix, hashOf, routeOf } from "./limits.ts";
import { type TestPlatform, testPlatform } from "./platform.ts";

export type Answer = (request: { method: string; url: string; headers: Headers }) => Response | "down";

/** The origin of a test. The test can change its answers at any time, and it records its requests. */
export class Origin {
  answer: Answer;
  readonly asked: { method: string; url: string; headers: Headers }[] = [];
  /** It answers after this promise resolves. */
  gate: Promise<void> = Promise.resolve();

  constructor(answer: Answer) {
    this.answer = answer;
  }

  get count(): number {
    return this.asked.length;
  }

  fetchFor(method: string, url: string): OriginFetch {
    return {
      repeatable: true,
      fetch: async (headers, { method: asMethod } = {}): Promise<OriginReply> => {
        const request = { method: asMethod ?? method, url, headers: new Headers(headers) };
        this.asked.push(request);
        await this.gate;
        const response = this.answer(request);
        return response === "down"
          ? { kind: "failed", status: 502, code: "ORIGIN_UNREACHABLE" }
          : { kind: "response", response };
      },
    };
  }
}

export interface CacheIsolateOptions
  extends Partial<Pick<ResponseCacheOptions, "isolateMaxAgeMs" | "observe" | "ruleOf" | "writeDelayMs">> {
  platform?: TestPlatform;
  prefix?: string;
  /** Null: no store at all. */
  connection?: { url: string; token: string } | null;
  rule?: CacheRuleInput;
  /** What of the route differs from the default, beside its cache rule. */
  route?: Partial<Route>;
  maxBodyBytes?: number;
  isolateBytes?: number;
  origin: Origin;
}

export interface AskOptions {
  method?: string;
  headers?: HeadersInit;
  /** The requester. Default an anonymous one with an address. */
  confirmed?: Partial<ConfirmedIdentity>;
  /** The request has a token of this session, which is alive or over. Default no token. */
  session?: { claims: SessionClaims; turnsOut: "alive" | "over" };
  /** The identity that `confirm` returns in place of one of the outcomes. */
  turnsOutToBe?: ConfirmedIdentity;
  /** The next request does not wait for the work after this response. */
  unsettled?: boolean;
}

export interface Asked {
  status: number;
  headers: Headers;
  text: string;
  bytes: Uint8Array;
  /** Calls to the store before the answer. */
  calls: number;
  /** The cache's outcome, or why the origin did not answer. */
  word: string | null;
  settle(): Promise<void>;
}

/** One isolate's response cache with an origin, a store, a log, and a network that can fail. */
export function openCache(options: CacheIsolateOptions) {
  const {
    platform = testPlatform({ fetch: (input, init) => fetch(input, init) }),
    prefix = freshPrefix(),
    connection = { url: inject("upstashUrl"), token: inject("upstashToken") },
    rule = {},
    maxBodyBytes = 1_000_000,
    isolateBytes = 8_000_000,
    origin,
    route: over = {},
    ...settings
  } = options;
  const wire = { cut: false, calls: 0, commands: [] as unknown[][] };
  const lines: (LogFields & { event: string })[] = [];
  const events = createEvents({ platform, level: "debug", write: (_, line) => lines.push(JSON.parse(line)) });
  const store = new Store({
    connection,
    events,
    platform: {
      ...platform,
      fetch: async (input, init) => {
        if (wire.cut) throw new TypeError("cut");
        wire.calls += 1;
        wire.commands.push(...(JSON.parse(String(init?.body)) as unknown[][]));
        return platform.fetch(input, init);
      },
    },
  });
  const keys = createKeys({ cache: `${prefix}:c`, rateLimit: `${prefix}:r`, session: `${prefix}:s` });
  const identifier = { hash: async (kind: string, value: string) => hashOf(`${kind}:${value}`) };
  const route = { ...routeOf({ cache: rule }), ...over };
  const cache = createResponseCache({
    store,
    keys,
    identifier,
    platform: { ...platform, randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    events,
    config: { ttlSeconds: 0, maxBodyBytes, isolateBytes },
    ruleOf: () => route.cache,
    // The clock stands still: `shared-writes.test.ts` is about the delay.
    writeDelayMs: 0,
    ...settings,
  });

  /** One request, from its batch to the last byte and the work after the response. */
  async function ask(path: string, asked: AskOptions = {}): Promise<Asked> {
    const { work, ...answer } = await begin(path, asked);
    const { reply, cache } = await answer.reply;
    if (reply.kind === "failed") {
      await work.settle();
      return {
        status: reply.status,
        headers: new Headers(),
        text: "",
        bytes: new Uint8Array(),
        calls: answer.calls,
        word: reply.code,
        settle: work.settle,
      };
    }
    const { response } = reply;
    const headers = new Headers(response.headers);
    setCacheFields(headers, cache);
    let bytes = new Uint8Array();
    let broke = "";
    try {
      bytes = new Uint8Array(await response.arrayBuffer());
    } catch {
      broke = "BROKE OFF";
    }
    if (!asked.unsettled) await work.settle();
    return {
      status: response.status,
      headers,
      text: broke || new TextDecoder().decode(bytes),
      bytes,
      calls: answer.calls,
      word: cache?.word ?? null,
      settle: work.settle,
    };
  }

  /** One request until the cache's handler returns. The body may still be streaming. */
  async function begin(path: string, asked: AskOptions) {
    const { method = "GET", headers = {} } = asked;
    const url = new URL(path, "https://edge.example");
    const request = new Request(url, { method, headers });
    const works: ((batch: Batch) => void | Promise<void>)[] = [];
    const waitUntil: Promise<unknown>[] = [];
    const cacheRequest: CacheRequest = {
      request,
      url,
      requestId: "request-1",
      route: route as Route,
      path: decodeURIComponent(url.pathname),
      forwarded: forwardedRequest({ request, url }, route, { cached: true, toHandlers: false }),
      after: (each) => void works.push(each),
      waitUntil: (each) => void waitUntil.push(each),
    };
    const batch = store.batch();
    const outcomes = outcomesOf(asked);
    const decide = await cache.prepare(cacheRequest, outcomes, batch);
    await batch.send();
    const outcome =
      outcomes.kind === "settled" ? outcomes.identity : outcomes[asked.session?.turnsOut ?? "over"];
    const handler = await decide(asked.turnsOutToBe ?? outcome);
    const fetcher = origin.fetchFor(method, cacheRequest.forwarded.url.href);
    const reply: Promise<CacheReply> = handler
      ? handler.respond(fetcher)
      : fetcher.fetch(request.headers).then((answer) => ({ reply: answer, cache: null }));
    reply.catch(() => {});
    async function settle(): Promise<void> {
      let done = 0;
      for (; done < waitUntil.length; done += 1) await waitUntil[done];
      const after = store.batch();
      for (const each of works.splice(0)) await each(after);
      await after.send();
      for (; done < waitUntil.length; done += 1) await waitUntil[done];
    }
    return { reply, calls: batch.calls, work: { settle } };
  }

  /** Starts an outage: three calls fail, and the breaker opens. */
  async function lose(): Promise<void> {
    wire.cut = true;
    for (let i = 0; i < 3; i += 1) {
      const batch = store.batch();
      void batch.read("x");
      await batch.send();
    }
  }

  /** Ends the outage: the next probe succeeds, and the pending writes are replayed. */
  async function recover(): Promise<void> {
    wire.cut = false;
    platform.advance(40_000);
    await store.maintenance();
    await store.maintenance();
  }
  return { platform, prefix, store, keys, cache, ask, begin, wire, lines, lose, recover, origin };
}

export type CacheIsolate = ReturnType<typeof openCache>;

/** The identities that a test's request may have. */
export function outcomesOf({ confirmed = {}, session }: AskOptions): IdentityOutcomes {
  const addressIdentity = { kind: "address" as const, hash: hashOf("address:x") };
  const nobody = {
    address: "192.0.2.1",
    addressIdentity,
    credentials: { sessionToken: null, jwt: null, apiKey: null, sessionCookie: false, any: false },
    key: { kind: "absent" as const },
    jwt: { kind: "absent" as const },
    session: null,
    user: null,
    tier: null,
    identity: addressIdentity,
  };
  if (!session) return { kind: "settled", identity: confirmedIdentity({ ...nobody, ...confirmed }) };
  const { claims } = session;
  const token = { raw: "es1.token", tokenSource: "bearer" as const };
  const facts = { ...nobody, credentials: { ...nobody.credentials, sessionToken: token, any: true } };
  const user = { id: claims.userId, tier: claims.tier };
  const identity = { kind: "user" as const, hash: hashOf(`user:${claims.userId}`) };
  const alive = confirmedIdentity({
    ...facts,
    session: claims,
    user,
    tier: claims.tier,
    identity,
    ...confirmed,
  });
  return { kind: "open", alive, over: confirmedIdentity({ ...facts, ...confirmed }), session: claims };
}

/** The claims of a session token of that user. */
export function sessionOf(userId: string): SessionClaims {
  return {
    id: `session-of-${userId}`,
    userId,
    tier: null,
    issuedAt: 0,
    expiresAt: Number.MAX_SAFE_INTEGER,
    confirmedAt: 0,
    offline: false,
    userData: null,
    syncToken: null,
  };
}

/** Where a stored response comes from. */
export interface Tier {
  name: string;
  /** Isolates that share stored responses as far as the tier allows. `next` sends the second request. */
  open(options: Omit<CacheIsolateOptions, "platform" | "prefix" | "connection">): Promise<{
    first: CacheIsolate;
    next(): CacheIsolate;
  }>;
}

/** The isolate's own copy, Redis alone (a fresh isolate each time), and no store. */
export const tiers: Tier[] = [
  {
    name: "the isolate",
    async open(options) {
      const first = openCache(options);
      return { first, next: () => first };
    },
  },
  {
    name: "Redis alone",
    async open(options) {
      const first = openCache(options);
      const { platform, prefix } = first;
      return { first, next: () => openCache({ ...options, platform, prefix }) };
    },
  },
  {
    name: "the isolate without a store",
    async open(options) {
      const first = openCache({ ...options, connection: null });
      return { first, next: () => first };
    },
  },
];

export function json(body: unknown, headers: Record<string, string> = {}, status = 200): Response {
  const text = JSON.stringify(body);
  return new Response(text, { status, headers: { "content-type": "application/json", ...headers } });
}

/** A body that differs each time, so that a test recognises a stale one. */
export function counted(headers: Record<string, string>, status = 200): Answer {
  let count = 0;
  return ({ method }) => {
    count += 1;
    const response = json({ count }, headers, status);
    return method === "HEAD" ? new Response(null, response) : response;
  };
}

/** Two isolates that both hold these paths, one ms later. */
export async function twoIsolates(origin: Origin, paths: readonly string[]) {
  const one = openCache({ origin });
  const other = openCache({ origin, platform: one.platform, prefix: one.prefix });
  for (const path of paths) {
    await one.ask(path);
    await other.ask(path);
  }
  one.platform.advance(1);
  return { origin, one, other };
}

import { vi } from "vitest";
import type { Route, RouteInput } from "../../src/config/route.ts";
import { loadConfig } from "../../src/edge/load-config.ts";
import { createEvents } from "../../src/events/events.ts";
import type { LogFields } from "../../src/events/sink.ts";
import {
  type ConfirmedIdentity,
  confirmedIdentity,
  type IdentityOutcomes,
} from "../../src/identity/confirmed.ts";
import { createLimiter, type LimiterOptions } from "../../src/ratelimit/limiter.ts";
import type { EdgeRequest } from "../../src/request/capability.ts";
import { forwardedRequest } from "../../src/request/forwarded.ts";
import { createKeys } from "../../src/store/keys.ts";
import { Store } from "../../src/store/store.ts";
import { claimsOf } from "./identity.ts";
import { type TestPlatform, testPlatform } from "./platform.ts";

/** A platform whose time is also that of `Date`, for @upstash/ratelimit. Call {@link releaseClock} after the test. */
export function clock(now?: number): TestPlatform {
  const platform = testPlatform({
    ...(now === undefined ? {} : { now }),
    fetch: (input, init) => fetch(input, init),
  });
  vi.useFakeTimers({ toFake: ["Date"], now: platform.now() });
  return {
    ...platform,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    advance(ms) {
      platform.advance(ms);
      vi.setSystemTime(platform.now());
    },
  };
}

export function releaseClock(): void {
  vi.useRealTimers();
}

export interface IsolateOptions extends Partial<LimiterOptions> {
  platform: TestPlatform;
  /** Null: no store at all. */
  connection: { url: string; token: string } | null;
  prefix?: string;
}

/** One isolate's limiter with its store, its log, and a network that can fail or refuse writes. */
export function openIsolate({ platform, connection, prefix = freshPrefix(), ...options }: IsolateOptions) {
  /** `lateMs`: how long a reply takes to arrive, by the platform's time; `held`: replies that are on their way. */
  const wire = { cut: false, refuses: "", lateMs: 0, held: 0, calls: 0, commands: [] as unknown[][] };
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
        const commands = JSON.parse(String(init?.body)) as unknown[][];
        wire.commands.push(...commands);
        if (!wire.refuses) {
          const response = await platform.fetch(input, init);
          const { lateMs } = wire;
          if (lateMs > 0) {
            wire.held += 1;
            await new Promise<void>((resolve) => platform.timer(lateMs, resolve));
          }
          return response;
        }
        // A Redis that answers reads and refuses each write.
        return Response.json(
          commands.map(([name, ...names]) =>
            name === "mget" ? { result: names.map(() => null) } : { error: wire.refuses },
          ),
        );
      },
    },
  });
  const keys = createKeys({ cache: `${prefix}:c`, rateLimit: `${prefix}:r`, session: `${prefix}:s` });
  const identifier = {
    hash: async (kind: string, value: string) => hashOf(`${kind}:${value}`),
    sessionUser: async (userId: string) => [hashOf(`user:${userId}`)] as const,
  };
  const limiter = createLimiter({ store, keys, identifier, platform, events, ...options });

  /** A request of `who` on `route`, with a batch of its own. */
  async function ask(route: Route, who: string, over: Partial<ConfirmedIdentity> = {}) {
    const identity = identityOf(who, over);
    return decided(route, { kind: "settled", identity }, identity);
  }

  /** A request with these possible identities, of which `confirm` returns `confirmed`. */
  async function decided(route: Route, outcomes: IdentityOutcomes, confirmed: ConfirmedIdentity) {
    const batch = store.batch(() => {});
    const decide = await limiter.prepare({ route, requestId: "request-1" }, outcomes, batch);
    await batch.send();
    const verdict = await decide(confirmed);
    return { verdict, calls: batch.calls };
  }
  return { store, keys, limiter, ask, decided, wire, lines, prefix, hashOf };
}

/** A prefix of keys that no other test of a run has: 46 bits, of which a run takes some thousands. */
export function freshPrefix(): string {
  const random = crypto.getRandomValues(new Uint8Array(8));
  return `t${Array.from(random, (byte) => LETTERS[byte % LETTERS.length]).join("")}`;
}

const LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** A route, compiled as the Worker does. @throws ConfigError for an issue. */
export function routeOf(input: Omit<RouteInput, "path">): Route {
  const [route] = loadConfig({}, [{ path: "/v1/x", ...input }]).routes;
  if (!route) throw new Error("no route");
  return route;
}

/** 32 hex digits, different for different texts. */
export function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const char of text) hash = ((hash ^ BigInt(char.codePointAt(0) ?? 0)) * 0x100000001b3n) % 2n ** 64n;
  return hash.toString(16).padStart(32, "0");
}

/** A confirmed identity: by default a user known by the hash of `who`, with an address of their own. */
export function identityOf(who: string, over: Partial<ConfirmedIdentity> = {}): ConfirmedIdentity {
  return confirmedIdentity({
    address: "192.0.2.1",
    addressIdentity: { kind: "address", hash: hashOf(`address:${who}`) },
    credentials: { sessionToken: null, jwt: null, apiKey: null, sessionCookie: false, any: false },
    session: null,
    key: { kind: "absent" },
    jwt: { kind: "absent" },
    user: null,
    tier: null,
    identity: { kind: "user", hash: hashOf(who) },
    ...over,
  });
}

export function requestOf(route: Route): EdgeRequest {
  const request = new Request("https://edge.example/v1/x");
  const url = new URL(request.url);
  return {
    request,
    url,
    path: "/v1/x",
    route,
    forwarded: forwardedRequest({ request, url }, route, { cached: true, toHandlers: false }),
    claims: claimsOf(),
    requestId: "request-1",
    after: () => {},
    waitUntil: () => {},
  };
}

/** The lists, parsed like the configuration's. */
export function listsOf({ allow = [], deny = [] }: { allow?: string[]; deny?: string[] }) {
  return loadConfig({ ALLOW_LIST: allow.join(), DENY_LIST: deny.join() }, []).lists;
}

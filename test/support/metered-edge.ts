import type { RouteInput } from "../../src/config/route.ts";
import { openIsolate } from "../../src/edge/full-isolate.ts";
import type { Sink } from "../../src/events/sink.ts";
import { edgeAnswer } from "../../src/worker.ts";
import { contextOf } from "./context.ts";
import { redisVariables } from "./edge/redis-variables.ts";
import { freshPrefix } from "./limits.ts";
import { testPlatform } from "./platform.ts";

export const METRICS_TOKEN = "metrics-token-of-this-test-only";
export const ADMIN_TOKEN = "admin-token-of-this-test-only-0123";

export const ROUTES: RouteInput[] = [
  { path: "/limited", limits: [{ name: "few", limit: 5, window: "1 h", by: "address" }] },
  { path: "/shadow", limits: [{ name: "none", limit: 1, window: "1 h", by: "address", shadow: true }] },
  { path: "/cached", cache: { ttl: 60, scope: "public" } },
  { path: "/*" },
];

export interface MeteredEdgeOptions {
  prefix?: string;
  routes?: readonly RouteInput[];
  env?: Record<string, unknown>;
  /** ms since the epoch. */
  now?: number;
  origin?(url: string): Response | Promise<Response>;
  sinks?: readonly Sink[];
}

/**
 * One isolate on the run's Redis that counts. `wire.cut` cuts it off from the store; with `wire.deaf` its calls arrive and no reply
 * does; with `wire.hangs` they arrive nowhere and never end, `wire.hanging` of them so far; the commands of
 * `wire.refused` are not permitted, and others of such a call reply nothing. `wire.calls` has the commands of each of its calls.
 */
export function meteredEdge(options: MeteredEdgeOptions = {}) {
  const { prefix = freshPrefix(), routes = ROUTES, env = {}, origin = () => new Response("fine") } = options;
  const wire = {
    cut: false,
    deaf: false,
    hangs: false,
    hanging: 0,
    refused: [] as string[],
    calls: [] as string[][],
  };
  const platform = testPlatform({
    now: options.now ?? Date.now(),
    async fetch(input, init) {
      if (wire.cut) throw new TypeError("cut");
      const commands = JSON.parse(String(init?.body)) as [string, ...unknown[]][];
      wire.calls.push(commands.map(([name]) => name.toLowerCase()));
      if (wire.hangs) {
        wire.hanging += 1;
        return new Promise<never>(() => {});
      }
      const refused = commands.map(([name]) => wire.refused.includes(name.toLowerCase()));
      if (refused.includes(true))
        return Response.json(
          refused.map((is) => (is ? { error: "NOPERM not permitted" } : { result: null })),
        );
      const response = await fetch(input, init);
      if (!wire.deaf) return response;
      await response.text();
      throw new TypeError("cut");
    },
  });
  const variables = {
    ...redisVariables(prefix),
    SESSION_SECRET: "session-secret-of-this-test-only-0123",
    SERVICE_TOKEN: "service-token-of-this-test-only",
    ADMIN_TOKEN,
    METRICS_TOKEN,
    ORIGIN: { fetch: async (input: string | URL | Request) => origin(String(input)) },
    ...env,
  };
  // Isolates differ by what their CSPRNG gives.
  const random = { ...platform, randomBytes: (n: number) => crypto.getRandomValues(new Uint8Array(n)) };
  const answer = edgeAnswer(openIsolate(variables, [...routes], random, options.sinks));

  /** The answer; what the request does after it goes on. @param works Get what the request gives to `waitUntil`. */
  async function send(
    path: string,
    init: RequestInit = {},
    works: Promise<unknown>[] = [],
  ): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("cf-connecting-ip")) headers.set("cf-connecting-ip", "192.0.2.7");
    return answer(new Request(`https://edge.example${path}`, { ...init, headers }), contextOf(works));
  }

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    // Each request waits for its own work alone.
    const own: Promise<unknown>[] = [];
    const response = await send(path, init, own);
    await platform.settle(own);
    return response;
  }

  async function times(count: number, path: string): Promise<void> {
    for (let sent = 0; sent < count; sent += 1) await ask(path);
  }

  const scrape = (headers: Record<string, string> = {}) =>
    ask("/edge/metrics", { headers: { authorization: `Bearer ${METRICS_TOKEN}`, ...headers } });

  return {
    prefix,
    platform,
    wire,
    ask,
    send,
    times,
    scrape,
    samples: async () => samplesOf(await scrape({ accept: "text/plain" })),
  };
}

/** The value of each sample, by its text before the value: `name{a="b"}`. */
export async function samplesOf(response: Response): Promise<Map<string, number>> {
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ""), Number(line.split(" ").at(-1))]));
}

/** The sum of all samples of a name whose labels include all of `labels`. */
export function total(
  samples: ReadonlyMap<string, number>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const texts = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  return [...samples]
    .filter(([key]) => key.split("{")[0] === name && texts.every((text) => key.includes(text)))
    .reduce((sum, [, value]) => sum + value, 0);
}

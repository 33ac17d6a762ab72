import { randomBytes } from "node:crypto";
import { startUpstashLocal, type UpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { type Edge, startEdge } from "../support/edge/start.ts";
import { type EchoOrigin, startEchoOrigin } from "./origin.ts";
import { FaultProxy } from "./proxy.ts";

/** Units that every limit of the matrix gives to a caller. */
export const LIMIT = 10;

/** The built Worker with an origin and, through the fault proxy, a local endpoint over a real Redis. */
export interface World {
  upstash: UpstashLocal;
  proxy: FaultProxy;
  origin: EchoOrigin;
  edge: Edge;
  secrets: { service: string; admin: string; apiKeys: readonly string[] };
  stop(): Promise<void>;
}

export interface WorldOptions {
  /** The Worker's source. Default the edge itself. */
  entry?: string;
  vars?: Record<string, string | number | boolean | object>;
  /** Another origin's address. */
  originUrl?: string;
  keepSeen?: boolean;
}

const secret = () => randomBytes(24).toString("base64url");

export async function openWorld({
  entry,
  vars = {},
  originUrl,
  keepSeen = false,
}: WorldOptions = {}): Promise<World> {
  const upstash = await startUpstashLocal({ redis: "required" });
  const proxy = new FaultProxy(upstash.url);
  await proxy.open();
  const origin = await startEchoOrigin({ keepSeen });
  const secrets = { service: secret(), admin: secret(), apiKeys: [secret(), secret(), secret()] };
  const edge = await startEdge({
    ...(entry && { entry }),
    vars: {
      UPSTASH_REDIS_REST_URL: proxy.url,
      UPSTASH_REDIS_REST_TOKEN: upstash.token,
      ORIGIN_URL: originUrl ?? origin.url,
      ORIGIN_TOKEN: secret(),
      SESSION_SECRET: `${secret()}${secret()}`,
      SERVICE_TOKEN: secrets.service,
      ADMIN_TOKEN: secrets.admin,
      API_KEYS: secrets.apiKeys.map((key, index) => `${key}:client${index}:free`).join(","),
      // The isolate answers little alone, because these tests measure the calls to the store.
      ISOLATE_MAX_AGE_MS: 50,
      ROUTES: routes(Date.now()),
      ...vars,
    },
  });
  return {
    upstash,
    proxy,
    origin,
    edge,
    secrets,
    async stop() {
      await edge.stop();
      await proxy.close();
      await origin.stop();
      await upstash.stop();
    },
  };
}

function routes(now: number) {
  const window = `${hoursWithoutEdge(now)} h`;
  const limit = { limit: LIMIT, window };
  return [
    { path: "/limited/log", limits: [{ name: "log", algorithm: "sliding-log", ...limit }] },
    { path: "/limited/window", limits: [{ name: "window", ...limit }] },
    {
      path: "/limited/pair",
      limits: [
        { name: "fixed", algorithm: "fixed-window", ...limit },
        { name: "bucket", algorithm: "token-bucket", capacity: LIMIT, refill: 1, window },
      ],
    },
    { path: "/closed", onStoreFailure: "closed", limits: [{ name: "closed", limit: 100_000, window }] },
    { path: "/user/*", access: "session" },
    { path: "/cached/*", cache: { ttl: 600, scope: "shared", staleIfError: 600 } },
    { path: "/mine/*", access: "identified", cache: { ttl: 600, scope: "caller" } },
  ];
}

/** A window that neither begins nor ends within three hours: the exact limiter is then a plain count. */
function hoursWithoutEdge(now: number): number {
  const hour = 3_600_000;
  for (let hours = 24; ; hours += 1) {
    const elapsed = now % (hours * hour);
    if (elapsed > 3 * hour && elapsed < (hours - 3) * hour) return hours;
  }
}

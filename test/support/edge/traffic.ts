import type { RouteInput } from "../../../src/config/route.ts";
import { cacheable, gatedEdge } from "./gated-edge.ts";

const SERVICE = "service-token-of-this-test-only-01";
const METRICS = "metrics-token-of-this-test-only-0123";
export const bearing = (token: string) => ({
  authorization: `Bearer ${token}`,
  "content-type": "application/json",
});
const server = bearing(SERVICE);
const operator = bearing("admin-token-of-this-test-only-0123");

/** Of each route that limits alone: how much passes. */
export const LIMITED = { "/sliding": 5, "/two": 5, "/fixed": 5, "/bucket": 5, "/log": 5, "/leased": 20 };
const ROUTES: RouteInput[] = [
  { path: "/me/*", access: "session", limits: [{ name: "me", limit: 500, window: "1 h" }] },
  { path: "/sliding", limits: [{ name: "sliding", limit: 5, window: "1 d" }] },
  { path: "/two", limits: [5, 50].map((limit) => ({ name: `two-${limit}`, limit, window: "1 d" as const })) },
  { path: "/fixed", limits: [{ name: "fixed", limit: 5, window: "1 d", algorithm: "fixed-window" }] },
  {
    path: "/bucket",
    limits: [{ name: "bucket", capacity: 5, refill: 1, window: "1 d", algorithm: "token-bucket" }],
  },
  { path: "/log", limits: [{ name: "log", limit: 5, window: "1 d", algorithm: "sliding-log" }] },
  { path: "/leased", limits: [{ name: "leased", limit: 20, window: "1 d", lease: 2 }] },
  { path: "/plain", cache: { ttl: 600, scope: "shared", tags: ["plain"] } },
  { path: "/varied", cache: { ttl: 600, scope: "shared" } },
  { path: "/write", methods: ["POST"], invalidates: { tags: ["plain"] } },
];

/** Isolates whose requests need every kind of key. They know nothing yet. */
export function edgeOfAllKinds(env: Record<string, string> = {}) {
  return gatedEdge({
    routes: ROUTES,
    env: {
      LOG_LEVEL: "error",
      SERVICE_TOKEN: SERVICE,
      METRICS_TOKEN: METRICS,
      SESSION_SECRET: "session-secret-of-this-test-only-0123",
      ISOLATE_MAX_AGE_MS: "0",
      ...env,
    },
    answer: ({ path }) =>
      cacheable("fine", {
        "cache-control": "max-age=600",
        ...(path === "/varied" && { vary: "accept-language" }),
      }),
  });
}
type Asks = Pick<ReturnType<typeof edgeOfAllKinds>, "ask">;

const post = (headers: Record<string, string>, body: unknown) => ({
  method: "POST",
  headers,
  body: JSON.stringify(body),
});

/** A session's token. */
export async function signIn({ ask }: Asks): Promise<string> {
  const { text } = await ask("/auth/sessions", post(server, { user_id: "ada" }));
  return (JSON.parse(text) as { token: string }).token;
}

/** Requests that read and write all kinds of keys. @returns those whose status is `wrong`. */
export async function traffic(
  { ask }: Asks,
  { token, isolate, wrong }: { token: string; isolate: number; wrong(status: number): boolean },
): Promise<string[]> {
  const asked: [string, RequestInit?][] = [
    ["/me/x", { headers: bearing(token) }],
    ...Object.keys(LIMITED).map((path): [string] => [path]),
    ["/plain"],
    ["/plain"],
    ["/varied", { headers: { "accept-language": "de" } }],
    ["/varied", { headers: { "accept-language": "en" } }],
    ["/write", { method: "POST" }],
    ["/auth/sessions", { headers: bearing(token) }],
    ["/auth/sessions/users/ada", { headers: server }],
    ["/edge/cache/purges", { headers: operator }],
    ["/edge/overview", { headers: operator }],
    ["/edge/limits/lookup", post(operator, { address: "192.0.2.7" })],
    ["/metrics", { headers: bearing(METRICS) }],
    ["/health"],
    ["/edge/cache/purge", post(operator, { tags: ["plain"] })],
    ["/auth/sessions", post(server, { user_id: "ada" })],
  ];
  const failed: string[] = [];
  for (const [path, init] of asked) {
    const { status, text } = await ask(path, { isolate, ...init });
    if (wrong(status)) failed.push(`${path}: ${status} ${text}`);
  }
  return failed;
}

import { beforeAll, describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { cacheable, gatedEdge } from "../../support/edge/gated-edge.ts";

const SERVICE = "service-token-of-this-test-only-01";
const METRICS = "metrics-token-of-this-test-only-0123";
const bearing = (token: string) => ({ authorization: `Bearer ${token}`, "content-type": "application/json" });
const server = bearing(SERVICE);
const operator = bearing("admin-token-of-this-test-only-0123");

/** Of each route that limits alone: how much passes. */
const LIMITED = { "/sliding": 5, "/two": 5, "/fixed": 5, "/bucket": 5, "/log": 5, "/leased": 10 };
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
  { path: "/leased", limits: [{ name: "leased", limit: 10, window: "1 d", lease: 1 }] },
  { path: "/plain", cache: { ttl: 600, scope: "shared", tags: ["plain"] } },
  { path: "/varied", cache: { ttl: 600, scope: "shared" } },
  { path: "/write", methods: ["POST"], invalidates: { tags: ["plain"] } },
];

interface Item {
  result?: unknown;
  error?: string | null;
}
/** What comes in place of a reply. */
type Alter = (items: Item[], commands: readonly string[]) => unknown;

/** What requests send. `eval` is sent where Redis does not know the script. */
const COMMANDS = ["evalsha", "mget", "zrange", "hgetall", "set", "hmget", "zcount"];
const RESULTS: readonly unknown[] = [
  ...[null, 0, 2 ** 60, "", "OK", { a: 1 }, [], [null], [[]], [{}, {}], [0.5, 0.5]],
  ...[Array(8).fill(-1), Array(8).fill("7")],
];
const NO_SCRIPT = { error: "NOSCRIPT No matching script." };
const each =
  (command: string, result: unknown): Alter =>
  (items, commands) =>
    items.map((item, index) => {
      if (commands[index] === command) return { result };
      return command === "eval" && commands[index] === "evalsha" ? NO_SCRIPT : item;
    });
const WHOLE: [what: string, alter: Alter][] = [
  ["all of them null", (items) => items.map(() => ({ result: null }))],
  ["all of them empty lists", (items) => items.map(() => ({ result: [] }))],
  ["in another order", (items) => items.toReversed()],
  ["results and errors at once", (items) => items.map((item) => ({ ...item, error: "ERR" }))],
  ["errors that are null", (items) => items.map((item) => ({ ...item, error: null }))],
  ["one too few", (items) => items.slice(1)],
  ["one too many", (items) => [...items, { result: 1 }]],
  ["one for all", () => ({ result: [] })],
  ["nothing", () => null],
];

/** Isolates whose store's replies are altered from `alter()` on. */
function opened() {
  const edge = gatedEdge({
    routes: ROUTES,
    env: {
      LOG_LEVEL: "error",
      SERVICE_TOKEN: SERVICE,
      METRICS_TOKEN: METRICS,
      SESSION_SECRET: "session-secret-of-this-test-only-0123",
      ISOLATE_MAX_AGE_MS: "0",
    },
    answer: ({ path }) =>
      cacheable("fine", {
        "cache-control": "max-age=600",
        ...(path === "/varied" && { vary: "accept-language" }),
      }),
  });
  const seen = new Set<string>();
  let alteration: Alter | null = null;
  const ask = edge.platform.fetch;
  edge.platform.fetch = async (input, init) => {
    const response = await ask(input, init);
    const commands = (JSON.parse(String(init?.body)) as string[][]).map(([name]) =>
      String(name).toLowerCase(),
    );
    for (const name of commands) if (name !== "eval") seen.add(name);
    return alteration ? Response.json(alteration((await response.json()) as Item[], commands)) : response;
  };
  return {
    ...edge,
    seen,
    alter(next: Alter) {
      alteration = next;
    },
  };
}
type Opened = ReturnType<typeof opened>;

const post = (headers: Record<string, string>, body: unknown) => ({
  method: "POST",
  headers,
  body: JSON.stringify(body),
});

async function signIn({ ask }: Opened): Promise<string> {
  const { text } = await ask("/auth/sessions", post(server, { user_id: "ada" }));
  return (JSON.parse(text) as { token: string }).token;
}

/** Requests that read and write all kinds of keys. @returns those that failed. */
async function traffic({ ask }: Opened, token: string, isolate: number): Promise<string[]> {
  const asked: [string, RequestInit?][] = [
    ["/me/x", { headers: bearing(token) }],
    ...Object.keys(LIMITED).map((path): [string] => [path]),
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
    if (status >= 400) failed.push(`${path}: ${status} ${text}`);
  }
  return failed;
}

describe("replies of another shape than their commands have", () => {
  let seen: ReadonlySet<string> = new Set();
  beforeAll(async () => {
    const edge = opened();
    const token = await signIn(edge);
    for (const isolate of [0, 1]) expect(await traffic(edge, token, isolate)).toEqual([]);
    seen = edge.seen;
  });

  it.each<[what: string, alter: Alter]>([
    ...[...COMMANDS, "eval"].flatMap((command) =>
      RESULTS.map((result): [string, Alter] => [
        `${JSON.stringify(result)} of each ${command}`,
        each(command, result),
      ]),
    ),
    ...WHOLE,
  ])("fail no request, and let as much pass as a limit says: %s", async (_, alter) => {
    const edge = opened();
    const token = await signIn(edge);
    edge.alter(alter);
    for (const isolate of [0, 1]) expect(await traffic(edge, token, isolate)).toEqual([]);
    for (const [path, limit] of Object.entries(LIMITED)) {
      let passed = 0;
      for (let n = 0; n < limit + 3; n += 1)
        passed += (await edge.ask(path, { address: "192.0.2.99" })).status === 200 ? 1 : 0;
      expect([path, passed]).toEqual([path, limit]);
    }
  });

  it("are tried for each command that a request sends", () => {
    expect([...seen].sort()).toEqual([...COMMANDS].sort());
  });
});

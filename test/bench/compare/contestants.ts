import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { buildWorker } from "../../support/edge/build.ts";
import { startWorkerd } from "../../support/edge/workerd.ts";
import { heapOf, type Inspector, openInspector } from "./inspector.ts";

/**
 * `edge` logs warnings and errors; `edge-logging` also logs a line for each request, which no other contestant does; `edge-operators` has
 * all that is for operators: that line, metrics and their endpoints.
 */
export const contestantNames = [
  "edge",
  "edge-logging",
  "edge-operators",
  "bare",
  "floor",
  "recipe",
  "tuned",
  "composed",
  "cloudflare",
] as const;
/** `before` is the edge of another revision: see `against.ts`. */
export type ContestantName = (typeof contestantNames)[number] | "before";

/** A Worker of the comparison, running. */
export interface Contestant {
  name: ContestantName;
  port: number;
  /** Bytes of its bundle, gzipped. */
  gzipped: number;
  /** Fields of a request that has a session. */
  readonly session: string;
  /** Fields of a request with a forged session. */
  readonly forged: string;
  /** Starts another session, by which its requests are made from then on. */
  signIn(): Promise<void>;
  /** Restarts it with an empty isolate, on the same port. */
  restart(): Promise<void>;
  /** ms of CPU that its runtime has used so far. */
  cpuMs(): Promise<number>;
  /** Bytes of its isolate's heap. */
  heapBytes(): Promise<number>;
  inspector(): Promise<Inspector>;
  stop(): Promise<void>;
}

const PEERS = `${import.meta.dirname}/../peers`;
const HOUR_LIMIT = { limit: 10_000_000, window: "1 h" };
export const EDGE_ROUTES = [
  { path: "/session/*", access: "session", limits: [{ name: "session", ...HOUR_LIMIT }], cache: CACHE() },
  {
    path: "/leased/*",
    access: "session",
    limits: [{ name: "leased", ...HOUR_LIMIT, lease: 1000 }],
    cache: CACHE(),
  },
  { path: "/public/*", limits: [{ name: "public", ...HOUR_LIMIT, lease: 1000 }], cache: CACHE() },
  {
    path: "/eager/*",
    limits: [{ name: "eager", ...HOUR_LIMIT, lease: 1000 }],
    cache: CACHE(),
    originFetch: "eager",
  },
  { path: "/write/*", access: "session", limits: [{ name: "write", ...HOUR_LIMIT }] },
  { path: "/blocked", limits: [{ name: "blocked", limit: 1, window: "1 d" }] },
];

function CACHE() {
  return { scope: "shared", ttl: 600 };
}

/** Of the contestant `cloudflare`: a minute is the longest window that the binding has. */
const RATE_LIMITS = {
  LIMITER: { namespace_id: "1", simple: { limit: 10_000_000, period: 60 } },
  BLOCKED: { namespace_id: "2", simple: { limit: 1, period: 60 } },
} as const;

const SERVICE_TOKEN = "a-service-token-of-the-bench-alone";

/** The Worker's source. */
export function entryOf(name: ContestantName): string {
  return isEdge(name) ? "src/index.ts" : `test/bench/peers/${name}.ts`;
}

/** Whether it is this product, in whatever revision. */
export function isEdge(name: ContestantName): boolean {
  return name.startsWith("edge") || name === "before";
}

/** Installs the peers' packages, where they are missing. */
export function installPeers(): void {
  if (!existsSync(`${PEERS}/node_modules`))
    execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: PEERS, stdio: "inherit" });
}

export interface ContestantOptions {
  storeUrl: string;
  storeToken: string;
  originUrl: string;
  /** Builds it with its functions' names, for a profile. Default as it is deployed. */
  keepNames?: boolean;
  /** The edge's routes. Default {@link EDGE_ROUTES}. */
  routes?: readonly object[];
  /** Path of its bundle, where it is built already. Default: it is built from {@link entryOf}. */
  bundle?: string | undefined;
}

export async function startContestant(
  name: ContestantName,
  { storeUrl, storeToken, originUrl, keepNames = false, routes = EDGE_ROUTES, bundle }: ContestantOptions,
): Promise<Contestant> {
  const contents = await readFile(bundle ?? (await buildWorker(entryOf(name), { keepNames })), "utf8");
  const bindings = {
    UPSTASH_REDIS_REST_URL: storeUrl,
    UPSTASH_REDIS_REST_TOKEN: storeToken,
    ORIGIN_URL: originUrl,
    AUTH_SECRET: "0123456789abcdef0123456789abcdef",
    ...(isEdge(name) && {
      LOG_LEVEL: name === "edge-logging" || name === "edge-operators" ? "info" : "warn",
      ...(name === "edge-operators" && {
        METRICS_TOKEN: "a-metrics-token-of-the-bench-alone",
        ADMIN_TOKEN: "an-admin-token-of-the-bench-alone-01",
      }),
      SESSION_SECRET: "a-session-secret-of-the-bench-alone-0123",
      SERVICE_TOKEN,
      ROUTES: routes,
    }),
  };
  const start = (port: number) =>
    startWorkerd({
      contents,
      bindings,
      ...(name === "cloudflare" && { rateLimits: RATE_LIMITS }),
      port,
      inspectorPort: 0,
      onMessage: () => undefined,
    });
  const before = children();
  let miniflare = start(0);
  const port = Number((await miniflare.ready).port);
  let pids = children().filter((pid) => !before.includes(pid));
  let fields = await signIn(name, port);
  return {
    name,
    port,
    gzipped: gzipSync(contents, { level: 9 }).length,
    get session() {
      return fields.session;
    },
    get forged() {
      return fields.forged;
    },
    async signIn() {
      fields = await signIn(name, port);
    },
    async restart() {
      await miniflare.dispose();
      const others = children();
      miniflare = start(port);
      await miniflare.ready;
      pids = children().filter((pid) => !others.includes(pid));
    },
    async cpuMs() {
      const each = await Promise.all(pids.map(cpuOf));
      return each.reduce((sum, ms) => sum + ms, 0);
    },
    heapBytes: () => heapOf(miniflare),
    inspector: () => openInspector(miniflare),
    stop: () => miniflare.dispose(),
  };
}

async function signIn(name: ContestantName, port: number): Promise<{ session: string; forged: string }> {
  const base = `http://127.0.0.1:${port}`;
  const bearer = (token: string) => `authorization: Bearer ${token}\r\n`;
  if (isEdge(name)) {
    const headers = { authorization: `Bearer ${SERVICE_TOKEN}` };
    const body = JSON.stringify({ user_id: "ada" });
    const response = await fetch(`${base}/auth/sessions`, { method: "POST", headers, body });
    const { token } = (await response.json()) as { token?: string };
    if (!token) throw new Error(`${name} starts no session: ${response.status}`);
    return { session: bearer(token), forged: bearer(`${token.slice(0, -4)}AAAA`) };
  }
  if (name === "bare" || name === "floor" || name === "cloudflare") return { session: "", forged: "" };
  const response = await fetch(`${base}/sign-in`, { method: "POST" });
  const body = (await response.json()) as { token?: string };
  if (body.token) return { session: bearer(body.token), forged: bearer(crypto.randomUUID()) };
  const cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  return { session: `cookie: ${cookie}\r\n`, forged: `cookie: ${cookie.slice(0, -4)}AAAA\r\n` };
}

/** Processes that this one has started. */
function children(): number[] {
  const text = execFileSync("ps", ["-o", "pid=,comm=", "--ppid", String(process.pid)], { encoding: "utf8" });
  return text
    .split("\n")
    .filter((line) => line.includes("workerd"))
    .map((line) => Number.parseInt(line, 10));
}

/** Time on a processor of all threads of a process, ms: the first field of each one's schedstat, in ns. */
async function cpuOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const each = await Promise.all(
    threads.map(async (id) => {
      const stat = await readFile(`/proc/${pid}/task/${id}/schedstat`, "utf8").catch(() => "0");
      return Number(stat.split(" ")[0]) / 1e6;
    }),
  );
  return each.reduce((sum, ms) => sum + ms, 0);
}

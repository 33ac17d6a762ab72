import { readFile } from "node:fs/promises";
import { onFreePort } from "../../../src/tools/ports.ts";
import { describedBy } from "../openapi/described.ts";
import { buildWorker } from "./build.ts";
import { IdleWait, withDeferredCounted } from "./deferred.ts";
import { type DatabaseBinding, startWorkerd } from "./workerd.ts";

export interface EdgeOptions {
  /** Variables and secrets. */
  vars: Record<string, string | number | boolean | object>;
  /** The Worker's source. Default the edge itself. */
  entry?: string;
  /** What `SESSION_DB` is bound to. Default nothing. */
  sessionDatabase?: DatabaseBinding;
  /** Whether the static files are bound, as they are where `wrangler.toml` says so. Default false. */
  assets?: boolean;
  /** Whether {@link Edge.idle} can be asked; a bench measures the Worker alone. Default false. */
  countDeferred?: boolean;
  /** Sent as `CF-Connecting-IP`, which only Cloudflare sets in production. Default 203.0.113.1. */
  address?: string;
}

export interface Edge {
  url: string;
  /** A request to the edge, redirects not followed. */
  fetch(path: string, init?: RequestInit & { address?: string }): Promise<Response>;
  /** Waits until no request has work left that it does after its response, and {@link log} has all that was logged. */
  idle(): Promise<void>;
  /** The JSON lines that the Worker has logged, as far as they have come: after a response they may still be on their way. */
  log: Record<string, unknown>[];
  /** Its raw output, for the test that searches it for secrets. */
  printed: string[];
  /** Kills the Worker, with whatever it still had to do, and starts it anew with an empty isolate. */
  restart(): Promise<void>;
  /** @throws Error where the OpenAPI document does not describe an answer that {@link fetch} got. */
  stop(): Promise<void>;
}

/** Runs the built Worker in workerd, on a loopback port. */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const {
    vars,
    entry,
    sessionDatabase,
    assets = false,
    countDeferred = false,
    address = "203.0.113.1",
  } = options;
  const contents = await readFile(await buildWorker(entry), "utf8");
  const log: Record<string, unknown>[] = [];
  const printed: string[] = [];
  const described = describedAnswers(vars);
  const idle = new IdleWait();
  // Once: a restart must not move the clock.
  const around = withDeferredCounted();
  const start = (port: number) =>
    startWorkerd({
      contents,
      ...(countDeferred && { around }),
      bindings: vars,
      assets,
      ...(sessionDatabase && { databases: { SESSION_DB: sessionDatabase } }),
      port,
      verbose: true,
      onMessage(message) {
        if (idle.takes(message)) return;
        printed.push(message);
        const record = parsed(message);
        if (record) log.push(record);
      },
    });
  let url = "";
  const startOn = async (port: number) => {
    const started = start(port);
    try {
      url = trimmed(await started.ready);
    } catch (error) {
      await started.dispose().catch(() => {});
      throw error;
    }
    return started;
  };
  let miniflare = await onFreePort(startOn);
  return {
    get url() {
      return url;
    },
    async fetch(path, { address: from = address, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("cf-connecting-ip")) headers.set("cf-connecting-ip", from);
      const response = await fetch(`${url}${path}`, { redirect: "manual", ...init, headers });
      described.hold(init.method ?? "GET", path, response);
      return response;
    },
    idle: () => idle.until(url),
    log,
    printed,
    async restart() {
      await miniflare.dispose();
      // On the same port: the host is part of a cached response's key.
      miniflare = await startOn(Number(new URL(url).port));
    },
    async stop() {
      const issues = await described.issues();
      await miniflare.dispose();
      if (issues.length > 0) throw new Error(`The OpenAPI document does not describe:\n${issues.join("\n")}`);
    },
  };
}

/** Compares each answer of the edge's own paths with the OpenAPI document, beside the test that reads it. */
function describedAnswers({
  AUTH_BASE_PATH: auth = "/auth",
  HEALTH_PATH: health = "/health",
}: EdgeOptions["vars"]) {
  const bases = { auth: String(auth), health: String(health) };
  let undescribed: ReturnType<typeof describedBy> | undefined;
  const pending: Promise<string[]>[] = [];
  const isOwn = (path: string) =>
    [bases.auth, bases.health, "/edge"].some((base) => path === base || path.startsWith(`${base}/`));

  async function issuesOf(method: string, path: string, response: Response): Promise<string[]> {
    // A test may end a request: then there is no answer to compare.
    const body = await response.text().catch(() => null);
    if (body === null) return [];
    undescribed ??= describedBy(undefined, bases);
    const { status, headers } = response;
    const found = undescribed({ method, path, status, headers, body }) ?? [];
    return found.map((issue) => `${method} ${path}: ${issue}`);
  }

  return {
    hold(method: string, target: string, response: Response): void {
      const path = target.replace(/[?#].*$/, "");
      if (isOwn(path)) pending.push(issuesOf(method, path, response.clone()));
    },
    issues: async () => (await Promise.all(pending)).flat(),
  };
}

function trimmed(url: URL): string {
  return url.href.replace(/\/$/, "");
}

/** A line that is no JSON is none of the log's. */
function parsed(message: string): Record<string, unknown> | null {
  if (!message.startsWith("{")) return null;
  try {
    return JSON.parse(message) as Record<string, unknown>;
  } catch {
    return null;
  }
}

import { readFile } from "node:fs/promises";
import { buildWorker } from "./build.ts";
import { type DatabaseBinding, startWorkerd } from "./workerd.ts";

export interface EdgeOptions {
  /** Variables and secrets. */
  vars: Record<string, string | number | boolean | object>;
  /** The Worker's source. Default the edge itself. */
  entry?: string;
  /** What `SESSION_DB` is bound to. Default nothing. */
  sessionDatabase?: DatabaseBinding;
  /** Sent as `CF-Connecting-IP`, which only Cloudflare sets in production. Default 203.0.113.1. */
  address?: string;
}

export interface Edge {
  url: string;
  /** A request to the edge, redirects not followed. */
  fetch(path: string, init?: RequestInit & { address?: string }): Promise<Response>;
  /** The JSON lines that the Worker has logged so far. */
  log: Record<string, unknown>[];
  /** Its raw output, for the test that searches it for secrets. */
  printed: string[];
  /** Kills the Worker, with whatever it still had to do, and starts it anew with an empty isolate. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs the built Worker in workerd, on a loopback port. */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { vars, entry, sessionDatabase, address = "203.0.113.1" } = options;
  const contents = await readFile(await buildWorker(entry), "utf8");
  const log: Record<string, unknown>[] = [];
  const printed: string[] = [];
  const start = (port: number) =>
    startWorkerd({
      contents,
      bindings: vars,
      ...(sessionDatabase && { databases: { SESSION_DB: sessionDatabase } }),
      port,
      verbose: true,
      onMessage(message) {
        printed.push(message);
        const record = parsed(message);
        if (record) log.push(record);
      },
    });
  let miniflare = start(0);
  let url = trimmed(await miniflare.ready);
  return {
    get url() {
      return url;
    },
    fetch(path, { address: from = address, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("cf-connecting-ip")) headers.set("cf-connecting-ip", from);
      return fetch(`${url}${path}`, { redirect: "manual", ...init, headers });
    },
    log,
    printed,
    async restart() {
      await miniflare.dispose();
      // On the same port: the host is part of a cached response's key.
      miniflare = start(Number(new URL(url).port));
      url = trimmed(await miniflare.ready);
    },
    stop: () => miniflare.dispose(),
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

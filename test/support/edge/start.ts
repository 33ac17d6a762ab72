import { readFile } from "node:fs/promises";
import { Miniflare } from "miniflare";
import { buildWorker } from "./build.ts";

export interface EdgeOptions {
  /** Variables and secrets. */
  vars: Record<string, string | number | boolean | object>;
  /** The Worker's source. Default the edge itself. */
  entry?: string;
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
  /** Starts the Worker anew, with an empty isolate. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs the built Worker in workerd, on a loopback port. */
export async function startEdge({ vars, entry, address = "203.0.113.1" }: EdgeOptions): Promise<Edge> {
  const contents = await readFile(await buildWorker(entry), "utf8");
  const log: Record<string, unknown>[] = [];
  const printed: string[] = [];
  const options = (port: number) => ({
    modules: [{ type: "ESModule" as const, path: "worker.js", contents }],
    compatibilityDate: "2026-04-24",
    compatibilityFlags: ["nodejs_compat"],
    bindings: vars as Record<string, string>,
    host: "127.0.0.1",
    port,
    handleRuntimeStdio(stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream) {
      for (const stream of [stdout, stderr]) gather(stream, printed, log);
    },
  });
  let miniflare = new Miniflare(options(0));
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
      miniflare = new Miniflare(options(Number(new URL(url).port)));
      url = trimmed(await miniflare.ready);
    },
    stop: () => miniflare.dispose(),
  };
}

function trimmed(url: URL): string {
  return url.href.replace(/\/$/, "");
}

function gather(stream: NodeJS.ReadableStream, printed: string[], log: Record<string, unknown>[]): void {
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      printed.push(line);
      if (!line.startsWith("{")) continue;
      try {
        log.push(JSON.parse(line) as Record<string, unknown>);
      } catch {
        // A line that is not one of the Worker's events stays in `printed`.
      }
    }
  });
}

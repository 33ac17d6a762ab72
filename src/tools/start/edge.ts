import { unstable_DevEnv as DevEnv } from "wrangler";
import { AskedReload } from "./asked-reload.ts";
import { writtenAt } from "./log-lines.ts";
import { isOfRemovedBuild, plain, problemText } from "./problems.ts";

export interface EdgeOptions {
  port: number;
  /** Path of the wrangler configuration. */
  config: string;
  env?: string | undefined;
  /** Bindings beside those of the configuration. */
  bindings?: Bindings | undefined;
  /** The folder in which Workers of other terminals are found (`dev-registry.ts`). Undefined: none is sought. */
  registry?: string | undefined;
  /** The folder of wrangler's local state. Default `.wrangler/state`. */
  persist?: string | undefined;
  /** Variables and secrets, in place of those that wrangler would read. */
  vars(): Record<string, string>;
  /** A line that the Worker writes with `console`, and when. */
  onLog(text: string, at: number): void;
  /** A line that the development server prints. */
  onServerLine(text: string, at: number): void;
  /** The Worker is built. `onRunning` or `onProblem` follow. */
  onBuilding(): void;
  /** The Worker runs, for the first time or after a change. */
  onRunning(): void;
  /**
   * Why the Worker does not run, or goes on as it was before the last change.
   *
   * @param watches Whether the server goes on looking at the files of the Worker. It does not where a start of its own, as `reload` is
   *   one, finds a file that cannot be built: then nothing but another `reload` builds.
   */
  onProblem(text: string, watches: boolean): void;
}

export interface Edge {
  /** Reads the configuration and the variables anew. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

type DevEvent = Parameters<DevEnv["dispatch"]>[0];
type ReloadComplete = Extract<DevEvent, { type: "reloadComplete" }>;

/** How wrangler says that the first build since it read its configuration has failed. It watches nothing then. */
const FIRST_BUILD = "Failed to construct initial bundle";

/** How the bindings of a start are written. */
export type Bindings = NonNullable<Parameters<DevEnv["startWorker"]>[0]["bindings"]>;

/**
 * Runs the Worker in wrangler's development server, on loopback: what `wrangler dev` does, with variables that stand in no file.
 * Resolves when it has begun to start; `onRunning` or `onProblem` follow.
 *
 * @throws Error where the port is taken or the configuration cannot be read.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  takeConsole(options.onServerLine);
  const server = new DevEnv();
  let last: ReloadComplete | null = null;
  let runtimeErrors: string[] = [];
  const reload = new AskedReload();

  const input = () => ({
    config: options.config,
    ...(options.env && { env: options.env }),
    bindings: { ...options.bindings, ...bindingsOf(options.vars()) },
    dev: {
      logLevel: "info" as const,
      inspector: false as const,
      ...(options.persist && { persist: options.persist }),
      ...(options.registry && { registry: options.registry }),
      server: { hostname: "127.0.0.1", port: options.port },
      structuredLogsHandler({
        level,
        message,
        timestamp,
      }: {
        level: string;
        message: string;
        timestamp: number;
      }) {
        if (level === "error" && message.startsWith("service core:")) runtimeErrors.push(message);
        else options.onLog(message, writtenAt(timestamp));
      },
    },
  });

  const dispatch = server.dispatch.bind(server);
  server.dispatch = (event) => {
    if (event.type === "configUpdate") reload.hasRead(event.config);
    if (event.type === "bundleStart") options.onBuilding();
    dispatch(event);
  };
  server.on("reloadComplete", (event: ReloadComplete) => {
    last = event;
    runtimeErrors = [];
    if (reload.counts(event.config)) options.onRunning();
  });
  server.on("buildFailed", ({ cause, reason }: { cause: unknown; reason: string }) => {
    const text = problemText(cause);
    if (!last || !isOfRemovedBuild(text)) options.onProblem(text, reason !== FIRST_BUILD);
    // The proxy holds requests back from the start of a build. The Worker of before still runs.
    if (last) void server.proxy.sendMessageToProxyWorker({ type: "play", proxyData: last.proxyData });
  });
  server.on("error", (event: { cause?: unknown }) => {
    options.onProblem(problemText(event.cause ?? event, runtimeErrors), true);
    runtimeErrors = [];
  });

  const worker = await server.startWorker(input());
  await worker.ready;
  return {
    reload: () => reload.during(() => worker.setConfig(input())),
    stop: () => worker.dispose(),
  };
}

function bindingsOf(vars: Record<string, string>): Bindings {
  return Object.fromEntries(
    Object.entries(vars).map(([name, value]) => [name, { type: "secret_text" as const, value }]),
  );
}

/** wrangler and Miniflare print with `console`. This program prints with `process.stdout`. */
function takeConsole(onLine: (text: string, at: number) => void): void {
  for (const method of ["log", "info", "warn", "error", "debug"] as const) {
    console[method] = (...parts: unknown[]) => {
      for (const line of parts.map(String).join(" ").split("\n")) {
        const text = plain(line);
        if (text) onLine(text, Date.now());
      }
    };
  }
}

import { Miniflare, type RemoteProxyConnectionString } from "miniflare";

/** A D1 database of another Miniflare: the binding's calls go to this address. */
export interface DatabaseBinding {
  id: string;
  remoteProxyConnectionString: RemoteProxyConnectionString;
}

export interface WorkerdOptions {
  /** The Worker's one module. */
  contents: string;
  /** A module that answers in its place, and imports it as `./worker.js`. Default none. */
  around?: string;
  /** Variables and secrets. */
  bindings: Record<string, string | number | boolean | object>;
  /** Bindings of D1 databases: of this Miniflare by their ids, or of another one. */
  databases?: Record<string, string | DatabaseBinding>;
  /** Rate limiting bindings, as Miniflare emulates them. */
  rateLimits?: Record<string, { namespace_id: string; simple: { limit: number; period: 10 | 60 } }>;
  /** Whether `ASSETS` is bound to the files of `public/`, and the Worker runs before them. Default false. */
  assets?: boolean;
  /** 0 for a free one. */
  port: number;
  /** 0 for a free one; left out: no inspector. */
  inspectorPort?: number;
  /** Gets each message the Worker writes to the console. */
  onMessage(message: string): void;
  /** Whether `onMessage` also gets what the runtime says, such as errors that the Worker does not catch. Default false. */
  verbose?: boolean;
}

/** Starts a Worker in workerd, on loopback. */
export function startWorkerd(options: WorkerdOptions): Miniflare {
  const { contents, around, bindings, onMessage, databases, rateLimits, assets = false, ...shared } = options;
  return new Miniflare({
    ...shared,
    ...(assets && {
      assets: {
        directory: "public",
        binding: "ASSETS",
        routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true },
      },
    }),
    ...(databases && { d1Databases: databases }),
    ...(rateLimits && { ratelimits: rateLimits }),
    handleStructuredLogs: ({ message }: { message: string }) => onMessage(message),
    host: "127.0.0.1",
    // The first is the one that answers.
    modules: [
      ...(around === undefined ? [] : [{ type: "ESModule" as const, path: "around.js", contents: around }]),
      { type: "ESModule", path: "worker.js", contents },
    ],
    compatibilityDate: "2026-04-24",
    compatibilityFlags: ["nodejs_compat", "no_nodejs_global_timers"],
    bindings: bindings as Record<string, string>,
  });
}

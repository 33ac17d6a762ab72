import { convertV4MiniflareOptions, Miniflare } from "miniflare";

export interface WorkerdOptions {
  /** The Worker's one module. */
  contents: string;
  /** Variables and secrets. */
  bindings: Record<string, string | number | boolean | object>;
  /** 0 for a free one. */
  port: number;
  /** 0 for a free one; left out: no inspector. */
  inspectorPort?: number;
  /** Gets each message the Worker writes to the console. */
  onMessage(message: string): void;
  /** Whether `onMessage` also gets what the runtime says, such as errors that the Worker does not catch. Default false. */
  verbose?: boolean;
}

/** Starts a Worker of one module in workerd, on loopback. */
export function startWorkerd({ contents, bindings, onMessage, ...shared }: WorkerdOptions): Miniflare {
  return new Miniflare(
    convertV4MiniflareOptions({
      ...shared,
      handleStructuredLogs: ({ message }) => onMessage(message),
      host: "127.0.0.1",
      modules: [{ type: "ESModule", path: "worker.js", contents }],
      compatibilityDate: "2026-04-24",
      compatibilityFlags: ["nodejs_compat"],
      bindings: bindings as Record<string, string>,
    }),
  );
}

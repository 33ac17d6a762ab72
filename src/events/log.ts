import type { Platform } from "../runtime/platform.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** What a log line may say. Objects are left out on purpose: a line has one level, and nothing slips in unseen. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/**
 * One JSON object per line. Callers appear as their hash only; tokens, keys and addresses never: there is no field to
 * put them in, and whoever adds one is stopped by the test that greps every line of the end-to-end run.
 */
export type Log = Record<LogLevel, (event: string, fields: LogFields) => void>;

export interface LogOptions {
  platform: Pick<Platform, "now">;
  /** Lines below it are not written. Default `info`. */
  level?: LogLevel;
  /** Where a line goes. Default the console's method of that level, which `wrangler tail` and Workers Logs read. */
  write?(level: LogLevel, line: string): void;
}

export function createLog({ platform, level = "info", write = toConsole }: LogOptions): Log {
  const lowest = logLevels.indexOf(level);
  const at = (each: LogLevel) => (event: string, fields: LogFields) => {
    if (logLevels.indexOf(each) < lowest) return;
    write(
      each,
      JSON.stringify({ time: new Date(platform.now()).toISOString(), level: each, event, ...fields }),
    );
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function toConsole(level: LogLevel, line: string): void {
  console[level](line);
}

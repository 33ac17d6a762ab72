import { isLogged, type LogLevel } from "./level.ts";
import type { Sink } from "./sink.ts";

export interface LogSinkOptions {
  /** Events below it are not written. Default `info`. */
  level?: LogLevel;
  /** Where a line goes. Default the console's method of that level, which `wrangler tail` and Workers Logs read. */
  write?(level: LogLevel, line: string): void;
}

/** The log: one JSON object per line, with `time` (ISO 8601), `level`, `event` and the event's fields. */
export function logSink({ level: lowest = "info", write = toConsole }: LogSinkOptions = {}): Sink {
  return {
    receive({ time, level, event, fields }) {
      if (!isLogged(level, lowest)) return;
      write(level, JSON.stringify({ time: new Date(time).toISOString(), level, event, ...fields }));
    },
  };
}

function toConsole(level: LogLevel, line: string): void {
  console[level](line);
}

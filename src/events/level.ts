export const logLevels = ["debug", "info", "warn", "error"] as const;

/** How much an event matters: `logLevel` (the variable `LOG_LEVEL`) names the least that is logged. */
export type LogLevel = (typeof logLevels)[number];

/** Whether events of a level are logged where `lowest` is the lowest that is. */
export function isLogged(level: LogLevel, lowest: LogLevel): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(lowest);
}

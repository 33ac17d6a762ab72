export const logLevels = ["debug", "info", "warn", "error"] as const;

/** How much an event matters: `LOG_LEVEL` names the lowest that is logged. */
export type LogLevel = (typeof logLevels)[number];

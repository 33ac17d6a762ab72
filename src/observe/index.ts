export { createLog, type Log, type LogFields, type LogLevel, type LogOptions, logLevels } from "./log.ts";

/** What the edge says of itself: JSON lines without tokens, keys or addresses. */
export { createLog, type Log, type LogFields, type LogLevel, type LogOptions, logLevels } from "./log.ts";
export { newReport, type RequestReport, writeReport } from "./report.ts";
export { createRequestIds } from "./request-id.ts";

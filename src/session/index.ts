/**
 * Sessions: signed tokens outside, records in Redis inside, and what happens to both while Redis is away.
 */
export { crossSiteRefusal } from "./cross-site.ts";
export type { KeptSession, NewSession, OldSession, SessionKeeper } from "./keeper.ts";
export { LocalKeeper } from "./local-keeper.ts";
export { isoTime, parseRecord, publicRecord, type SessionRecord } from "./record.ts";
export { type SessionEnv, type SessionRoutesOptions, sessionRoutes } from "./routes.ts";
export {
  type CreatedSession,
  createSessions,
  type SessionInput,
  type Sessions,
  type SessionsOptions,
} from "./sessions.ts";
export { openToken, type SessionClaims, signToken } from "./token.ts";
export { UpstashKeeper } from "./upstash-keeper.ts";
export type { ActiveSession, SessionVerdict } from "./verdict.ts";

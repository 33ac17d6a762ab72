import { describe } from "#describe";
import {
  code,
  colo,
  configuredName,
  count,
  deployed,
  errorClass,
  type Field,
  flag,
  hash,
  host,
  ms,
  optional,
  place,
  ray,
  requestId,
  sentence,
  status,
  type ValueOf,
  word,
} from "./fields.ts";
import type { LogLevel } from "./level.ts";

/** One event, as the table describes it. */
export interface EventDefinition {
  readonly level: LogLevel;
  /** Its level where the field `status` is 500 or more. Default `level`. */
  readonly levelOf5xx?: LogLevel;
  /** One sentence for an operator. */
  readonly description: string | undefined;
  readonly fields: Readonly<Record<string, Field<unknown>>>;
}

/** Of an event that only a request causes. */
const inRequest = { request_id: requestId };
/** Of an event that a request causes, or a handler, which does not name its request. */
const mayBeInRequest = { request_id: optional(requestId) };
const limitSource = word("redis", "memory", "isolate");
const thrown = { class: errorClass, place };

/** Methods that are called by their name (RFC 9110 §9.1, RFC 5789). */
export const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "CONNECT",
] as const;

/** Every event there is. What is not in here cannot be emitted: {@link EventFields} is inferred from it. */
export const eventTable = {
  request: {
    level: "info",
    levelOf5xx: "warn",
    description: describe("A request is answered."),
    fields: {
      ...inRequest,
      ray: optional(ray),
      colo: optional(colo),
      version: optional(deployed),
      method: word(...METHODS, "other"),
      route: configuredName,
      status,
      caller: optional(hash),
      caller_kind: optional(word("key", "user", "address")),
      key: optional(configuredName),
      verdict: code,
      limits: optional(word(...limitOutcomes())),
      policy: optional(configuredName),
      source: optional(limitSource),
      session: optional(word("active", "over", "unknown")),
      cache: optional(code),
      cache_reason: optional(code),
      eager: optional(word("used", "wasted")),
      store_calls: count,
      store_ms: ms,
      origin_ms: optional(ms),
      total_ms: ms,
      bytes: optional(count),
    },
  },
  "request.failed": {
    level: "error",
    description: describe("The edge's own code fails on a request, which is answered with a 500."),
    fields: { ...inRequest, ...thrown },
  },
  "after.failed": {
    level: "error",
    description: describe("Work that a request leaves for after its response fails."),
    fields: { ...inRequest, ...thrown },
  },
  "cors.preflight": {
    level: "info",
    description: describe(
      "The edge answers a CORS preflight; `allowed` says whether it grants the page's origin access.",
    ),
    fields: { ...inRequest, status, allowed: flag },
  },
  "context.absent": {
    level: "info",
    description: describe(
      "A middleware runs without an ExecutionContext: what is due after a response starts with it, and nothing keeps the process alive until it is done. Once per isolate.",
    ),
    fields: { ...inRequest, message: sentence },
  },
  "limit.violated": {
    level: "info",
    description: describe("A caller has used up a limit; with `shadow` the request passes all the same."),
    fields: {
      ...mayBeInRequest,
      route: configuredName,
      policy: configuredName,
      caller: hash,
      shadow: flag,
      source: limitSource,
    },
  },
  "session.created": {
    level: "info",
    description: describe("A session starts; `durable` says whether the store has it."),
    fields: { ...mayBeInRequest, session: hash, durable: flag },
  },
  "session.rotated": {
    level: "info",
    description: describe("A session gets a new id, named here; the old id is over."),
    fields: { ...mayBeInRequest, session: hash, durable: flag },
  },
  "session.revoked": {
    level: "info",
    description: describe("A session is ended."),
    fields: { ...mayBeInRequest, session: hash },
  },
  "session.revoked_all": {
    level: "info",
    description: describe("The sessions of a user are ended."),
    fields: { ...mayBeInRequest, user: hash },
  },
  "session.revoked_everyone": {
    level: "warn",
    description: describe("All sessions of all users are ended."),
    fields: mayBeInRequest,
  },
  "session.refused": {
    level: "info",
    description: describe(
      "A request's session does not count: forged or expired, revoked, idle for too long, or not to be checked because the store is lost.",
    ),
    fields: { ...inRequest, route: configuredName, reason: word("invalid", "revoked", "idle", "unknown") },
  },
  "session.replayed": {
    level: "info",
    description: describe("The store is told of sessions that started or ended while it was lost."),
    fields: { created: count, ended: count, left: count },
  },
  "session.end_not_kept": {
    level: "error",
    description: describe(
      "A session ends in this isolate only, because it has no room to keep the end for the store.",
    ),
    fields: mayBeInRequest,
  },
  "session.database_lost": {
    level: "error",
    description: describe(
      "The database of sessions, `SESSION_DB`, fails repeatedly, or has another schema than this version's (`schema`): the isolate goes on without it.",
    ),
    fields: { reason: code },
  },
  "session.database_found": {
    level: "info",
    description: describe("The database of sessions answers again."),
    fields: {},
  },
  "session.database_shared": {
    level: "error",
    description: describe(
      "Another `SESSION_DB` is compared with the same Redis: two deployments share its keys, or one database has just taken the place of the other; said once until it has ended for a minute.",
    ),
    fields: {},
  },
  "session.signal_missing": {
    level: "warn",
    description: describe(
      'The origin answers a POST to a route with `session: "start"` with a 2xx that has no `X-Edge-Session`, so no session starts; said once per route and isolate.',
    ),
    fields: { ...inRequest, route: configuredName },
  },
  "session.signal_malformed": {
    level: "warn",
    description: describe("The origin's `X-Edge-Session` cannot be read, so no session starts."),
    fields: { ...inRequest, route: configuredName },
  },
  "jwt.refused": {
    level: "info",
    description: describe(
      "A request's JWT does not count, for this reason; on a public route the request passes all the same.",
    ),
    fields: {
      ...inRequest,
      route: configuredName,
      reason: word(
        ...["malformed", "algorithm", "signature", "expired", "not yet valid"],
        ...["issuer", "audience", "type", "subject", "claims"],
      ),
    },
  },
  "key.signal_malformed": {
    level: "warn",
    description: describe("The origin's `X-Edge-Caller` cannot be read, so it verifies no API key."),
    fields: { ...inRequest, route: configuredName },
  },
  "session.secret_missing": {
    level: "error",
    description: describe("A session is asked for and `SESSION_SECRET` is not set; said once per isolate."),
    fields: { ...mayBeInRequest, message: sentence },
  },
  "cache.purged": {
    level: "info",
    description: describe(
      "An operator purges cached responses; the counts say of what kind, `user` whose, where it is one's.",
    ),
    fields: {
      ...mayBeInRequest,
      files: count,
      prefixes: count,
      tags: count,
      users: count,
      user: optional(hash),
      everything: flag,
      soft: flag,
    },
  },
  "cache.corrupt": {
    level: "warn",
    description: describe(
      "A cached response in the store cannot be read and counts as a miss; said once per isolate.",
    ),
    fields: { ...inRequest, route: configuredName },
  },
  "origin.failed": {
    level: "warn",
    description: describe(
      "The origin cannot be reached, is too late, answers with a 5xx or a status that is none, or is this edge itself.",
    ),
    fields: {
      ...inRequest,
      route: configuredName,
      host,
      reason: word("timeout", "unreachable", "loop", "bad status"),
      status: optional(status),
    },
  },
  "jwks.failed": {
    level: "warn",
    description: describe(
      "The key set at `JWT_JWKS_URL` cannot be loaded; `stale` says whether an older one is in use, `status` what the address answered: with 200 it is no key set.",
    ),
    fields: { stale: flag, status: optional(status) },
  },
  "store.lost": {
    level: "error",
    description: describe("The store fails repeatedly: the isolate goes on from its memory."),
    fields: {
      reason: code,
      status: optional(status),
    },
  },
  "store.found": {
    level: "info",
    description: describe("The store answers again."),
    fields: {},
  },
  "store.far": {
    level: "warn",
    description: describe(
      "Half of the last replies took longer than 100 ms: the Worker runs far from the database; at most once an hour and isolate.",
    ),
    fields: { median_ms: ms },
  },
  "store.refused": {
    level: "warn",
    description: describe(
      "Redis refuses a command with this error code (`WRONGTYPE`, `OOM`, `NOPERM` …); at most once a minute per code and isolate.",
    ),
    fields: { code },
  },
  "store.absent": {
    level: "warn",
    description: describe(
      "No store is configured: limits and cache, and sessions unless there is a `SESSION_DB`, live in each isolate's memory.",
    ),
    fields: { message: sentence },
  },
  "config.warning": {
    level: "warn",
    description: describe("Something in the configuration works and is probably not meant."),
    fields: { message: sentence },
  },
  "config.error": {
    level: "error",
    description: describe("The configuration cannot be used, and every request is answered with a 500."),
    fields: { ...inRequest, message: sentence },
  },
} satisfies Record<string, EventDefinition>;

/** The name of an event. docs/architecture.md says when each is emitted, and with which fields. */
export type EventName = keyof typeof eventTable;

type Fields<Name extends EventName> = (typeof eventTable)[Name]["fields"];
type OptionalNames<F> = { [K in keyof F]: F[K] extends { optional: true } ? K : never }[keyof F];

/** What `emit(name, …)` takes: exactly the fields of the table. */
export type EventFields<Name extends EventName> = keyof Fields<Name> extends never
  ? Record<string, never>
  : {
      readonly [K in Exclude<keyof Fields<Name>, OptionalNames<Fields<Name>>>]: ValueOf<Fields<Name>[K]>;
    } & {
      readonly [K in OptionalNames<Fields<Name>>]?: ValueOf<Fields<Name>[K]>;
    };

/** The level at which an event of these fields is emitted. */
export function levelOf(name: EventName, fields: { status?: unknown }): LogLevel {
  const { level, levelOf5xx }: EventDefinition = eventTable[name];
  return levelOf5xx !== undefined && Number(fields.status) >= 500 ? levelOf5xx : level;
}

/** `allowed by redis`, `denied by isolate` …: what the limits say, and who counted. */
function limitOutcomes() {
  const outcomes = ["allowed", "denied", "unavailable"] as const;
  const sources = ["redis", "memory", "isolate"] as const;
  return outcomes.flatMap((outcome) => sources.map((source) => `${outcome} by ${source}` as const));
}

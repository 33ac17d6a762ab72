import * as z from "zod";
import { keyLookup } from "../../endpoints/admin/keys.ts";
import { limitLookup } from "../../endpoints/admin/limits.ts";
import { purgeBody } from "../../endpoints/admin/purge.ts";
import { oneUser, userOrEveryone } from "../../endpoints/admin/users.ts";
import { warmBody } from "../../endpoints/admin/warm.ts";
import { creation } from "../../endpoints/sessions.ts";
import { PROBLEM_CODES } from "../../http/problem-codes.ts";
import { algorithms } from "../../ratelimit/algorithms/algorithms.ts";
import { consoleAnswers } from "./console-answers.ts";

const session = z.strictObject({
  session_id: z.string(),
  user_id: z.string(),
  created_at: z.string().describe("ISO 8601 with microseconds, UTC."),
  last_active: z.string(),
  expires_at: z.string(),
  device_info: z.unknown().describe("Any JSON, as it was given."),
  ip_address: z.nullable(z.string()),
});
const success = z.literal("success");
/** Missing where the store and the database of sessions are lost: there may be more. */
const complete = z.optional(z.literal(false)).describe("Present where the store is lost: there may be more.");
const ended = z.enum(["success", "pending"]).describe("`pending`: durable once the store is back.");
const reach = z.enum(["everywhere", "this isolate"]);
const keyHash = z.string().regex(/^hash:[0-9a-f]{32}$/);

const redis = z.strictObject({
  status: z.enum(["healthy", "unavailable", "not_configured"]),
  available: z.boolean(),
  message: z.string(),
  median_ms: z.optional(z.int()),
});
const database = z.strictObject({
  status: z.enum(["healthy", "shared", "unavailable"]),
  available: z.boolean(),
  message: z.string(),
});
const where = z.enum(["redis", "memory"]);
const services = z.strictObject({
  rate_limiting: where,
  session_storage: z.enum(["redis", "memory", "database"]),
  response_cache: where,
});
const health = {
  status: z.enum(["healthy", "degraded"]),
  mode: z.enum(["enforce", "observe", "bypass"]),
  system: z.strictObject({ redis, database: z.optional(database) }),
  services,
};

const window = z.strictObject({
  id: z.string(),
  name: z.string(),
  algorithm: z.enum(Object.keys(algorithms) as (keyof typeof algorithms)[]),
  limit: z.int(),
  shared: z.boolean(),
  remaining: z.number(),
  resetAt: z
    .number()
    .describe(
      "When more is left: milliseconds since the epoch, by the clock of `now`. Where nothing is used, that time.",
    ),
  source: z.enum(["redis", "memory"]),
  route: z.string(),
  tier: z.nullable(z.string()),
});

const done = z
  .enum(["done", "pending", "repeat", "none"])
  .describe(
    "`pending`: everywhere once the store is back. `repeat`: ask again then. `none`: not configured.",
  );
const sessionsEnded = z.optional(z.int()).describe("Missing where only the store knows.");

/** The bodies that the endpoints validate with, and those that they answer with, by the names they have in the document. */
export const schemas = {
  NewSession: creation,
  Purge: purgeBody,
  Warm: warmBody,
  LimitLookup: limitLookup,
  KeyLookup: keyLookup,
  OneUser: oneUser,
  UserOrEveryone: userOrEveryone,
  Session: session,
  CreatedSession: z.strictObject({ status: success, session, token: z.string() }),
  RotatedSession: z.strictObject({ status: success, session, token: z.optional(z.string()) }),
  OneSession: z.strictObject({ status: success, session }),
  OwnSessions: z.strictObject({
    status: success,
    sessions: z.array(z.strictObject({ ...session.shape, current: z.boolean() })),
    complete,
  }),
  SessionsOfUser: z.strictObject({ status: success, sessions: z.array(session), complete }),
  Ended: z.strictObject({ status: ended, message: z.string() }),
  EndedSessions: z.strictObject({
    status: ended,
    message: z.string(),
    deleted: z.optional(z.int()).describe("How many ended; missing where only the store knows."),
  }),
  Health: z.strictObject({
    ...health,
    data: z.strictObject({ ...health, timestamp: z.iso.datetime(), version: z.string() }),
  }),
  ...consoleAnswers({ store: redis, database, services }),
  Alive: z.strictObject({ status: z.literal("alive") }),
  Ready: z.strictObject({ status: z.literal("ready") }),
  NotReady: z.strictObject({ status: z.literal("not_ready"), reason: z.string() }),
  Purged: z.strictObject({
    success: z.literal(true),
    purged: z.strictObject({
      files: z.int(),
      prefixes: z.int(),
      tags: z.int(),
      users: z.int(),
      everything: z.boolean(),
    }),
    reach,
  }),
  Warmed: z.union([
    z.strictObject({
      path: z.string(),
      status: z.int(),
      cache: z.nullable(z.enum(["HIT", "STALE", "REVALIDATED", "MISS", "BYPASS"])),
      stored: z.boolean(),
      ms: z.number(),
    }),
    z.strictObject({
      done: z.literal(true),
      paths: z.int(),
      stored: z.int(),
      fresh: z.int(),
      failed: z.int(),
    }),
  ]),
  Limits: z.strictObject({
    now: z.int().describe("Milliseconds since the epoch, by the edge's clock, when it answered."),
    caller: keyHash,
    tier: z.nullable(z.string()).describe("The caller's; null: none, or it is not known."),
    limits: z.array(
      z.strictObject({
        ...window.shape,
        current: z
          .nullable(z.boolean())
          .describe(
            "Whether the caller is counted by this window; null: that depends on a tier that is not known.",
          ),
      }),
    ),
    address: z.optional(z.string()),
    reset: z.optional(z.literal(true)),
  }),
  Key: z.strictObject({
    key: keyHash,
    verified: z.boolean(),
    user_id: z.optional(z.nullable(z.string())),
    tier: z.optional(z.nullable(z.string())),
    reach: z.optional(reach),
  }),
  SignedOut: z.strictObject({
    user: z.optional(z.string()),
    everyone: z.optional(z.literal(true)),
    sessions_ended: sessionsEnded,
    reach,
  }),
  User: z.strictObject({
    user: z.string(),
    caller: keyHash,
    complete: z.boolean().describe("False where the store is lost: there may be more."),
    sessions: z.array(session),
    limits: z.array(window),
    cached_answers: z.string().describe("Why stored answers are not listed."),
  }),
  DeletedUser: z.strictObject({
    user: z.string(),
    sessions: done,
    limits: done,
    cached_answers: done,
    sessions_ended: sessionsEnded,
    reach,
    not_deleted: z.array(z.string()).describe("What else there is, or may be."),
  }),
  Problem: z.strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(PROBLEM_CODES),
    error: z.string(),
    message: z.string(),
    retry_after: z.optional(z.int()).describe("Seconds."),
    errors: z
      .optional(
        z.array(
          z.strictObject({
            in: z.enum(["body", "path", "query", "header"]),
            field: z.string(),
            reason: z.string(),
          }),
        ),
      )
      .describe("What is wrong with the request: each place and what it must be. Ten at most."),
    "violated-policies": z.optional(z.array(z.string())),
    request_id: z.string(),
  }),
} satisfies Record<string, z.core.$ZodType>;

export type SchemaName = keyof typeof schemas;

import type { Context, MiddlewareHandler } from "hono";
import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import type { Policy } from "../config/route.ts";
import { bearerToken } from "../http/bearer.ts";
import { problem } from "../http/problem.ts";
import { SESSION_TOKEN_PREFIX } from "../http/session-token.ts";
import { stringify } from "../runtime/json-text.ts";
import type { Platform } from "../runtime/platform.ts";
import { wellFormed } from "../runtime/well-formed.ts";
import { issued } from "../session/changes.ts";
import type { CreatedSession, FoundSession, SessionEnding } from "../session/handler-sessions.ts";
import { sessionTier, sessionUser, UNNAMEABLE } from "../session/input.ts";
import { UserDataTooLarge } from "../session/offline-user-data.ts";
import {
  DEVICE_INFO_BYTES,
  givenMember,
  jsonTooLarge,
  publicRecord,
  USER_DATA_BYTES,
} from "../session/record.ts";
import type { Sessions } from "../session/sessions.ts";
import type { ActiveSession, SessionVerdict } from "../session/verdict.ts";
import type { EndpointEnv } from "./env.ts";
import { readJson } from "./json-body.ts";
import { SESSION_LIMITS } from "./session-limits.ts";

export interface SessionRoutesOptions {
  sessions: Sessions;
  platform: Pick<Platform, "timer">;
  /** Refuses requests without a `SERVICE_TOKEN`. */
  serviceGate: MiddlewareHandler;
  /**
   * Runs the request's checks with its one batch, and sets the variables of {@link EndpointEnv}. The limits hold beside those
   * of the route.
   */
  identified(limits: readonly Policy[]): MiddlewareHandler<EndpointEnv>;
}

/** Maximum length of a creation's body, bytes. It exceeds the sum of the parts' limits. */
const MAX_BODY_BYTES = 64 * 1024;
export const creation = z.strictObject({
  user_id: sessionUser,
  user_data: z.optional(z.unknown()),
  device_info: z.optional(z.unknown()),
  ip_address: z.optional(z.nullable(z.string().check(z.maxLength(64), wellFormed))),
  tier: z.optional(z.nullable(sessionTier)),
  ttl: z.optional(z.int().check(z.positive())),
});

/** The edge's paths under `AUTH_BASE_PATH`. Every other path there belongs to the origin. */
export function sessionRoutes({ sessions, platform, serviceGate, identified }: SessionRoutesOptions) {
  const { service } = sessions;
  const using = identified(SESSION_LIMITS.use);
  const rotating = identified(SESSION_LIMITS.rotate);
  const ending = identified(SESSION_LIMITS.end);
  const configured: MiddlewareHandler<EndpointEnv> = async function requireSessionSecret(c, next) {
    sessions.requireSecret(c.env.received.requestId);
    c.header("cache-control", "no-store");
    await next();
  };
  /** A bearer token that is not a session token is a server's. */
  const either = (user: MiddlewareHandler<EndpointEnv>): MiddlewareHandler<EndpointEnv> =>
    async function serverOrUser(c, next) {
      const bearer = bearerToken(c.req.header("authorization"));
      return bearer !== null && !bearer.startsWith(SESSION_TOKEN_PREFIX)
        ? serviceGate(c, next)
        : user(c, next);
    };

  return new Hono<EndpointEnv>()
    .post("/sessions", configured, serviceGate, async (c) => {
      const input = await readCreation(c.req.raw, platform);
      const created = await creating(() =>
        sessions.create(
          {
            userId: input.user_id,
            userData: input.userData,
            deviceInfo: input.deviceInfo,
            ipAddress: input.ip_address ?? null,
            tier: input.tier ?? null,
            ...(input.ttl !== undefined && { ttlSeconds: input.ttl }),
          },
          undefined,
          c.env.received.requestId,
        ),
      );
      return json(c, { status: "success", session: publicRecord(created), token: created.token }, 201);
    })
    .get("/sessions", configured, using, async (c) => {
      const active = requireSession(c.get("session"));
      const { records, complete } = await service.list(active.claims.userId);
      const own = active.claims.id;
      const listed = records.some(({ record }) => record.session_id === own) ? records : [active, ...records];
      const sessionsOfUser = listed.map((kept) => ({
        ...publicRecord(kept),
        current: kept.record.session_id === own,
      }));
      return json(c, { status: "success", sessions: sessionsOfUser, ...(!complete && { complete }) });
    })
    .delete("/sessions", configured, ending, async (c) => {
      const active = requireSession(c.get("session"));
      const { ended, count } = await service.revokeAllOf(
        active.claims.userId,
        active.claims.id,
        c.env.received.requestId,
      );
      return c.json(outcome(ended, "Other sessions deleted", counted(count)), statusOf(ended));
    })
    .delete("/sessions/current", configured, ending, async (c) => {
      const verdict = c.get("session");
      if (verdict?.kind === "over" && verdict.ended)
        await service.endRotated(verdict.ended, c.env.received.requestId);
      const active = requireSession(verdict);
      const ended = await service.revoke(active.claims.id, active.claims.userId, c.env.received.requestId);
      if (active.tokenSource === "cookie") c.set("sessionChange", { kind: "cleared" });
      return c.json(outcome(ended, "Session deleted"), statusOf(ended));
    })
    .post("/sessions/rotate", configured, rotating, async (c) => {
      const active = requireSession(c.get("session"));
      const rotated = await creating(() => sessions.rotate(active, c.env.received.requestId));
      if (!rotated) throw problem("SESSION_NOT_FOUND");
      c.set("sessionChange", issued(rotated, active.tokenSource));
      return json(c, {
        status: "success",
        session: publicRecord(rotated),
        ...(active.tokenSource === "bearer" && { token: rotated.token }),
      });
    })
    .get("/sessions/redis/:id", configured, either(using), async (c) => {
      const by = requester(c);
      const kept = ownOf(by, await service.read(c.req.param("id")));
      return json(c, { status: "success", session: publicRecord(kept) });
    })
    .delete("/sessions/redis/:id", configured, either(ending), async (c) => {
      const id = c.req.param("id");
      const { requestId } = c.env.received;
      const by = requester(c);
      const found = await service.read(id, "any");
      // Since it was listed it may have got another id.
      if (found.kind === "missing" && (await service.endRotated({ id, userId: by }, requestId)))
        return c.json(outcome("done", "Session deleted"), statusOf("done"));
      // A server may end a session also while the store is lost and the session's user is unknown.
      const owner = found.kind === "unknown" && by === undefined ? null : ownOf(by, found).record.user_id;
      const ended = await service.revoke(id, owner, requestId);
      if (ended === "missing")
        throw problem("SESSION_NOT_FOUND", { message: "Session not found or could not be deleted" });
      return c.json(outcome(ended, "Session deleted"), statusOf(ended));
    })
    .get("/sessions/users/:user", configured, serviceGate, async (c) => {
      const { records, complete } = await service.list(c.req.param("user"));
      return json(c, {
        status: "success",
        sessions: records.map(publicRecord),
        ...(!complete && { complete }),
      });
    })
    .delete("/sessions/users/:user", configured, serviceGate, async (c) => {
      const { ended, count } = await service.revokeAllOf(c.req.param("user"), null, c.env.received.requestId);
      return c.json(outcome(ended, "Sessions deleted", counted(count)), statusOf(ended));
    })
    .delete("/sessions/everyone", configured, serviceGate, async (c) => {
      const ended = await service.revokeEveryone(c.env.received.requestId);
      return c.json(outcome(ended, "All sessions deleted"), statusOf(ended));
    });

  /** The user whose session asks; nobody where a server does. @throws Problem 401 for a session that is over. */
  function requester(c: Context<EndpointEnv>): string | undefined {
    const verdict = c.get("session");
    return verdict && requireSession(verdict).claims.userId;
  }

  /** The record for its own user or a server. @throws Problem 404 for other users, as if there were no such session. */
  function ownOf(by: string | undefined, found: FoundSession) {
    if (found.kind !== "found")
      throw problem(found.kind === "unknown" ? "SESSION_UNAVAILABLE" : "SESSION_NOT_FOUND");
    if (by !== undefined && by !== found.record.user_id) throw problem("SESSION_NOT_FOUND");
    return found;
  }
}

/** An answer of the session paths. It has JSON of records as it is written. */
function json(c: Context, body: unknown, status: 200 | 201 = 200): Response {
  return c.body(stringify(body), status, { "content-type": "application/json" });
}

async function readCreation(request: Request, platform: Pick<Platform, "timer">) {
  const { data, text } = await readJson(request, {
    schema: creation,
    code: "BAD_SESSION",
    codeOf: ({ issues }) =>
      issues.every(({ message }) => message === UNNAMEABLE) ? "UNNAMEABLE_USER" : "BAD_SESSION",
    maxBytes: MAX_BODY_BYTES,
    platform,
  });
  const [userData, deviceInfo] = [givenMember(text, "user_data"), givenMember(text, "device_info")];
  if (jsonTooLarge(userData, USER_DATA_BYTES))
    throw tooLarge("USER_DATA_TOO_LARGE", "user_data", USER_DATA_BYTES);
  if (jsonTooLarge(deviceInfo, DEVICE_INFO_BYTES))
    throw tooLarge("DEVICE_INFO_TOO_LARGE", "device_info", DEVICE_INFO_BYTES);
  return { ...data, userData, deviceInfo };
}

function tooLarge(code: "USER_DATA_TOO_LARGE" | "DEVICE_INFO_TOO_LARGE", field: string, bytes: number) {
  const errors = [{ in: "body", field, reason: `must have at most ${bytes} bytes of JSON` }];
  return problem(code, { members: { errors } });
}

async function creating<Result extends CreatedSession | null>(
  create: () => Promise<Result>,
): Promise<Result> {
  try {
    return await create();
  } catch (error) {
    if (error instanceof UserDataTooLarge) throw problem("USER_DATA_TOO_LARGE_OFFLINE");
    throw error;
  }
}

function requireSession(verdict: SessionVerdict = { kind: "none" }): ActiveSession {
  if (verdict.kind === "active") return verdict;
  if (verdict.kind === "unknown") throw problem("SESSION_UNAVAILABLE");
  throw problem(verdict.kind === "over" ? "SESSION_INVALID" : "SESSION_REQUIRED");
}

/** The body for an ended session. @throws Problem 503 where the end cannot be written later. */
function outcome(ended: SessionEnding, message: string, more: Record<string, unknown> = {}) {
  if (ended === "unkept") throw problem("ENDING_NOT_KEPT");
  if (ended !== "pending") return { status: "success", message, ...more };
  return {
    status: "pending",
    message: `${message} in this isolate; it is durable once the store is back, and lost if this isolate ends before`,
    ...more,
  };
}

/** How many sessions lived and ended. An answer says nothing of it where only the store knows. */
function counted(count: number | null): Record<string, unknown> {
  return count === null ? {} : { deleted: count };
}

function statusOf(ended: SessionEnding): 200 | 202 {
  return ended === "pending" ? 202 : 200;
}

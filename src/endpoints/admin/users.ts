import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import type { Route } from "../../config/route.ts";
import { problem } from "../../http/problem.ts";
import type { Identifier } from "../../identity/caller-hash.ts";
import { type Limiter, windowsOf } from "../../ratelimit/limiter.ts";
import type { ResponseCache } from "../../response-cache/response-cache.ts";
import { stringify } from "../../runtime/json-text.ts";
import type { Platform } from "../../runtime/platform.ts";
import type { SessionEnding } from "../../session/handler-sessions.ts";
import { publicRecord } from "../../session/record.ts";
import type { Sessions } from "../../session/sessions.ts";
import { StoreError } from "../../store/errors.ts";
import type { Store } from "../../store/store.ts";
import { badInput } from "../bad-input.ts";
import { readJson } from "../json-body.ts";
import { anyUser } from "./any-user.ts";
import { limitedUser, peekWindows } from "./caller-windows.ts";

export interface UserRoutesOptions {
  sessions: {
    service: Pick<Sessions["service"], "list" | "revokeAllOf" | "revokeEveryone">;
    requireSecret: Sessions["requireSecret"];
  };
  /** Which parts other isolates share; the rest lives in this isolate alone. */
  shared: { sessions: boolean; limits: boolean; cache: boolean };
  limiter: Pick<Limiter, "peek" | "reset">;
  cache: Pick<ResponseCache, "purge">;
  identifier: Pick<Identifier, "hash">;
  store: Pick<Store, "batch">;
  routes: readonly Route[];
  /** Whether there is a `SESSION_SECRET`: without one there are no sessions. */
  hasSessions: boolean;
  platform: Pick<Platform, "timer">;
}

export const oneUser = z.strictObject({ user: anyUser });
export const userOrEveryone = z.strictObject({
  user: z.optional(anyUser),
  everyone: z.optional(z.boolean()),
});

/**
 * - `done`; `pending`: it holds in this isolate, and everywhere once the store is back.
 * - `repeat`: the store is lost and nothing remembers it. Ask again.
 * - `none`: there is nothing of the kind.
 */
type Done = "done" | "pending" | "repeat" | "none";

/**
 * What an operator does for one user; the user stands in the body, so that none does in a URL or an access log.
 * `POST /edge/users/sign-out`, `export` and `delete`. Each may be repeated.
 */
export function userRoutes(options: UserRoutesOptions) {
  const { sessions, shared, limiter, cache, identifier, store, hasSessions, platform } = options;
  const { service } = sessions;
  const windows = windowsOf(options.routes);
  const noStore = { "cache-control": "no-store" };
  const code = "UNKNOWN_CALLER";

  return new Hono<{ Variables: { requestId: string } }>()
    .post("/users/sign-out", async (c) => {
      const { data } = await readJson(c.req.raw, { schema: userOrEveryone, code, platform });
      if ((data.user === undefined) === (data.everyone !== true)) {
        const reason = "must have either user, or everyone: true";
        throw badInput(code, [{ in: "body", field: "body", reason }]);
      }
      sessions.requireSecret(c.get("requestId"));
      const { ended, count } = await endSessions(data.user, c.get("requestId"));
      if (ended === "unkept") throw problem("ENDING_NOT_KEPT");
      const who = data.user === undefined ? { everyone: true } : { user: data.user };
      const { status, reach } = reached({ sessions: doneBy(ended) });
      return c.json({ ...who, ...(count !== null && { sessions_ended: count }), reach }, status, noStore);
    })
    .post("/users/export", async (c) => {
      const { data } = await readJson(c.req.raw, { schema: oneUser, code, platform });
      const caller = await limitedUser(data.user, identifier, windows);
      const [{ records, complete }, limits] = await Promise.all([
        hasSessions ? service.list(data.user) : { records: [], complete: true },
        peekWindows({ limiter, batch: store.batch() }, caller),
      ]);
      const isWhole = complete && (!shared.limits || limits.every(({ source }) => source === "redis"));
      const kept = {
        user: data.user,
        caller: `hash:${caller.hash}`,
        complete: isWhole,
        sessions: records.map(publicRecord),
        limits,
        cached_answers: CANNOT_BE_LISTED,
      };
      return c.body(stringify(kept), 200, { ...noStore, "content-type": "application/json" });
    })
    .post("/users/delete", async (c) => {
      const { data } = await readJson(c.req.raw, { schema: oneUser, code, platform });
      const { ended, count } = hasSessions
        ? await endSessions(data.user, c.get("requestId"))
        : { ended: null, count: null };
      // After the sessions: what a request with one has stored until then is withdrawn too.
      const { limits, cached } = await forget(data.user, c.get("requestId"));
      const parts = { sessions: doneBy(ended), limits, cached_answers: cached };
      const { status, reach } = reached(parts);
      const deleted = { ...parts, ...(count !== null && { sessions_ended: count }) };
      return c.json({ user: data.user, ...deleted, reach, not_deleted: NOT_DELETED }, status, noStore);
    });

  /** @param of Null for everyone. */
  async function endSessions(
    of: string | undefined,
    requestId: string,
  ): Promise<{ ended: SessionEnding; count: number | null }> {
    if (of !== undefined) return service.revokeAllOf(of, null, requestId);
    return { ended: await service.revokeEveryone(requestId), count: null };
  }

  /** Limits and stored answers, with one call. */
  async function forget(of: string, requestId: string): Promise<{ limits: Done; cached: Done }> {
    const batch = store.batch();
    const caller = await limitedUser(of, identifier, windows);
    const policies = caller.windows.map(({ policy }) => policy);
    const resetting = limiter.reset(caller.hash, policies, batch).then(() => true, isLost);
    const purge = { files: [], prefixes: [], tags: [], users: [of], everything: false, soft: false };
    const purged = await cache.purge(purge, requestId, batch);
    const limits = (await resetting) || !shared.limits ? "done" : "repeat";
    return { limits, cached: purged === "everywhere" || !shared.cache ? "done" : "pending" };
  }

  /** 202 and `this isolate` where something is not done everywhere; also where a memory is all there is. */
  function reached(parts: Partial<Record<"sessions" | "limits" | "cached_answers", Done>>) {
    const { sessions: ofSessions = "none", limits = "none", cached_answers: cached = "none" } = parts;
    const isDone = [ofSessions, limits, cached].every((done) => done === "done" || done === "none");
    const isShared =
      (ofSessions === "none" || shared.sessions) &&
      (limits === "none" || shared.limits) &&
      (cached === "none" || shared.cache);
    return {
      status: isDone ? (200 as const) : (202 as const),
      reach: isDone && isShared ? "everywhere" : "this isolate",
    };
  }
}

function doneBy(ended: SessionEnding | null): Done {
  if (ended === null) return "none";
  if (ended === "unkept") return "repeat";
  return ended === "pending" ? "pending" : "done";
}

function isLost(error: unknown): false {
  if (error instanceof StoreError) return false;
  throw error;
}

const CANNOT_BE_LISTED =
  "Stored answers of the user's own (scope caller) are found by their URL, not by their user, so they cannot be listed. " +
  "POST /edge/users/delete withdraws all of them.";

/** What a deletion leaves; docs/operating.md has the same list. */
const NOT_DELETED = [
  "that the user's sessions are over, so that none comes back: a hash and a time, for a year",
  "withdrawn answers: never served again, they leave Redis at the end of their lifetime",
  "log lines and metrics, which name the user by hash",
  "for 5 minutes, which API key your API has verified for the user",
  "what your handlers have stored, and what your API has",
  "backups of Redis and of SESSION_DB",
  "a JWT, which is good until it expires",
];

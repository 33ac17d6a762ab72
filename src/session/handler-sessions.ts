import type { SessionClaims } from "../identity/session-token.ts";
import type { KeptSession } from "./record.ts";
import type { ActiveSession } from "./verdict.ts";

/** The properties of a new session. */
export interface SessionInput {
  /** The user's id: a text that a token has room for, and other than `.` and `..`, which no URL can name. */
  userId: string;
  /** The name of the user's tier, whose limits hold in place of others. Default null: none. */
  tier?: string | null;
  /** Any JSON, for your handlers; at most 2048 bytes while the store is lost. No client sees it. Default `{}`. */
  userData?: unknown;
  /**
   * Any JSON, for the list of the user's sessions. Default `{}`. It has no bound here, where `POST /auth/sessions` takes 4 KiB: cut what a
   * client says, such as its `User-Agent`, as every request of the session reads its record.
   */
  deviceInfo?: unknown;
  /** The address from which the session was started, for the list. Default null: not kept. */
  ipAddress?: string | null;
  /** Seconds until its absolute end. Default and maximum: `sessions.absoluteSeconds` (the variable `SESSION_ABSOLUTE_SECONDS`). */
  ttlSeconds?: number;
}

/** A session that was created or rotated, with its token. */
export interface CreatedSession extends KeptSession {
  /**
   * What the client sends from now on, at most 4080 characters: as `Authorization: Bearer`, or as the cookie `__Host-session`
   * (`session` on http loopback). Whoever has it has the session: send it to nobody else, and with `Cache-Control: no-store`.
   */
  token: string;
  /** What the token says. */
  claims: SessionClaims;
  /** `false`: only this isolate and the token hold the session until the store is back. */
  durable: boolean;
}

/** The result of reading a session by its id. `unknown`: the store is lost and this isolate has no copy of the record. */
export type FoundSession =
  | ({
      /** The session lives. */
      kind: "found";
    } & KeptSession)
  | {
      /** There is none, or it has ended. */
      kind: "missing";
    }
  | {
      /** Nobody could be asked. */
      kind: "unknown";
    };

/**
 * The result of ending a session.
 *
 * - `done`: the end is stored, in Redis or in the database.
 * - `pending`: the store is lost. The end takes effect in this isolate at once and is written when the store is back.
 * - `missing`: there was no such session.
 * - `unkept`: the store is lost and the list of pending writes is full, so the end is never written.
 */
export type SessionEnding = "done" | "pending" | "missing" | "unkept";

/** The sessions, as handlers find them in `c.var.edge.sessions`. Each method makes a call of its own to the store. */
export interface HandlerSessions {
  /**
   * Creates a session. The handler gives its token to the client.
   *
   * @param input Whose it is, and what it holds.
   * @param replaced The session that the same client had before, `c.var.session?.claims`. It ends with the same call (ASVS 7.2.4).
   * @param requestId The request that the event names; likewise in the methods below.
   * @returns the session with its token. While the store is lost, too: see {@link CreatedSession.durable}.
   * @throws {@link ConfigError} for a member that is not of its kind or that there is none of, for a user or a tier that does not fit into a
   *   token or is no well-formed text, for a user that no URL can name, and for a `ttlSeconds` that is not above 0.
   * @throws Error with the `code` `USER_DATA_TOO_LARGE_OFFLINE` when the store is lost and a token cannot carry the user data.
   * @throws Error with the `code` `SESSIONS_NOT_CONFIGURED` without a session secret. Unless the app answers in another way, Hono answers
   *   with it: the 503 problem.
   * @example
   * import { createEdge, type EdgeEnv } from "envoyou-edge";
   * import { Hono } from "hono";
   *
   * const { edge } = createEdge();
   * const app = new Hono<EdgeEnv>();
   * app.post("/login", edge({ session: "optional" }), async (c) => {
   *   const { user } = await c.req.json<{ user: string }>(); // and check the password
   *   const { token } = await c.var.edge.sessions.create({ userId: user, tier: "free" }, c.var.session?.claims);
   *   return c.json({ user }, 201, { "X-Session-Token": token, "Cache-Control": "no-store" });
   * });
   */
  create(input: SessionInput, replaced?: SessionClaims, requestId?: string): Promise<CreatedSession>;
  /**
   * Reads a session by its id.
   *
   * @returns `found` with its record, `missing`, or `unknown` while the store is lost. It does not reject for an outage.
   * @example
   * import type { EdgeVariables } from "envoyou-edge";
   *
   * async function ownerOf(sessions: EdgeVariables["edge"]["sessions"], id: string): Promise<string | null> {
   *   const found = await sessions.get(id);
   *   return found.kind === "found" ? found.record.user_id : null;
   * }
   */
  get(id: string): Promise<FoundSession>;
  /**
   * Records activity now, so that the session does not end as idle.
   *
   * @returns false, and writes nothing, when the session is gone.
   * @example
   * import type { EdgeVariables } from "envoyou-edge";
   *
   * const isAlive = (sessions: EdgeVariables["edge"]["sessions"], id: string): Promise<boolean> => sessions.touch(id);
   */
  touch(id: string): Promise<boolean>;
  /**
   * Ends a session: in this isolate at once, in every other within `ISOLATE_MAX_AGE_MS`.
   *
   * @param session Its claims, or its id. A rotation may come meanwhile, in another tab or by a thief. Then the session goes on under another
   *   id: with the claims it ends all the same, with an id alone only where this isolate remembers whose it was (RFC 9700 §4.14.2).
   * @returns what became of it; `missing` for undefined and null. It does not reject for an outage.
   * @throws {@link ConfigError} for what has no id, such as `c.var.session` without `.claims`.
   * @example
   * import { createEdge, type EdgeEnv } from "envoyou-edge";
   * import { Hono } from "hono";
   *
   * const { session } = createEdge();
   * const app = new Hono<EdgeEnv>();
   * app.post("/logout", session({ required: true }), async (c) => {
   *   const ended = c.var.session && (await c.var.edge.sessions.delete(c.var.session.claims));
   *   return c.json({ ended }, ended === "unkept" ? 503 : 200, { "Cache-Control": "no-store" });
   * });
   */
  delete(session: string | Pick<SessionClaims, "id" | "userId">, requestId?: string): Promise<SessionEnding>;
  /**
   * Gives a session a new id, as after a sign-in with more rights; the old one is over at once.
   *
   * @param active The request's session, `c.var.session`.
   * @returns the session with its new token, or null when it was over already.
   * @throws {@link ConfigError} for anything else, such as its claims.
   * @throws Error with the `code` `SESSION_UNAVAILABLE`, Hono's 503 as for {@link create}, where neither Redis nor the database has confirmed
   *   the session, but for one that was made in an outage: what the record holds would be lost, and an end that only they have would
   *   not reach the new id. The old one goes on.
   * @example
   * import { createEdge, type EdgeEnv } from "envoyou-edge";
   * import { Hono } from "hono";
   *
   * const { session } = createEdge();
   * const app = new Hono<EdgeEnv>();
   * app.post("/confirm", session({ required: true }), async (c) => {
   *   const rotated = c.var.session && (await c.var.edge.sessions.rotate(c.var.session));
   *   if (!rotated) return c.json({ error: "Sign in again" }, 401);
   *   return c.json({}, 200, { "X-Session-Token": rotated.token, "Cache-Control": "no-store" });
   * });
   */
  rotate(active: ActiveSession, requestId?: string): Promise<CreatedSession | null>;
}

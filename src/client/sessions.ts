import { EdgeError, type EdgeProblem, edgeProblem } from "./problem.ts";
import type { BearerSession } from "./session.ts";

/** A session of the user. Times are ISO 8601 with microseconds. */
export interface ListedSession {
  /** Its id, for {@link ClientSessions.end}. */
  session_id: string;
  /** The user's id. */
  user_id: string;
  /** When it was created. */
  created_at: string;
  /** When it was last used, up to a minute before. */
  last_active: string;
  /** When it ends at the latest. */
  expires_at: string;
  /** Any JSON: what the sign-in said of the device. */
  device_info: unknown;
  /** The address from which it was started, or null. */
  ip_address: string | null;
  /** `true`: the one that asks. */
  current?: boolean;
}

/**
 * What became of an ending.
 *
 * - `done`: it holds everywhere. `deleted`: how many sessions ended, where several were to.
 * - `pending` (202): it holds where it was answered, and everywhere once the store is back.
 * - `unavailable` (503): it is not kept; repeat it after `retryAfterSeconds`.
 */
export type SessionEnd =
  | {
      /** It holds everywhere. */
      kind: "done";
      /** How many sessions ended, where several were to. */
      deleted?: number;
    }
  | {
      /** It holds where it was answered. */
      kind: "pending";
    }
  | {
      /** It is not kept. */
      kind: "unavailable";
      /** Whole seconds after which to repeat it. */
      retryAfterSeconds: number;
      /** What the edge said. */
      problem: EdgeProblem;
    };

/**
 * The user's own sessions, at the paths of the edge as a Worker of its own; an app of middlewares has none but those that it writes itself.
 * Each call rejects with an `EdgeError` for a problem that its result does not describe, such as
 * `SESSION_REQUIRED`, and with an `Error` where something other than the edge answers at its paths.
 */
export interface ClientSessions {
  /**
   * Lists them.
   *
   * @returns all of them; `complete` is false where the store cannot tell of every one.
   * @throws EdgeError for a problem.
   * @example
   * import { createClient } from "envoyou-edge/client";
   *
   * const api = createClient({ baseUrl: "https://api.example.com" });
   * const { sessions } = await api.sessions.list();
   * for (const { session_id, last_active, current } of sessions) console.log(session_id, last_active, current ?? false);
   */
  list(): Promise<{
    /** The sessions, in no order of their own. */
    sessions: ListedSession[];
    /** `false`: the store cannot tell of every one. */
    complete: boolean;
  }>;
  /**
   * Gives this session a new id: the old token is refused from then on. The client goes on with the new one.
   *
   * @returns the session under its new id.
   * @throws EdgeError for a problem: `SESSION_UNAVAILABLE` (503) while the store is lost; the old token goes on.
   * @example
   * import { createClient } from "envoyou-edge/client";
   *
   * const api = createClient({ baseUrl: "https://api.example.com" });
   * const { session_id } = await api.sessions.rotate();
   */
  rotate(): Promise<ListedSession>;
  /**
   * Ends this session. The client forgets its token, except where the ending is not kept.
   *
   * @returns what became of it.
   * @throws EdgeError for a problem other than 503.
   * @example
   * import { createClient } from "envoyou-edge/client";
   *
   * const api = createClient({ baseUrl: "https://api.example.com" });
   * const ended = await api.sessions.signOut();
   * if (ended.kind === "unavailable") alert(`Not signed out. Try again in ${ended.retryAfterSeconds} s`);
   */
  signOut(): Promise<SessionEnd>;
  /**
   * Ends all others of the user.
   *
   * @returns what became of it, with how many ended where that is known.
   * @throws EdgeError for a problem other than 503.
   * @example
   * import { createClient } from "envoyou-edge/client";
   *
   * const api = createClient({ baseUrl: "https://api.example.com" });
   * const ended = await api.sessions.endOthers();
   * if (ended.kind === "done") console.log(`${ended.deleted ?? 0} sessions have ended`);
   */
  endOthers(): Promise<SessionEnd>;
  /**
   * Ends one of the user's.
   *
   * @param id Its `session_id`.
   * @returns what became of it.
   * @throws EdgeError for a problem other than 503: `SESSION_NOT_FOUND` where the user has no such session.
   * @example
   * import { createClient, type ListedSession } from "envoyou-edge/client";
   *
   * const api = createClient({ baseUrl: "https://api.example.com" });
   * const endOf = ({ session_id }: ListedSession) => api.sessions.end(session_id);
   */
  end(id: string): Promise<SessionEnd>;
}

/** @param path `AUTH_BASE_PATH`. */
export function clientSessions(
  send: (path: string, init: { method: string }) => Promise<Response>,
  path: string,
  session: BearerSession,
): ClientSessions {
  const ask = (rest: string, method: string) => send(`${path}/sessions${rest}`, { method });

  async function end(rest: string): Promise<SessionEnd> {
    const response = await ask(rest, "DELETE");
    if (response.status === 202) return { kind: "pending" };
    if (response.ok) {
      const { deleted } = await jsonOf<{ deleted?: number }>(response);
      return { kind: "done", ...(deleted !== undefined && { deleted }) };
    }
    const problem = await problemIn(response);
    if (response.status !== 503) throw new EdgeError(problem);
    return { kind: "unavailable", retryAfterSeconds: problem.retry_after ?? 1, problem };
  }

  return {
    async list() {
      const { sessions, complete = true } = await read<{ sessions: ListedSession[]; complete?: boolean }>(
        await ask("", "GET"),
      );
      return { sessions, complete };
    },
    async rotate() {
      const { session: rotated } = await read<{ session: ListedSession }>(await ask("/rotate", "POST"));
      return rotated;
    },
    async signOut() {
      const { generation } = session;
      const ended = await end("/current");
      if (ended.kind !== "unavailable" && session.generation === generation) session.set(null);
      return ended;
    },
    endOthers: () => end(""),
    end: (id) => end(`/redis/${encodeURIComponent(id)}`),
  };
}

async function read<Body>(response: Response): Promise<Body> {
  if (!response.ok) throw new EdgeError(await problemIn(response));
  return jsonOf<Body>(response);
}

/** @throws Error for a page, as a server has it that answers every path with the app's. */
async function jsonOf<Body>(response: Response): Promise<Body> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body !== "object" || body === null) throw notTheEdge(response);
  return body as Body;
}

/** @throws Error where something other than the edge answers at its paths. */
async function problemIn(response: Response): Promise<EdgeProblem> {
  const problem = await edgeProblem(response);
  if (problem) return problem;
  throw notTheEdge(response);
}

function notTheEdge({ status, url }: Response): Error {
  const path = url && new URL(url).pathname;
  return new Error(`${status} at ${path} is no answer of the edge: is the address right?`);
}

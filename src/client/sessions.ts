import { EdgeError, type EdgeProblem, edgeProblem } from "./problem.ts";
import type { BearerSession } from "./session.ts";

/** A session of the user. Times are ISO 8601. */
export interface ListedSession {
  session_id: string;
  user_id: string;
  created_at: string;
  last_active: string;
  expires_at: string;
  device_info: unknown;
  ip_address: string | null;
  /** The one that asks. */
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
  | { kind: "done"; deleted?: number }
  | { kind: "pending" }
  | { kind: "unavailable"; retryAfterSeconds: number; problem: EdgeProblem };

/** The user's own sessions. Each call throws an `EdgeError` for a problem that its result does not describe. */
export interface ClientSessions {
  /** All of them; `complete` is false where the store cannot tell of every one. */
  list(): Promise<{ sessions: ListedSession[]; complete: boolean }>;
  /** A new id for this session: the old token is refused from then on. */
  rotate(): Promise<ListedSession>;
  /** Ends this session. The client forgets its token, except where the ending is not kept. */
  signOut(): Promise<SessionEnd>;
  /** Ends all others. */
  endOthers(): Promise<SessionEnd>;
  /** Ends one. */
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
      const { deleted } = (await response.json()) as { deleted?: number };
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
  return (await response.json()) as Body;
}

/** @throws Error where something other than the edge answers at its paths. */
async function problemIn(response: Response): Promise<EdgeProblem> {
  const problem = await edgeProblem(response);
  if (problem) return problem;
  throw new Error(
    `${response.status} at ${new URL(response.url).pathname} is no answer of the edge: is the address right?`,
  );
}

import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { contextOf } from "../context.ts";
import { freshPrefix } from "../limits.ts";
import { testPlatform } from "../platform.ts";
import { redisVariables } from "./redis-variables.ts";

/** The `SESSION_SECRET` of a {@link countingEdge}. */
export const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const SERVICE_TOKEN = "service-token-of-this-test-only";

export interface CountingEdgeOptions {
  routes: readonly RouteInput[];
  /** Variables beside those of the store and of sessions. */
  env?: Record<string, string>;
  fetchOrigin(url: string): Promise<Response>;
}

/**
 * An edge on Redis that counts its calls to the store before the answers. `state.down` cuts it off from the store;
 * `state.between` runs once, after the first command of a call and before the others: Upstash's pipelines are no transactions.
 */
export function countingEdge({ routes, env, fetchOrigin }: CountingEdgeOptions) {
  const prefix = freshPrefix();
  const state = { down: false, between: null as (() => Promise<unknown>) | null };
  const platform = testPlatform({
    now: Date.now(),
    async fetch(input, init) {
      if (state.down) throw new TypeError("cut");
      const { between } = state;
      if (!between) return fetch(input, init);
      state.between = null;
      const [first, ...rest] = JSON.parse(String(init?.body)) as unknown[];
      const send = async (commands: unknown[]) =>
        (await fetch(input, { ...init, body: JSON.stringify(commands) })).json<unknown[]>();
      const replies = await send([first]);
      await between();
      return Response.json([...replies, ...(await send(rest))]);
    },
  });
  const log: Record<string, unknown>[] = [];
  const variables = {
    ...redisVariables(prefix),
    SESSION_SECRET,
    SERVICE_TOKEN,
    ORIGIN: { fetch: fetchOrigin },
    ...env,
  };
  const sink = {
    receive: ({ event, fields }: { event: string; fields: Record<string, unknown> }) =>
      void (event === "request" && log.push(fields)),
  };
  const answer = edgeAnswer(openIsolate(variables, [...routes], platform, [sink]));
  async function ask(path: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
    const all = { "cf-connecting-ip": "192.0.2.7", ...headers };
    const request = new Request(`https://edge.example${path}`, { ...init, headers: all });
    // Each request waits for its own work alone.
    const own: Promise<unknown>[] = [];
    const response = await answer(request, contextOf(own));
    await platform.settle(own);
    return { status: response.status, calls: log.at(-1)?.store_calls, response };
  }
  /** @param base `AUTH_BASE_PATH`. */
  async function session(user: string, base = "/auth"): Promise<string> {
    const authorization = `Bearer ${SERVICE_TOKEN}`;
    const body = JSON.stringify({ user_id: user });
    const { response } = await ask(`${base}/sessions`, { authorization }, { method: "POST", body });
    return ((await response.json()) as { token: string }).token;
  }
  return { ask, session, platform, state };
}

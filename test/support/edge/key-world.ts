import { inject } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { freshPrefix } from "../limits.ts";
import { testPlatform } from "../platform.ts";
import { NOW } from "../session-samples.ts";
import { redisVariables } from "./redis-variables.ts";

export const KEY = "a-key-that-the-origin-knows";
export const ADMIN_TOKEN = "admin-token-of-this-test";
export const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const ROUTES: RouteInput[] = [
  { path: "/keys/*", verifiesKeys: true },
  { path: "/cached/*", verifiesKeys: true, access: ["key"], cache: { ttl: 60, scope: "shared" } },
  { path: "/guarded", access: ["key"] },
  { path: "/for-people", access: ["session", "jwt"] },
  { path: "/known", access: "identified" },
];
/** What the origin answers. Default a 200 that accepts the key. */
export type Answer = { status?: number; caller?: string | null };

/** Two isolates over one Redis, in front of an origin that accepts {@link KEY} in `X-API-Key`, until it is told otherwise. */
export function keyWorld(vars: Record<string, string> = {}) {
  const prefix = freshPrefix();
  const state = {
    down: false,
    answer: {} as Answer,
    gate: Promise.resolve(),
    asked: [] as Request[],
    /** Replies of Redis wait for it. */
    replies: Promise.resolve(),
    /** Replies of Redis that wait for it. */
    held: 0,
  };
  const platform = testPlatform({
    now: NOW,
    async fetch(input, init) {
      const request = new Request(input, init);
      if (new URL(request.url).host !== "origin.example") {
        if (state.down) throw new TypeError("cut");
        const { replies } = state;
        const reply = await fetch(request);
        state.held += 1;
        await replies;
        state.held -= 1;
        return reply;
      }
      const { gate, answer } = state;
      state.asked.push(request);
      await gate;
      const { status = 200, caller = '{"user_id":"acme","tier":"gold"}' } = answer;
      const headers = new Headers(caller === null ? {} : { "x-edge-caller": caller });
      return new Response(status === 204 || status === 304 ? null : "data", { status, headers });
    },
  });
  const env = {
    ...redisVariables(prefix),
    ORIGIN_URL: "https://origin.example",
    ORIGIN_TOKEN: "origin-token-of-the-test",
    LOG_LEVEL: "error",
    SESSION_SECRET,
    ADMIN_TOKEN,
    ...vars,
  };
  /** What Redis holds of API keys, by their key. */
  async function stored(): Promise<string[]> {
    const found: string[] = [];
    for (const key of await ask<string[]>("KEYS", `{${prefix}r}:v:*`))
      found.push(await ask<string>("GET", key));
    return found;
  }
  /** The next answers of the origin wait until the returned function is called. */
  function hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    state.gate = promise;
    return resolve;
  }
  const isolate = () => {
    const edge = edgeAnswer(openIsolate(env, ROUTES, platform));
    return async (path: string, init: RequestInit = {}) => {
      const background: Promise<unknown>[] = [];
      const context = { waitUntil: (work: Promise<unknown>) => background.push(work) };
      const response = await edge(
        new Request(`https://edge.example${path}`, init),
        context as unknown as ExecutionContext,
      );
      const text = await response.text();
      await platform.settle(background);
      return { status: response.status, headers: response.headers, text };
    };
  };
  return { state, stored, hold, platform, here: isolate(), there: isolate(), another: isolate };
}

/** The reply of Redis to one command. */
async function ask<Reply>(...command: string[]): Promise<Reply> {
  const headers = { authorization: `Bearer ${inject("ownerToken")}` };
  const response = await fetch(inject("ownerUrl"), {
    method: "POST",
    headers,
    body: JSON.stringify(command),
  });
  return (await response.json<{ result: Reply }>()).result;
}

/** A request with {@link KEY}. */
export const withKey = (headers: Record<string, string> = {}): RequestInit => ({
  headers: { "x-api-key": KEY, ...headers },
});

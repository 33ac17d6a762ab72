import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { freshPrefix } from "../limits.ts";
import { type TestPlatform, testPlatform } from "../platform.ts";
import { redisVariables } from "./redis-variables.ts";

/** Of the test's operator. */
export const ADMIN_TOKEN = "admin-token-of-this-test-only-0123";

export interface PairOptions {
  routes: readonly RouteInput[];
  env?: Record<string, string>;
  /** The origin's answer, which follows from the request and from how many it has had. */
  answer(request: { url: URL; method: string; headers: Headers }, count: number): Response;
}

/** What one of the two says of a request. */
export interface Said {
  status: number;
  body: string;
  fields: [name: string, value: string][];
  log: Record<string, unknown> | undefined;
  storeCalls: number;
  originCalls: number;
}

/**
 * Two edges of the same routes on one clock, each with counts and entries of its own in Redis: one as it is, and one that takes all steps
 * for each request.
 */
export function pairedEdges({ routes, env = {}, answer }: PairOptions) {
  const now = Date.UTC(2026, 0, 15, 12, 0, 30);
  const pair = [edge(false), edge(true)] as const;

  function edge(allSteps: boolean) {
    const prefix = freshPrefix();
    const state = { storeCalls: 0, originCalls: 0, down: false, identified: 0 };
    const platform: TestPlatform = testPlatform({
      now,
      async fetch(input, init) {
        state.storeCalls += 1;
        if (state.down) throw new TypeError("cut");
        return fetch(input, init);
      },
    });
    const fetchOrigin = async (url: string, { method = "GET", headers }: RequestInit = {}) => {
      state.originCalls += 1;
      return answer({ url: new URL(url), method, headers: new Headers(headers) }, state.originCalls);
    };
    const variables = {
      ...redisVariables(prefix),
      ADMIN_TOKEN,
      ORIGIN: { fetch: fetchOrigin },
      ...env,
    };
    const log: Record<string, unknown>[] = [];
    const sink = {
      receive: ({ event, fields }: { event: string; fields: Record<string, unknown> }) =>
        void (event === "request" && log.push(fields)),
    };
    const open = () => {
      const isolate = openIsolate(variables, [...routes], platform, [sink]);
      const { identify } = isolate;
      isolate.identify = (...all) => {
        state.identified += 1;
        return identify(...all);
      };
      return edgeAnswer(isolate, { allSteps });
    };
    let answerOf = open();

    async function ask(path: string, init: RequestInit & { address?: string }): Promise<Said> {
      const headers = new Headers(init.headers);
      if (!headers.has("cf-connecting-ip")) headers.set("cf-connecting-ip", init.address ?? "192.0.2.7");
      const own: Promise<unknown>[] = [];
      const before = { ...state };
      const context = {
        waitUntil: (work: Promise<unknown>) => void own.push(work),
        passThroughOnException() {},
      } as unknown as ExecutionContext;
      const response = await answerOf(
        new Request(`https://edge.example${path}`, { ...init, headers }),
        context,
      );
      const body = await response.text();
      await platform.settle(own);
      const fields = [...response.headers].filter(([name]) => name !== "x-request-id");
      return {
        status: response.status,
        body: body.replace(/"request_id":"[0-9a-f]+"/, ""),
        fields,
        log: withoutTimes(log.at(-1)),
        storeCalls: state.storeCalls - before.storeCalls,
        originCalls: state.originCalls - before.originCalls,
      };
    }
    function restart(): void {
      answerOf = open();
    }
    return { ask, platform, state, restart };
  }

  return {
    /** What both say of one request: the one as it is, then the one that takes all steps. */
    async ask(path: string, init: RequestInit & { address?: string } = {}): Promise<[Said, Said]> {
      return [await pair[0].ask(path, init), await pair[1].ask(path, init)];
    },
    advance(ms: number): void {
      for (const { platform } of pair) platform.advance(ms);
    },
    down(down: boolean): void {
      for (const { state } of pair) state.down = down;
    },
    restart(): void {
      for (const { restart } of pair) restart();
    },
    /** Requests for which the first did not take all steps. */
    repeated: () => pair[1].state.identified - pair[0].state.identified,
  };
}

function withoutTimes(line: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  if (!line) return undefined;
  const { request_id: _, ...rest } = line;
  return rest;
}

import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { freshPrefix } from "../limits.ts";
import { testPlatform } from "../platform.ts";
import { redisVariables } from "./redis-variables.ts";

/** A request that the origin was sent. */
export interface OriginCall {
  path: string;
  method: string;
  headers: Headers;
  /** It was given up by the edge. */
  readonly aborted: boolean;
  /** What has happened to the body of its answer. */
  body: "untouched" | "read" | "cancelled";
}

export interface GatedEdgeOptions {
  routes: readonly RouteInput[];
  env?: Record<string, string>;
  /** The origin's answer; its body is watched. It throws where the origin cannot be reached. */
  answer?(call: OriginCall): Response;
}

interface AskOptions extends RequestInit {
  /** Which of the isolates. Default the first. */
  isolate?: number;
  address?: string;
}

/**
 * Isolates on one Redis whose store and origin can be held up: `hold("store")` keeps calls waiting until what it returns is called.
 * `fail` decides which side throws. The origin counts what it is sent.
 */
export function gatedEdge({ routes, env, answer = () => cacheable() }: GatedEdgeOptions) {
  const prefix = freshPrefix();
  const gates: Record<"store" | "origin", Promise<void> | null> = { store: null, origin: null };
  const state = { fail: null as "store" | null, storeCalls: 0, pending: 0 };
  const calls: OriginCall[] = [];
  const platform = testPlatform({
    now: Date.now(),
    async fetch(input, init) {
      state.storeCalls += 1;
      state.pending += 1;
      try {
        await gates.store;
        if (state.fail === "store") throw new TypeError("cut");
        return await fetch(input, init);
      } finally {
        state.pending -= 1;
      }
    },
  });
  // Those of the test's platform repeat after a few requests, whose ids must differ here.
  platform.randomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));
  async function fetchOrigin(url: string, { method = "GET", headers, signal }: RequestInit = {}) {
    const call: OriginCall = {
      path: new URL(url).pathname + new URL(url).search,
      method,
      headers: new Headers(headers),
      get aborted() {
        return signal?.aborted ?? false;
      },
      body: "untouched",
    };
    calls.push(call);
    const gone = new Promise<never>((_, reject) => {
      signal?.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")));
    });
    if (gates.origin) await Promise.race([gates.origin, gone]);
    gone.catch(() => {});
    return watched(answer(call), call);
  }
  const variables = {
    ...redisVariables(prefix),
    ADMIN_TOKEN: "admin-token-of-this-test-only-0123",
    ORIGIN: { fetch: fetchOrigin },
    ...env,
  };
  const events: { event: string; fields: Record<string, unknown> }[] = [];
  const sink = { receive: (each: (typeof events)[number]) => void events.push(each) };
  const isolates = Array.from({ length: 3 }, () => openIsolate(variables, [...routes], platform, [sink]));
  const answers = isolates.map((each) => edgeAnswer(each));
  const background = new Set<Promise<unknown>>();
  /** Each request waits for its own work alone: another's may need what the test lets go later. */
  function contextOf(own: Promise<unknown>[]): ExecutionContext {
    const waitUntil = (work: Promise<unknown>) => {
      own.push(work);
      background.add(work);
      void work.then(forget, forget);
      function forget() {
        background.delete(work);
      }
    };
    return { waitUntil, passThroughOnException() {} } as unknown as ExecutionContext;
  }

  async function ask(path: string, { isolate = 0, address = "192.0.2.7", ...init }: AskOptions = {}) {
    const headers = new Headers(init.headers);
    headers.set("cf-connecting-ip", address);
    const request = new Request(`https://edge.example${path}`, { ...init, headers });
    const own: Promise<unknown>[] = [];
    const response = await answers[isolate]?.(request, contextOf(own));
    if (!response) throw new Error(`There is no isolate ${isolate}`);
    const text = await response.text();
    await platform.settle(own);
    const log = events.findLast(
      ({ event, fields }) =>
        event === "request" && fields.request_id === response.headers.get("x-request-id"),
    )?.fields;
    return { status: response.status, word: response.headers.get("x-cache"), text, response, log };
  }

  return {
    ask,
    calls,
    events,
    platform,
    state,
    isolates,
    /** What was given to `waitUntil` and is not done. */
    background,
    /** @returns what lets it go on. */
    hold(side: keyof typeof gates): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      gates[side] = promise;
      return () => {
        gates[side] = null;
        resolve();
      };
    },
    paths: () => calls.map(({ path }) => path),
  };
}

/** What may be stored, with a length. */
export function cacheable(text = "stored", fields: Record<string, string> = {}): Response {
  const length = String(new TextEncoder().encode(text).length);
  return new Response(text, {
    headers: { "cache-control": "max-age=600", "content-length": length, ...fields },
  });
}

/** Lets everything run that does not wait for the network, and what the network has brought. */
export async function settle(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
}

function watched(response: Response, call: OriginCall): Response {
  const { body, status, headers } = response;
  if (!body || call.method === "HEAD") return new Response(null, { status, headers });
  const reader = body.getReader();
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        call.body = "read";
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel() {
        call.body = "cancelled";
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, { status, headers });
}

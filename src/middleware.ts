import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { isObject } from "./config/check-given.ts";
import type { LimitInput, RouteInput } from "./config/route.ts";
import type { Admitted, Capabilities } from "./edge/admission.ts";
import { newRequestId, problemOf } from "./edge/finish.ts";
import { isolateOf } from "./edge/full-isolate.ts";
import type { Isolate } from "./edge/isolate.ts";
import { limitScope, routeInScope, sameRoutes } from "./edge/middleware-scope.ts";
import type { IsolateOf } from "./edge/open-isolates.ts";
import { outliveClient } from "./edge/outlive-client.ts";
import { handle } from "./edge/pipeline.ts";
import { receive } from "./edge/receive.ts";
import { createEvents } from "./events/events.ts";
import type { Sink } from "./events/sink.ts";
import { Problem } from "./http/problem.ts";
import { AppErrors, limitedInfo, responseOr, throwTo } from "./middleware/app-functions.ts";
import { askApp, withoutKeyNames } from "./middleware/ask-app.ts";
import { checkOptions } from "./middleware/check-options.ts";
import { EarlierFields } from "./middleware/earlier-fields.ts";
import {
  type AppContext,
  type CacheOptions,
  type EdgeOptions,
  limitOptions,
  type MiddlewareLimit,
  type RateLimitArguments,
  type SessionOptions,
  sessionOptions,
} from "./middleware/options.ts";
import { inStack, isInside, type RequestStack } from "./middleware/stack.ts";
import { toHandlers } from "./middleware/to-handlers.ts";
import type { EdgeEnv, EdgeVariables } from "./middleware/variables.ts";
import { joinedVerdict } from "./ratelimit/joined-verdict.ts";
import type { LimitVerdict } from "./ratelimit/verdict.ts";
import type { OriginFetch } from "./request/origin-reply.ts";
import { workerPlatform } from "./runtime/platform.ts";

export type { EdgeEnv, EdgeVariables } from "./middleware/variables.ts";

/**
 * The edge as Hono middleware: limits, session and cache with **one** call to Upstash before the handlers run, and none where
 * the isolate can answer. It reads its settings from the Worker's variables; {@link createEdge} takes them as options.
 *
 * @param options What of these the requests get.
 * @returns a middleware for `app.use()` or one route. It throws nothing: a configuration error is a log line and a 500.
 * @example
 * import { edge, type EdgeEnv } from "envoyou-edge";
 * import { Hono } from "hono";
 *
 * const app = new Hono<EdgeEnv>();
 * app.use("*", edge({ limits: [{ name: "all", limit: 60, window: "1 m" }], session: "optional" }));
 */
export function edge(options: EdgeOptions): MiddlewareHandler<EdgeEnv> {
  return edgeIn(options, { isolateOf, toHandlers });
}

/** What an edge with variables of its own consists of. */
export interface EdgeHost {
  /** The isolates: what takes part. */
  isolateOf: IsolateOf;
  /** What stands between a session or a cache and the handlers; absent where no middleware has any. */
  toHandlers?: typeof toHandlers;
  /**
   * The variables for the host's, the same object for the same values: what an isolate knows belongs to it. Default the host's.
   * @throws ConfigError
   */
  variablesOf?(env: object): object;
  /** What is to be said of an error. Default the error. */
  explained?(error: unknown): unknown;
}

/** The same with variables of its own. */
export function edgeIn(given: EdgeOptions, host: EdgeHost): MiddlewareHandler<EdgeEnv> {
  // What is no object, or has what it cannot have, is an issue that a request finds.
  const { sinks: receivers, ...options }: EdgeOptions = isObject(given) ? given : {};
  const sinks = Array.isArray(receivers) ? (receivers as readonly Sink[]) : [];
  const { isolateOf, toHandlers, variablesOf, explained } = host;
  const { onLimited } = options;
  const { routes, capabilities } = configured(options, sinks);
  const events = createEvents({ platform: workerPlatform, sinks });
  const scopeOf = limitScope(options);
  const ask = askApp(options, toHandlers?.cacheKey);

  return async function edgeMiddleware(c, next) {
    const app = new AppErrors();
    const own = c as unknown as AppContext;
    if (isInside(c, edgeMiddleware)) return next();
    try {
      checkOptions(given);
      const needsSession = toHandlers?.needsSession(options);
      const isolate = isolateOf(variablesOf?.(c.env ?? {}) ?? c.env ?? {}, routes, sinks);
      const [route] = isolate.config.routes;
      const earlier = new EarlierFields(c);
      const receiving = (requestId = isolate.newRequestId()) =>
        receive({ ...isolate, newRequestId: () => requestId }, c.req.raw, waitUntilOf(c, isolate, requestId));
      const response = await inStack(c, receiving, (received, stack) => {
        const answering = handle(
          isolate,
          received,
          (admitted) => {
            stack.admitted.add(edgeMiddleware);
            setVariables(c, { isolate, admitted, stack, capabilities, copyOf: toHandlers?.copyOf });
            const handlers = (run: () => Promise<void>) =>
              throughHandlers(c, run, {
                earlier,
                narrow: (asked) => toHandlers?.narrow(c, admitted.request, asked),
              });
            return toHandlers && needsSession && isolate.config.mode === "enforce"
              ? toHandlers.behindSession(
                  c,
                  next,
                  handlers,
                  (run) => app.from(run),
                  isolate.config.credentials,
                )
              : handlers(next);
          },
          {
            capabilities,
            handlers: true,
            routeName: routePath(c, -1),
            ...(route && { route: routeInScope(route, scopeOf(c, edgeMiddleware)) }),
            ...(ask && { told: () => app.from(() => ask(own, isolate.identifier)) }),
            ...(stack.confirmed && { confirmed: stack.confirmed }),
            ...(onLimited && {
              onLimited: (limits: LimitVerdict) =>
                app.from(async () =>
                  responseOr(await onLimited(own, limitedInfo(limits, received.requestId)), null),
                ),
            }),
          },
        );
        return outliveClient(c.req.raw, answering, received.waitUntil);
      });
      if (app.error) throwTo(c, response, app.error);
      answerWith(c, earlier.addTo(response));
    } catch (error) {
      if (app.error) throw error;
      answerWith(c, problemOf(explained ? explained(error) : error, newRequestId(), events));
    }
  };
}

/** The route that says the same, and what of the edge it uses. */
function configured(options: EdgeOptions, sinks: readonly Sink[]) {
  const { limits, tiers, session, cache, invalidates, onStoreFailure } = options;
  const { key: _key, ...rule } = cache ?? {};
  const plain = withoutKeyNames as (list: readonly MiddlewareLimit[]) => LimitInput[];
  const list: RouteInput[] = [
    {
      path: "/*",
      access: session === "required" ? "session" : "public",
      ...(limits !== undefined && { limits: plain(limits) }),
      ...(isObject(tiers) && {
        tiers: Object.fromEntries(Object.entries(tiers).map(([tier, own]) => [tier, plain(own) ?? null])),
      }),
      ...(cache && { cache: rule }),
      ...(invalidates && { invalidates }),
      ...(onStoreFailure && { onStoreFailure }),
    },
  ];
  const capabilities = {
    limits: Boolean(limits ?? tiers),
    session: session !== undefined,
    cache: cache !== undefined || invalidates !== undefined,
  };
  return { routes: sameRoutes(list, sinks, capabilities.session).routes, capabilities };
}

/** Hono merges the fields of the previous response into a new one. The assignment of undefined prevents that. */
function answerWith(c: Context<EdgeEnv>, response: Response): void {
  c.res = undefined;
  c.res = response;
}

/**
 * Only limits: one call to Upstash, and none for a blocked caller.
 *
 * @param given The limits, whose they are, and what a limited request is told. Or a list of limits, and then the other options.
 * @returns a middleware for `app.use()` or one route; behind a validator its functions find what that has read. A configuration error
 *   is a log line and a 500. What a function of the app throws goes to the app's `onError`.
 * @example
 * import { rateLimit } from "envoyou-edge";
 * import { Hono } from "hono";
 * import { validator } from "hono/validator";
 *
 * const app = new Hono();
 * app.post(
 *   "/orders",
 *   validator("json", (order: { tenant: string; items: string[] }) => order),
 *   rateLimit({
 *     limits: [{ name: "orders", limit: 100, window: "1 m" }],
 *     key: (c) => c.req.valid("json").tenant,
 *     cost: (c) => c.req.valid("json").items.length,
 *     onLimited: (c, { retryAfterSeconds: seconds }) =>
 *       c.json({ error: seconds === null ? "Too many items at once" : `Again in ${seconds} s` }, 429),
 *   }),
 *   (c) => c.json({ ordered: c.req.valid("json").items }),
 * );
 */
export function rateLimit(...given: RateLimitArguments): MiddlewareHandler<EdgeEnv> {
  return edge(limitOptions(given));
}

/**
 * Only sessions: one call to Upstash for a token with a valid signature, and none for any other. Limits and a cache inside of it know
 * the user.
 *
 * @param need `required` or `{ required: true }`: 401 without a living session. Default `optional`.
 * @returns the middleware.
 * @example
 * import { type EdgeEnv, session } from "envoyou-edge";
 * import { Hono } from "hono";
 *
 * const app = new Hono<EdgeEnv>();
 * app.use("/me/*", session({ required: true }));
 * app.get("/me/name", (c) => c.json({ user: c.var.user?.id }, 200, { "Cache-Control": "no-store" }));
 */
export function session(need?: "required" | "optional" | SessionOptions): MiddlewareHandler<EdgeEnv> {
  return edge(sessionOptions(need));
}

/**
 * Only the HTTP cache, for GET and HEAD. An answer to a request with credentials is stored only where `scope` or the answer itself
 * (`Cache-Control: public`) says for whom it is.
 *
 * @param rule How answers are stored. Default `{}`: as they allow themselves.
 * @returns the middleware.
 * @example
 * import { responseCache } from "envoyou-edge";
 * import { Hono } from "hono";
 *
 * const app = new Hono();
 * app.use("/report", responseCache({ ttl: 60, scope: "shared", key: (c) => c.req.header("x-tenant") }));
 * app.get("/report", (c) => c.json({ tenant: c.req.header("x-tenant") ?? null }));
 */
export function responseCache(rule: CacheOptions = {}): MiddlewareHandler<EdgeEnv> {
  return edge({ cache: rule });
}

/** Each environment is told once. */
const withoutContext = new WeakSet<Isolate["store"]>();

/**
 * Work that goes on after the response. Without an ExecutionContext (`app.request()` in a test, another runtime) it starts as well,
 * and nothing keeps the process alive until it is done.
 */
function waitUntilOf(
  c: Context<EdgeEnv>,
  isolate: Isolate,
  requestId: string,
): (work: Promise<unknown>) => void {
  try {
    const context = c.executionCtx;
    return (work) => context.waitUntil(work);
  } catch {
    // Hono throws where there is none.
    if (!withoutContext.has(isolate.store)) {
      withoutContext.add(isolate.store);
      isolate.events.emit("context.absent", { request_id: requestId, message: WITHOUT_CONTEXT });
    }
    // The work's own errors are events.
    return (work) => void work.catch(() => {});
  }
}

const WITHOUT_CONTEXT =
  "There is no ExecutionContext: writes after a response are lost where the process or the request ends first";

interface Reached {
  isolate: Isolate;
  admitted: Admitted;
  stack: RequestStack;
  capabilities: Capabilities;
  /** Absent where no middleware has sessions. */
  copyOf: typeof toHandlers.copyOf | undefined;
}

/** Adds what this middleware knows to what those around it have set. */
function setVariables(c: Context<EdgeEnv>, reached: Reached): void {
  const { isolate, admitted, stack, capabilities, copyOf } = reached;
  const { identity, session, limits, request } = admitted;
  const around = c.get("edge") as Partial<EdgeVariables["edge"]> | undefined;
  const { sessions, values, store, limiter } = isolate;
  if (capabilities.session)
    stack.confirmed = { claim: request.claims.session, lives: session.kind === "active" };
  stack.limits = joinedVerdict(stack.limits, limits);
  c.set("edge", {
    limiter: { limit: (who, limit) => limiter.limit(who, limit, stack) },
    sessions: capabilities.session ? sessions : (around?.sessions ?? sessions),
    values: capabilities.cache ? values : (around?.values ?? values),
  });
  c.set("redis", store.redis());
  // An app's own `user` or `session` stays, unless it asks for the edge's.
  const known: unknown = c.get("user");
  if (capabilities.session || known === undefined || known === stack.user) {
    c.set("user", identity.user);
    stack.user = identity.user;
  }
  if (capabilities.session || c.get("session") === undefined) {
    // A handler may change what it is given, and the isolate remembers the other.
    const own = session.kind === "active" && copyOf ? { ...session, record: copyOf(session) } : null;
    c.set("session", own);
  }
  c.set("rateLimit", stack.limits);
}

/** The app's following handlers as an origin. They can run only once. */
function throughHandlers(
  c: Context<EdgeEnv>,
  next: () => Promise<void>,
  { earlier, narrow }: { earlier: EarlierFields; narrow: (asked: Headers) => void },
): OriginFetch {
  return {
    repeatable: false,
    async fetch(asked) {
      narrow(asked);
      await next();
      if (c.error instanceof Problem && c.error.isAnswer) throw c.error;
      return { kind: "response", response: earlier.without(c.res) } as const;
    },
  };
}

import type { Context } from "hono";
import { TrieRouter } from "hono/router/trie-router";
import { Hono } from "hono/tiny";
import { getPath } from "hono/utils/url";
import type { RouteInput } from "./config/route.ts";
import { type Isolate, isolateOf } from "./edge/isolate.ts";
import { checkAccess } from "./edge/pipeline.ts";
import { type EdgeEnv, failure, open, replaceResponse, serve, verdictOf } from "./edge/serve.ts";
import { adminRoutes } from "./endpoints/admin/routes.ts";
import type { WarmAnswer } from "./endpoints/admin/warm.ts";
import { healthRoutes } from "./endpoints/health.ts";
import { sessionRoutes } from "./endpoints/sessions.ts";
import { tokenGate } from "./endpoints/token-gate.ts";
import { createEvents, type Sink } from "./events/events.ts";
import { originOf } from "./origin/origin.ts";
import { newReport } from "./request/log-record.ts";
import configuredRoutes from "./routes.ts";
import { workerPlatform } from "./runtime/platform.ts";
import { version } from "./runtime/version.ts";

/**
 * The Worker: the paths the edge owns, and behind them the gateway for everything else.
 *
 * An isolate's app is built at its first request, when its configuration is known. A configuration that cannot be
 * used is the event `config.error` and a 500 without details for whoever called.
 *
 * @param options.sinks Receive every event, beside the log.
 */
export function createWorker(
  routes: readonly RouteInput[] = configuredRoutes,
  { sinks }: { sinks?: readonly Sink[] } = {},
) {
  const events = createEvents({ platform: workerPlatform, ...(sinks && { sinks }) });
  const apps = new WeakMap<Isolate, ReturnType<typeof createApp>>();
  return {
    async fetch(request: Request, env: object, context: ExecutionContext): Promise<Response> {
      try {
        const isolate = isolateOf(env, routes, sinks);
        const app = apps.get(isolate) ?? createApp(isolate);
        apps.set(isolate, app);
        return await app.fetch(request, env, context);
      } catch (error) {
        return failure(error, undefined, events);
      }
    },
  };
}

/** What the edge owns, and the gateway for everything else: most requests, which need no router to find it. */
export function createApp(isolate: Isolate): Pick<Hono<EdgeEnv>, "fetch"> {
  const { healthPath, authBasePath } = isolate.config;
  const owned = ownedPaths(isolate);
  const gateway = new Hono<EdgeEnv>().all("*", (c) => serve(c, isolate, () => throughGateway(c, isolate)));
  const bases = [healthPath, "/edge", authBasePath];
  const isOwned = (path: string) => bases.some((base) => path === base || path.startsWith(`${base}/`));
  return {
    fetch: (request, env, context) =>
      (isOwned(getPath(request)) ? owned : gateway).fetch(request, env, context),
  };
}

function ownedPaths(isolate: Isolate): Hono<EdgeEnv> {
  const { config, platform, health, sessions } = isolate;
  // The router that finds the configured routes, too: it tells `/health/` from `/health`.
  const app = new Hono<EdgeEnv>({ strict: true, router: new TrieRouter() });

  app.use(async (c, next) => {
    const answer = async () => {
      await next();
      return c.res;
    };
    replaceResponse(c, await serve(c, isolate, answer));
  });
  app.onError((error, c) => {
    c.var.report.verdict = verdictOf(error);
    return failure(error, c.var.requestId, isolate.events);
  });

  app.route(config.healthPath, healthRoutes({ health, platform, ready: config.origin !== null, version }));
  app.route(
    "/edge",
    adminRoutes({
      gate: tokenGate({ tokens: config.adminTokens, platform }),
      cache: isolate.cache,
      warm: { answer: (c, request) => answerInside(c, isolate, request), platform },
      limiter: isolate.limiter,
      identifier: isolate.identifier,
      store: isolate.store,
      routes: config.routes,
    }),
  );
  app.route(
    config.authBasePath,
    sessionRoutes({
      sessions,
      serviceGate: tokenGate({ tokens: config.serviceTokens, platform }),
      open: async (c, next) => {
        await open(c, isolate);
        await next();
      },
    }),
  );
  // Beside them there is room for paths of the origin's.
  app.all("*", (c) => throughGateway(c, isolate));
  return app;
}

async function throughGateway(c: Context<EdgeEnv>, isolate: Isolate): Promise<Response> {
  const accessCheck = await open(c, isolate);
  const { response } = await accessCheck.respond(originOf(isolate, accessCheck));
  return response;
}

/** What the gateway would answer to a request that comes from inside the Worker: an operator's, who is not limited. */
async function answerInside(c: Context<EdgeEnv>, isolate: Isolate, request: Request): Promise<WarmAnswer> {
  const { after, requestId } = c.var;
  const accessCheck = await checkAccess({
    isolate,
    request,
    after,
    report: newReport(requestId, request.method),
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    capabilities: { limits: false, session: true, cache: true },
  });
  return accessCheck.respond(originOf(isolate, accessCheck));
}

import { TrieRouter } from "hono/router/trie-router";
import { Hono } from "hono/tiny";
import { finish, NO_FINDINGS, refusal } from "../edge/finish.ts";
import type { Isolate } from "../edge/isolate.ts";
import { admit, answer, handle } from "../edge/pipeline.ts";
import { preflightAnswer, type Received, receivedInside } from "../edge/receive.ts";
import { originFor } from "../origin/origin.ts";
import { version } from "../runtime/version.ts";
import { adminRoutes } from "./admin/routes.ts";
import type { EndpointEnv } from "./env.ts";
import { healthRoutes } from "./health.ts";
import { sessionRoutes } from "./sessions.ts";
import { tokenGate } from "./token-gate.ts";

export interface OwnedPaths {
  /** Whether a path is under one of the edge's base paths. The origin may have paths there too. */
  own(pathname: string): boolean;
  /** Answers a request to such a path, from the edge or from the origin. */
  answer(received: Received, context: ExecutionContext): Promise<Response>;
}

/** The paths that the edge answers itself: health, sessions and the operators' endpoints. */
export function ownedPaths(isolate: Isolate): OwnedPaths {
  const { config } = isolate;
  const bases = [config.healthPath, "/edge", config.authBasePath];
  const app = endpointsOf(isolate);
  return {
    own: (pathname) => bases.some((base) => pathname === base || pathname.startsWith(`${base}/`)),
    answer: async (received, context) => app.fetch(received.request, { received }, context),
  };
}

function endpointsOf(isolate: Isolate): Hono<EndpointEnv> {
  const { config, platform, health, sessions } = isolate;
  const { ipv6Prefix } = config;
  // The same router as for the configured routes: it distinguishes `/health/` from `/health`.
  const app = new Hono<EndpointEnv>({ strict: true, router: new TrieRouter() });

  app.use(async (c, next) => {
    const { received } = c.env;
    const preflight = preflightAnswer(isolate, received);
    if (preflight) return preflight;
    await next();
    if (c.var.finished) return undefined;
    const response = c.res;
    const outcome = c.error
      ? refusal(c.error)
      : { kind: "answer" as const, response, cache: null, session: c.var.sessionChange ?? null };
    // Hono merges the fields of the previous response into a new one. The assignment of undefined prevents that.
    c.res = undefined;
    c.res = finish(isolate, received, c.var.findings ?? NO_FINDINGS, outcome);
    return undefined;
  });
  // The middleware above makes the response from `c.error`.
  app.onError((_error, c) => c.body(null, 500));

  app.route(config.healthPath, healthRoutes({ health, platform, ready: config.origin !== null, version }));
  app.route(
    "/edge",
    adminRoutes({
      gate: tokenGate({ tokens: config.adminTokens, platform, ipv6Prefix }),
      cache: isolate.cache,
      warm: { answer: (c, request) => answerInside(isolate, c.env.received, request), platform },
      limiter: isolate.limiter,
      identifier: isolate.identifier,
      store: isolate.store,
      routes: config.routes,
      apiKeys: config.apiKeys,
      verifiedKeys: isolate.verifiedKeys,
      ipv6Prefix,
    }),
  );
  app.route(
    config.authBasePath,
    sessionRoutes({
      sessions,
      serviceGate: tokenGate({ tokens: config.serviceTokens, platform, ipv6Prefix }),
      async identified(c, next) {
        const admission = await admit(isolate, c.env.received, { own: true });
        c.set("findings", admission.findings);
        if (admission.kind === "refused") throw admission.error;
        c.set("session", admission.session);
        await next();
      },
    }),
  );
  app.all("*", async (c) => {
    c.set("finished", true);
    return handle(isolate, c.env.received, (admitted) => originFor(isolate.origin, admitted));
  });
  return app;
}

/** Answers a request that the Worker makes for an operator. It has no limits and no log line of its own. */
async function answerInside(isolate: Isolate, outer: Received, request: Request) {
  const capabilities = { limits: false, session: true, cache: true };
  const admission = await admit(isolate, receivedInside(outer, request), { capabilities });
  if (admission.kind === "refused") throw admission.error;
  return answer(admission, originFor(isolate.origin, admission));
}

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
  /** Whether a path may be the edge's own; beside those that are, there is room for paths of the origin's. */
  own(pathname: string): boolean;
  answer(received: Received, context: ExecutionContext): Promise<Response>;
}

/** The paths that the edge answers itself: health, sessions, and what operators may ask. */
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
  // The router that finds the configured routes, too: it tells `/health/` from `/health`.
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
    // Hono merges the fields of the response it had into the one it gets; here the new one is the whole answer.
    c.res = undefined;
    c.res = finish(isolate, received, c.var.findings ?? NO_FINDINGS, outcome);
    return undefined;
  });
  // The error is in `c.error`; the response is made by the step above.
  app.onError((_error, c) => c.body(null, 500));

  app.route(config.healthPath, healthRoutes({ health, platform, ready: config.origin !== null, version }));
  app.route(
    "/edge",
    adminRoutes({
      gate: tokenGate({ tokens: config.adminTokens, platform }),
      cache: isolate.cache,
      warm: { answer: (c, request) => answerInside(isolate, c.env.received, request), platform },
      limiter: isolate.limiter,
      identifier: isolate.identifier,
      store: isolate.store,
      routes: config.routes,
      apiKeys: config.apiKeys,
    }),
  );
  app.route(
    config.authBasePath,
    sessionRoutes({
      sessions,
      serviceGate: tokenGate({ tokens: config.serviceTokens, platform }),
      async identified(c, next) {
        const admission = await admit(isolate, c.env.received);
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

/** What a request from inside the Worker is answered: an operator's, who is not limited. It has no log line of its own. */
async function answerInside(isolate: Isolate, outer: Received, request: Request) {
  const capabilities = { limits: false, session: true, cache: true };
  const admission = await admit(isolate, receivedInside(outer, request), { capabilities });
  if (admission.kind === "refused") throw admission.error;
  return answer(admission, originFor(isolate.origin, admission));
}

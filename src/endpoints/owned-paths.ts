import { TrieRouter } from "hono/router/trie-router";
import { Hono } from "hono/tiny";
import { getPath } from "hono/utils/url";
import { isOnHost } from "../config/read-hosts.ts";
import { finish } from "../edge/finish.ts";
import type { Isolate } from "../edge/isolate.ts";
import { NO_FINDINGS, refusal } from "../edge/outcome.ts";
import { admit, answer, handle } from "../edge/pipeline.ts";
import { preflightAnswer, type Received, receivedInside } from "../edge/receive.ts";
import { corsPolicy } from "../http/cors.ts";
import { API_KEY_FIELD, API_KEY_PARAMETER } from "../http/credential-fields.ts";
import { decodedPath, forgive, plainPath } from "../http/path.ts";
import { problem } from "../http/problem.ts";
import { secretMatches } from "../identity/secret.ts";
import { originFor } from "../origin/origin.ts";
import { version } from "../runtime/version.ts";
import type { RouteLookupOptions } from "./admin/route-lookup.ts";
import { adminRoutes } from "./admin/routes.ts";
import { consoleRoutes, isConsolePath } from "./console.ts";
import type { EndpointEnv } from "./env.ts";
import { healthRoutes } from "./health.ts";
import { metricsRoute } from "./metrics.ts";
import { openapiRoutes } from "./openapi.ts";
import { sessionPathsRoute } from "./session-limits.ts";
import { sessionRoutes } from "./sessions.ts";
import { tokenGate } from "./token-gate.ts";

export interface OwnedPaths {
  /**
   * Whether a path is under one of the edge's base paths. The origin may have paths there too. A request that may carry one
   * of the edge's tokens is looked at in the spellings that servers forgive, too.
   */
  own(received: Pick<Received, "url" | "request">): boolean;
  /** Answers a request to such a path, from the edge or from the origin. */
  answer(received: Received, context: ExecutionContext): Promise<Response>;
}

/** The paths that the edge answers itself: health, sessions, the operators' endpoints and their console. */
export function ownedPaths(isolate: Isolate): OwnedPaths {
  const { config } = isolate;
  const bases = [config.healthPath, "/edge", config.authBasePath];
  const gates = {
    ...gatesOf(isolate),
    owned: (method: string, url: URL) =>
      isConsolePath(url) || (isBelowBase(url) && answers(onApi, method, url)),
  };
  const onApi = endpointsOnApi(isolate, gates);
  const onConsole = config.consoleHost === null ? null : endpointsOnConsole(isolate, gates);
  const isUnder = (path: string, base: string) => path === base || path.startsWith(`${base}/`);
  const isBelowBase = ({ pathname }: URL) => {
    const path = pathname.includes("%") ? (decodedPath(pathname) ?? pathname) : pathname;
    return bases.some((base) => isUnder(path, base));
  };
  const plainBases = bases.map(forgive);
  return {
    own({ url, request }) {
      if (onConsole && isOnHost(url, config.consoleHost)) return true;
      if (isBelowBase(url)) return true;
      if (!mayCarryToken(request, url)) return isConsolePath(url);
      const plain = plainPath(url.pathname);
      return plainBases.some((base) => isUnder(plain, base));
    },
    answer: async (received, context) => {
      const app = onConsole && isOnHost(received.url, config.consoleHost) ? onConsole : onApi;
      return app.fetch(received.request, { received }, context);
    },
  };
}

/** Words of a field that are compared with tokens: a scheme, a token, and what a typo adds. */
const MAX_WORDS = 4;

/** One for each kind of token: wrong ones count together, on whatever host they come. */
function gatesOf({ config, platform }: Isolate) {
  const { ipv6Prefix } = config;
  const gate = (tokens: readonly string[]) => tokenGate({ tokens, platform, ipv6Prefix });
  return {
    admin: gate(config.adminTokens),
    metrics: gate(config.metricsTokens),
    service: gate(config.serviceTokens),
  };
}

/** The gates, and whether the edge answers a path itself on the API's hosts. */
type Gates = ReturnType<typeof gatesOf> & Pick<RouteLookupOptions, "owned">;

/**
 * Whether an app has an endpoint for an address, as its router finds it for a request: what stands in it for any path passes to the API.
 */
function answers({ router }: Hono<EndpointEnv>, method: string, { href }: URL): boolean {
  const path = getPath({ url: href } as Request);
  const [found] = router.match(method === "HEAD" ? "GET" : method, path);
  return found.some(([[, { path: pattern }]]) => pattern !== "/*");
}

/** The API's hosts: what the edge does not answer is the API's. */
function endpointsOnApi(isolate: Isolate, gates: Gates): Hono<EndpointEnv> {
  const { config, platform, sessions } = isolate;
  const app = finishing(isolate);
  app.use(async (c, next) => {
    if (isConsolePath(c.env.received.url)) throw problem("NOT_FOUND");
    await next();
  });
  addOperators(app, isolate, gates);
  app.route(
    config.authBasePath,
    sessionRoutes({
      sessions,
      platform,
      serviceGate: gates.service,
      identified: (limits) => async (c, next) => {
        const admission = await admit(isolate, c.env.received, { own: true, limits });
        c.set("findings", admission.findings);
        if (admission.kind === "refused") throw admission.error;
        c.set("session", admission.session);
        await next();
      },
    }),
  );
  app.all("*", async (c) => {
    const { serviceTokens, adminTokens, metricsTokens } = config;
    if (await carriesToken(c.env.received, [...serviceTokens, ...adminTokens, ...metricsTokens]))
      throw problem("NOT_FOUND");
    c.set("finished", true);
    return handle(isolate, c.env.received, (admitted) => originFor(isolate.origin, admitted));
  });
  return app;
}

/** The console's host: nothing of it is the API's, and no page of another host may read it. */
function endpointsOnConsole(isolate: Isolate, gates: Gates): Hono<EndpointEnv> {
  const app = finishing({ ...isolate, cors: corsPolicy(null) });
  app.route("/edge", consoleRoutes(isolate.config));
  addOperators(app, isolate, gates);
  app.all("*", () => {
    throw problem("NOT_FOUND");
  });
  return app;
}

/** An app whose answers get the edge's fields and their log line. */
function finishing(isolate: Isolate): Hono<EndpointEnv> {
  // The same router as for the configured routes: it distinguishes `/health/` from `/health`.
  const app = new Hono<EndpointEnv>({ strict: true, router: new TrieRouter() });

  app.use(async (c, next) => {
    const { received } = c.env;
    const preflight = preflightAnswer(isolate, received);
    if (preflight) return preflight;
    c.set("requestId", received.requestId);
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
  return app;
}

/** Health and the paths below `/edge`, on every host. */
function addOperators(app: Hono<EndpointEnv>, isolate: Isolate, gates: Gates): void {
  const { config, platform, health } = isolate;
  app.route(config.healthPath, healthRoutes({ health, platform, ready: config.origin !== null, version }));
  // Before the gate: whoever has no token may read it.
  app.route("/edge", openapiRoutes(config));
  app.route("/edge", metricsRoute({ gate: gates.metrics, metrics: isolate.metrics, store: isolate.store }));
  app.route(
    "/edge",
    adminRoutes({
      gate: gates.admin,
      lookup: { matchRoute: isolate.matchRoute, routes: config.routes, owned: gates.owned, platform },
      overview: { health, metrics: isolate.metrics, config, platform },
      cache: isolate.cache,
      hosts: config,
      warm: {
        answer: (c, request) => answerInside(isolate, c.env.received, request),
        platform,
        hosts: config,
        owned: gates.owned,
      },
      users: usersOf(isolate),
      limiter: isolate.limiter,
      identifier: isolate.identifier,
      store: isolate.store,
      routes: [...config.routes, sessionPathsRoute],
      apiKeys: config.apiKeys,
      verifiedKeys: isolate.verifiedKeys,
      ipv6Prefix: config.ipv6Prefix,
      platform,
    }),
  );
}

/** What is known of users, and which of it other isolates share. */
function usersOf({ config, store, sessions }: Isolate) {
  const { redisFor, sessionDatabase } = config;
  const shared = {
    sessions: (redisFor.sessions && store.configured) || sessionDatabase !== null,
    limits: redisFor.rateLimit && store.configured,
    cache: redisFor.cache && store.configured,
  };
  return { sessions, shared, hasSessions: config.session.secrets.length > 0 };
}

/** Whether a request has any field or parameter that may carry one of the edge's tokens. */
function mayCarryToken({ headers }: Request, url: URL): boolean {
  return headers.has("authorization") || headers.has(API_KEY_FIELD) || url.search.includes(API_KEY_PARAMETER);
}

/**
 * Whether a request carries one of the edge's own tokens, under whatever scheme or name: its sender meant the edge and missed
 * the path, and the origin must not see the token.
 */
async function carriesToken(
  { request: { headers }, url }: Pick<Received, "url" | "request">,
  tokens: readonly string[],
): Promise<boolean> {
  const fields = [headers.get("authorization"), headers.get(API_KEY_FIELD)];
  const words = fields.flatMap((field) => (field ?? "").split(/[\s,]+/).slice(0, MAX_WORDS));
  words.push(...url.searchParams.getAll(API_KEY_PARAMETER).slice(0, MAX_WORDS));
  const matches = await Promise.all(words.filter(Boolean).map((word) => secretMatches(word, tokens)));
  return matches.includes(true);
}

/** Answers a request that the Worker makes for an operator. It has no limits and no log line of its own. */
async function answerInside(isolate: Isolate, outer: Received, request: Request) {
  const capabilities = { limits: false, session: true, cache: true };
  const admission = await admit(isolate, receivedInside(outer, request), { capabilities });
  if (admission.kind === "refused") throw admission.error;
  // One invocation may make many of them.
  return answer(admission, originFor({ ...isolate.origin, aborts: true }, admission));
}

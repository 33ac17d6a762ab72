import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import { findTargetHandler } from "hono/utils/handler";
import { announcedMethod, preflightReply } from "../http/cors.ts";
import type { CredentialNames } from "../http/credential-fields.ts";
import { problem } from "../http/problem.ts";
import type { OriginFetch } from "../request/origin-reply.ts";

type Run = () => Promise<void>;

/**
 * The handlers behind a required session. A CORS preflight reaches them without one, because it carries no credential (Fetch §4.8) and a
 * `cors()` may stand inside. Of them it reaches middlewares and handlers for OPTIONS; one for every method (`app.all`) would act for a
 * user whom nobody has seen. The answer goes out with the fields of a preflight's, and without its content.
 *
 * @param handlers Runs the given function and returns what it has answered.
 * @param ofApp Runs what belongs to the app: its errors go to the app's `onError`.
 * @param credentials Which fields hold one.
 */
export function behindSession(
  c: Context,
  next: Run,
  handlers: (run: Run) => OriginFetch,
  ofApp: (run: Run) => Promise<void>,
  credentials: CredentialNames,
): OriginFetch {
  if (announcedMethod(c.req.raw, credentials) === null) return handlers(next);
  const inside = matchedRoutes(c).slice(c.req.routeIndex + 1);
  const answering = handlers(inside.some(answersEveryMethod) ? () => ofApp(() => middlewaresOf(c)) : next);
  return {
    repeatable: false,
    async fetch(headers) {
      const reply = await answering.fetch(headers);
      if (reply.kind !== "response") return reply;
      const { headers: fields } = reply.response;
      if (![...fields.keys()].some((name) => name.startsWith("access-control-allow-")))
        throw problem("SESSION_REQUIRED");
      return { ...reply, response: preflightReply(reply.response) };
    },
  };
}

type Registered = ReturnType<typeof matchedRoutes>[number];

/** Hono tells a handler from a middleware by this too: the latter takes `next`. */
function answersEveryMethod({ handler, method }: Registered): boolean {
  return method === "ALL" && findTargetHandler(handler).length < 2;
}

/** Runs what stands behind this middleware as Hono does, up to the first handler for every method. */
async function middlewaresOf(c: Context): Promise<void> {
  const routes = matchedRoutes(c);
  const run = async (index: number): Promise<void> => {
    const route = routes[index];
    if (!route || answersEveryMethod(route)) return;
    c.req.routeIndex = index;
    const answer: unknown = await route.handler(c, () => run(index + 1));
    if (answer instanceof Response && !c.finalized) c.res = answer;
  };
  await run(c.req.routeIndex + 1);
}

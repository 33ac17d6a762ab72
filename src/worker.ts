import type { RouteInput } from "./config/route.ts";
import { newRequestId, problemOf } from "./edge/finish.ts";
import { type Isolate, isolateOf } from "./edge/isolate.ts";
import { handle } from "./edge/pipeline.ts";
import { receive } from "./edge/receive.ts";
import { ownedPaths } from "./endpoints/owned-paths.ts";
import { createEvents } from "./events/events.ts";
import type { Sink } from "./events/sink.ts";
import { originFor } from "./origin/origin.ts";
import configuredRoutes from "./routes.ts";
import { workerPlatform } from "./runtime/platform.ts";

/**
 * The Worker: the paths the edge owns, and behind them the API for everything else.
 *
 * A configuration with an issue is one line in the log and a 500 without details for whoever called.
 *
 * @param options.sinks Receive every event, beside the log.
 */
export function createWorker(
  routes: readonly RouteInput[] = configuredRoutes,
  { sinks }: { sinks?: readonly Sink[] } = {},
) {
  const events = createEvents({ platform: workerPlatform, ...(sinks && { sinks }) });
  const answers = new WeakMap<Isolate, EdgeAnswer>();
  return {
    async fetch(request: Request, env: object, context: ExecutionContext): Promise<Response> {
      try {
        const isolate = isolateOf(env, routes, sinks);
        const answer = answers.get(isolate) ?? edgeAnswer(isolate);
        answers.set(isolate, answer);
        return await answer(request, context);
      } catch (error) {
        return problemOf(error, newRequestId(), events);
      }
    },
  };
}

export type EdgeAnswer = (request: Request, context: ExecutionContext) => Promise<Response>;

/** What one isolate answers: most requests go straight to the API behind it and need no router to find that. */
export function edgeAnswer(isolate: Isolate): EdgeAnswer {
  const paths = ownedPaths(isolate);
  return async function answer(request, context) {
    const received = receive(isolate, request, (work) => context.waitUntil(work));
    if (paths.own(received.url.pathname)) return paths.answer(received, context);
    return handle(isolate, received, (admitted) => originFor(isolate.origin, admitted));
  };
}

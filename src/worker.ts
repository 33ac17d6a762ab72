import type { RouteInput } from "./config/route.ts";
import type { AdmitOptions, Admitted } from "./edge/admission.ts";
import { beginEager } from "./edge/begin-eager.ts";
import { newRequestId, problemOf } from "./edge/finish.ts";
import { isolateOf } from "./edge/full-isolate.ts";
import type { Isolate } from "./edge/isolate.ts";
import { outliveClient } from "./edge/outlive-client.ts";
import { handle } from "./edge/pipeline.ts";
import { type Received, receive } from "./edge/receive.ts";
import { Repeats } from "./edge/repeats.ts";
import { type Spans, spansOf } from "./edge/spans.ts";
import { ownedPaths } from "./endpoints/owned-paths.ts";
import { createEvents } from "./events/events.ts";
import type { Sink } from "./events/sink.ts";
import { originFor } from "./origin/origin.ts";
import configuredRoutes from "./routes.ts";
import { workerPlatform } from "./runtime/platform.ts";

/**
 * Creates the Worker. It answers the edge's own paths and forwards all others to the API. A configuration error is one log
 * line and a 500 without details.
 *
 * @param options.sinks Receive every event, in addition to the log.
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
        let answer = answers.get(isolate);
        if (!answer) {
          answer = edgeAnswer(isolate);
          answers.set(isolate, answer);
        }
        return await answer(request, context);
      } catch (error) {
        return problemOf(error, newRequestId(), events);
      }
    },
    /** A cron trigger: what only the database of sessions has gets into Redis where no request comes. */
    async scheduled(_controller: ScheduledController, env: object): Promise<void> {
      try {
        await isolateOf(env, routes, sinks).sessions.scheduled();
      } catch (error) {
        problemOf(error, newRequestId(), events);
      }
    },
  };
}

/** Answers one request. */
export type EdgeAnswer = (request: Request, context: ExecutionContext) => Response | Promise<Response>;

/**
 * The answers of one isolate. A prefix check sends most requests to the API without a router.
 *
 * @param options.allSteps Every request takes all steps, also one that repeats another. Default false.
 */
export function edgeAnswer(isolate: Isolate, { allSteps = false } = {}): EdgeAnswer {
  const paths = ownedPaths(isolate);
  const repeats = isolate.config.mode === "enforce" && !allSteps ? new Repeats(isolate) : null;
  const learn: AdmitOptions["learn"] = (...all) => repeats?.learn(...all);
  const inAllSteps = (received: Received, context: ExecutionContext): Promise<Response> => {
    if (paths.own(received)) return paths.answer(received, context);
    const spans = spansOf(context);
    if (spans) return tracedAnswer(isolate, received.request, context, spans);
    const originOf = (admitted: Admitted) =>
      originFor(isolate.origin, admitted, admitted.findings.eager ?? undefined);
    return handle(isolate, received, originOf, { eager: beginEager, learn });
  };
  return function answer(request, context) {
    const waitUntil: Received["waitUntil"] = (work) => context.waitUntil(work);
    // What waits for nothing needs no span, and to ask whether it is traced is a fifteenth of its CPU.
    const repeated = repeats?.answer(request, waitUntil);
    if (repeated) return repeated;
    return outliveClient(request, inAllSteps(receive(isolate, request, waitUntil), context), waitUntil);
  };
}

/** The same in an invocation that is traced. */
function tracedAnswer(isolate: Isolate, request: Request, context: ExecutionContext, spans: Spans) {
  const begun: Promise<unknown>[] = [];
  const received = receive(isolate, request, (work) => {
    begun.push(work);
    context.waitUntil(work);
  });
  spans.deferred(received, begun);
  const originOf = (admitted: Admitted) =>
    spans.origin(originFor(isolate.origin, admitted, admitted.findings.eager ?? undefined));
  return handle(spans.parts(isolate), received, originOf, { eager: beginEager });
}

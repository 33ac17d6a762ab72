import type { OriginFetch, OriginReply } from "../request/origin-reply.ts";
import type { Batch } from "../store/batch.ts";
import type { Store } from "../store/store.ts";
import type { Isolate } from "./isolate.ts";
import type { Received } from "./receive.ts";

/** What is said of a span: words of the edge, the route's name as configured, numbers. Never a path, a key, a caller or a token. */
type Attributes = Readonly<Record<string, string | number>>;

/** The part of the platform's tracing that is used (`ctx.tracing` in Workers). */
interface Tracing {
  enterSpan<Result>(name: string, work: (span: TracedSpan) => Result): Result;
  getActiveSpan?(): { readonly isTraced: boolean } | undefined;
}

interface TracedSpan {
  setAttribute(name: string, value: string | number): unknown;
}

/**
 * The spans of one traced invocation, around the steps that wait: what is wrapped does as before. The steps themselves know nothing of
 * them, so that an invocation that is not traced takes no step for it.
 */
export interface Spans {
  /** The parts of a pipeline whose `identify` and first batch have a span. */
  parts(isolate: Isolate): Isolate;
  /** Each request to it has one. */
  origin(origin: OriginFetch): OriginFetch;
  /** What a request leaves for after its response has one. */
  deferred(received: Pick<Received, "deferred">, begun: readonly Promise<unknown>[]): void;
}

/**
 * The spans of an invocation.
 *
 * @returns undefined where the platform has no tracing, or does not trace this invocation.
 * @example
 * const spans = spansOf(context);
 * const origin = spans ? spans.origin(found) : found;
 */
export function spansOf(context: object): Spans | undefined {
  const tracing = (context as { tracing?: Partial<Tracing> }).tracing;
  if (typeof tracing?.enterSpan !== "function") return undefined;
  if (tracing.getActiveSpan?.()?.isTraced === false) return undefined;
  const tracer = tracing as Tracing;

  /** @param say What to say of the result. */
  const within: Within = (name, work, say) =>
    tracer.enterSpan(name, async (span) => {
      try {
        const result = await work();
        for (const [attribute, value] of Object.entries(say(result))) span.setAttribute(attribute, value);
        return result;
      } catch (error) {
        span.setAttribute("edge.outcome", "failed");
        throw error;
      }
    });
  const ofOrigin = (ask: () => Promise<OriginReply>) => within("edge.origin", ask, outcomeOf);

  return {
    parts: (isolate) => ({
      ...isolate,
      store: withBatches(isolate.store, within),
      identify: (request, url, route) =>
        within(
          "edge.identify",
          () => isolate.identify(request, url, route),
          () => ({ "http.route": route?.name ?? "*" }),
        ),
    }),
    origin: ({ eager, ...origin }) => ({
      ...origin,
      fetch: (...args) => ofOrigin(() => origin.fetch(...args)),
      ...(eager && { eager: { ...eager, adopt: (options) => ofOrigin(() => eager.adopt(options)) } }),
    }),
    deferred({ deferred }, begun) {
      const start = deferred.start.bind(deferred);
      deferred.start = () => {
        const before = begun.length;
        const work = async () => {
          start();
          await Promise.allSettled(begun.slice(before));
        };
        void within("edge.deferred", work, () => ({ "edge.works": begun.length - before }));
      };
    },
  };
}

type Within = <Result>(
  name: "edge.identify" | "edge.store" | "edge.origin" | "edge.deferred",
  work: () => Promise<Result>,
  say: (result: Result) => Attributes,
) => Promise<Result>;

/** The same store, whose batches have a span. */
function withBatches(store: Store, within: Within): Store {
  const batch: Store["batch"] = (waitUntil) => withSpan(store.batch(waitUntil), within);
  return new Proxy(store, {
    get(target, name) {
      if (name === "batch") return batch;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The same batch. One without commands makes no call, and has no span. */
function withSpan(batch: Batch, within: Within): Batch {
  let commands = 0;
  let reads = 0;
  const [send, queue, run, readAll] = [batch.send, batch.queue, batch.run, batch.readAll] as const;
  batch.queue = (add) => {
    commands += 1;
    return queue.call(batch, add) as never;
  };
  batch.run = (...args) => {
    commands += 1;
    return run.apply(batch, args) as never;
  };
  // A single read is one of several.
  batch.readAll = (keys) => {
    if (keys.length > 0) reads = 1;
    return readAll.call(batch, keys);
  };
  batch.send = async () => {
    if (batch.empty) return send.call(batch);
    await within(
      "edge.store",
      () => send.call(batch),
      () => ({
        "edge.calls": batch.calls,
        "edge.commands": commands + reads,
        "edge.outcome": batch.error?.code ?? "answered",
      }),
    );
  };
  return batch;
}

function outcomeOf(reply: OriginReply): Attributes {
  if (reply.kind === "failed") return { "edge.outcome": reply.code.toLowerCase() };
  return { "edge.outcome": "answered", "http.response.status_code": reply.response.status };
}

import { contentLength, isShortBody } from "../http/content.ts";
import { ORIGIN_GONE, ORIGIN_LATE, type OriginAnswer, type OriginFailure } from "../request/origin-reply.ts";
import { bodyOf, isDecodable } from "./body.ts";
import { fetchKey } from "./collapse.ts";
import type { CacheContext } from "./context.ts";
import { fill, keep, type Outline, outlineOf } from "./fill.ts";
import { heldBody } from "./held-body.ts";
import type { OriginRequest } from "./origin-request.ts";
import type { CacheReply } from "./outcome.ts";
import { passed } from "./reply.ts";
import { clientHasIt } from "./rules/preconditions.ts";
import { isStorable } from "./rules/status.ts";
import { withdrawIfGone } from "./withdraw.ts";

/** The bytes are in their content coding already. */
const AS_SENT = { encodeBody: "manual" } as const;

/** The answer, or how the origin failed in its body. */
type StoredAndPassed = { kind: "answer"; reply: CacheReply } | OriginFailure;

/**
 * Passes the origin's answer to the client as it comes. Beside it a copy is gathered where it may be stored, for the
 * isolate first and then for Redis.
 *
 * A small body that stalls or breaks off is a failure of the origin: no part of it has been answered.
 */
export async function storeAndPass(
  context: CacheContext,
  replied: OriginAnswer,
  { fwd, requestTime, done, origin }: OriginRequest,
): Promise<StoredAndPassed> {
  const { response } = replied;
  const { request, parts } = context;
  const { inFlight, maxBodyBytes } = parts;
  const outlined = await outlineOf(context, response, requestTime);
  const said = contentLength(response.headers);
  const tooLong = said !== null && said > maxBodyBytes;
  // Nobody can tell whether a handler's body is encoded already, or will be by the runtime.
  const unreadable = !origin.repeatable && response.headers.has("content-encoding");
  const fetching = fetchKey(context);
  if (outlined.kind === "none" || tooLong || unreadable) {
    const byRequest = outlined.kind === "none" && outlined.because === "request";
    const { method, headers } = request.request;
    // An error that is never stored is one request's, or one moment's: the next answer may be another.
    if (method === "GET" && !byRequest && isStorable(response.status)) inFlight.uncacheable(fetching);
    // Where an entry was found, its validation carries no Range.
    const asked = { method, ranged: headers.has("range") && !context.entry };
    if (outlined.kind === "outline" || outlined.because === "response")
      await withdrawIfGone(context, asked, response.status, requestTime);
    // A handler's body is its own.
    const whole =
      method !== "HEAD" && origin.repeatable && isShort(replied)
        ? await hold(context, replied, said ?? undefined)
        : null;
    if (whole?.kind === "failed") return whole;
    done();
    return answer(
      passed(context, { kind: "response", response: whole?.response ?? response }, { fwd }, "MISS"),
    );
  }
  inFlight.cacheable(fetching);
  const { outline } = outlined;
  if (said !== null && isShort(replied)) {
    const exact = origin.repeatable ? said : undefined;
    const small = await storeSmall(context, replied, { said, exact, outline });
    if (small.kind === "failed") return small;
    done();
    const { response: whole, stored } = small;
    return answer(passed(context, { kind: "response", response: whole }, { fwd, stored }, "MISS"));
  }
  // Whoever waits need not wait for an end that may be far away.
  inFlight.headersArrived(fetching);
  const [branch, forStore] = response.body ? response.body.tee() : [null, null];
  const gone = new AbortController();
  // A body that does not say how long it is may have no end: nobody reads on when its client has gone. Who gets a 304 leaves
  // the body too, and has not gone.
  const mayLeave = said === null && !clientHasIt(request.request, response.status, response.headers, false);
  const forClient = branch && mayLeave ? endingWith(branch, () => gone.abort()) : branch;
  const gathered = fill(context, outline, forStore, said, gone.signal).then((entry) => {
    if (!entry) inFlight.uncacheable(fetching);
  });
  request.waitUntil(gathered.catch(() => {}).then(done));
  const { status, statusText, headers } = response;
  const copy = new Response(forClient, { status, statusText, headers, ...AS_SENT });
  return answer(passed(context, { kind: "response", response: copy }, { fwd, stored: true }, "MISS"));
}

/** Reads a short body first: to hand it out and to store it is then one thing, where a stream would have to be split. */
async function storeSmall(
  context: CacheContext,
  replied: OriginAnswer,
  { said, exact, outline }: { said: number; exact: number | undefined; outline: Outline },
): Promise<(Held & { stored: boolean }) | OriginFailure> {
  const held = await hold(context, replied, exact);
  const stored =
    held.kind === "held" &&
    held.bytes.length === said &&
    isDecodable(held.bytes, replied.response.headers, context.parts.maxBodyBytes);
  if (!stored) context.parts.inFlight.uncacheable(fetchKey(context));
  if (held.kind === "failed") return held;
  if (stored) keep(context, { ...outline, body: bodyOf(held.bytes) });
  return { ...held, stored };
}

/** A response whose body is here to its end. */
interface Held {
  kind: "held";
  response: Response;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Whether it has a short body, or is here already. */
function isShort({ response, bytes }: OriginAnswer): boolean {
  return bytes !== undefined || (response.body !== null && isShortBody(response.headers));
}

/** @param exact The length that the body cannot exceed, where it is the runtime's. A handler's may say what it likes. */
async function hold(
  { parts: { platform, originDeadlineMs } }: CacheContext,
  { response, bytes: known }: OriginAnswer,
  exact: number | undefined,
): Promise<Held | OriginFailure> {
  if (known) return { kind: "held", response, bytes: known };
  const { body } = response;
  if (!body) return { kind: "held", response, bytes: new Uint8Array() };
  const held = await heldBody(body, platform, originDeadlineMs, exact);
  if (held.kind === "stalled") return ORIGIN_LATE;
  if (held.kind === "broken") return ORIGIN_GONE;
  const { bytes } = held;
  const { status, statusText, headers } = response;
  return { kind: "held", response: new Response(bytes, { status, statusText, headers, ...AS_SENT }), bytes };
}

function answer(reply: CacheReply): StoredAndPassed {
  return { kind: "answer", reply };
}

/** A body that calls `gone` when its reader leaves before its end. */
function endingWith(body: ReadableStream<Uint8Array>, gone: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel(reason) {
        gone();
        // Not awaited: of a tee'd stream it ends only when the other branch does.
        void reader.cancel(reason).catch(() => {});
      },
    },
    { highWaterMark: 0 },
  );
}

import { identityBody } from "./body.ts";
import { fetchKey } from "./collapse.ts";
import type { CacheContext } from "./context.ts";
import { fill, keep, lengthSaid, type Outline, outlineOf } from "./fill.ts";
import type { OriginRequest } from "./origin-request.ts";
import type { CacheReply } from "./outcome.ts";
import { passed } from "./reply.ts";
import { withdrawIfGone } from "./withdraw.ts";

/** Bytes: what the origin sends in a few packets. */
const SMALL_BODY = 64 * 1024;

/**
 * Passes the origin's answer to the client as it comes. Beside it a copy is gathered where it may be stored, for the
 * isolate first and then for Redis.
 *
 * @returns null where a small body broke off: then it is as if the origin had not been reached.
 */
export async function storeAndPass(
  context: CacheContext,
  response: Response,
  { fwd, requestTime, done, origin }: OriginRequest,
): Promise<CacheReply | null> {
  const { request, parts } = context;
  const { inFlight, maxBodyBytes } = parts;
  const outlined = await outlineOf(context, response, requestTime);
  const said = lengthSaid(response.headers);
  const tooLong = said !== null && said > maxBodyBytes;
  // Nobody can tell whether a handler's body is encoded already, or will be by the runtime.
  const unreadable = !origin.repeatable && response.headers.has("content-encoding");
  const fetching = fetchKey(context);
  if (outlined.kind === "none" || tooLong || unreadable) {
    const byRequest = outlined.kind === "none" && outlined.because === "request";
    const { method, headers } = request.request;
    if (method === "GET" && !byRequest) inFlight.uncacheable(fetching);
    // Where an entry was found, its validation carries no Range.
    const asked = { method, ranged: headers.has("range") && !context.entry };
    if (outlined.kind === "outline" || outlined.because === "response")
      await withdrawIfGone(context, asked, response.status, requestTime);
    done();
    return passed(context, { kind: "response", response }, { fwd }, "MISS");
  }
  inFlight.cacheable(fetching);
  const { outline } = outlined;
  if (response.body && said !== null && said <= SMALL_BODY) {
    const small = await storeSmall(context, response, said, outline);
    if (!small) return null;
    done();
    return passed(
      context,
      { kind: "response", response: small.response },
      { fwd, stored: small.stored },
      "MISS",
    );
  }
  // Whoever waits need not wait for an end that may be far away.
  inFlight.headersArrived(fetching);
  const [forClient, forStore] = response.body ? response.body.tee() : [null, null];
  const gathered = fill(context, outline, forStore, said).then((entry) => {
    if (!entry) inFlight.uncacheable(fetching);
  });
  request.waitUntil(gathered.catch(() => {}).then(done));
  const { status, statusText, headers } = response;
  const copy = new Response(forClient, { status, statusText, headers });
  return passed(context, { kind: "response", response: copy }, { fwd, stored: true }, "MISS");
}

/**
 * Reads a small body first: to hand it out and to store it is then one thing, where a stream would have to be split.
 *
 * @returns null where the body broke off.
 */
async function storeSmall(
  context: CacheContext,
  response: Response,
  said: number,
  outline: Outline,
): Promise<{ response: Response; stored: boolean } | null> {
  const { inFlight } = context.parts;
  const { status, statusText, headers } = response;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch {
    inFlight.uncacheable(fetchKey(context));
    return null;
  }
  const stored = bytes.length === said;
  if (stored) keep(context, { ...outline, body: identityBody(bytes) });
  else inFlight.uncacheable(fetchKey(context));
  return { response: new Response(bytes, { status, statusText, headers }), stored };
}

import type { OriginReply } from "../request/origin-reply.ts";
import { bodyAtHand } from "./body-at-hand.ts";
import type { CacheContext } from "./context.ts";
import { applyHead, freshen } from "./freshen.ts";
import type { OriginRequest } from "./origin-request.ts";
import type { CacheReply } from "./outcome.ts";
import { served } from "./reply.ts";
import { isOriginError } from "./rules/status.ts";
import { originRequestHeaders } from "./rules/validation.ts";
import { noteOutcome } from "./stand-in.ts";
import { storeAndPass } from "./store-and-pass.ts";
import { mayStandIn } from "./usable.ts";
import { confirmedEntry } from "./validate.ts";

/** Makes the answer to the client out of the origin's: a stale entry in its place, a validated entry, or a new one. */
export async function receive(
  context: CacheContext,
  reply: OriginReply,
  originRequest: OriginRequest,
): Promise<CacheReply> {
  const { entry } = context;
  const { fwd, done, requestTime } = originRequest;
  const failed = reply.kind === "failed" || isOriginError(reply.response.status);
  const standsIn = entry !== null && mayStandIn(context, entry);
  if (standsIn) noteOutcome(context, failed, requestTime);
  if (failed && standsIn && (await bodyAtHand(context, entry))) {
    done();
    if (reply.kind === "response") void reply.response.body?.cancel().catch(() => {});
    const status = reply.kind === "failed" ? {} : { fwdStatus: reply.response.status };
    return served(context, entry, { fwd, ...status }, "STALE");
  }
  if (reply.kind === "failed") {
    done();
    return { reply, cache: null };
  }
  const { response } = reply;
  if (response.status === 304 && originRequest.candidates.length > 0)
    return validated(context, response, originRequest);
  if (context.request.request.method === "HEAD" && entry && response.status === 200) {
    await applyHead(context, response, entry, requestTime);
  }
  const answer = await storeAndPass(context, reply, originRequest);
  if (answer.kind === "answer") return answer.reply;
  originRequest.origin.failed?.(answer);
  return receive(context, answer, { ...originRequest, candidates: [] });
}

/**
 * A 304 (RFC 9111 §4.3.3, §4.3.4): the entry that it confirms is served with the new fields. If it confirms none that is
 * here, the origin is asked again, without conditions.
 */
async function validated(
  context: CacheContext,
  response: Response,
  originRequest: OriginRequest,
): Promise<CacheReply> {
  const { fwd, requestTime, done, origin, candidates } = originRequest;
  const entry = await confirmedEntry(context, response.headers, candidates);
  if (!entry || !(await bodyAtHand(context, entry))) {
    const asked = originRequestHeaders(context.request.request.headers, []);
    const again = await origin.fetch(asked, { asBytes: true });
    return receive(context, again, { ...originRequest, candidates: [] });
  }
  const { entry: fresh, stored } = await freshen(context, entry, response.headers, requestTime);
  done();
  return served(context, fresh, { fwd, fwdStatus: 304, stored }, "REVALIDATED");
}

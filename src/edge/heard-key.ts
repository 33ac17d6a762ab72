import type { KeyClaim } from "../identity/caller.ts";
import type { Confirmation } from "../identity/confirm.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { Isolate } from "./isolate.ts";

/** What was decided before it was known what Redis says of the request's API key. */
export interface DecidedWithoutKey {
  identity: ConfirmedIdentity;
  limits: LimitVerdict | null;
}

/**
 * Applies what Redis has said of a request's API key. The limits were charged along with the question, to whom this isolate
 * took for the caller. A key that is no longer verified is charged to its address too, and one that is verified after all
 * passes by its own limits where its address has none left: each costs a second call, once per key and isolate.
 */
export async function withHeardKey(
  { store, limiter }: Pick<Isolate, "store" | "limiter">,
  request: EdgeRequest,
  decided: DecidedWithoutKey,
  heard: { key: KeyClaim; withKey: Confirmation["withKey"] },
): Promise<DecidedWithoutKey & { calls: number }> {
  const identity = await heard.withKey(decided.identity, heard.key);
  const { limits } = decided;
  const sameCaller = identity.identity.hash === decided.identity.identity.hash;
  const stillGood = identity.key.kind === "verified" && limits?.kind !== "denied";
  if (limits === null || sameCaller || stillGood) return { identity, limits, calls: 0 };
  const batch = store.batch(request.waitUntil);
  const decide = await limiter.prepare(request, { kind: "settled", identity }, batch);
  await batch.send();
  return { identity, limits: await decide(identity), calls: batch.calls };
}

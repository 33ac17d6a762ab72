import type { Confirmation } from "../identity/confirm.ts";
import type { EagerFetch } from "../origin/eager-fetch.ts";
import { fetchEagerly } from "../origin/origin.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { EagerPlan } from "../response-cache/context.ts";
import type { Batch } from "../store/batch.ts";
import type { Isolate } from "./isolate.ts";
import { mayFetchEagerly } from "./may-fetch-eagerly.ts";

/** What preparing a request has found out for an eager fetch of it. */
export interface EagerFindings {
  isRefused: boolean;
  /** See {@link EagerAccount.begin}. */
  left: number | null;
  /** What the cache would ask the origin for; null where it would not, or goes without an eager fetch. */
  plan: EagerPlan | null;
}

/**
 * Asks the origin at the same moment as the store, where the route says so and it may be. To be called once all commands are
 * queued and before they are sent.
 */
export function beginEager(
  { config, store, origin, eager }: Pick<Isolate, "config" | "store" | "origin" | "eager">,
  request: EdgeRequest,
  confirm: Confirmation["confirm"],
  batch: Batch,
  { isRefused, left, plan: planned }: EagerFindings,
): EagerFetch | null {
  const { route, claims } = request;
  if (route.originFetch === null || !config.origin) return null;
  const { method, headers } = request.request;
  const plan = route.cache ? planned : AS_IT_CAME;
  const may = mayFetchEagerly({
    ...{ route, method, headers, isRefused, mode: config.mode },
    // The cache has looked: cookies that the route ignores are none.
    hasCredential: !plan || (!route.cache && claims.credentials.any),
    waitsForStore: !batch.empty && store.steady,
  });
  if (!may || !plan) return null;
  // A script that the server does not know makes two calls.
  const forMs = 2 * store.longestCallMs;
  const inFlightEnded = plan.begin(forMs);
  const accounted = inFlightEnded && eager.begin(claims.addressIdentity.hash, left, forMs);
  if (!accounted) {
    inFlightEnded?.();
    return null;
  }
  const caller = { request, identity: confirm(false), session: { kind: "none" } } as const;
  return fetchEagerly(origin, caller, plan.headers ?? headers, (outcome) => {
    inFlightEnded();
    accounted(outcome);
  });
}

/** Where the route has no cache the request goes on as it is, and no other waits for its answer. */
const AS_IT_CAME = { headers: null, begin: () => () => {} };

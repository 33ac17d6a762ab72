import { unmatchedRoute } from "../config/route.ts";
import { confirmation } from "../identity/confirm.ts";
import { unidentified } from "../identity/unidentified.ts";
import { type Admitted, edgeRequest } from "./admission.ts";
import type { Isolate } from "./isolate.ts";
import type { Findings } from "./outcome.ts";
import type { Received } from "./receive.ts";

const NOT_CACHED = { cached: false, toHandlers: false };

/**
 * Admits a request under `EDGE_MODE=bypass`, where the Worker is a plain proxy, or a preflight that the origin answers. No
 * credential is read, no route's rule holds and Redis is not asked. The route is named in the log only.
 */
export async function bypassed(
  { identifier, config, forwarded: forwardedRequest }: Pick<Isolate, "identifier" | "config" | "forwarded">,
  received: Received,
  { path, findings }: { path: string; findings: Findings },
): Promise<Admitted> {
  const claims = await unidentified(received.request.headers, identifier, config);
  const forwarded = forwardedRequest(received, unmatchedRoute, NOT_CACHED);
  const { confirm } = await confirmation(claims, {
    identifier,
    knownOutcome: async () => null,
    sessions: false,
  });
  return {
    kind: "admitted",
    request: edgeRequest(received, { route: unmatchedRoute, path, forwarded }, claims),
    identity: confirm(false),
    session: { kind: "none" },
    limits: null,
    cache: null,
    findings: { ...findings, caller: { ...claims.addressIdentity, key: null } },
  };
}

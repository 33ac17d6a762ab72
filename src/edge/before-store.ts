import type { Route } from "../config/route.ts";
import { Problem } from "../http/problem.ts";
import type { UnverifiedIdentity } from "../identity/confirmed.ts";
import { unidentified } from "../identity/unidentified.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { Isolate } from "./isolate.ts";
import type { Received } from "./receive.ts";

/** Notes a refusal for the log. @throws it, under `EDGE_MODE=enforce`. */
export type Refuse = (refused: Problem | null) => void;

/** What the credentials say; nothing where they cannot be read and the request passes all the same. */
export async function identify(
  { identify, identifier, config, events }: Pick<Isolate, "identify" | "identifier" | "config" | "events">,
  { request, url, requestId, waitUntil }: Received,
  route: Route | undefined,
  refuse: Refuse,
): Promise<UnverifiedIdentity> {
  try {
    const identifying = identify(request, url, route);
    // A key set is loaded for all, and once a minute at most: whoever begins that must not be able to end it by going away.
    if (config.jwt?.jwksUrl) waitUntil(identifying.then(ignore, ignore));
    const identified = await identifying;
    const { jwt } = identified;
    if (jwt.kind === "invalid")
      events.emit("jwt.refused", { request_id: requestId, route: route?.name ?? "*", reason: jwt.reason });
    return identified;
  } catch (error) {
    refuse(problemIn(error));
    return unidentified(request.headers, identifier, config);
  }
}

/** Refuses what needs no call to the store. */
export function refuseEarly(
  { sessions, events, config, checks }: Pick<Isolate, "sessions" | "events" | "config" | "checks">,
  request: EdgeRequest,
  refuse: Refuse,
): void {
  refuse(checks.crossSiteSignIn(request, config.trustedOrigins));
  refuse(checks.refuseWithoutSession(request, events));
  if (!request.route.session || request.request.method !== "POST") return;
  try {
    // Checked before the origin is asked: without a secret the edge cannot issue a token for the session that it starts.
    sessions.requireSecret(request.requestId);
  } catch (error) {
    refuse(problemIn(error));
  }
}

/** @throws the error where it is no refusal. */
function problemIn(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}

function ignore(): void {}

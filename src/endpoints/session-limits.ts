import { compileLimits } from "../config/compile-limits.ts";
import type { LimitInput } from "../config/limit-input.ts";
import { type Route, unmatchedRoute } from "../config/route.ts";
import { algorithms } from "../ratelimit/algorithms/algorithms.ts";

/** Not a path, so that no route of an operator's shares a counter with these. */
const NAME = "edge:sessions";

const compiled = (limit: LimitInput) =>
  compileLimits([limit], NAME, NAME, { algorithms, issues: [], warnings: [] });

/** For the user of a living session, else for the address. */
const use = compiled({ name: "edge-sessions", limit: 60, window: "1 m" });
/** Each rotation leaves a tombstone that lives as long as the old token could be used. */
const rotations = compiled({ name: "edge-rotations", limit: 30, window: "10 m" });
/**
 * Ending sessions counts for the address only: whoever holds a stolen token must not be able to use up what its user needs
 * to end it.
 */
const end = compiled({ name: "edge-session-ends", limit: 300, window: "1 m", by: "address" });

/** The limits of the edge's own session paths. They hold beside those of a route, whatever that says. */
export const SESSION_LIMITS = { use, rotate: [...use, ...rotations], end } as const;

/** These limits as those of a route, so that an operator sees them among the others. */
export const sessionPathsRoute: Route = {
  ...unmatchedRoute,
  name: NAME,
  limits: [...use, ...rotations, ...end],
};

import type { RouteRow } from "./routes-table.ts";

/** One step of the tour: what it shows, the line to paste into a shell, and the expected answer. */
export interface TourStop {
  says: string;
  /** Runs in a POSIX shell after the lines before it; `$EDGE` and the secrets are set by the tour's first line. */
  shell: string;
  /** Status of the last response that it prints; null where the API decides. */
  status: number | null;
  /** Header fields of that response and patterns of their values. */
  headers: Record<string, RegExp>;
  /** A pattern of its body. */
  body?: RegExp;
  /** The path of the route in `src/routes.ts` that it shows. Without such a route the step is left out. */
  route?: string;
  /** What it cannot do without. */
  needs?: "sessions" | "adminToken";
}

export interface Tour {
  /** Sets `$EDGE` and the secrets. */
  preamble: string;
  stops: TourStop[];
}

export interface TourOptions {
  url: string;
  serviceToken: string;
  adminToken: string;
  /** Whether the sample API answers; else the tour has only what every API can show. Default true. */
  sample?: boolean;
  /** Whether sessions are on, which they are with a `SESSION_SECRET`. Default true. */
  sessions?: boolean;
  /** The Worker's routes. Default: all that the sample's steps show. */
  routes?: readonly Pick<RouteRow, "path">[];
  /** `HEALTH_PATH` and `AUTH_BASE_PATH`. */
  healthPath?: string;
  authPath?: string;
}

/** The tour that `npm start` prints and the page has as buttons. The end-to-end tests run every line and check every claim. */
export function tour({
  url,
  serviceToken,
  adminToken,
  sample = true,
  sessions = true,
  routes,
  healthPath = "/health",
  authPath = "/auth",
}: TourOptions): Tour {
  const all = [...healthStop(healthPath), ...(sample ? sampleStops(authPath) : ownStops(authPath))];
  const has = { sessions: sessions && serviceToken !== "", adminToken: adminToken !== "" };
  const shown = ({ route, needs }: TourStop) =>
    (!route || !routes || routes.some(({ path }) => path === route)) && (!needs || has[needs]);
  return {
    preamble: `EDGE=${url} SERVICE_TOKEN=${quoted(serviceToken)} ADMIN_TOKEN=${quoted(adminToken)}`,
    stops: all.filter(shown),
  };
}

/** Whether the routes are still those that are written for the sample API. */
export function areOfSample(routes: readonly Pick<RouteRow, "path">[]): boolean {
  return [EMISSIONS, LOGIN, PROFILE].every((path) => routes.some((route) => route.path === path));
}

/** A text as one word of a POSIX shell. */
export function quoted(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const healthStop = (healthPath: string): TourStop[] => [
  {
    says: "What runs on Redis, and what on memory?",
    shell: `curl -si "$EDGE${healthPath}"`,
    status: 200,
    headers: { "content-type": /^application\/json/ },
    body: /"services":\{"rate_limiting":"(redis|memory)"/,
  },
];

const EMISSIONS = "/v1/emissions/*";
const LOGIN = "/v1/auth/login";
const PROFILE = "/v1/user/*";

/** What the sample API and its routes show. */
const sampleStops = (authPath: string): TourStop[] => [
  {
    says: "A cached, limited answer of the origin: first a miss …",
    shell: 'curl -si "$EDGE/v1/emissions/factors"',
    status: 200,
    headers: {
      "x-cache": /^MISS$/,
      "x-ratelimit-remaining": /^\d+$/,
      "ratelimit-policy": /^"burst";q=30;w=60/,
    },
    route: EMISSIONS,
  },
  {
    says: "… then a hit: the origin was not asked.",
    shell: 'curl -si "$EDGE/v1/emissions/factors"',
    status: 200,
    headers: { "x-cache": /^HIT$/, age: /^\d+$/, "cache-status": /hit/ },
    route: EMISSIONS,
  },
  {
    says: "Six logins with a wrong password: the sixth is refused, and told when to come back.",
    shell:
      'for i in 1 2 3 4 5 6; do curl -si "$EDGE/v1/auth/login" -H "Content-Type: application/json" -d \'{"user":"ada","password":"wrong"}\' | grep -iE "^(HTTP|retry-after|x-ratelimit-remaining)"; done',
    status: 429,
    headers: { "retry-after": /^\d+$/, "x-ratelimit-remaining": /^0$/ },
    route: LOGIN,
  },
  createSession(authPath),
  {
    says: "The origin learns who asks, from the edge.",
    shell: 'curl -si "$EDGE/v1/user/profile" -H "Authorization: Bearer $TOKEN"',
    status: 200,
    headers: { "x-request-id": /^[0-9a-f]{32}$/ },
    body: /user_123/,
    route: PROFILE,
    needs: "sessions",
  },
  {
    says: "Sign out: the token is refused from now on.",
    shell: `curl -s -X DELETE "$EDGE${authPath}/sessions/current" -H "Authorization: Bearer $TOKEN"; curl -si "$EDGE/v1/user/profile" -H "Authorization: Bearer $TOKEN"`,
    status: 401,
    headers: { "content-type": /^application\/problem\+json/ },
    body: /"code":"SESSION_INVALID"/,
    route: PROFILE,
    needs: "sessions",
  },
  {
    says: "Purge one URL, and it is a miss again.",
    shell:
      'curl -s "$EDGE/edge/cache/purge" -H "Authorization: Bearer $ADMIN_TOKEN" -H "Content-Type: application/json" -d "{\\"files\\":[\\"$EDGE/v1/emissions/factors\\"]}"; curl -si "$EDGE/v1/emissions/factors"',
    status: 200,
    headers: { "x-cache": /^MISS$/ },
    route: EMISSIONS,
    needs: "adminToken",
  },
];

/** What every API shows. */
const ownStops = (authPath: string): TourStop[] => [
  {
    says: "Your API, through the edge, which adds X-Request-Id.",
    shell: 'curl -si "$EDGE/"',
    status: null,
    headers: { "x-request-id": /^[0-9a-f]{32}$/ },
  },
  createSession(authPath),
  {
    says: "Sign out: the token is refused from now on.",
    shell: `curl -s -X DELETE "$EDGE${authPath}/sessions/current" -H "Authorization: Bearer $TOKEN"; curl -si "$EDGE${authPath}/sessions" -H "Authorization: Bearer $TOKEN"`,
    status: 401,
    headers: { "content-type": /^application\/problem\+json/ },
    body: /"code":"SESSION_INVALID"/,
    needs: "sessions",
  },
];

const createSession = (authPath: string): TourStop => ({
  says: "A server of yours creates a session for a user.",
  shell: `TOKEN=$(curl -s "$EDGE${authPath}/sessions" -H "Authorization: Bearer $SERVICE_TOKEN" -H "Content-Type: application/json" -d '{"user_id":"user_123","tier":"premium"}' | sed -n 's/.*"token":"\\([^"]*\\)".*/\\1/p'); curl -si "$EDGE${authPath}/sessions" -H "Authorization: Bearer $TOKEN"`,
  status: 200,
  headers: { "cache-control": /no-store/ },
  body: /"user_id":"user_123"/,
  needs: "sessions",
});

/** One step of the tour: what it shows, the line to paste into a shell, and the expected answer. */
export interface TourStop {
  says: string;
  /** Runs in a POSIX shell after the lines before it; `$EDGE` and the secrets are set by the tour's first line. */
  shell: string;
  /** Status of the last response that it prints. */
  status: number;
  /** Header fields of that response and patterns of their values. */
  headers: Record<string, RegExp>;
  /** A pattern of its body. */
  body?: RegExp;
}

export interface TourOptions {
  url: string;
  serviceToken: string;
  adminToken: string;
}

/** The tour that `npm start` prints. The end-to-end tests run every line and check every claim. */
export function tour({ url, serviceToken, adminToken }: TourOptions): {
  preamble: string;
  stops: TourStop[];
} {
  return {
    preamble: `EDGE=${url} SERVICE_TOKEN=${serviceToken} ADMIN_TOKEN=${adminToken}`,
    stops: [
      {
        says: "What runs on Redis, and what on memory?",
        shell: 'curl -si "$EDGE/health"',
        status: 200,
        headers: { "content-type": /^application\/json/ },
        body: /"services":\{"rate_limiting":"(redis|memory)"/,
      },
      {
        says: "A cached, limited answer of the origin: first a miss …",
        shell: 'curl -si "$EDGE/v1/emissions/factors"',
        status: 200,
        headers: {
          "x-cache": /^MISS$/,
          "x-ratelimit-remaining": /^\d+$/,
          "ratelimit-policy": /^"burst";q=30;w=60/,
        },
      },
      {
        says: "… then a hit: the origin was not asked.",
        shell: 'curl -si "$EDGE/v1/emissions/factors"',
        status: 200,
        headers: { "x-cache": /^HIT$/, age: /^\d+$/, "cache-status": /hit/ },
      },
      {
        says: "Six logins with a wrong password: the sixth is refused, and told when to come back.",
        shell:
          'for i in 1 2 3 4 5 6; do curl -si "$EDGE/v1/auth/login" -H "Content-Type: application/json" -d \'{"user":"ada","password":"wrong"}\' | grep -iE "^(HTTP|retry-after|x-ratelimit-remaining)"; done',
        status: 429,
        headers: { "retry-after": /^\d+$/, "x-ratelimit-remaining": /^0$/ },
      },
      {
        says: "A server of yours creates a session for a user.",
        shell:
          'TOKEN=$(curl -s "$EDGE/auth/sessions" -H "Authorization: Bearer $SERVICE_TOKEN" -H "Content-Type: application/json" -d \'{"user_id":"user_123","tier":"premium"}\' | sed -n \'s/.*"token":"\\([^"]*\\)".*/\\1/p\'); curl -si "$EDGE/auth/sessions" -H "Authorization: Bearer $TOKEN"',
        status: 200,
        headers: { "cache-control": /no-store/ },
        body: /"user_id":"user_123"/,
      },
      {
        says: "The origin learns who asks, from the edge.",
        shell: 'curl -si "$EDGE/v1/user/profile" -H "Authorization: Bearer $TOKEN"',
        status: 200,
        headers: { "x-request-id": /^[0-9a-f]{32}$/ },
        body: /user_123/,
      },
      {
        says: "Sign out: the token is refused from now on.",
        shell:
          'curl -s -X DELETE "$EDGE/auth/sessions/current" -H "Authorization: Bearer $TOKEN"; curl -si "$EDGE/v1/user/profile" -H "Authorization: Bearer $TOKEN"',
        status: 401,
        headers: { "content-type": /^application\/problem\+json/ },
        body: /"code":"SESSION_INVALID"/,
      },
      {
        says: "Purge one URL, and it is a miss again.",
        shell:
          'curl -s "$EDGE/edge/cache/purge" -H "Authorization: Bearer $ADMIN_TOKEN" -H "Content-Type: application/json" -d "{\\"files\\":[\\"$EDGE/v1/emissions/factors\\"]}"; curl -si "$EDGE/v1/emissions/factors"',
        status: 200,
        headers: { "x-cache": /^MISS$/ },
      },
    ],
  };
}

/** What the endpoints answer for a busy deployment, for the screenshots in the docs. test/e2e/console.test.ts holds their shape. */

const MINUTE_MS = 60_000;

const hash = (first: string) => `hash:${first}${"0a7c41e95d20b83f6e17a2c9".slice(0, 32 - first.length)}`;

/** Numbers that go up and down, the same each time. */
function wave(length: number, base: number, height: number, every: number): number[] {
  return Array.from({ length }, (_, index) => {
    const slow = Math.sin(index / every);
    const fast = Math.sin(index * 1.7) * 0.35 + Math.sin(index * 0.6) * 0.2;
    return Math.max(0, Math.round(base + height * (slow + fast)));
  });
}

const route = (
  name: string,
  requests: number,
  errors: number,
  denied: number,
  hit: number,
  p50: number,
  p95: number,
) => ({
  route: name,
  requests,
  errors,
  denied,
  hit,
  origin_p50_ms: p50,
  origin_p95_ms: p95,
});

const policy = (name: string, of: string, counts: readonly number[], source: readonly number[]) => ({
  route: of,
  policy: name,
  allowed: counts[0] ?? 0,
  near: counts[1] ?? 0,
  denied: counts[2] ?? 0,
  shadow: counts[3] ?? 0,
  source: { redis: source[0] ?? 0, lease: source[1] ?? 0, block: source[2] ?? 0, local: source[3] ?? 0 },
});

/** `GET /edge/overview`. @param away While Redis is away. */
export function sampleOverview(now: number, away = false) {
  const minutes = 60;
  const last = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const minute = Array.from({ length: minutes }, (_, index) => last - (minutes - 1 - index) * MINUTE_MS);
  const requests = wave(minutes, 430, 150, 9);
  const where = away ? "memory" : "redis";
  return {
    now,
    version: "1.4.0",
    deployed: "7f31c2ab-9d4e-4c35-8a60-52b1f0c7e9d4",
    mode: "enforce",
    api_host: "api.example.com",
    health: {
      status: away ? "degraded" : "healthy",
      services: { rate_limiting: where, session_storage: where, response_cache: where },
      store: away
        ? { status: "unavailable", available: false, message: "Redis does not answer" }
        : { status: "healthy", available: true, message: "Redis answers", median_ms: 3 },
    },
    metrics: "on",
    complete: !away,
    isolates: away ? null : 14,
    since: now - 62 * MINUTE_MS,
    minutes,
    totals: {
      requests: 26_310,
      by_status: { "2xx": 24_858, "3xx": 310, "4xx": 1086, "5xx": 56 },
      limits: { allowed: 25_226, near: 412, denied: 689, shadow: 31 },
      cache: { hit: 15_210, stale: 312, revalidated: 120, miss: 2100, bypass: 90, bytes_saved: 182_331_221 },
      sessions: { created: 41, rotated: 130, ended: 12, ended_user: 1, ended_everyone: 0, refused: 9 },
      store: { calls: 9120, commands: 30_211, failures: 3, lost: 0 },
    },
    routes: [
      route("GET,HEAD /v1/emissions/*", 18_211, 12, 301, 15_522, 84, 240),
      route("POST /v1/emissions/calculate", 5102, 41, 371, 0, 130, 910),
      route("/v1/user/*", 2210, 3, 0, 0, 41, 120),
      route("POST /v1/auth/login", 612, 0, 17, 0, 95, 310),
    ],
    policies: [
      policy("calculate", "POST /v1/emissions/calculate", [4731, 220, 371], [4500, 0, 602]),
      policy("burst", "GET,HEAD /v1/emissions/*", [17_910, 180, 301], [9000, 9211]),
      policy("login", "POST /v1/auth/login", [595, 0, 17], [612]),
      policy("day", "GET,HEAD /v1/emissions/*", [17_910, 12, 0, 31], [9000, 9211]),
    ],
    denied_callers: [
      { caller: hash("538453d7"), denied: 301, approximate: true },
      { caller: hash("f1bbcd88"), denied: 155, approximate: true },
      { caller: hash("8ff34739"), denied: 61, approximate: true },
    ],
    series: away
      ? null
      : {
          minute,
          requests,
          denied: wave(minutes, 9, 9, 5),
          errors: minute.map((_, index) => (index > 40 && index < 46 ? 8 : index % 13 === 0 ? 2 : 0)),
          hit: requests.map((count) => Math.round(count * 0.62)),
        },
  };
}

/** `GET /edge/cache/purges`. */
export function samplePurges(now: number, away = false) {
  return {
    complete: !away,
    purges: [
      { at: now - 3 * MINUTE_MS, kind: "tag", what: "emissions", soft: false, reach: "everywhere" },
      {
        at: now - 70 * MINUTE_MS,
        kind: "prefix",
        what: "api.example.com/v1/emissions/",
        soft: true,
        reach: "everywhere",
      },
      { at: now - 200 * MINUTE_MS, kind: "file", what: null, soft: false, reach: "everywhere" },
    ],
  };
}

/** `POST /edge/limits/lookup`. */
export function sampleLookup(now: number) {
  const window = (
    name: string,
    of: string,
    tier: string | null,
    limit: number,
    remaining: number,
    current: boolean,
  ) => ({
    id: `${name}:${limit}`,
    name,
    algorithm: "sliding-window",
    limit,
    shared: false,
    remaining,
    resetAt: now + 41_000,
    source: "redis",
    route: of,
    tier,
    current,
  });
  return {
    now,
    caller: hash("538453d7"),
    tier: "premium",
    limits: [
      window("burst", "GET,HEAD /v1/emissions/*", "premium", 300, 34, true),
      window("day", "GET,HEAD /v1/emissions/*", "premium", 100_000, 95_700, true),
      window("calculate", "POST /v1/emissions/calculate", null, 60, 0, true),
      window("user", "/v1/user/*", null, 100, 100, true),
      window("burst", "GET,HEAD /v1/emissions/*", null, 30, 0, false),
    ],
  };
}

/** Options of `npm run verify`. */
export interface VerifyOptions {
  /** The edge, without a trailing slash. */
  url: string;
  /** The service token, for the session check. */
  serviceToken: string | undefined;
  /** A path with a limit. */
  limitedPath: string;
  /** A path with a cache rule, whose origin answers 200. */
  cachedPath: string;
  authBasePath: string;
  healthPath: string;
}

export type Outcome = { kind: "passed"; says: string } | { kind: "failed"; says: string };

export interface VerifyCheck {
  name: string;
  run(options: VerifyOptions): Promise<Outcome>;
}

const passed = (says: string): Outcome => ({ kind: "passed", says });
const failed = (says: string): Outcome => ({ kind: "failed", says });

/** The Python service's four checks, each of which can fail. */
export const verifyChecks: VerifyCheck[] = [
  { name: "Redis Connection", run: redisConnection },
  { name: "Rate Limiting", run: rateLimiting },
  { name: "Session Management", run: sessionManagement },
  { name: "Response Caching", run: responseCaching },
];

async function redisConnection({ url, healthPath }: VerifyOptions): Promise<Outcome> {
  const response = await fetch(`${url}${healthPath}`);
  const health = (await response.json()) as {
    system?: { redis?: { available?: boolean; status?: string } };
    services?: object;
  };
  if (response.status !== 200) return failed(`${healthPath} answered ${response.status}`);
  if (health.system?.redis?.available !== true)
    return failed(`Redis is ${health.system?.redis?.status ?? "not mentioned"}`);
  return passed(JSON.stringify(health.services));
}

/** The most requests that are sent to reach a limit. */
const MAX_REQUESTS = 200;

async function rateLimiting({ url, limitedPath }: VerifyOptions): Promise<Outcome> {
  const remaining = async () => {
    const response = await fetch(`${url}${limitedPath}`);
    await response.arrayBuffer();
    return {
      status: response.status,
      left: Number(response.headers.get("x-ratelimit-remaining") ?? Number.NaN),
      limit: Number(response.headers.get("x-ratelimit-limit") ?? Number.NaN),
      retryAfter: Number(response.headers.get("retry-after") ?? Number.NaN),
    };
  };
  const first = await remaining();
  if (Number.isNaN(first.left))
    return failed(`${limitedPath} shows no X-RateLimit-Remaining: name a limited path with --limited`);
  let last = first;
  let sent = 1;
  while (last.status !== 429 && sent < Math.min(first.left + 2, MAX_REQUESTS)) {
    const next = await remaining();
    sent += 1;
    if (next.status !== 429 && next.left > last.left)
      return failed(`the remaining count rose from ${last.left} to ${next.left}`);
    last = next;
  }
  if (first.left + 1 >= MAX_REQUESTS) {
    return last.left < first.left
      ? passed(`${sent} requests took the count from ${first.left} to ${last.left}`)
      : failed("the count does not fall");
  }
  if (last.status !== 429) return failed(`${sent} requests at ${first.left} remaining, and none was refused`);
  if (!(last.retryAfter >= 1)) return failed("the 429 has no Retry-After");
  return passed(`refused after ${sent - 1} requests, Retry-After ${last.retryAfter} s`);
}

async function sessionManagement({ url, authBasePath, serviceToken }: VerifyOptions): Promise<Outcome> {
  if (!serviceToken) return failed("set SERVICE_TOKEN in the environment: creating a session needs it");
  const service = { authorization: `Bearer ${serviceToken}`, "content-type": "application/json" };
  const user = `verify_${crypto.randomUUID()}`;
  const created = await fetch(`${url}${authBasePath}/sessions`, {
    method: "POST",
    headers: service,
    body: JSON.stringify({ user_id: user, ttl: 300 }),
  });
  if (created.status !== 201) return failed(`creating answered ${created.status}`);
  const { session, token } = (await created.json()) as {
    session: { session_id: string; user_id: string };
    token: string;
  };
  const path = `${url}${authBasePath}/sessions/redis/${session.session_id}`;
  const own = { authorization: `Bearer ${token}` };

  const read = await fetch(path, { headers: own });
  const body = (await read.json()) as { session?: { user_id?: string } };
  if (read.status !== 200 || body.session?.user_id !== user)
    return failed(`reading it answered ${read.status}`);
  const stranger = await fetch(path);
  if (stranger.status === 200) return failed("a stranger can read it");
  const removed = await fetch(path, { method: "DELETE", headers: own });
  if (removed.status !== 200) return failed(`deleting answered ${removed.status}`);
  const again = await fetch(path, { headers: service });
  if (again.status !== 404) return failed(`it is still there after it was deleted (${again.status})`);
  return passed("created, read, kept from a stranger, deleted, gone");
}

async function responseCaching({ url, cachedPath }: VerifyOptions): Promise<Outcome> {
  const ask = async () => {
    const response = await fetch(`${url}${cachedPath}`);
    return { status: response.status, body: await response.text(), said: response.headers.get("x-cache") };
  };
  const first = await ask();
  if (first.status !== 200)
    return failed(`${cachedPath} answered ${first.status}: name a cached path with --cached`);
  const second = await ask();
  if (second.said !== "HIT") return failed(`asked twice, X-Cache is ${second.said ?? "absent"}`);
  if (second.body !== first.body) return failed("the hit has another body");
  return passed(`${first.said} then ${second.said}, the same body`);
}

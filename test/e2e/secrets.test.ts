import { SignJWT } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { until } from "../support/until.ts";

const ADDRESS = "198.51.100.77";
/** The caller is its /64. Neither the address nor the network may appear. */
const NETWORK = "2001:db8:77:88";
const ADDRESS_6 = `${NETWORK}:1a2b:3c4d:5e6f:7081`;
const JWT_SECRET = "a-jwt-secret-of-this-test-alone-0123456789";
const ROUTES = [
  {
    path: "/v1/emissions/*",
    limits: [
      { name: "burst", limit: 5, window: "1 d" },
      { name: "day", limit: 50, window: "1 d", algorithm: "sliding-log", by: "address" },
    ],
    cache: { ttl: 60, scope: "caller" },
  },
  { path: "/v1/keys/check", verifiesKeys: true, limits: [{ name: "keys", limit: 3, window: "1 d" }] },
  { path: "/v1/auth/login", session: "start" },
  { path: "/v1/user/*", access: "session", cache: { ttl: 60, scope: "caller" } },
];
/** None of these values may appear outside the requests themselves. */
const strange = {
  user: "grace.hopper@example.org",
  key: "ek_live_2f9a7c5b1d8e4f60",
  query: "qk_live_8a1b2c3d4e5f6071",
  password: "correct-horse-battery",
  forged: "es1.Zm9yZ2VkLWJ5LXRoaXMtdGVzdA.c2lnbmVkLWJ5LW5vYm9keQ",
};
let harness: Harness;
beforeAll(async () => {
  harness = await openHarness({ vars: { ROUTES, LOG_LEVEL: "debug", JWT_SECRET } });
});
afterAll(() => harness.stop());

async function jwt(secret: string): Promise<string> {
  return new SignJWT({ sub: strange.user })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime("10 m")
    .sign(new TextEncoder().encode(secret));
}

/** Session tokens in the cookies, fields and body of an answer. */
function tokensIn(response: Response, text: string): string[] {
  const handed = `${response.headers.getSetCookie().join("\n")}\n${response.headers.get("x-session-token")}\n${text}`;
  return handed.match(/es1\.[\w-]+\.[\w-]+/g) ?? [];
}

/** Sends one request of each kind that carries a secret, and returns the answers. */
async function walk(): Promise<{ tokens: Set<string>; answers: string[]; statuses: Set<number> }> {
  const { secrets, origin, edge } = harness;
  const answers: string[] = [];
  const tokens = new Set<string>();
  const statuses = new Set<number>();
  const ask = async (path: string, init: RequestInit & { address?: string } = {}) => {
    const response = await edge.fetch(path, { address: ADDRESS, ...init });
    const text = await response.text();
    statuses.add(response.status);
    if (response.status >= 400) answers.push(`${JSON.stringify([...response.headers])} ${text}`);
    else for (const token of tokensIn(response, text)) tokens.add(token);
    return { response, text };
  };
  const post = (path: string, bearer: string | null, body: unknown) =>
    ask(path, {
      method: "POST",
      headers: bearer === null ? {} : { authorization: `Bearer ${bearer}` },
      body: JSON.stringify(body),
    });
  const token = await harness.token(strange.user, "premium");
  tokens.add(token);
  const genuine = await jwt(JWT_SECRET);
  const foreign = await jwt(`${JWT_SECRET}-of-somebody-else`);
  for (const each of [genuine, foreign]) tokens.add(each);
  const [known = ""] = Object.keys(origin.keys);
  for (const credential of [
    token,
    genuine,
    foreign,
    secrets.apiKey,
    strange.key,
    strange.forged,
    known,
    secrets.service,
  ]) {
    const headers = { authorization: `Bearer ${credential}` };
    for (const path of ["/v1/emissions/factors", "/v1/keys/check", "/v1/user/profile", "/auth/sessions"])
      await ask(path, { headers });
  }
  for (let i = 0; i < 8; i += 1) await ask(`/v1/emissions/units?api_key=${strange.query}`);
  await ask("/v1/emissions/factors", { headers: { cookie: `session=${token}`, "x-api-key": strange.key } });
  await post("/v1/auth/login", null, { user: strange.user, password: strange.password });
  await signIn();
  // The fifth of six requests is refused, because of its network. No answer may name that network.
  for (let i = 0; i < 6; i += 1) await ask("/v1/emissions/factors", { address: ADDRESS_6 });
  await post("/auth/sessions", secrets.service, { user_id: 7, user_data: strange.password });
  await post("/auth/sessions", strange.key, { user_id: strange.user });
  await post("/edge/cache/purge", secrets.admin, { files: [`/v1/emissions/units?api_key=${strange.query}`] });
  await post("/edge/cache/purge", strange.key, { tags: [] });
  await post("/edge/limits/lookup", secrets.admin, { address: ADDRESS });
  await ask(`/edge/limits/user:${encodeURIComponent(strange.user)}`, {
    headers: { authorization: `Bearer ${secrets.admin}` },
  });
  await ask(`/auth/sessions/users/${encodeURIComponent(strange.user)}`, {
    headers: { authorization: `Bearer ${secrets.service}` },
  });
  await ask(`/auth/sessions/redis/${strange.key}`, {
    headers: { authorization: `Bearer ${secrets.service}` },
  });
  await ask(`/v1/user/%00${strange.key}`);
  return { tokens, answers, statuses };

  /** The session cookie of a sign-in at the origin, its successor after rotation, and the same for a bearer token. */
  async function signIn(): Promise<void> {
    const signedIn = await post("/v1/auth/login", null, { user: "ada", password: origin.users.ada });
    const [cookie = ""] = tokensIn(signedIn.response, "");
    expect(cookie, "the sign-in hands out a cookie").toMatch(/^es1\./);
    await ask("/v1/user/profile", { headers: { cookie: `session=${cookie}` } });
    await ask("/auth/sessions/rotate", {
      method: "POST",
      headers: { cookie: `session=${cookie}`, "sec-fetch-site": "same-origin" },
    });
    await post("/auth/sessions/rotate", await harness.token(strange.user), {});
  }
}

async function redisKeys(): Promise<string[]> {
  return ((await harness.upstash.redis.command("KEYS", "*")) as unknown[]).map(String);
}

it("no token, key, user or address stands in a log line, an error body or a Redis key", async () => {
  const first = await walk();
  const keysUp = await redisKeys();
  await harness.upstash.stopEndpoint();
  const second = await walk();
  await harness.upstash.startEndpoint();
  await until(async () => {
    await harness.edge.fetch("/v1/hits");
    return harness.edge.log.some(({ event }) => event === "store.found");
  }, "the edge finds Redis again");
  await harness.edge.idle();
  const keys = [...keysUp, ...(await redisKeys())];
  expect(keysUp.length, "there is something to look through").toBeGreaterThan(10);
  expect(harness.edge.log.length).toBeGreaterThan(60);
  expect(first.answers.length + second.answers.length).toBeGreaterThan(20);
  for (const status of [400, 401, 404, 422, 429])
    expect([...first.statuses], `an error's answer of ${status} is among them`).toContain(status);
  expect(first.tokens.size, "two by hand, two from a sign-in, one rotated, two JWTs").toBeGreaterThan(5);

  const own = [harness.secrets, harness.origin.users, harness.origin.keys].flatMap((each) =>
    Object.entries(each).flatMap(([name, value]) => (typeof value === "string" ? [value] : [name])),
  );
  const forbidden = [...Object.values(strange), ...own, ...first.tokens, ...second.tokens];
  forbidden.push(
    ADDRESS,
    NETWORK,
    JWT_SECRET,
    harness.upstash.token,
    encodeURIComponent(strange.user),
    btoa(strange.user),
  );
  const places = {
    "the log": harness.edge.printed.join("\n"),
    "an error's answer": [...first.answers, ...second.answers].join("\n"),
    "a Redis key": keys.join("\n"),
  };
  for (const [place, text] of Object.entries(places))
    for (const secret of forbidden)
      expect(text.includes(secret), `${place} holds ${secret.slice(0, 8)}…`).toBe(false);
});

it("every key in Redis has a lifetime", async () => {
  await walk();
  const keys = await redisKeys();
  for (const key of keys) {
    const ttl = Number(await harness.upstash.redis.command("PTTL", key));
    // -2: its time has come meanwhile.
    expect(ttl, `${key.replace(/[0-9a-f]{32}/g, "…")} lives for ever`).not.toBe(-1);
  }
});

it("each request leaves one line that says what became of it", async () => {
  await harness.edge.idle();
  const lines = harness.edge.log.filter(({ event }) => event === "request");
  expect(new Set(lines.map(({ request_id }) => request_id)).size).toBe(lines.length);
  const always =
    "event level method request_id route status store_calls store_ms time total_ms verdict".split(" ");
  // docs/architecture.md#events has what each of them says.
  const where =
    "ray colo version caller caller_kind key limits policy source session eager cache cache_reason origin_ms bytes".split(
      " ",
    );
  for (const line of lines) {
    expect(Object.keys(line)).toEqual(expect.arrayContaining(always));
    expect(Object.keys(line).filter((name) => !always.includes(name) && !where.includes(name))).toEqual([]);
  }
  const verdicts = new Set(lines.map(({ verdict }) => verdict));
  for (const verdict of ["allowed", "rate_limit_exceeded", "session_required", "session_invalid"])
    expect([...verdicts]).toContain(verdict);
});

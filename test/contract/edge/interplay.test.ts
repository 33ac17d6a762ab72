import { SignJWT } from "jose";
import { expect, it, test } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { NONCE_BYTES } from "../../../src/identity/sealed-text.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { countingEdge, SESSION_SECRET } from "../../support/edge/counting-edge.ts";
import { printedLines } from "../../support/printed.ts";
import { claims } from "../../support/session-samples.ts";
import { until } from "../../support/until.ts";

/** Ways round a rule that two features open together, each harmless alone. */

const JWT_SECRET = "jwt-secret-of-this-test-only-01234567";
const limits = [{ name: "w", limit: 2, window: "1 h" }] as const;

printedLines();

async function originOf(url: string): Promise<Response> {
  const signsIn = url.endsWith("/login");
  return new Response("ok", signsIn ? { headers: { "x-edge-session": '{"user_id":"ada"}' } } : {});
}

function openEdge(
  routes: RouteInput[],
  env: Record<string, string> = {},
  fetchOrigin: (url: string) => Promise<Response> = originOf,
) {
  return countingEdge({ routes, env, fetchOrigin });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A token of an outage, made so many seconds ago. Redis has no record of its session. */
function offlineToken(user: string, secondsAgo: number): Promise<string> {
  const issuedAt = Date.now() - secondsAgo * 1000;
  const made = claims({
    id: "O".repeat(27),
    userId: user,
    tier: null,
    issuedAt,
    confirmedAt: issuedAt,
    expiresAt: issuedAt + 86_400_000,
    offline: true,
  });
  return signToken(made, SESSION_SECRET, new Uint8Array(NONCE_BYTES).fill(7));
}

test.each<[what: string, secondsAgo: number, left: string]>([
  ["within its idle time is its user's", 100, "-"],
  ["that was silent for too long is charged to its address", 1000, "++-"],
])("a session of an outage %s", async (_what, secondsAgo, left) => {
  const { ask, session } = openEdge([{ path: "/v1/*", limits: [...limits] }], {
    SESSION_IDLE_SECONDS: "600",
    ISOLATE_MAX_AGE_MS: "0",
  });
  const stolen = await offlineToken("ada", secondsAgo);
  for (let each = 0; each < 3; each += 1) await ask("/v1/x", bearer(stolen));
  const own = await session("ada");
  const statuses: string[] = [];
  for (const _ of left)
    statuses.push(
      (await ask("/v1/x", { ...bearer(own), "cf-connecting-ip": "198.51.100.1" })).status === 200 ? "+" : "-",
    );
  expect(statuses.join("")).toBe(left);
});

it("a blocked caller with several session cookies makes no call", async () => {
  const { ask, session } = openEdge([{ path: "/v1/*", limits: [...limits] }]);
  const cookies = [await session("ada"), await session("bea")].map((token) => `__Host-session=${token}`);
  const cookie = cookies.join("; ");
  const answers: unknown[] = [];
  for (let each = 0; each < 5; each += 1) {
    const { status, calls } = await ask("/v1/x", { cookie });
    answers.push([status, calls]);
  }
  expect(answers.slice(2)).toEqual([
    [429, expect.any(Number)],
    [429, 0],
    [429, 0],
  ]);
});

const jwt = (sub: string, secret = JWT_SECRET) =>
  new SignJWT({ sub })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime("1 h")
    .sign(new TextEncoder().encode(secret));

test.each<[what: string, headers: (eve: string) => Promise<Record<string, string>> | Record<string, string>]>(
  [
    ["alone", (eve) => ({ cookie: `jwt=${eve}` })],
    ["behind a bearer that is none", (eve) => ({ cookie: `jwt=${eve}`, ...bearer("a.b.c") })],
    [
      "behind a bearer of another secret",
      async (eve) => ({ cookie: `jwt=${eve}`, ...bearer(await jwt("x", "y".repeat(40))) }),
    ],
    ["behind another user's bearer", async (eve) => ({ cookie: `jwt=${eve}`, ...bearer(await jwt("ada")) })],
    ["behind another user's cookie", async (eve) => ({ cookie: `jwt=${await jwt("ada")}; jwt=${eve}` })],
    ["behind a cookie that is none", (eve) => ({ cookie: `jwt=a.b.c; jwt=${eve}` })],
  ],
)("a user in DENY_LIST is refused by its JWT's cookie %s", async (_what, headers) => {
  const { ask } = openEdge([{ path: "/v1/*", limits: [...limits] }], {
    JWT_SECRET,
    JWT_COOKIE: "jwt",
    DENY_LIST: "user:eve",
  });
  expect((await ask("/v1/x", await headers(await jwt("eve")))).status).toBe(403);
  expect((await ask("/v1/x", await headers(await jwt("bob")))).status).toBe(200);
});

it("of several cookies with a JWT one good one is enough", async () => {
  const { ask } = openEdge([{ path: "/v1/*", access: ["jwt"] }], { JWT_SECRET, JWT_COOKIE: "jwt" });
  const good = await jwt("ada");
  const cookies = ["jwt=a.b.c", `jwt=${await jwt("ada", "y".repeat(40))}`, `jwt=${good}`, "jwt="];
  expect((await ask("/v1/x", { cookie: cookies.join("; ") })).status).toBe(200);
  expect((await ask("/v1/x", { cookie: cookies.slice(0, 2).join("; ") })).status).toBe(401);
  const beside = { cookie: `jwt=${good}`, ...bearer("a.b.c") };
  expect((await ask("/v1/x", beside)).status, "a bearer that is none is no cookie's").toBe(401);
  const many = Array.from({ length: 40 }, (_, index) => `jwt=a.b.c${index}`);
  expect((await ask("/v1/x", { cookie: [...many, `jwt=${good}`].join("; ") })).status).toBe(200);
});

const SAME_SITE = { origin: "https://edge.example" };
const EVIL = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };

test.each<[what: string, headers: Record<string, string>, by: "cookie" | "bearer", status: number]>([
  ["of the edge's own page", SAME_SITE, "cookie", 200],
  ["of another site", EVIL, "cookie", 403],
  ["of a program", {}, "bearer", 200],
])(
  "a sign-out %s in an outage, when nobody can check the session: %j by %s, %i",
  async (_what, headers, by, status) => {
    const routes: RouteInput[] = [
      { path: "/logout", methods: ["POST"], session: "end" },
      { path: "/me", access: "session" },
    ];
    const { ask, session, platform, state } = openEdge(routes, { SESSION_OFFLINE_GRACE_SECONDS: "0" });
    const token = await session("ada");
    const own: Record<string, string> =
      by === "cookie" ? { cookie: `__Host-session=${token}` } : bearer(token);
    expect((await ask("/me", own)).status).toBe(200);
    state.down = true;
    platform.advance(10_000);
    const { status: answered, response } = await ask("/logout", { ...own, ...headers }, { method: "POST" });
    expect(answered).toBe(status);
    const ended = status === 200;
    expect(response.headers.getSetCookie().length).toBe(ended && by === "cookie" ? 1 : 0);
    state.down = false;
    for (let each = 0; each < 5; each += 1) {
      platform.advance(60_000);
      await ask("/other");
    }
    expect((await ask("/me", own)).status, "once the store is back").toBe(ended ? 401 : 200);
  },
);

it("a sign-in in an outage ends the session of before, which nobody can check", async () => {
  const routes: RouteInput[] = [
    { path: "/login", methods: ["POST"], session: "start" },
    { path: "/me", access: "session" },
  ];
  const { ask, session, platform, state } = openEdge(routes, { SESSION_OFFLINE_GRACE_SECONDS: "0" });
  const before = await session("ada");
  state.down = true;
  platform.advance(10_000);
  const { response } = await ask("/login", { ...bearer(before), ...SAME_SITE }, { method: "POST" });
  const [cookie = ""] = response.headers.getSetCookie();
  expect(cookie).toMatch(/^__Host-session=es1\./);
  state.down = false;
  for (let each = 0; each < 5; each += 1) {
    platform.advance(60_000);
    await ask("/other");
  }
  expect((await ask("/me", bearer(before))).status, "the one of before").toBe(401);
  expect((await ask("/me", { cookie: cookie.split(";")[0] ?? "" })).status, "the new one").toBe(200);
});

test.each<[what: string, late: number, verified: boolean]>([
  ["that was asked before the end, and comes after it, verifies nothing", 1000, false],
  ["that was asked after it verifies again", 0, true],
])("an answer %s", async (_what, late, verified) => {
  const answers: PromiseWithResolvers<Response>[] = [];
  const fetchOrigin = async () => {
    const answer = Promise.withResolvers<Response>();
    answers.push(answer);
    return answer.promise;
  };
  const routes: RouteInput[] = [
    { path: "/keys/*", verifiesKeys: true },
    { path: "/guarded", access: ["key"] },
  ];
  const { ask, platform } = openEdge(routes, {}, fetchOrigin);
  const key = { "x-api-key": "a-key-that-the-origin-knows" };
  const good = () => new Response("ok", { headers: { "x-edge-caller": '{"user_id":"ada"}' } });
  const asked = (count: number) => until(() => answers.length === count, `${count} requests at the origin`);

  const early = late > 0 ? ask("/keys/slow", key) : null;
  if (early) await asked(1);
  platform.advance(late);
  const refused = ask("/keys/x", key);
  await asked(early ? 2 : 1);
  answers.at(-1)?.resolve(new Response(null, { status: 401 }));
  await refused;
  platform.advance(1000);
  const after = early ?? ask("/keys/x", key);
  await asked(2);
  answers.at(early ? 0 : 1)?.resolve(good());
  await after;
  const guarded = ask("/guarded", key);
  if (verified) {
    await asked(3);
    answers.at(2)?.resolve(new Response("ok"));
  }
  expect((await guarded).status).toBe(verified ? 200 : 401);
});

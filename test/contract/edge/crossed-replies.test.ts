import { SignJWT } from "jose";
import { expect, it } from "vitest";
import { cacheable, gatedEdge } from "../../support/edge/gated-edge.ts";
import { bearing } from "../../support/edge/traffic.ts";

const JWT_SECRET = "jwt-secret-of-this-test-only-0123456789";
const SERVICE = "service-token-of-this-test-only-01";
/** Answers that name whom the origin was told of. */
function opened() {
  const edge = gatedEdge({
    routes: [
      { path: "/shared/*", cache: { ttl: 600, scope: "shared" } },
      { path: "/long/*", cache: { ttl: 600, scope: "shared" } },
      { path: "/varied/*", cache: { ttl: 600, scope: "shared" } },
      { path: "/mine/*", access: "identified", cache: { ttl: 600, scope: "caller" } },
      { path: "/keys/*", verifiesKeys: true },
      { path: "/live/*", access: "identified" },
    ],
    env: {
      JWT_SECRET,
      SERVICE_TOKEN: SERVICE,
      SESSION_SECRET: "session-secret-of-this-test-only-0123",
      ISOLATE_MAX_AGE_MS: "0",
      LOG_LEVEL: "error",
    },
    answer({ path, headers }) {
      const key = headers.get("x-api-key");
      const text = `${path} ${headers.get("x-user-id") ?? "nobody"} ${key ?? ""}`;
      // Such a body stands beside its entry.
      if (path.startsWith("/long/")) return cacheable(text.padEnd(200_000), { "content-type": "image/png" });
      return cacheable(text, {
        ...(path.startsWith("/varied") && { vary: "accept-language" }),
        ...(key && {
          "x-edge-caller": JSON.stringify({ user_id: `owner-of-${key}` }),
          "cache-control": "no-store",
        }),
      });
    },
  });
  const ask = edge.platform.fetch;
  let waiting: { reply: Response; resolve(reply: Response): void } | null = null;
  const wire = { crosses: false };
  /** The replies of two calls change places. */
  edge.platform.fetch = async (input, init) => {
    const reply = await ask(input, init);
    if (!wire.crosses) return reply;
    const other = waiting;
    if (other) {
      waiting = null;
      other.resolve(reply);
      return other.reply;
    }
    return new Promise((resolve) => {
      const mine = { reply, resolve };
      waiting = mine;
      setTimeout(() => {
        if (waiting !== mine) return;
        waiting = null;
        resolve(reply);
      }, 50);
    });
  };
  return { ...edge, wire };
}

const jwt = async (sub: string) =>
  bearing(
    await new SignJWT({ sub, exp: Math.floor(Date.now() / 1000) + 600 })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(JWT_SECRET)),
  );
async function session({ ask }: ReturnType<typeof opened>, user: string) {
  const body = JSON.stringify({ user_id: user });
  const { text } = await ask("/auth/sessions", { method: "POST", headers: bearing(SERVICE), body });
  return bearing((JSON.parse(text) as { token: string }).token);
}
type Who = (edge: ReturnType<typeof opened>, name: string) => Promise<HeadersInit>;
const nobody: Who = async () => ({});
it.each<[what: string, path: string, who: Who]>([
  ["shared entries", "/shared/", nobody],
  ["entries with long bodies", "/long/", nobody],
  ["entries that vary", "/varied/", nobody],
  ["entries of users with JWTs", "/mine/", (_, name) => jwt(name)],
  ["entries of users with sessions", "/mine/", session],
  ["sessions", "/live/", session],
  ["verified keys", "/keys/", async (_, name) => ({ "x-api-key": `key-of-${name}-0123456789` })],
])("replies of two requests that change places give nobody another's answer: %s", async (_, path, who) => {
  const edge = opened();
  const requests = await Promise.all(
    ["ada", "bob"].map(async (name) => ({
      path: who === nobody ? `${path}${name}` : `${path}x`,
      headers: await who(edge, name),
    })),
  );
  const seen: string[] = [];
  for (const { path: to, headers } of requests) {
    for (let n = 0; n < 3; n += 1) await edge.ask(to, { headers });
    seen.push((await edge.ask(to, { headers })).text);
  }
  edge.wire.crosses = true;
  for (let n = 0; n < 3; n += 1) {
    const answers = await Promise.all(
      requests.map(({ path: to, headers }) => edge.ask(to, { headers, isolate: 1 })),
    );
    for (const [at, { status, text }] of answers.entries()) {
      expect(status).toBe(200);
      // A key that this isolate has not heard of is nobody's while Redis does not say whose it is.
      expect([seen[at], seen[at]?.replace(/owner-of-\S+/, "nobody")]).toContain(text);
    }
  }
  edge.wire.crosses = false;
  edge.platform.advance(20_000);
  for (const [at, { path: to, headers }] of requests.entries())
    expect((await edge.ask(to, { headers, isolate: 1 })).text).toBe(seen[at]);
});

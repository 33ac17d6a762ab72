import { SignJWT } from "jose";
import { expect, it } from "vitest";
import { ADMIN_TOKEN, meteredEdge } from "../../support/metered-edge.ts";

const JWT_SECRET = "jwt-secret-of-this-test-only-0123456789";

it.each([1, 256, 257, 1000, 10_000])(
  "a JWT's user of %d characters is found, and deleted",
  async (length) => {
    const user = "u".repeat(length);
    const { ask, platform } = meteredEdge({
      env: { JWT_SECRET },
      routes: [
        {
          path: "/mine",
          access: "identified",
          cache: { ttl: 600, scope: "caller" },
          limits: [{ name: "mine", limit: 5, window: "1 h" }],
        },
      ],
      origin: () => new Response(crypto.randomUUID()),
    });
    const exp = Math.floor(platform.now() / 1000) + 3600;
    const signing = new SignJWT({ sub: user, exp }).setProtectedHeader({ alg: "HS256" });
    const token = await signing.sign(new TextEncoder().encode(JWT_SECRET));
    const mine = async () => (await ask("/mine", { headers: { authorization: `Bearer ${token}` } })).text();
    const operate = async (method: string, path: string, body?: object) => {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
      const answer = await ask(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
      expect(answer.status, path.slice(0, 40)).toBe(200);
      // biome-ignore lint/suspicious/noExplicitAny: what a test compares.
      return answer.json<any>();
    };
    const left = async () => (await operate("POST", "/edge/limits/lookup", { user })).limits[0].remaining;

    const first = await mine();
    expect([await mine(), await left()]).toEqual([first, 3]);
    expect((await operate("GET", `/edge/limits/user:${user}`)).limits[0].remaining).toBe(3);
    expect((await operate("POST", "/edge/users/export", { user })).limits[0].remaining).toBe(3);
    platform.advance(1);
    await operate("POST", "/edge/cache/purge", { users: [user] });
    const second = await mine();
    expect(second).not.toBe(first);
    platform.advance(1);
    await operate("POST", "/edge/users/delete", { user });
    expect([(await mine()) === second, await left()]).toEqual([false, 4]);
  },
);

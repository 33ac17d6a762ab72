import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";

const ROUTES = [
  { path: "/v1/auth/login", methods: ["POST"], session: "start" },
  { path: "/v1/auth/logout", methods: ["POST"], session: "end" },
  { path: "/v1/user/*", access: "session" },
  { path: "/v1/emissions/calculate", access: "session" },
  { path: "/v1/emissions/plain", cache: { ttl: 60, scope: "caller" } },
];
const APP = "https://app.example.com";

interface SessionBody {
  session: { session_id: string; user_id: string };
  sessions: { session_id: string; current: boolean }[];
  token: string;
  status: string;
}

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness({ vars: { ROUTES, CORS_ALLOWED_ORIGINS: APP, SESSION_MAX_PER_USER: 4 } });
});
afterAll(() => harness.stop());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const service = () => bearer(harness.secrets.service);
async function call(method: string, path: string, headers: Record<string, string> = {}, body?: unknown) {
  const response = await harness.edge.fetch(path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = (text.startsWith("{") ? JSON.parse(text) : {}) as SessionBody & Record<string, unknown>;
  return { status: response.status, headers: response.headers, json };
}
const idOf = async (token: string) =>
  (await call("GET", "/auth/sessions", bearer(token))).json.sessions.find(({ current }) => current)
    ?.session_id as string;
const alive = async (token: string) => (await call("GET", "/v1/user/profile", bearer(token))).status === 200;

describe("the endpoints of sessions", () => {
  it("list a user's own, the current one marked, and nobody else's", async () => {
    const [one, two] = [await harness.token("list_user"), await harness.token("list_user")];
    await harness.token("another_user");
    const { status, json, headers } = await call("GET", "/auth/sessions", bearer(two));
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(json.sessions.map(({ current }) => current).sort()).toEqual([false, true]);
    expect(json.sessions.find(({ current }) => current)?.session_id).toBe(await idOf(two));
    expect(await idOf(one)).not.toBe(await idOf(two));
  });

  it("end all others at once, and this one at sign-out", async () => {
    const [mine, other] = [await harness.token("end_user"), await harness.token("end_user")];
    expect((await call("DELETE", "/auth/sessions", bearer(mine))).json).toMatchObject({
      status: "success",
      deleted: 1,
    });
    expect(await alive(other)).toBe(false);
    expect(await alive(mine)).toBe(true);
    expect((await call("DELETE", "/auth/sessions/current", bearer(mine))).status).toBe(200);
    expect(await alive(mine)).toBe(false);
    expect((await call("GET", "/auth/sessions", bearer(mine))).status).toBe(401);
  });

  it("give a new id on rotation; the old one is dead at once", async () => {
    const old = await harness.token("rotate_user");
    const rotated = await call("POST", "/auth/sessions/rotate", bearer(old));
    expect(rotated.status).toBe(200);
    expect(rotated.headers.get("x-session-token")).toBe(rotated.json.token);
    expect(await alive(old)).toBe(false);
    expect(await alive(rotated.json.token)).toBe(true);
  });

  it("answer 404, never 403, for what is not yours", async () => {
    const [mine, theirs] = [await harness.token("mine_user"), await harness.token("theirs_user")];
    const path = `/auth/sessions/redis/${await idOf(theirs)}`;
    for (const method of ["GET", "DELETE"]) {
      const strange = await call(method, path, bearer(mine));
      const none = await call(method, "/auth/sessions/redis/no_such_session_at_all", bearer(mine));
      expect(strange.status).toBe(404);
      const { request_id: a, ...first } = strange.json;
      const { request_id: b, ...second } = none.json;
      expect(first, "as if there were none").toEqual(second);
      expect(a).not.toBe(b);
    }
    expect(await alive(theirs)).toBe(true);
    expect((await call("GET", path, bearer(theirs))).status).toBe(200);
    expect((await call("DELETE", path, service())).status, "a server may").toBe(200);
    expect(await alive(theirs)).toBe(false);
  });

  it.each([
    [".", 400],
    ["..", 400],
    ["", 422],
    ["...", 201],
    ["a/../b", 201],
  ])("make a session for the user %j only where a URL can name it: %i", async (user_id, status) => {
    expect((await call("POST", "/auth/sessions", service(), { user_id })).status).toBe(status);
  });

  it("show device_info as it was sent, numbers beyond 2^53 and blanks included", async () => {
    const device_info = '{ "build": 12345678901234567890, "v": 1.0, "none": null }';
    const made = await harness.edge.fetch("/auth/sessions", {
      method: "POST",
      headers: service(),
      body: `{"user_id":"raw_user","user_data":null,"device_info":${device_info}}`,
    });
    expect(made.headers.get("content-type")).toBe("application/json");
    const text = await made.text();
    expect(text).toContain(`"device_info":${device_info}`);
    const { token } = JSON.parse(text) as SessionBody;
    const listed = await harness.edge.fetch("/auth/sessions", { headers: bearer(token) });
    expect(await listed.text()).toContain(`"device_info":${device_info}`);
    const server = await harness.edge.fetch("/auth/sessions/users/raw_user", { headers: service() });
    expect(await server.text()).toContain(`"device_info":${device_info}`);
  });

  it("let servers list and end one user's, and everyone's", async () => {
    const [one, two, other] = [
      await harness.token("served_user"),
      await harness.token("served_user"),
      await harness.token("excepted_user"),
    ];
    const listed = await call("GET", "/auth/sessions/users/served_user", service());
    expect(listed.json.sessions).toHaveLength(2);
    expect((await call("DELETE", "/auth/sessions/users/served_user", service())).json).toMatchObject({
      deleted: 2,
    });
    expect([await alive(one), await alive(two), await alive(other)]).toEqual([false, false, true]);
    for (const path of ["/auth/sessions/users/served_user", "/auth/sessions/everyone"])
      expect((await call("DELETE", path, bearer(other))).status, `${path} is for servers`).toBe(401);
    expect((await call("DELETE", "/auth/sessions/everyone", service())).status).toBe(200);
    expect(await alive(other)).toBe(false);
    expect(await alive(await harness.token("served_user")), "and who signs in after it, is in").toBe(true);
  });

  it("end the oldest beyond the cap", async () => {
    const tokens: string[] = [];
    for (let i = 0; i < 5; i += 1) tokens.push(await harness.token("cap_user"));
    expect(await Promise.all(tokens.map(alive))).toEqual([false, true, true, true, true]);
  });

  it("take 16 KiB of user data, and refuse one byte more", async () => {
    const body = (length: number) => ({ user_id: "data_user", user_data: "x".repeat(length - 2) });
    expect((await call("POST", "/auth/sessions", service(), body(16 * 1024))).status).toBe(201);
    const refused = await call("POST", "/auth/sessions", service(), body(16 * 1024 + 1));
    expect(refused.status).toBe(413);
    expect(refused.json.code).toBe("USER_DATA_TOO_LARGE");
  });

  it("take 4 KiB of device info, and refuse one byte more", async () => {
    const body = (length: number) => ({ user_id: "device_user", device_info: "x".repeat(length - 2) });
    expect((await call("POST", "/auth/sessions", service(), body(4 * 1024))).status).toBe(201);
    const refused = await call("POST", "/auth/sessions", service(), body(4 * 1024 + 1));
    expect(refused.status).toBe(413);
    expect(refused.json.code).toBe("DEVICE_INFO_TOO_LARGE");
  });

  it.each([{ user_id: "half_\ud800" }, { user_id: "whole", tier: "half_\udc00" }])(
    "refuse half a character, which no header could carry: %j",
    async (body) => {
      expect((await call("POST", "/auth/sessions", service(), body)).status).toBe(422);
    },
  );

  it.each(["es1.forged.token", "es1..", "es1.AAAA.AAAA"])("refuse %s without a call", async (forged) => {
    const { result, calls } = await harness.counting(() => call("GET", "/auth/sessions", bearer(forged)));
    expect(result.status).toBe(401);
    expect(calls).toEqual([]);
  });
});

describe("the origin drives sessions", () => {
  const login = (carry: string, headers: Record<string, string> = {}) =>
    call("POST", "/v1/auth/login", headers, { user: "ada", password: harness.origin.users.ada, carry });

  it("starts one as a cookie, on https or on this machine, and never shows its signal", async () => {
    const { status, headers } = await login("cookie");
    expect(status).toBe(200);
    expect(headers.get("x-edge-session")).toBeNull();
    expect(headers.get("cache-control")).toBe("no-store");
    const [cookie = ""] = headers.getSetCookie();
    expect(cookie).toMatch(/^session=es1\.[^;]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(cookie.length).toBeLessThanOrEqual(4096);
    const signedIn = await call("GET", "/v1/user/profile", { cookie: cookie.split(";")[0] ?? "" });
    expect(signedIn.json).toMatchObject({ user_id: "ada", tier: "premium" });
    expect(signedIn.headers.getSetCookie(), "set only when something changed").toEqual([]);
  });

  it("starts one as a bearer token", async () => {
    const { headers } = await login("bearer");
    expect(headers.getSetCookie()).toEqual([]);
    expect(await alive(String(headers.get("x-session-token")))).toBe(true);
  });

  it("gives a new id to whoever signs in with an old one, in one call more", async () => {
    const first = String((await login("bearer")).headers.get("x-session-token"));
    const { result, calls } = await harness.counting(() => login("bearer", bearer(first)));
    const second = String(result.headers.get("x-session-token"));
    expect(await alive(first)).toBe(false);
    expect(await alive(second)).toBe(true);
    expect(calls.length, "one to see the old one, one to replace it").toBe(2);
  });

  it("ends one on sign-out, and clears the cookie", async () => {
    const { headers } = await login("cookie");
    const cookie = headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const out = await call("POST", "/v1/auth/logout", { cookie, "sec-fetch-site": "same-origin" });
    expect(out.headers.getSetCookie()).toEqual(["session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"]);
    const after = await call("GET", "/v1/user/profile", { cookie });
    expect(after.status).toBe(401);
    expect(after.headers.getSetCookie(), "the browser may hold a newer cookie by then").toEqual([]);
  });

  it("does not start one with a wrong password, nor with anything a client sends", async () => {
    const { status, headers } = await call(
      "POST",
      "/v1/auth/login",
      { "x-edge-session": btoa('{"user_id":"eve"}') },
      { user: "ada", password: "wrong" },
    );
    expect(status).toBe(401);
    expect(headers.has("x-session-token")).toBe(false);
    expect(headers.getSetCookie()).toEqual([]);
  });
});

describe("a session carried by a cookie", () => {
  it("may change things only from a page of ours or a listed origin", async () => {
    const cookie = `session=${await harness.token("cookie_user")}`;
    const post = (headers: Record<string, string>) =>
      call("POST", "/v1/emissions/calculate", { cookie, ...headers }, { factor: "electricity", amount: 1 });
    const refused = await post({});
    expect(refused.status).toBe(403);
    expect(refused.json.code).toBe("CROSS_SITE_REQUEST");
    expect((await post({ origin: "https://evil.example" })).status).toBe(403);
    expect((await post({ "sec-fetch-site": "cross-site" })).status).toBe(403);
    for (const headers of [
      { origin: APP },
      { origin: harness.edge.url },
      { "sec-fetch-site": "same-origin" },
    ])
      expect((await post(headers)).status, JSON.stringify(headers)).not.toBe(403);
    for (const path of ["/auth/sessions", "/auth/sessions/current"])
      expect((await call("DELETE", path, { cookie })).status, path).toBe(403);
    expect(await alive(cookie.slice(8)), "nothing was ended by it").toBe(true);
  });

  it("does not reach the origin, and neither does a bearer that is a session", async () => {
    const token = await harness.token("hidden_user");
    await harness.edge.fetch("/v1/user/profile", { headers: { cookie: `session=${token}; theme=dark` } });
    expect(harness.origin.requests.at(-1)?.headers.cookie).toBe("theme=dark");
    await harness.edge.fetch("/v1/user/profile", { headers: bearer(token) });
    expect(harness.origin.requests.at(-1)?.headers.authorization).toBeUndefined();
  });
});

describe("entries of a caller", () => {
  it("are not read with a session that is over", async () => {
    const token = await harness.token("reader_user");
    const read = () => call("GET", "/v1/emissions/plain", bearer(token));
    expect((await read()).headers.get("x-cache")).toBe("MISS");
    expect((await read()).headers.get("x-cache")).toBe("HIT");
    await call("DELETE", "/auth/sessions/current", bearer(token));
    expect((await read()).headers.get("x-cache"), "it goes to the origin, as a stranger").toBe("BYPASS");
    expect(harness.origin.requests.at(-1)?.headers["x-user-id"]).toBeUndefined();
  });
});

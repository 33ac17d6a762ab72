import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { EndpointEnv } from "../../../src/endpoints/env.ts";
import { sessionRoutes } from "../../../src/endpoints/sessions.ts";
import { Problem, problemResponse } from "../../../src/http/problem.ts";
import { MemorySessionStore } from "../../../src/session/memory-session-store.ts";
import { testPlatform } from "../../support/platform.ts";
import { openSessions } from "../../support/sessions.ts";

/** Room for one pending write of each kind, and for ten tombstones. */
async function fullIsolate() {
  const isolate = openSessions({ entries: 1 });
  const made = [];
  for (const userId of ["ada", "bob", "eve"]) made.push(await isolate.sessions.create({ userId }));
  await isolate.lose();
  const [first, second, third] = made;
  if (!first || !second || !third) throw new Error("three were made");
  expect(await isolate.sessions.service.revoke(first.claims.id, "ada")).toBe("pending");
  return { ...isolate, first, second, third };
}

describe("an end for which there is no room", () => {
  it("is reported as unkept, and takes effect in this isolate", async () => {
    const { sessions, present, second, lines } = await fullIsolate();
    expect(await sessions.service.revoke(second.claims.id, "bob")).toBe("unkept");
    expect((await present(second.token)).kind).toBe("over");
    expect(lines.map(({ event }) => event)).toContain("session.end_not_kept");
  });

  it("is a 503 for the caller, never a 202", async () => {
    const { sessions, second } = await fullIsolate();
    const app = new Hono<EndpointEnv>().route(
      "/auth",
      sessionRoutes({
        sessions,
        platform: { timer: () => () => {} },
        serviceGate: (_, next) => next(),
        identified: () => (_, next) => next(),
      }),
    );
    app.onError((error) => {
      if (error instanceof Problem) return problemResponse(error.facts, "request-1");
      throw error;
    });
    const received = { requestId: "request-1" } as EndpointEnv["Bindings"]["received"];
    const server = { authorization: "Bearer a-server" };
    const end = (path: string) =>
      app.request(`/auth/sessions/${path}`, { method: "DELETE", headers: server }, { received });
    const refused = await end(`redis/${second.claims.id}`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "ENDING_NOT_KEPT", retry_after: expect.any(Number) });
    expect((await end("users/bob")).status, "there is room for the end of a user's sessions").toBe(202);
    expect((await end("users/eve")).status).toBe(503);
    expect((await end("everyone")).status, "and always for the end of everyone's").toBe(202);
  });

  it("is written to Redis by the next request with its token, when the store is back", async () => {
    const { sessions, present, recover, second, platform, prefix } = await fullIsolate();
    await sessions.service.revoke(second.claims.id, "bob");
    await recover();
    const fresh = openSessions({ platform, prefix });
    expect((await fresh.present(second.token)).kind, "it is not written yet").toBe("active");
    await (await present(second.token)).settle();
    expect((await fresh.present(second.token)).kind).toBe("over");
  });

  it("of everyone reaches Redis, however many other writes wait", async () => {
    const { sessions, recover, third, platform, prefix } = await fullIsolate();
    expect((await sessions.service.revokeAllOf("bob", null)).ended).toBe("pending");
    expect((await sessions.service.revokeAllOf("ada", null)).ended).toBe("unkept");
    expect(await sessions.service.revokeEveryone()).toBe("pending");
    await recover();
    const fresh = openSessions({ platform, prefix });
    expect((await fresh.present(third.token)).kind).toBe("over");
  });
});

describe("an end of several sessions that is not written to Redis", () => {
  it.each(["a user", "everyone"])(
    "takes effect here for sessions that this isolate never read: of %s",
    async (whose) => {
      const here = openSessions();
      const there = openSessions({ platform: here.platform, prefix: here.prefix });
      const { token } = await there.sessions.create({ userId: "ada" });
      here.wire.full = true;
      if (whose === "everyone") await here.sessions.service.revokeEveryone();
      else await here.sessions.service.revokeAllOf("ada", null);
      expect((await here.present(token)).kind).toBe("over");
    },
  );

  it("ends no session that was created since, when it is written", async () => {
    const here = openSessions();
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const before = await there.sessions.create({ userId: "ada" });
    await here.lose();
    expect((await here.sessions.service.revokeAllOf("ada", null)).ended).toBe("pending");
    here.platform.advance(1000);
    const since = await there.sessions.create({ userId: "ada" });
    await here.recover();
    expect((await there.present(before.token)).kind).toBe("over");
    expect((await there.present(since.token)).kind).toBe("active");
  });
});

describe("a full map of tombstones", () => {
  function full() {
    const platform = testPlatform();
    const limits = { idleSeconds: 3600, absoluteSeconds: 7200, maxPerUser: 20 };
    const local = new MemorySessionStore({ platform, ...limits, entries: 1 });
    for (let i = 0; i < 10; i += 1) expect(local.addTombstone(`other-${i}`)).toBe(true);
    return { local, now: platform.now() };
  }

  it("is replaced by a mark of the user, so that no session is revived", () => {
    const { local, now } = full();
    expect(local.addTombstone("one", { user: ["u1"], createdAt: now - 10, except: "next" })).toBe(true);
    const ended = (id: string, createdAt: number) => local.ended({ id, user: ["u1"], createdAt });
    expect(ended("one", now - 10)).toBe(true);
    expect(ended("next", now - 10), "its replacement is valid").toBe(false);
    expect(ended("younger", now), "and a session that was created since").toBe(false);
  });

  it("reports that there is no room where the user is unknown", () => {
    const { local } = full();
    expect(local.addTombstone("one")).toBe(false);
    expect(local.hasTombstone("one")).toBe(false);
  });
});

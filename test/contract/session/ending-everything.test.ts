import { describe, expect, it } from "vitest";
import { openSessions, SECRET, type SessionIsolateOptions } from "../../support/sessions.ts";

type Isolate = ReturnType<typeof openSessions>;
const NEW = "a-newer-session-secret-of-this-test-0123";
const NEWEST = "the-newest-session-secret-of-this-test-01";
const rotated = { secrets: [NEW, SECRET] };

async function tokenAfter(isolate: Isolate, token: string): Promise<string> {
  const verdict = await isolate.present(token, { secrets: isolate.secrets });
  if (verdict.kind !== "active") throw new Error(`it lives, and is ${verdict.kind}`);
  await verdict.settle();
  return verdict.renewed ?? token;
}

/** What happens to a session between its sign-in and the end, and the settings that the end is made under. */
const BETWEEN: [what: string, settings: SessionIsolateOptions, change?: Change][] = [
  ["nothing", {}],
  ["SESSION_SECRET is rotated", rotated],
  ["SESSION_SECRET is rotated twice", { secrets: [NEWEST, NEW, SECRET] }],
  ["a secret is listed twice", { secrets: [NEW, SECRET, NEW] }],
  ["SESSION_ABSOLUTE_SECONDS is lowered", { absoluteSeconds: 3600, idleSeconds: 3600 }],
  [
    "SESSION_SECRET is rotated, and the session touched",
    rotated,
    async ({ next, token }) => {
      next.platform.advance(120_000);
      return tokenAfter(next, token);
    },
  ],
  [
    "SESSION_SECRET is rotated, and the session gets a new id",
    rotated,
    async ({ next, token }) => {
      const verdict = await next.present(token, { secrets: next.secrets });
      if (verdict.kind !== "active") throw new Error("it lives");
      return String((await next.sessions.rotate(verdict))?.token);
    },
  ],
  [
    "no index lists it",
    {},
    async ({ first, token }) => {
      for (const name of await first.sessionUser("ada"))
        await first.store.redis().del(first.keys.sessionIndex(name));
      return token;
    },
  ],
  [
    "no index lists it, and SESSION_SECRET is rotated",
    rotated,
    async ({ first, token }) => {
      for (const name of await first.sessionUser("ada"))
        await first.store.redis().del(first.keys.sessionIndex(name));
      return token;
    },
  ],
  [
    "its clock was ahead",
    {},
    async ({ first, next }) => {
      first.platform.advance(30_000);
      const { token } = await first.sessions.create({ userId: "ada" });
      next.platform.advance(-30_000);
      return token;
    },
  ],
];
type Change = (facts: { first: Isolate; next: Isolate; token: string }) => Promise<string>;

const ENDS: [how: string, end: (isolate: Isolate) => Promise<unknown>][] = [
  ["all of the user's", ({ sessions }) => sessions.service.revokeAllOf("ada", null)],
  [
    "all others",
    async ({ sessions }) => {
      const own = await sessions.create({ userId: "ada" });
      await sessions.service.revokeAllOf("ada", own.claims.id);
    },
  ],
];

describe.each(BETWEEN)("where %s between sign-in and end", (_, settings, change) => {
  it.each(ENDS)("ending %s ends it, in every isolate of both deployments", async (_how, end) => {
    const first = openSessions();
    const next = openSessions({ ...settings, platform: first.platform, prefix: first.prefix });
    const signedIn = (await first.sessions.create({ userId: "ada" })).token;
    const token = change ? await change({ first, next, token: signedIn }) : signedIn;
    const other = await next.sessions.create({ userId: "bob" });
    expect((await next.present(token, { secrets: next.secrets })).kind).toBe("active");
    first.platform.advance(10);
    await end(next);
    const cold = { platform: first.platform, prefix: first.prefix };
    for (const isolate of [
      next,
      openSessions({ ...settings, ...cold }),
      openSessions({ ...cold, secrets: [NEW, SECRET] }),
    ]) {
      expect((await isolate.present(token, { secrets: isolate.secrets })).kind).toBe("over");
    }
    const old = openSessions(cold);
    expect((await old.present(signedIn)).kind, "in a deployment that only has the old secret").toBe("over");
    expect((await next.present(other.token, { secrets: next.secrets })).kind, "another user's").toBe(
      "active",
    );
    const again = await next.sessions.create({ userId: "ada" });
    expect((await next.present(again.token, { secrets: next.secrets })).kind, "a new sign-in").toBe("active");
  });
});

describe("SESSION_ABSOLUTE_SECONDS", () => {
  it("binds sessions that began under a longer one", async () => {
    const first = openSessions();
    const { token } = await first.sessions.create({ userId: "ada" });
    const lowered = { absoluteSeconds: 3600, idleSeconds: 3600 };
    const next = openSessions({ ...lowered, platform: first.platform, prefix: first.prefix });
    first.platform.advance(3_599_000);
    expect((await next.present(token)).kind).toBe("active");
    expect((await next.sessions.service.list("ada")).records).toHaveLength(1);
    first.platform.advance(1000);
    expect((await next.present(token)).kind).toBe("over");
    expect((await next.sessions.service.list("ada")).records, "lists do not name it").toEqual([]);
    expect((await next.sessions.service.revokeAllOf("ada", null)).count, "nor do counts").toBe(0);
  });

  it.each(["a user's", "everyone's"])(
    "raised again revives nothing that ended meanwhile: %s",
    async (whose) => {
      const first = openSessions();
      const { token } = await first.sessions.create({ userId: "ada" });
      for (const name of await first.sessionUser("ada"))
        await first.store.redis().del(first.keys.sessionIndex(name));
      const lowered = { absoluteSeconds: 60, idleSeconds: 60 };
      const next = openSessions({ ...lowered, platform: first.platform, prefix: first.prefix });
      if (whose === "everyone's") await next.sessions.service.revokeEveryone();
      else await next.sessions.service.revokeAllOf("ada", null);
      const [name = ""] = await next.sessionUser("ada");
      const key = whose === "everyone's" ? next.keys.sessionVersion() : next.keys.sessionMark(name);
      expect(await next.store.redis().pttl(key), "as long as any session may live").toBeGreaterThan(
        31_535_000_000,
      );
      const raised = openSessions({ platform: first.platform, prefix: first.prefix });
      expect((await raised.present(token)).kind).toBe("over");
    },
  );
});

describe("a session under several secrets", () => {
  it("moves to the newest index with a touch, and costs one MGET", async () => {
    const first = openSessions();
    const { token, claims } = await first.sessions.create({ userId: "ada" });
    const next = openSessions({ ...rotated, platform: first.platform, prefix: first.prefix });
    first.platform.advance(120_000);
    const from = next.wire.commands.length;
    const verdict = await next.present(token, { secrets: next.secrets });
    expect(next.wire.commands.slice(from).map(([name]) => String(name).toLowerCase())).toEqual(["mget"]);
    await verdict.settle();
    const [newest = "", older = ""] = await next.sessionUser("ada");
    const redis = next.store.redis();
    expect(await redis.zscore(next.keys.sessionIndex(newest), claims.id)).toBe(claims.issuedAt);
    expect(await redis.zscore(next.keys.sessionIndex(older), claims.id)).toBeNull();
    const alone = openSessions({ secrets: [NEW], platform: first.platform, prefix: first.prefix });
    expect(
      (await alone.sessions.service.list("ada")).records,
      "found when the old secret is gone",
    ).toHaveLength(1);
  });

  it("counts for the maximum per user with those under the older secret", async () => {
    const first = openSessions({ maxPerUser: 2 });
    const next = openSessions({ ...rotated, maxPerUser: 2, platform: first.platform, prefix: first.prefix });
    const made = [];
    for (const isolate of [first, first, next]) {
      made.push(await isolate.sessions.create({ userId: "ada" }));
      first.platform.advance(10);
    }
    expect((await next.sessions.service.list("ada")).records).toHaveLength(2);
    expect((await next.present(String(made[0]?.token), { secrets: next.secrets })).kind).toBe("over");
  });
});

describe("an ending that is written again after an outage", () => {
  it.each([
    ["before the session got a new id", 0],
    ["after it got a new id", 1],
    ["after it got a new id twice", 2],
  ])("keeps the session that ended all others: %s", async (_, rotations) => {
    const here = openSessions();
    const other = await here.sessions.create({ userId: "ada" });
    let own = await here.sessions.create({ userId: "ada" });
    here.platform.advance(10);
    // Redis applies it, and the reply is lost.
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    await there.sessions.service.revokeAllOf("ada", own.claims.id);
    here.wire.answer = ([name]) => (/^eval/i.test(String(name)) ? { error: "ERR injected" } : undefined);
    expect((await here.sessions.service.revokeAllOf("ada", own.claims.id)).ended).toBe("pending");
    here.wire.answer = null;
    for (let round = 0; round < rotations; round += 1) {
      const verdict = await there.present(own.token);
      if (verdict.kind !== "active") throw new Error("it lives");
      own = (await there.sessions.rotate(verdict)) ?? own;
    }
    await here.recover();
    expect(here.sessions.service.sizes.pending).toBe(0);
    const cold = openSessions({ platform: here.platform, prefix: here.prefix });
    for (const isolate of [here, there, cold]) {
      expect((await isolate.present(own.token)).kind).toBe("active");
      expect((await isolate.present(other.token)).kind).toBe("over");
    }
    expect((await cold.sessions.service.list("ada")).records.map(({ record }) => record.session_id)).toEqual([
      own.claims.id,
    ]);
  });

  it("a rotation whose reply is lost keeps the session", async () => {
    const here = openSessions();
    const { token } = await here.sessions.create({ userId: "ada" });
    here.wire.answer = ([name]) => (/^mget/i.test(String(name)) ? { error: "ERR injected" } : undefined);
    const verdict = await here.present(token);
    if (verdict.kind !== "active") throw new Error("its signature counts");
    await expect(here.sessions.rotate(verdict)).rejects.toMatchObject({ code: "SESSION_UNAVAILABLE" });
    here.wire.answer = null;
    const cold = openSessions({ platform: here.platform, prefix: here.prefix });
    expect((await cold.present(token)).kind, "nothing was written").toBe("active");
  });
});

describe("an isolate that Redis told of a mark or the version", () => {
  it.each(ENDS.slice(0, 1).concat([["everyone's", ({ sessions }) => sessions.service.revokeEveryone()]]))(
    "refuses in an outage also the user's sessions that it never asked about: %s",
    async (_, end) => {
      const one = openSessions();
      const other = openSessions({ platform: one.platform, prefix: one.prefix });
      const [asked, unasked] = [
        await one.sessions.create({ userId: "ada" }),
        await one.sessions.create({ userId: "ada" }),
      ];
      one.platform.advance(10);
      await end(one);
      expect((await other.present(asked.token)).kind).toBe("over");
      const since = await one.sessions.create({ userId: "ada" });
      await other.lose();
      expect((await other.present(unasked.token)).kind).toBe("over");
      expect((await other.present(since.token)).kind, "one that began since goes on").toBe("active");
    },
  );
});

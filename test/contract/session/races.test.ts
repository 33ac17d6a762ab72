import { describe, expect, it } from "vitest";
import { openSessions } from "../../support/sessions.ts";

const ROUNDS = 200;

/** Two isolates over one Redis. */
function rivals() {
  const a = openSessions({ maxPerUser: 1000 });
  const b = openSessions({ platform: a.platform, prefix: a.prefix, maxPerUser: 1000 });
  return [a, b] as const;
}

describe(`${ROUNDS} races of`, () => {
  it("revoke against touch revive no session", async () => {
    const [a, b] = rivals();
    const made = await Promise.all(
      Array.from({ length: ROUNDS }, (_, i) => a.sessions.create({ userId: `user_${i % 10}` })),
    );
    a.platform.advance(61_000);
    const seen = await Promise.all(made.map(({ token }) => b.present(token)));
    await Promise.all(
      made.flatMap(({ claims }, i) => {
        const race = [() => a.sessions.service.revoke(claims.id, claims.userId), () => seen[i]?.settle()];
        return (i % 2 ? race : race.reverse()).map((run) => run());
      }),
    );
    const verdicts = await Promise.all(made.map(({ token }) => b.present(token)));
    expect(verdicts.filter(({ kind }) => kind !== "over")).toEqual([]);
    for (let user = 0; user < 10; user += 1)
      expect((await b.sessions.service.list(`user_${user}`)).records).toEqual([]);
  });

  it("rotate against rotate leave one new session each, and no old one", async () => {
    const [a, b] = rivals();
    const made = await Promise.all(
      Array.from({ length: ROUNDS }, (_, i) => a.sessions.create({ userId: `user_${i}` })),
    );
    const wins = await Promise.all(
      made.map(async ({ token }) => {
        const [one, other] = await Promise.all([a.present(token), b.present(token)]);
        if (one.kind !== "active" || other.kind !== "active") throw new Error("both were just made");
        const rotated = await Promise.all([a.sessions.rotate(one), b.sessions.rotate(other)]);
        return rotated.filter((each) => each !== null);
      }),
    );
    expect(wins.map((each) => each.length)).toEqual(Array.from({ length: ROUNDS }, () => 1));
    const old = await Promise.all(made.map(({ token }) => b.present(token)));
    expect(old.filter(({ kind }) => kind !== "over")).toEqual([]);
    const next = await Promise.all(wins.map(([each]) => a.present(String(each?.token))));
    expect(next.filter(({ kind }) => kind !== "active")).toEqual([]);
  });

  it("create against revoke-all list exactly the valid sessions", async () => {
    const [a, b] = rivals();
    const made = await Promise.all(
      Array.from({ length: ROUNDS }, async (_, i) => {
        const userId = `user_${i % 10}`;
        const creating = a.sessions.create({ userId });
        if (i % 3 === 0) await b.sessions.service.revokeAllOf(userId, null);
        return creating;
      }),
    );
    const verdicts = await Promise.all(made.map(({ token }) => b.present(token)));
    const listed = new Set<string>();
    for (let user = 0; user < 10; user += 1)
      for (const { record } of (await a.sessions.service.list(`user_${user}`)).records)
        listed.add(record.session_id);
    const living = made.filter((_, i) => verdicts[i]?.kind === "active").map(({ claims }) => claims.id);
    expect([...listed].sort()).toEqual(living.sort());
    // Another revocation ends them all, also for the isolate that created them.
    for (let user = 0; user < 10; user += 1) await b.sessions.service.revokeAllOf(`user_${user}`, null);
    const after = await Promise.all(made.map(({ token }) => a.present(token)));
    expect(after.filter(({ kind }) => kind !== "over")).toEqual([]);
  });

  it("create against create keep the maximum per user, and the newest session", async () => {
    const a = openSessions({ maxPerUser: 5 });
    const b = openSessions({ platform: a.platform, prefix: a.prefix, maxPerUser: 5 });
    await Promise.all(
      Array.from({ length: ROUNDS }, (_, i) => (i % 2 ? a : b).sessions.create({ userId: "ada" })),
    );
    const last = await a.sessions.create({ userId: "ada" });
    const { records } = await b.sessions.service.list("ada");
    expect(records.length).toBe(5);
    expect(records.map(({ record }) => record.session_id)).toContain(last.claims.id);
  });
});

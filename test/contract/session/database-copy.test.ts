import { beforeEach, describe, expect, it } from "vitest";
import { faultyDatabase, freshDatabase } from "../../support/database.ts";
import { freshPrefix } from "../../support/limits.ts";
import { openSessions, sessionPlatform } from "../../support/sessions.ts";
import { until } from "../../support/until.ts";

let database: ReturnType<typeof faultyDatabase>;
beforeEach(async () => {
  database = faultyDatabase(await freshDatabase("DB_COPY"));
});

/** Two isolates on one Redis and one database. Each has compared the two. */
async function two() {
  const shared = { prefix: freshPrefix(), platform: sessionPlatform(), databaseBinding: database.binding };
  const [one, other] = [openSessions(shared), openSessions(shared)];
  for (const each of [one, other]) {
    const { token } = await each.sessions.create({ userId: "somebody" });
    await (await each.present(token)).settle();
  }
  // Their first calls may wait for handshakes.
  shared.platform.advance(3000);
  return { one, other, another: () => openSessions(shared) };
}
type Isolate = ReturnType<typeof openSessions>;

const idsOf = async ({ sessions }: Isolate, user: string) =>
  (await sessions.service.list(user)).records.map(({ record }) => record.session_id);

/** Redis comes back without what it held of a session. */
async function loseCopy({ store, keys }: Isolate, id: string): Promise<void> {
  await store.redis().del(keys.session(id), keys.sessionsCarried());
}

describe("a session that only the database has", () => {
  it("made a moment ago by an isolate without Redis, is read and ended by its id elsewhere", async () => {
    const { one, other } = await two();
    await one.lose();
    const made = await one.sessions.create({ userId: "u1" });
    expect(await other.sessions.get(made.claims.id)).toMatchObject({ kind: "found" });
    expect(await other.sessions.delete(made.claims.id)).toBe("done");
    expect(await other.present(made.token)).toMatchObject({ kind: "over" });
    await other.sessions.maintenance();
    expect(await one.present(made.token)).toMatchObject({ kind: "over" });
    expect(await other.sessions.delete(made.claims.id)).toBe("missing");
  });

  it("is ended by its own client elsewhere, who is told so", async () => {
    const { one, other } = await two();
    await one.lose();
    const { token } = await one.sessions.create({ userId: "u1" });
    const active = await other.present(token);
    expect(active).toMatchObject({ kind: "active" });
    if (active.kind !== "active") return;
    expect(await other.sessions.service.revoke(active.claims.id, "u1")).toBe("done");
    expect(await other.present(token)).toMatchObject({ kind: "over" });
  });

  it("because Redis has lost it, gets a new id with what it holds, once", async () => {
    const { one, other } = await two();
    const made = await one.sessions.create({ userId: "u1", userData: { cart: [1, 2] } });
    await one.sessions.maintenance();
    await loseCopy(one, made.claims.id);
    const [here, there] = [await one.present(made.token), await other.present(made.token)];
    if (here.kind !== "active" || there.kind !== "active") throw new Error("the database has it");
    const rotated = await one.sessions.rotate(here);
    expect(rotated).toMatchObject({ durable: true });
    expect(await other.sessions.rotate(there)).toBeNull();
    expect(await other.present(made.token)).toMatchObject({ kind: "over" });
    const next = await other.present(rotated?.token ?? "");
    expect(next.kind === "active" && next.record.user_data).toEqual({ cart: [1, 2] });
  });

  it("because Redis has lost it, is in its user's list at a new isolate", async () => {
    const { one, another } = await two();
    const made = await one.sessions.create({ userId: "u1" });
    await one.sessions.maintenance();
    await loseCopy(one, made.claims.id);
    expect(await idsOf(another(), "u1")).toEqual([made.claims.id]);
  });
});

it("a session that only the database has ended is not in its user's list at a new isolate", async () => {
  const { one, another } = await two();
  const [ended, living] = [
    await one.sessions.create({ userId: "u1" }),
    await one.sessions.create({ userId: "u1" }),
  ];
  await one.sessions.maintenance();
  await one.lose();
  expect(await one.sessions.delete(ended.claims.id)).toBe("done");
  expect(await idsOf(another(), "u1")).toEqual([living.claims.id]);
});

it("a session of whose end the database has not been told yet is neither read nor listed", async () => {
  const { one, another } = await two();
  const made = await one.sessions.create({ userId: "u1" });
  await one.sessions.maintenance();
  const ending = another();
  expect(await ending.sessions.delete(made.claims.id)).toBe("done");
  expect(await ending.sessions.get(made.claims.id)).toEqual({ kind: "missing" });
  expect(await ending.sessions.delete(made.claims.id)).toBe("missing");
  // Nothing can be carried, so that both are asked.
  const position = ending.keys.sessionsCarried();
  ending.wire.answer = ([name, ...rest]) =>
    String(name).startsWith("eval") && rest.includes(position) ? { error: "OOM" } : undefined;
  expect(await idsOf(ending, "u1")).toEqual([]);
});

describe("a call to Redis that a request has given up", () => {
  it("sends the request to the database at once, long before the call has failed", async () => {
    const { one, other } = await two();
    const made = await one.sessions.create({ userId: "u1" });
    await one.sessions.maintenance();
    await other.lose();
    await other.sessions.delete(made.claims.id);
    const kept = await other.sessions.create({ userId: "u1" });
    one.wire.hangs = true;
    const set = one.platform.timersSet();
    const [ended, living] = [
      one.present(made.token, { givesUp: true }),
      one.present(kept.token, { givesUp: true }),
    ];
    await until(() => one.platform.timersSet() === set + 2, "both wait for Redis");
    one.platform.advance(400);
    expect(await ended).toMatchObject({ kind: "over" });
    expect(await living).toMatchObject({ kind: "active", source: "database" });
    expect(one.store.state).toEqual({ mode: "redis" });
  });

  it("sends what changes a session there too, without another wait", async () => {
    const { one, other } = await two();
    const made = await one.sessions.create({ userId: "u1" });
    await one.sessions.maintenance();
    one.wire.hangs = true;
    const set = one.platform.timersSet();
    const verdict = one.present(made.token, { givesUp: true });
    await until(() => one.platform.timersSet() === set + 1, "it waits for Redis");
    one.platform.advance(400);
    const active = await verdict;
    if (active.kind !== "active") throw new Error("it lives");
    const rotated = await one.sessions.rotate(active);
    expect(rotated).toMatchObject({ durable: true });
    expect(await one.sessions.create({ userId: "u1" })).toMatchObject({ durable: true });
    expect(await one.sessions.delete(rotated?.claims.id ?? "")).toBe("done");
    await other.lose();
    for (const token of [made.token, rotated?.token ?? ""])
      expect(await other.present(token)).toMatchObject({ kind: "over" });
  });
});

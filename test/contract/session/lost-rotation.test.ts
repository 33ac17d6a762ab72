import { describe, expect, it, test } from "vitest";
import { MAX_TOKEN_LENGTH } from "../../../src/identity/session-token.ts";
import { JsonText } from "../../../src/runtime/json-text.ts";
import { userDataOf } from "../../../src/session/record.ts";
import { openSessions } from "../../support/sessions.ts";

const BIG = `{"n":1.0,"id":175928847299117063,"text":"${"x".repeat(16_000)}"}`;
/** Redis has the rotation and its reply is lost, or it never gets it. */
const LOST = ["applied", "never sent"] as const;
type Isolate = ReturnType<typeof openSessions>;

/** A session that was rotated while the reply was lost, in an isolate that has no store from then on. */
async function rotatedInVain(how: (typeof LOST)[number], userData = "{}") {
  const here = openSessions();
  const { platform, prefix } = here;
  const { token: old, claims } = await here.sessions.create({
    userId: "ada",
    tier: "gold",
    userData: new JsonText(userData),
  });
  platform.advance(1000);
  const active = await here.present(old);
  if (active.kind !== "active") throw new Error("it was just made");
  here.wire[how === "applied" ? "deaf" : "cut"] = true;
  const rotated = await here.sessions.rotate(active);
  Object.assign(here.wire, { deaf: false, cut: false });
  if (!rotated) throw new Error("it was not over");
  const another = () => openSessions({ platform, prefix });
  return { here, another, old, oldId: claims.id, rotated, id: rotated.claims.id, token: rotated.token };
}

async function texts(isolate: Isolate, ...keys: string[]) {
  const batch = isolate.store.batch();
  const found = keys.map((key) => batch.read(key));
  await batch.send();
  return Promise.all(found);
}

/** A request of this token, and what is left for after it. */
async function ask(isolate: Isolate, token: string) {
  const verdict = await isolate.present(token);
  await verdict.settle();
  return verdict;
}

describe.each(LOST)("a rotation without a reply (%s) signs nobody out and loses nothing", (how) => {
  test.each<[what: string, userData: string]>([
    ["no data", "{}"],
    ["null", "null"],
    ["data that a token carries", '{"a":1.0,"b":[]}'],
    ["2 KiB", JSON.stringify("y".repeat(2046))],
    ["2 KiB and a byte", JSON.stringify("y".repeat(2047))],
    ["16 KiB", BIG],
    ["16 KiB of two-byte characters", JSON.stringify("é".repeat(8000))],
  ])("of a session with %s", async (_what, userData) => {
    const { here, another, old, oldId, rotated, id, token } = await rotatedInVain(how, userData);
    expect(rotated.durable).toBe(false);
    expect(token.length).toBeLessThanOrEqual(MAX_TOKEN_LENGTH);
    expect(await here.present(old), "here the old id is over").toMatchObject({ kind: "over" });

    // Another isolate meets it first, with what Redis has; then this one writes what it kept.
    const there = another();
    const first = await ask(there, token);
    expect(first).toMatchObject({ kind: "active", source: "redis", claims: { tier: "gold" } });
    if (first.kind !== "active") throw new Error("unreachable");
    expect(userDataOf(first).text).toBe(userData);
    await here.recover();
    const { keys } = here;
    const [record, oldRecord] = await texts(here, keys.session(id), keys.session(oldId));
    expect(oldRecord).toBeNull();
    expect(record).toContain(`"user_data":${userData}`);
    for (const isolate of [here, there, another()]) {
      const next = await ask(isolate, token);
      expect(next).toMatchObject({ kind: "active", source: "redis", claims: { id } });
      if (next.kind !== "active") throw new Error("unreachable");
      const again = await ask(isolate, String(next.renewed));
      expect(again, "with the renewed token").toMatchObject({ kind: "active", renewed: null });
      expect(await ask(isolate, old)).toMatchObject({ kind: "over", because: "revoked" });
    }
  });

  it("while the outage goes on", async () => {
    const { here, another, token } = await rotatedInVain(how, BIG);
    await here.lose();
    const here2 = await here.present(token);
    expect(here2).toMatchObject({ kind: "active", source: "memory" });
    if (here2.kind !== "active") throw new Error("unreachable");
    expect(userDataOf(here2).text).toBe(BIG);
    const there = another();
    await there.lose();
    expect(await there.present(token)).toMatchObject({ kind: "active", source: "signature" });
  });

  it("where its isolate writes it before anybody asks", async () => {
    const { here, another, id, token } = await rotatedInVain(how, BIG);
    await here.recover();
    expect((await texts(here, here.keys.session(id)))[0]).toContain(BIG);
    expect(await ask(another(), token)).toMatchObject({ kind: "active", claims: { offline: false } });
    const listed = await another().sessions.service.list("ada");
    expect(listed.records.map(({ record }) => record.session_id)).toEqual([id]);
  });

  it("with what another program has written meanwhile", async () => {
    const { here, another, oldId, id, token } = await rotatedInVain(how, '{"a":1}');
    const { keys, store } = here;
    const name = how === "applied" ? id : oldId;
    const [before] = await texts(here, keys.session(name));
    const written = String(before).replace('{"a":1}', '{"a":2.0,"more":true}');
    const batch = store.batch();
    void batch.queue((pipeline) => pipeline.set(keys.session(name), written));
    await batch.send();
    await here.recover();
    const verdict = await ask(another(), token);
    expect(verdict.kind === "active" && userDataOf(verdict).text).toBe('{"a":2.0,"more":true}');
  });

  it("and is not rotated once more before it is seen in Redis", async () => {
    const { another, token, id } = await rotatedInVain(how, BIG);
    const there = another();
    const first = await there.present(token);
    if (first.kind !== "active") throw new Error("it lives");
    if (how === "never sent")
      await expect(there.sessions.rotate(first)).rejects.toMatchObject({ code: "SESSION_UNAVAILABLE" });
    await first.settle();
    const next = await there.present(token);
    if (next.kind !== "active") throw new Error("it lives");
    const again = await there.sessions.rotate(next);
    expect(again).toMatchObject({ durable: true });
    expect(again && userDataOf(again).text).toBe(BIG);
    expect(await ask(another(), token)).toMatchObject({ kind: "over" });
    expect(await ask(another(), again?.token ?? "")).toMatchObject({
      kind: "active",
      claims: { userId: "ada" },
    });
    expect(again?.claims.id).not.toBe(id);
  });

  test.each<[what: string, ends: (isolate: Isolate, ids: { oldId: string; id: string }) => Promise<unknown>]>(
    [
      ["the old id", ({ sessions }, { oldId }) => sessions.service.revoke(oldId, "ada")],
      ["the user's", ({ sessions }) => sessions.service.revokeAllOf("ada", null)],
      ["everyone's", ({ sessions }) => sessions.service.revokeEveryone()],
      ["the new id", ({ sessions }, { id }) => sessions.service.revoke(id, "ada")],
    ],
  )("but ends with %s", async (what, ends) => {
    if (what === "the old id" && how === "applied") return;
    // Of a session without data, the token has all that there is.
    for (const userData of [BIG, "{}"]) {
      const { here, another, old, oldId, id, token } = await rotatedInVain(how, userData);
      const there = another();
      await ends(there, { oldId, id });
      const fresh = another();
      expect(await ask(fresh, token)).toMatchObject({ kind: "over", because: "revoked" });
      await here.recover();
      for (const isolate of [here, there, fresh, another()])
        expect(await ask(isolate, token), "and nothing brings it back").toMatchObject({ kind: "over" });
      if (what !== "the new id") expect(await ask(another(), old)).toMatchObject({ kind: "over" });
    }
  });

  it("and a sign-out in the same outage ends both ids", async () => {
    const { here, another, old, id, token } = await rotatedInVain(how, BIG);
    await here.lose();
    expect(await here.sessions.service.revoke(id, "ada")).toBe("pending");
    await here.recover();
    expect(await ask(another(), token)).toMatchObject({ kind: "over" });
    expect(await ask(another(), old)).toMatchObject({ kind: "over" });
  });

  it("and is over where Redis has lost the record", async () => {
    const { here, another, oldId, id, token } = await rotatedInVain(how, BIG);
    const { keys, store } = here;
    const batch = store.batch();
    void batch.queue((pipeline) => pipeline.del(keys.session(id), keys.session(oldId)));
    await batch.send();
    expect(await ask(another(), token)).toMatchObject({ kind: "over" });
  });
});

it("where there is no room to keep it, its token is enough, and an event says that the old id is not ended", async () => {
  const here = openSessions({ entries: 0 });
  const { token: old } = await here.sessions.create({ userId: "ada", userData: new JsonText(BIG) });
  here.platform.advance(1000);
  const active = await here.present(old);
  if (active.kind !== "active") throw new Error("it was just made");
  here.wire.cut = true;
  const rotated = await here.sessions.rotate(active);
  here.wire.cut = false;
  expect(here.lines.map(({ event }) => event)).toContain("session.end_not_kept");
  const there = openSessions({ platform: here.platform, prefix: here.prefix });
  const verdict = await ask(there, rotated?.token ?? "");
  expect(verdict.kind === "active" && userDataOf(verdict).text).toBe(BIG);
  expect(await ask(there, old)).toMatchObject({ kind: "over" });
});

import { describe, expect, it } from "vitest";
import { openSessions } from "../../support/sessions.ts";

type Isolate = ReturnType<typeof openSessions>;
const create = (isolate: Isolate) => isolate.sessions.create({ userId: "ada" });

/** What became of one session of three. */
const CASES: [what: string, happen: (isolate: Isolate, id: string) => Promise<unknown>, left: number][] = [
  ["lives", async () => {}, 3],
  ["was signed out", ({ sessions }, id) => sessions.service.revoke(id, "ada"), 2],
  [
    "was ended by a server that did not know its user",
    ({ sessions }, id) => sessions.service.sessionStore.revoke(id, null),
    2,
  ],
  ["has lost its record", ({ store, keys }, id) => store.redis().del(keys.session(id)), 2],
  ["has a record that cannot be read", ({ store, keys }, id) => store.redis().set(keys.session(id), "{"), 2],
  [
    "has a record of another user",
    async ({ store, keys, sessions }, id) => {
      const bobs = await sessions.create({ userId: "bob" });
      await store.redis().set(keys.session(id), bobs.text);
    },
    2,
  ],
  [
    "was silent for too long under the present settings",
    async ({ store, keys, sessions }, id) => {
      const found = await sessions.get(id);
      if (found.kind !== "found") throw new Error("it was just made");
      const silent = found.text.replace(
        /"last_active":"[^"]*"/,
        '"last_active":"2025-01-01T00:00:00.000000+00:00"',
      );
      await store.redis().set(keys.session(id), silent);
    },
    2,
  ],
  [
    "ended with everyone's, and two began since",
    async (isolate) => {
      await isolate.sessions.service.revokeEveryone();
      isolate.platform.advance(10);
      await create(isolate);
      await create(isolate);
    },
    2,
  ],
];

describe.each(CASES)("where one of three sessions %s", (_, happen, left) => {
  it(`${left} are listed, and as many end`, async () => {
    const isolate = openSessions();
    const [first] = [await create(isolate), await create(isolate), await create(isolate)];
    isolate.platform.advance(10);
    await happen(isolate, first.claims.id);
    const cold = openSessions({ platform: isolate.platform, prefix: isolate.prefix });
    expect((await cold.sessions.service.list("ada")).records).toHaveLength(left);
    isolate.platform.advance(10);
    expect(await cold.sessions.service.revokeAllOf("ada", null)).toEqual({ ended: "done", count: left });
    expect((await cold.sessions.service.list("ada")).records).toEqual([]);
    expect((await cold.sessions.service.revokeAllOf("ada", null)).count, "none is left").toBe(0);
  });
});

describe("sessions of an outage", () => {
  it("that wait to be written are listed and counted once", async () => {
    const isolate = openSessions();
    await create(isolate);
    isolate.wire.full = true;
    await create(isolate);
    isolate.wire.full = false;
    isolate.platform.advance(10);
    expect((await isolate.sessions.service.list("ada")).records).toHaveLength(2);
    expect(await isolate.sessions.service.revokeAllOf("ada", null)).toEqual({ ended: "done", count: 2 });
    expect((await isolate.sessions.service.list("ada")).records).toEqual([]);
  });

  it("are counted by nobody while only Redis knows them", async () => {
    const isolate = openSessions();
    await create(isolate);
    await isolate.lose();
    expect(await isolate.sessions.service.revokeAllOf("ada", null)).toEqual({
      ended: "pending",
      count: null,
    });
  });
});

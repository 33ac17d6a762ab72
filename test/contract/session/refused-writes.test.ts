import { describe, expect, it } from "vitest";
import { openSessions } from "../../support/sessions.ts";

/** Redis answers reads and refuses writes, because it is full or a replica. The breaker stays closed. */
describe("sessions while Redis takes no writes", () => {
  it("that are created stay valid in every isolate, before and after Redis accepts writes", async () => {
    const here = openSessions();
    here.wire.full = true;
    const { token, durable } = await here.sessions.create({ userId: "ada", userData: { note: 1 } });
    expect(durable, "it reports so").toBe(false);
    const other = openSessions({ platform: here.platform, prefix: here.prefix });
    other.wire.full = true;
    let carried = token;
    for (const minutes of [0, 5, 5, 5, 5]) {
      here.platform.advance(minutes * 60_000);
      const verdict = await other.present(carried);
      expect(verdict.kind, "Redis has neither its record nor its end").toBe("active");
      carried = (verdict.kind === "active" ? verdict.renewed : null) ?? carried;
      await verdict.settle();
    }
    other.wire.full = false;
    await (await other.present(carried)).settle();
    const fresh = openSessions({ platform: here.platform, prefix: here.prefix });
    expect(await fresh.present(carried)).toMatchObject({ kind: "active", source: "redis" });
    expect(await fresh.sessions.service.list("ada")).toMatchObject({
      records: [{ record: { user_data: { note: 1 } } }],
    });
  });

  it("that end are written again until Redis accepts the write", async () => {
    const { sessions, wire, store, platform, prefix, present } = openSessions();
    const { token, claims } = await sessions.create({ userId: "ada" });
    wire.full = true;
    expect(await sessions.delete(claims.id)).toBe("pending");
    expect((await present(token)).kind, "here it is over").toBe("over");
    await store.maintenance();
    expect(store.maintenance(), "not with every request").toBeNull();
    platform.advance(1000);
    await store.maintenance();
    wire.full = false;
    platform.advance(2000);
    await store.maintenance();
    const fresh = openSessions({ platform, prefix });
    expect((await fresh.present(token)).kind, "in another isolate").toBe("over");
  });

  it("that end during one failed call are written with the next call", async () => {
    const { sessions, wire, store, platform, prefix } = openSessions();
    const { token, claims } = await sessions.create({ userId: "ada" });
    wire.cut = true;
    expect(await sessions.delete(claims.id)).toBe("pending");
    wire.cut = false;
    expect(store.state.mode, "one lost call is no outage").toBe("redis");
    await store.maintenance();
    const fresh = openSessions({ platform, prefix });
    expect((await fresh.present(token)).kind).toBe("over");
  });
});

import { describe, expect, it } from "vitest";
import { openSessions } from "../../support/sessions.ts";

describe("without a call it is known that a session", () => {
  it("lives, for as long as Redis was asked a moment ago, and is over once it ends", async () => {
    const one = openSessions();
    const other = openSessions({ platform: one.platform, prefix: one.prefix });
    const { token, claims } = await one.sessions.create({ userId: "ada" });
    expect(await other.sessions.knownOutcome(claims)).toBeNull();
    await other.present(token);
    expect(await other.sessions.knownOutcome(claims)).toBe("alive");
    one.platform.advance(5001);
    expect(await other.sessions.knownOutcome(claims)).toBeNull();
    await one.sessions.delete(claims.id);
    expect(await one.sessions.knownOutcome(claims), "ended here").toBe("over");
    expect(await other.sessions.knownOutcome(claims)).toBeNull();
    await other.present(token);
    expect(await other.sessions.knownOutcome(claims), "Redis has told of it").toBe("over");
  });

  it("is over while Redis has not heard of its end", async () => {
    const one = openSessions();
    const { claims } = await one.sessions.create({ userId: "ada" });
    await one.lose();
    await one.sessions.service.revokeAllOf("ada", null);
    expect(await one.sessions.knownOutcome(claims)).toBe("over");
  });

  it("lives or is over where sessions are kept without Redis", async () => {
    const alone = openSessions({ connection: null, idleSeconds: 60 });
    const { token, claims } = await alone.sessions.create({ userId: "ada" });
    expect(await alone.sessions.knownOutcome(claims)).toBe("alive");
    alone.platform.advance(76_000);
    expect(await alone.sessions.knownOutcome(claims)).toBe("over");
    expect((await alone.present(token)).kind).toBe("over");
    const ended = await alone.sessions.create({ userId: "ada" });
    await alone.sessions.delete(ended.claims.id);
    expect(await alone.sessions.knownOutcome(ended.claims)).toBe("over");
  });
});

import { describe, expect, it } from "vitest";
import { openSessions, sessionPlatform } from "../../support/sessions.ts";

/** A request that is under way in the isolate that ends its session. */
describe("a session that ends while its request is under way", () => {
  it.each<[string, (one: ReturnType<typeof openSessions>, id: string) => Promise<unknown>]>([
    ["alone", (one, id) => one.sessions.delete(id)],
    ["with all of its user", (one) => one.sessions.service.revokeAllOf("ada", null)],
    ["with everyone's", (one) => one.sessions.service.revokeEveryone()],
  ])("%s is not renewed", async (_, end) => {
    const one = openSessions();
    const { token, claims } = await one.sessions.create({ userId: "ada" });
    one.platform.advance(600_000);
    const verdict = await one.present(token);
    expect(one.sessions.changeOf(verdict)).toMatchObject({ kind: "renewed" });
    await end(one, claims.id);
    expect(one.sessions.changeOf(verdict)).toBeNull();
  });

  it("is not confirmed by what Redis said before", async () => {
    const platform = sessionPlatform();
    const answered = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    let hold = false;
    const fetch: typeof platform.fetch = async (input, init) => {
      const reply = await platform.fetch(input, init);
      if (hold) {
        hold = false;
        answered.resolve();
        await held.promise;
      }
      return reply;
    };
    const one = openSessions({ platform: { ...platform, fetch } });
    const { token, claims } = await one.sessions.create({ userId: "ada" });
    hold = true;
    const presented = one.present(token);
    await answered.promise;
    await one.sessions.delete(claims.id);
    held.resolve();
    expect(await presented).toMatchObject({ kind: "over", because: "revoked" });
    expect(await one.sessions.knownOutcome(claims)).toBe("over");
  });
});

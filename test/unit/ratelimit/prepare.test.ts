import { describe, expect, it } from "vitest";
import type { UnverifiedIdentity } from "../../../src/identity/confirmed.ts";
import type { PrepareLimits } from "../../../src/ratelimit/prepare.ts";
import { identityOf, listsOf, openIsolate, routeOf } from "../../support/limits.ts";
import { testPlatform } from "../../support/platform.ts";

const open = (allow: string[] = [], deny: string[] = []) =>
  openIsolate({ platform: testPlatform(), connection: null, lists: listsOf({ allow, deny }) });

describe("what limits take for an identity", () => {
  it("is confirmed: an unverified identity does not compile", () => {
    type Settled = Extract<Parameters<PrepareLimits>[1], { kind: "settled" }>;
    // @ts-expect-error An unverified identity has no user and no tier.
    const ofUnverified = (identity: UnverifiedIdentity): Settled => ({ kind: "settled", identity });
    expect(ofUnverified).toBeTypeOf("function");
  });
});

describe("a route without limits", () => {
  it("queues nothing for an unconfirmed session, and refuses either outcome on the deny list", async () => {
    const outcomes = {
      kind: "open" as const,
      alive: identityOf("ada", { user: { id: "ada", tier: null } }),
      over: identityOf("home"),
      session: {
        id: "s".repeat(22),
        userId: "ada",
        tier: null,
        issuedAt: 0,
        expiresAt: 1,
        confirmedAt: 0,
        offline: false,
        userData: null,
        syncToken: null,
      },
    };
    const free = await open().decided(routeOf({}), outcomes, outcomes.alive);
    expect(free).toMatchObject({ calls: 0, verdict: { kind: "allowed", headers: {}, source: "isolate" } });
    const refused = await open([], ["user:ada"]).decided(routeOf({}), outcomes, outcomes.over);
    expect(refused).toMatchObject({ calls: 0, verdict: { kind: "denied", listed: true } });
  });
});

import { describe, expect, it } from "vitest";
import type { SessionClaims } from "../../../src/identity/session-token.ts";
import { createKnownEnds } from "../../../src/session/known-ends.ts";
import { testPlatform } from "../../support/platform.ts";
import { claims, NOW } from "../../support/session-samples.ts";

function open(entries?: number) {
  const platform = testPlatform({ now: NOW });
  const options = { platform, isolateMaxAgeMs: 5000, ...(entries !== undefined && { entries }) };
  const ends = createKnownEnds(options);
  const has = ({ id, issuedAt }: SessionClaims) => ends.has({ id, user: ["ada"], createdAt: issuedAt });
  return { platform, ends, has };
}

describe("the end of a session that Redis reported", () => {
  it("is remembered until the token expires where there is evidence", () => {
    const { platform, ends, has } = open();
    const session = claims({ expiresAt: NOW + 86_400_000 });
    ends.add(session, "evidence");
    platform.advance(86_399_999);
    expect(has(session)).toBe(true);
    platform.advance(1);
    expect(has(session)).toBe(false);
  });

  it("is remembered for ISOLATE_MAX_AGE_MS where the record is absent", () => {
    const { platform, ends, has } = open();
    const session = claims({ confirmedAt: NOW - 120_000 });
    ends.add(session, "absent");
    expect(has(session)).toBe(true);
    platform.advance(5000);
    expect(has(session)).toBe(false);
  });

  it.each([
    ["a session made in an outage", claims({ offline: true })],
    ["a session within its sync window", claims({ syncToken: "token", confirmedAt: NOW - 59_999 })],
  ])("is not remembered of %s, because its write may be pending", (_, session) => {
    const { ends, has } = open();
    ends.add(session, "absent");
    expect(has(session)).toBe(false);
  });

  it("is remembered of a session whose sync window is over", () => {
    const { ends, has } = open();
    const session = claims({ syncToken: "token", confirmedAt: NOW - 60_000 });
    ends.add(session, "absent");
    expect(has(session)).toBe(true);
  });

  it("is bounded", () => {
    const { ends } = open(100);
    for (let i = 0; i < 1000; i += 1) ends.add(claims({ id: `session-${i}` }), "evidence");
    expect(ends.size).toBe(100);
  });
});

import { describe, expect, it } from "vitest";
import { type HeldBody, heldBody } from "../../../src/response-cache/held-body.ts";
import { testPlatform } from "../../support/platform.ts";
import { scriptedBody, settle } from "../../support/streams.ts";

/** Pieces, each after a pause of so many ms; then a last pause, and the end. */
async function held(pauses: readonly number[], last: number, deadlineMs = 1500): Promise<HeldBody> {
  const platform = testPlatform();
  const content = scriptedBody();
  const reading = heldBody(content.body, platform, deadlineMs);
  for (const pause of pauses) {
    platform.advance(pause);
    if (!content.cancelled) content.send("x");
    await settle();
  }
  platform.advance(last);
  await settle();
  if (!content.cancelled) content.end();
  return reading;
}

describe("a body that is read before it is answered", () => {
  it.each<[pauses: number[], last: number, deadline: number, kind: HeldBody["kind"]]>([
    [[0], 0, 1500, "whole"],
    [[], 0, 1500, "whole"],
    [[1499, 1499, 1499], 1499, 1500, "whole"],
    [[0], 1500, 1500, "stalled"],
    [[], 1500, 1500, "stalled"],
    [[0, 0, 0], 300_000, 1500, "stalled"],
    [Array.from({ length: 60 }, () => 1000), 0, 1500, "stalled"],
    [Array.from({ length: 59 }, () => 1000), 0, 1500, "whole"],
    [Array.from({ length: 9 }, () => 20_000), 0, 300_000, "whole"],
    [[0], 300_000, 300_000, "stalled"],
  ])(
    "%#: with pauses of %j ms, then %i, and a deadline of %i ms it is %s",
    async (pauses, last, deadline, kind) => {
      const body = await held(pauses, last, deadline);
      expect(body.kind).toBe(kind);
      if (body.kind === "whole") expect(body.bytes.length).toBe(pauses.length);
    },
  );

  it("is whole at its length, where that is known", async () => {
    const content = scriptedBody();
    const reading = heldBody(content.body, testPlatform(), 1500, 6);
    content.send("half");
    content.send("so");
    const held = await reading;
    expect(held.kind === "whole" && new TextDecoder().decode(held.bytes)).toBe("halfso");
  });

  it("is broken where the origin breaks it off", async () => {
    const content = scriptedBody();
    const reading = heldBody(content.body, testPlatform(), 1500);
    content.send("half");
    content.breakOff();
    expect(await reading).toEqual({ kind: "broken" });
  });
});

import { describe, expect, test } from "vitest";
import { openSessions } from "../../support/sessions.ts";

/** Requests at these seconds; the session lives at all of them. The last number is when it is over. */
const SCHEDULES: [idleSeconds: number, requestsAt: number[], overAfter: number][] = [
  [60, [10, 20, 30, 40, 50, 55, 62, 70], 146],
  [60, [59, 118, 177], 253],
  [60, [14, 73], 149],
  [60, [15, 74, 133], 209],
  [60, [1, 2, 3, 4, 63], 139],
  [60, [], 76],
  [10, [2, 11, 20, 29], 43],
  [1, [0.2, 1.1, 2], 4],
  [600, [59, 658, 1257], 1918],
  [600, [599, 650, 1240], 1901],
];

describe.each(["Redis", "no store"])("with %s", (where) => {
  test.each(SCHEDULES)("idle %i s, requests at %j s, over at %i s", async (idleSeconds, at, overAfter) => {
    const isolate = openSessions({
      idleSeconds,
      offlineGraceSeconds: 0,
      ...(where === "no store" && { connection: null }),
    });
    const start = isolate.platform.now();
    let { token } = await isolate.sessions.create({ userId: "ada" });
    const moveTo = (seconds: number) =>
      isolate.platform.advance(start + seconds * 1000 - isolate.platform.now());
    let writes = 0;
    for (const seconds of at) {
      moveTo(seconds);
      const before = isolate.wire.commands.length;
      const verdict = await isolate.present(token);
      expect(verdict.kind, `at ${seconds} s`).toBe("active");
      await verdict.settle();
      writes += isolate.wire.commands.slice(before).filter(([name]) => /^eval/i.test(String(name))).length;
      token = (verdict.kind === "active" && verdict.renewed) || token;
    }
    const mostWrites = Math.floor((at.at(-1) ?? 0) / Math.min(60, idleSeconds / 4));
    expect(writes, "touches").toBeLessThanOrEqual(mostWrites);
    moveTo(overAfter);
    expect(await isolate.present(token)).toMatchObject({ kind: "over" });
  });
});

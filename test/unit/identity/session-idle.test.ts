import { expect, test } from "vitest";
import { idleTimes } from "../../../src/identity/session-idle.ts";

test.each([
  [1, 250, 1250],
  [2, 500, 2500],
  [3, 750, 3750],
  [7, 1750, 8750],
  [60, 15_000, 75_000],
  [120, 30_000, 150_000],
  [239, 59_750, 298_750],
  [240, 60_000, 300_000],
  [241, 60_000, 301_000],
  [86_400, 60_000, 86_460_000],
])("%i s of silence: touched every %i ms, kept %i ms", (idleSeconds, touchIntervalMs, lifetimeMs) => {
  expect(idleTimes(idleSeconds)).toEqual({ touchIntervalMs, lifetimeMs });
});

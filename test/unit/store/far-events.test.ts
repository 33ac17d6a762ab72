import { expect, test } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { createFarEvents } from "../../../src/store/far-events.ts";
import { testPlatform } from "../../support/platform.ts";

test("a store that is far away is told of once an hour", () => {
  const platform = testPlatform();
  const lines: unknown[] = [];
  const events = createEvents({ platform, write: (level, line) => lines.push([level, JSON.parse(line)]) });
  const note = createFarEvents({ platform, events });
  for (const near of [null, 5, 99, 100]) note(near);
  expect(lines).toEqual([]);
  note(180);
  note(180);
  platform.advance(3_599_999);
  note(180);
  expect(lines).toMatchObject([["warn", { event: "store.far", median_ms: 180 }]]);
  platform.advance(1);
  note(210);
  expect(lines).toHaveLength(2);
});

import { expect, test } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { RedisEntryStore } from "../../../src/response-cache/redis-entry-store.ts";
import type { Batch } from "../../../src/store/batch.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { Store } from "../../../src/store/store.ts";
import { testPlatform } from "../../support/platform.ts";

test.each([
  [10, 3000],
  [400, 3000],
  [1000, 4800],
  [10_000, 31_800],
])(
  "a write is noted for longer than a quick fill's call may take: STORE_DEADLINE_MS %i",
  async (deadlineMs, ms) => {
    const platform = testPlatform();
    const events = createEvents({ platform, write: () => {} });
    const connection = { url: "https://store.example", token: "a-token-of-the-test" };
    const store = new Store({ connection, platform, events, deadlineMs });
    const keys = createKeys({ cache: "c", rateLimit: "r", session: "s" });
    const entries = new RedisEntryStore({ keys, platform, store });
    const sent: unknown[][] = [];
    const batch = {
      run: async (_script: unknown, _keys: unknown, args: unknown[]) => {
        sent.push(args);
      },
    };
    const address = { key: "k", urlHash: "u", sharedKey: "s" } as Parameters<
      RedisEntryStore["invalidate"]
    >[0];
    await entries.invalidate(address, { hard: platform.now(), soft: 0 }, batch as unknown as Batch);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.at(-1)).toBe(ms);
    expect(ms).toBeGreaterThan(1000 + store.longestCallMs);
  },
);

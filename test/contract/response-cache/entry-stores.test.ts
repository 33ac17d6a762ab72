import { inject } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { MemoryEntryStore } from "../../../src/response-cache/memory-entry-store.ts";
import { RedisEntryStore } from "../../../src/response-cache/redis-entry-store.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { Store } from "../../../src/store/store.ts";
import { freshPrefix } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";
import { entryStoreContract } from "./entry-store.contract.ts";

function storeOf(platform: TestPlatform, connection: { url: string; token: string } | null): Store {
  return new Store({ connection, platform, events: createEvents({ platform, write: () => {} }) });
}

entryStoreContract("entries in the isolate", (platform) => {
  const store = storeOf(platform, null);
  return { entries: new MemoryEntryStore({ platform, bytes: 1_000_000 }), batch: () => store.batch() };
});

entryStoreContract("entries in Redis", (platform) => {
  const prefix = freshPrefix();
  const store = storeOf(platform, { url: inject("upstashUrl"), token: inject("upstashToken") });
  const keys = createKeys({ cache: `${prefix}:c`, rateLimit: `${prefix}:r`, session: `${prefix}:s` });
  return { entries: new RedisEntryStore({ keys, platform, store }), batch: () => store.batch() };
});

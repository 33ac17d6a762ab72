import { inject } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { MemoryLimitStore } from "../../../src/ratelimit/memory-limit-store.ts";
import { UpstashLimitStore } from "../../../src/ratelimit/upstash-limit-store.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { Store } from "../../../src/store/store.ts";
import { freshPrefix } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";
import { limitStoreContract } from "./limit-store.contract.ts";

const log = (platform: TestPlatform) => createEvents({ platform, write: () => {} });

limitStoreContract("counts in the isolate", (platform) => ({
  limitStore: new MemoryLimitStore({ platform }),
  store: new Store({ connection: null, platform, events: log(platform) }),
}));

limitStoreContract("counts in Redis", (platform) => {
  const prefix = freshPrefix();
  const keys = createKeys({ cache: `${prefix}:c`, rateLimit: `${prefix}:r`, session: `${prefix}:s` });
  const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
  return {
    limitStore: new UpstashLimitStore({ keys, platform }),
    store: new Store({ connection, platform, events: log(platform) }),
  };
});

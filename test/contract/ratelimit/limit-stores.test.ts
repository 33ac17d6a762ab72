import { inject } from "vitest";
import { createLog } from "../../../src/events/log.ts";
import { MemoryLimitStore } from "../../../src/ratelimit/memory-limit-store.ts";
import { UpstashLimitStore } from "../../../src/ratelimit/upstash-limit-store.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { Store } from "../../../src/store/store.ts";
import { freshPrefix } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";
import { limitStoreContract } from "./limit-store.contract.ts";

const log = (platform: TestPlatform) => createLog({ platform, write: () => {} });

limitStoreContract("counts in the isolate", (platform) => ({
  limitStore: new MemoryLimitStore({ platform }),
  store: new Store({ connection: null, platform, log: log(platform) }),
}));

limitStoreContract("counts in Redis", (platform) => {
  const prefix = freshPrefix();
  const keys = createKeys({ cache: `${prefix}:c`, rateLimit: `${prefix}:r`, session: `${prefix}:s` });
  const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
  return {
    limitStore: new UpstashLimitStore({ keys, platform }),
    store: new Store({ connection, platform, log: log(platform) }),
  };
});

import { inject } from "vitest";
import { createLog } from "../../../src/observe/index.ts";
import { LocalKeeper, UpstashKeeper } from "../../../src/session/index.ts";
import { createKeys, Store } from "../../../src/store/index.ts";
import { freshPrefix } from "../../unit/ratelimit/rig.ts";
import { keeperContract } from "./keeper.contract.ts";

keeperContract("sessions in the isolate", (limits) => new LocalKeeper(limits));

keeperContract("sessions in Redis", (limits) => {
  const { platform } = limits;
  const prefix = freshPrefix();
  const store = new Store({
    connection: { url: inject("upstashUrl"), token: inject("upstashToken") },
    platform,
    log: createLog({ platform, write: () => {} }),
  });
  const keys = createKeys({ cache: `${prefix}:c`, rateLimit: `${prefix}:r`, session: `${prefix}:s` });
  return new UpstashKeeper({ ...limits, store, keys });
});

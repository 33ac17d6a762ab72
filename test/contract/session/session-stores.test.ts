import { inject } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { Database } from "../../../src/session/d1-database.ts";
import { D1SessionStore } from "../../../src/session/d1-session-store.ts";
import { MemorySessionStore } from "../../../src/session/memory-session-store.ts";
import { UpstashSessionStore } from "../../../src/session/upstash-session-store.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { Store } from "../../../src/store/store.ts";
import { freshDatabase } from "../../support/database.ts";
import { freshPrefix } from "../../support/limits.ts";
import { sessionStoreContract } from "./session-store.contract.ts";

sessionStoreContract("sessions in the isolate", (limits) => new MemorySessionStore(limits));

sessionStoreContract("sessions in Redis", (limits) => {
  const { platform } = limits;
  const prefix = freshPrefix();
  const store = new Store({
    connection: { url: inject("upstashUrl"), token: inject("upstashToken") },
    platform,
    events: createEvents({ platform, write: () => {} }),
  });
  const keys = createKeys({ cache: `${prefix}:c`, rateLimit: `${prefix}:r`, session: `${prefix}:s` });
  return new UpstashSessionStore({ ...limits, store, keys });
});

sessionStoreContract("sessions in D1", async (limits) => {
  const { platform } = limits;
  const events = createEvents({ platform, write: () => {} });
  const database = new Database({ binding: await freshDatabase("DB_STORE"), platform, events });
  return new D1SessionStore({ ...limits, database });
});

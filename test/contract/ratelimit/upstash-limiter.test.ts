import { inject } from "vitest";
import { openIsolate } from "../../support/limits.ts";
import { limiterContract } from "./limiter.contract.ts";

limiterContract("the limiter over Redis", (platform) =>
  openIsolate({
    platform,
    connection: { url: inject("upstashUrl"), token: inject("upstashToken") },
    isolateMaxAgeMs: 0,
  }),
);

limiterContract("the limiter over Redis, with blocks in the isolate", (platform) =>
  openIsolate({ platform, connection: { url: inject("upstashUrl"), token: inject("upstashToken") } }),
);

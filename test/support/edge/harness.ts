import { randomBytes } from "node:crypto";
import { type VariableName, variables } from "../../../src/config/variables-table.ts";
import { aclRules } from "../../../src/tools/doctor/acl.ts";
import {
  type SampleOrigin,
  type SampleOriginOptions,
  startSampleOrigin,
} from "../../../src/tools/sample-origin/index.ts";
import { startUpstashLocal, type UpstashLocal } from "../../../src/tools/upstash-local/index.ts";
import { expectNothingRefused } from "../acl-log.ts";
import sampleRoutes from "../sample-routes.ts";
import { type Edge, startEdge } from "./start.ts";
import type { DatabaseBinding } from "./workerd.ts";

/** Everything that an end-to-end test needs: Redis behind the local endpoint, the sample origin, the built Worker. */
export interface Harness {
  upstash: UpstashLocal;
  origin: SampleOrigin;
  edge: Edge;
  secrets: { service: string; admin: string; origin: string; session: string; apiKey: string };
  /** HTTP calls and commands that reached the store during `work`, what runs after the response included. */
  counting<Result>(work: () => Promise<Result>): Promise<{ result: Result; calls: string[][] }>;
  /** A session token for a user. */
  token(user: string, tier?: string): Promise<string>;
  stop(): Promise<void>;
}

export interface HarnessOptions {
  /** Variables beside those of the harness, and in place of them: `ROUTES` replaces the sample routes. */
  vars?: Record<string, string | number | boolean | object>;
  entry?: string;
  origin?: SampleOriginOptions;
  /** Whether the static files are bound. Default false. */
  assets?: boolean;
  /** What `SESSION_DB` is bound to. Default nothing. */
  sessionDatabase?: DatabaseBinding;
  /** From the store's address to that of what the Worker asks in its place. Default none. */
  beforeStore?: (url: string) => Promise<string>;
}

const secret = () => randomBytes(24).toString("base64url");

export async function openHarness({
  vars = {},
  entry,
  origin: originOptions = {},
  sessionDatabase,
  assets = false,
  beforeStore = async (url) => url,
}: HarnessOptions = {}): Promise<Harness> {
  const required = process.env.REQUIRE_REDIS ? "required" : "auto";
  // The Worker's user may do what `npm run doctor` prints, and nothing else.
  const prefix = (name: VariableName, fallback: string) => String(vars[name] ?? fallback);
  const prefixes = {
    cache: prefix("REDIS_CACHE_PREFIX", variables.REDIS_CACHE_PREFIX.default),
    rateLimit: prefix("REDIS_RATE_LIMIT_PREFIX", variables.REDIS_RATE_LIMIT_PREFIX.default),
    session: prefix("REDIS_SESSION_PREFIX", variables.REDIS_SESSION_PREFIX.default),
  };
  const upstash = await startUpstashLocal({ redis: required, rules: aclRules({ prefixes }) });
  const origin = await startSampleOrigin(originOptions);
  const secrets = {
    service: secret(),
    admin: secret(),
    origin: secret(),
    session: `${secret()}${secret()}`,
    apiKey: secret(),
  };
  const edge = await startEdge({
    ...(entry && { entry }),
    assets,
    countDeferred: true,
    ...(sessionDatabase && { sessionDatabase }),
    vars: {
      UPSTASH_REDIS_REST_URL: await beforeStore(upstash.url),
      UPSTASH_REDIS_REST_TOKEN: upstash.token,
      ORIGIN_URL: origin.url,
      ORIGIN_TOKEN: secrets.origin,
      SESSION_SECRET: secrets.session,
      SERVICE_TOKEN: secrets.service,
      ADMIN_TOKEN: secrets.admin,
      API_KEYS: `${secrets.apiKey}:tester:premium`,
      // The longest there is: a busy machine is no outage. A store that is gone refuses at once, whatever the deadline.
      STORE_DEADLINE_MS: variables.STORE_DEADLINE_MS.max,
      // A Worker of its own brings its routes. The edge's would be those of `src/routes.ts`, which anybody may edit.
      ...(entry === undefined && { ROUTES: sampleRoutes }),
      ...vars,
    },
  });
  return {
    upstash,
    origin,
    edge,
    secrets,
    async counting(work) {
      await edge.idle();
      upstash.resetCalls();
      const result = await work();
      await edge.idle();
      const calls = upstash.calls.map((call) => call.commands.map(([name]) => String(name).toLowerCase()));
      return { result, calls };
    },
    async token(user, tier) {
      const response = await edge.fetch("/auth/sessions", {
        method: "POST",
        headers: { authorization: `Bearer ${secrets.service}`, "content-type": "application/json" },
        body: JSON.stringify({ user_id: user, ...(tier && { tier }) }),
      });
      const { token } = (await response.json()) as { token: string };
      return token;
    },
    async stop() {
      await edge.stop();
      await origin.stop();
      try {
        await expectNothingRefused(upstash);
      } finally {
        await upstash.stop();
      }
    },
  };
}

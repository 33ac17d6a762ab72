import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import type { ConfiguredKey } from "../../config/config.ts";
import type { Route } from "../../config/route.ts";
import { problem } from "../../http/problem.ts";
import type { Identifier } from "../../identity/caller-hash.ts";
import { type Limiter, type TierWindow, windowsOf } from "../../ratelimit/limiter.ts";
import { DEFAULT_IPV6_PREFIX, normaliseAddress } from "../../runtime/ip-address.ts";
import type { Platform } from "../../runtime/platform.ts";
import type { Batch } from "../../store/batch.ts";
import { StoreError } from "../../store/errors.ts";
import type { Store } from "../../store/store.ts";
import { badInput } from "../bad-input.ts";
import { readJson } from "../json-body.ts";
import { anyUser } from "./any-user.ts";
import { isCurrent, type KnownTier, type TierSources, tierOfHash, tierOfUser } from "./caller-tier.ts";
import { callerWindowsOf, type LimitedCaller, limitedUser, peekWindows } from "./caller-windows.ts";

export interface LimitRoutesOptions extends TierSources {
  limiter: Pick<Limiter, "peek" | "reset">;
  identifier: Pick<Identifier, "hash">;
  store: Store;
  routes: readonly Route[];
  /** `API_KEYS`: the names by which keys are known, and their tiers. */
  apiKeys: readonly Pick<ConfiguredKey, "name" | "tier">[];
  /** `RATE_LIMIT_IPV6_PREFIX`. */
  ipv6Prefix?: number | undefined;
  platform: Pick<Platform, "now" | "timer">;
}

const HASH = /^(?:hash:)?([0-9a-f]{32})$/;

/** Exactly one of the four, as a code of its own would need a word for each. */
export const limitLookup = z.strictObject({
  user: z.optional(anyUser),
  key: z.optional(z.string().check(z.minLength(1), z.maxLength(256))),
  address: z.optional(z.string()),
  hash: z.optional(z.string().check(z.regex(HASH, "must be 32 hex digits"))),
  reset: z.optional(z.boolean()),
});

interface Asked extends LimitedCaller {
  /** Queues what says which tier the caller has; what it returns is called when the batch is back. */
  tierBy(batch: Batch): () => Promise<KnownTier>;
}

/**
 * `GET`/`DELETE /edge/limits/{caller}` with `user:<id>`, `key:<name>` or `hash:<hex>`; an address, and a user whose id no path can name,
 * by `POST /edge/limits/lookup`: so no address ever stands in a URL or an access log. Exact keys: nothing is searched for. What is left
 * is told for each tier, with the one that the caller has where that is known; after a reset as it is then. `now` is the clock by which `resetAt` is a time.
 */
export function limitRoutes(options: LimitRoutesOptions) {
  const { limiter, identifier, store, routes, apiKeys, platform } = options;
  const { ipv6Prefix = DEFAULT_IPV6_PREFIX } = options;
  const windows = windowsOf(routes);
  const callerWindows = callerWindowsOf(windows);
  const byName = new Map(routes.map((route) => [route.name, route]));
  const noStore = { "cache-control": "no-store" };
  const code = "UNKNOWN_CALLER";

  return new Hono()
    .get("/limits/:caller", async (c) =>
      c.json(await peek(await callerInPath(c.req.param("caller"))), 200, noStore),
    )
    .delete("/limits/:caller", async (c) =>
      c.json(await reset(await callerInPath(c.req.param("caller"))), 200, noStore),
    )
    .post("/limits/lookup", async (c) => {
      const { data } = await readJson(c.req.raw, { schema: limitLookup, code, platform });
      const { caller, address } = await callerInBody(data);
      const told = data.reset ? await reset(caller) : await peek(caller);
      return c.json({ ...told, ...(address !== undefined && { address }) }, 200, noStore);
    });

  async function peek(caller: Asked) {
    const batch = store.batch();
    const told = caller.tierBy(batch);
    const limits = await peekWindows({ limiter, batch }, caller).catch(unavailable);
    const tier = await told();
    return {
      now: platform.now(),
      caller: `hash:${caller.hash}`,
      tier: tier ?? null,
      limits: limits.map((limit, index) => ({ ...limit, current: currentOf(caller.windows[index], tier) })),
    };
  }

  function currentOf(window: TierWindow | undefined, tier: KnownTier): boolean | null {
    const route = byName.get(window?.route ?? "");
    return window && route ? isCurrent(window, route, tier) : null;
  }

  async function reset(caller: Asked) {
    const batch = store.batch();
    const policies = windows.map(({ policy }) => policy);
    const done = limiter.reset(caller.hash, policies, batch);
    await batch.send();
    await done.catch(unavailable);
    return { ...(await peek(caller)), reset: true };
  }

  async function callerInPath(text: string): Promise<Asked> {
    const [, kind, value = ""] = /^(user|key|hash):(.+)$/s.exec(text) ?? [];
    if (kind === "hash" && /^[0-9a-f]{32}$/.test(value)) return byHash(value);
    if (kind !== "user" && kind !== "key") throw badInput(code, [CALLER_ISSUE]);
    return kind === "key" ? byKey(value) : byUser(value);
  }

  async function callerInBody({ user, key, address, hash }: z.output<typeof limitLookup>) {
    const wrong = (field: string, reason: string) => badInput(code, [{ in: "body", field, reason }]);
    if ([user, key, address, hash].filter((each) => each !== undefined).length !== 1)
      throw wrong("body", "must have exactly one of user, key, address and hash");
    if (user !== undefined) return { caller: await byUser(user) };
    if (key !== undefined) return { caller: await byKey(key) };
    if (hash !== undefined) return { caller: byHash(HASH.exec(hash)?.[1] ?? "") };
    // A network too, as the answer shows it.
    const known = normaliseAddress((address ?? "").replace(`::/${ipv6Prefix}`, "::"), ipv6Prefix);
    if (known === null) throw wrong("address", "must be an IP address, such as 203.0.113.7");
    return { caller: await byAddress(known), address: known };
  }

  async function byUser(user: string): Promise<Asked> {
    const limited = await limitedUser(user, identifier, windows);
    return {
      ...limited,
      tierBy() {
        const told = tierOfUser(user, options);
        return () => told;
      },
    };
  }

  async function byKey(name: string): Promise<Asked> {
    const known = apiKeys.find((each) => each.name === name);
    if (!known) throw problem("CALLER_NOT_FOUND");
    const hash = await identifier.hash("key", name);
    return { hash, windows: callerWindows, tierBy: () => async () => known.tier };
  }

  function byHash(hash: string): Asked {
    return { hash, windows, tierBy: (batch) => tierOfHash(hash, options, batch) };
  }

  /** Who comes without credentials has no tier; whoever comes from there with some has. */
  async function byAddress(address: string): Promise<Asked> {
    return { hash: await identifier.hash("address", address), windows, tierBy: () => async () => null };
  }

  function unavailable(error: unknown): never {
    if (!(error instanceof StoreError)) throw error;
    throw problem("STORE_UNAVAILABLE", {
      values: { what: "the counts of limits" },
      retryAfter: store.retryAfterSeconds,
    });
  }
}

const CALLER_ISSUE = {
  in: "path",
  field: "caller",
  reason: "must be user:<id>, key:<name> or hash:<32 hex digits>",
} as const;

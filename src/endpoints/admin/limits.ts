import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import type { ConfiguredKey } from "../../config/config.ts";
import type { Route } from "../../config/route.ts";
import { problem } from "../../http/problem.ts";
import type { Identifier } from "../../identity/caller-hash.ts";
import { type Limiter, windowsOf } from "../../ratelimit/limiter.ts";
import { DEFAULT_IPV6_PREFIX, normaliseAddress } from "../../runtime/ip-address.ts";
import type { Platform } from "../../runtime/platform.ts";
import { StoreError } from "../../store/errors.ts";
import type { Store } from "../../store/store.ts";
import { badInput } from "../bad-input.ts";
import { readJson } from "../json-body.ts";
import { callerWindowsOf, type LimitedCaller, peekWindows } from "./caller-windows.ts";

export interface LimitRoutesOptions {
  limiter: Pick<Limiter, "peek" | "reset">;
  identifier: Pick<Identifier, "hash">;
  store: Store;
  routes: readonly Route[];
  /** `API_KEYS`: the names by which keys are known. */
  apiKeys: readonly Pick<ConfiguredKey, "name">[];
  /** `RATE_LIMIT_IPV6_PREFIX`. */
  ipv6Prefix?: number | undefined;
  platform: Pick<Platform, "timer">;
}

export const limitLookup = z.strictObject({ address: z.string(), reset: z.optional(z.boolean()) });

/**
 * `GET`/`DELETE /edge/limits/{caller}` with `user:<id>`, `key:<name>` or `hash:<hex>`; an address by
 * `POST /edge/limits/lookup`, so that none ever stands in a URL or an access log. Exact keys: nothing is searched for. What
 * is left is told for each tier, and after a reset as it is then.
 */
export function limitRoutes({
  limiter,
  identifier,
  store,
  routes,
  apiKeys,
  ipv6Prefix = DEFAULT_IPV6_PREFIX,
  platform,
}: LimitRoutesOptions) {
  const windows = windowsOf(routes);
  const callerWindows = callerWindowsOf(windows);
  const noStore = { "cache-control": "no-store" };

  return new Hono()
    .get("/limits/:caller", async (c) =>
      c.json(await peek(await callerOf(c.req.param("caller"))), 200, noStore),
    )
    .delete("/limits/:caller", async (c) =>
      c.json(await reset(await callerOf(c.req.param("caller"))), 200, noStore),
    )
    .post("/limits/lookup", async (c) => {
      const code = "UNKNOWN_CALLER";
      const { data } = await readJson(c.req.raw, { schema: limitLookup, code, platform });
      const address = addressOf(data.address);
      if (address === null) {
        const reason = "must be an IP address, such as 203.0.113.7";
        throw badInput(code, [{ in: "body", field: "address", reason }]);
      }
      const hash = await identifier.hash("address", address);
      const caller = { hash, windows };
      const told = data.reset ? await reset(caller) : await peek(caller);
      return c.json({ ...told, address }, 200, noStore);
    });

  /** An address, or a network as the answer shows it. */
  function addressOf(text: string): string | null {
    return normaliseAddress(text.replace(`::/${ipv6Prefix}`, "::"), ipv6Prefix);
  }

  async function peek(caller: LimitedCaller) {
    const limits = await peekWindows({ limiter, store }, caller).catch(unavailable);
    return { caller: `hash:${caller.hash}`, limits };
  }

  async function reset(caller: LimitedCaller) {
    const batch = store.batch();
    const policies = windows.map(({ policy }) => policy);
    const done = limiter.reset(caller.hash, policies, batch);
    await batch.send();
    await done.catch(unavailable);
    return { ...(await peek(caller)), reset: true };
  }

  async function callerOf(text: string): Promise<LimitedCaller> {
    const [, kind, value = ""] = /^(user|key|hash):(.+)$/s.exec(text) ?? [];
    if (kind === "hash" && /^[0-9a-f]{32}$/.test(value)) return { hash: value, windows };
    if ((kind !== "user" && kind !== "key") || value.length > 256)
      throw badInput("UNKNOWN_CALLER", [CALLER_ISSUE]);
    if (kind === "key" && !apiKeys.some(({ name }) => name === value)) throw problem("CALLER_NOT_FOUND");
    return { hash: await identifier.hash(kind, value), windows: callerWindows };
  }

  function unavailable(error: unknown): never {
    if (!(error instanceof StoreError)) throw error;
    throw problem("STORE_UNAVAILABLE", { retryAfter: store.retryAfterSeconds });
  }
}

const CALLER_ISSUE = {
  in: "path",
  field: "caller",
  reason: "must be user:<id>, key:<name> or hash:<32 hex digits>",
} as const;

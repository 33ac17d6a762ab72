import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import type { Route } from "../../config/route.ts";
import { type Problem, problem } from "../../http/problem.ts";
import type { Identifier } from "../../identity/caller-hash.ts";
import { type Limiter, policiesOf } from "../../ratelimit/limiter.ts";
import { normaliseAddress } from "../../runtime/ip-address.ts";
import { StoreError } from "../../store/errors.ts";
import type { Store } from "../../store/store.ts";

export interface LimitRoutesOptions {
  limiter: Pick<Limiter, "peek" | "reset">;
  identifier: Pick<Identifier, "hash">;
  store: Store;
  routes: readonly Route[];
}

const lookup = z.strictObject({ address: z.string(), reset: z.optional(z.boolean()) });

/**
 * `GET`/`DELETE /edge/limits/{caller}` with `user:<id>`, `key:<name>` or `hash:<hex>`; an address by
 * `POST /edge/limits/lookup`, so that none ever stands in a URL or an access log. Exact keys: nothing is searched for.
 */
export function limitRoutes({ limiter, identifier, store, routes }: LimitRoutesOptions) {
  const policies = policiesOf(routes);
  const noStore = { "cache-control": "no-store" };

  return new Hono()
    .get("/limits/:caller", async (c) =>
      c.json(await peek(await hashOf(c.req.param("caller"))), 200, noStore),
    )
    .delete("/limits/:caller", async (c) =>
      c.json(await reset(await hashOf(c.req.param("caller"))), 200, noStore),
    )
    .post("/limits/lookup", async (c) => {
      const parsed = z.safeParse(lookup, await c.req.json().catch(() => null));
      const address = parsed.success ? normaliseAddress(parsed.data.address) : null;
      if (!parsed.success || address === null) throw unknownCaller('Send {"address":"203.0.113.7"}.');
      const hash = await identifier.hash("address", address);
      return c.json(parsed.data.reset ? await reset(hash) : await peek(hash), 200, noStore);
    });

  async function peek(hash: string) {
    const batch = store.batch();
    const limits = limiter.peek(hash, policies, batch);
    await batch.send();
    return { caller: `hash:${hash}`, limits: await limits.catch(unavailable) };
  }

  async function reset(hash: string) {
    const batch = store.batch();
    const done = limiter.reset(hash, policies, batch);
    await batch.send();
    await done.catch(unavailable);
    return { caller: `hash:${hash}`, reset: true };
  }

  async function hashOf(caller: string): Promise<string> {
    const [, kind, value = ""] = /^(user|key|hash):(.+)$/s.exec(caller) ?? [];
    if (kind === "hash" && /^[0-9a-f]{32}$/.test(value)) return value;
    if ((kind === "user" || kind === "key") && value.length <= 256) return identifier.hash(kind, value);
    throw unknownCaller("Name the caller as user:<id>, key:<name> or hash:<32 hex digits>.");
  }

  function unavailable(error: unknown): never {
    if (!(error instanceof StoreError)) throw error;
    throw problem("STORE_UNAVAILABLE", { retryAfter: store.retryAfterSeconds });
  }
}

function unknownCaller(reason: string): Problem {
  return problem("UNKNOWN_CALLER", { values: { reason } });
}

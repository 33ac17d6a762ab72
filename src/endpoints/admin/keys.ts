import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import type { ConfiguredKey } from "../../config/config.ts";
import { problem } from "../../http/problem.ts";
import type { Identifier } from "../../identity/caller-hash.ts";
import type { VerifiedKeys } from "../../identity/verified-keys.ts";
import type { Platform } from "../../runtime/platform.ts";
import type { Batch } from "../../store/batch.ts";
import type { Store } from "../../store/store.ts";
import { badInput } from "../bad-input.ts";
import { readJson } from "../json-body.ts";

export interface KeyRoutesOptions {
  verifiedKeys: Pick<VerifiedKeys, "get" | "look" | "forget">;
  identifier: Pick<Identifier, "hash">;
  store: Store;
  /** `API_KEYS`: no origin's word makes them good, so none can be ended here. */
  apiKeys: readonly Pick<ConfiguredKey, "key" | "name">[];
  platform: Pick<Platform, "timer">;
}

export const keyLookup = z.strictObject({
  key: z.string().check(z.minLength(1)),
  end: z.optional(z.boolean()),
});

/**
 * API keys that the origin has verified: `GET`/`DELETE /edge/keys/hash:<hex>`, with the hash that log lines show as
 * `caller`; a key itself by `POST /edge/keys/lookup`, so that none ever stands in a URL or an access log. An end holds
 * until the origin accepts the key again; `key:<hash>` in `DENY_LIST` refuses it for good.
 */
export function keyRoutes({ verifiedKeys, identifier, store, apiKeys, platform }: KeyRoutesOptions) {
  const noStore = { "cache-control": "no-store" };

  return new Hono()
    .get("/keys/:key", async (c) => c.json(await told(hashIn(c.req.param("key"))), 200, noStore))
    .delete("/keys/:key", async (c) => {
      const ended = await end(hashIn(c.req.param("key")));
      return c.json(ended.body, ended.status, noStore);
    })
    .post("/keys/lookup", async (c) => {
      const { data } = await readJson(c.req.raw, { schema: keyLookup, code: "UNKNOWN_CALLER", platform });
      if (apiKeys.some(({ key }) => key === data.key))
        throw unknownKey("body", "stands in API_KEYS: remove it there");
      const hash = await identifier.hash("secret key", data.key);
      if (!data.end) return c.json(await told(hash), 200, noStore);
      const ended = await end(hash);
      return c.json(ended.body, ended.status, noStore);
    });

  async function told(hash: string) {
    const batch = store.batch();
    const heard = lookUpKey(hash, verifiedKeys, batch);
    await batch.send();
    const key = await heard();
    if (batch.error && store.configured)
      throw problem("STORE_UNAVAILABLE", {
        values: { what: "what your API has said of keys" },
        retryAfter: store.retryAfterSeconds,
      });
    const named = key.kind === "verified" ? { user_id: key.userId, tier: key.tier } : {};
    return { key: `hash:${hash}`, verified: key.kind === "verified", ...named };
  }

  /** Without the store an end takes effect in this isolate at once, and in the others when the store is back. */
  async function end(hash: string) {
    const batch = store.batch();
    const written = verifiedKeys.forget(hash, batch, true);
    await batch.send();
    const durable = await written;
    const body = { key: `hash:${hash}`, verified: false, reach: durable ? "everywhere" : "this isolate" };
    return { body, status: durable ? (200 as const) : (202 as const) };
  }
}

/** What the origin has said of a key, by its hash. Queues a read; what it returns is called when the batch is back. */
export function lookUpKey(
  hash: string,
  verifiedKeys: Pick<VerifiedKeys, "get" | "look">,
  batch: Batch,
): ReturnType<VerifiedKeys["look"]> {
  const known = verifiedKeys.get(hash);
  return verifiedKeys.look(
    known ? { kind: "verified", hash, name: null, ...known } : { kind: "unverified", hash },
    batch,
  );
}

function hashIn(text: string): string {
  const [, hash] = /^hash:([0-9a-f]{32})$/.exec(text) ?? [];
  if (hash === undefined) throw unknownKey("path", "must be hash:<32 hex digits>");
  return hash;
}

function unknownKey(place: "body" | "path", reason: string) {
  return badInput("UNKNOWN_CALLER", [{ in: place, field: "key", reason }]);
}

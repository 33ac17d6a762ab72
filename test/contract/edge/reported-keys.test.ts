import { expect, test } from "vitest";
import { ADMIN_TOKEN, KEY, keyWorld, withKey } from "../../support/edge/key-world.ts";
import { until } from "../../support/until.ts";

/** What users of other gateways have reported of API keys that end, with the right value here. */

type World = ReturnType<typeof keyWorld>;
type Isolate = World["here"];

const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
const status = async (isolate: Isolate, path = "/guarded") => (await isolate(path, withKey())).status;
const lookup = (end: boolean): RequestInit => ({
  method: "POST",
  headers: admin,
  body: JSON.stringify({ key: KEY, end }),
});

/** A key that both isolates take for verified. */
async function verifiedInBoth(): Promise<World> {
  const made = keyWorld();
  await made.here("/keys/x", withKey());
  expect(await status(made.there)).toBe(200);
  return made;
}

test.each<[report: string, right: string, does: (world: World) => Promise<void>]>([
  [
    "TykTechnologies/tyk#2293",
    "an ended key is refused at once, not when a cache expires",
    async ({ here }) => {
      await here("/edge/keys/lookup", lookup(true));
      expect(await status(here)).toBe(401);
    },
  ],
  [
    "TykTechnologies/tyk#2083",
    "and by the other gateways of the cluster soon",
    async ({ here, there, platform }) => {
      await here("/edge/keys/lookup", lookup(true));
      platform.advance(5001);
      expect(await status(there)).toBe(401);
    },
  ],
  [
    "liip/wp-tyk-dev-portal#6",
    "a gateway that still knows a deleted key does not create it again by using it",
    async ({ here, there, another, platform }) => {
      platform.advance(4000);
      await here("/edge/keys/lookup", lookup(true));
      for (let each = 0; each < 3; each += 1) await status(there);
      platform.advance(5001);
      for (const isolate of [there, here, another()]) expect(await status(isolate)).toBe(401);
    },
  ],
  [
    "MystenLabs/MemWal#900",
    "a success that was under way when the key was refused does not verify it again",
    async ({ here, there, another, state, platform, hold }) => {
      const release = hold();
      const asked = state.asked.length;
      const slow = there("/keys/x", withKey());
      await until(() => state.asked.length > asked);
      Object.assign(state, { gate: Promise.resolve(), answer: { status: 401, caller: null } });
      platform.advance(10);
      await here("/keys/x", withKey());
      release();
      await slow;
      for (const isolate of [there, another()]) expect(await status(isolate)).toBe(401);
    },
  ],
  [
    "MystenLabs/MemWal#900, the other way round",
    "a refusal that comes after an acceptance ends the key until the origin accepts it again",
    async ({ here, there, state, platform, hold }) => {
      const release = hold();
      const asked = state.asked.length;
      state.answer = { status: 401, caller: null };
      const slow = there("/keys/x", withKey());
      await until(() => state.asked.length > asked);
      Object.assign(state, { gate: Promise.resolve(), answer: {} });
      platform.advance(10);
      await here("/keys/x", withKey());
      platform.advance(10);
      release();
      await slow;
      expect(await status(there)).toBe(401);
      platform.advance(10);
      await there("/keys/x", withKey());
      expect(await status(there)).toBe(200);
    },
  ],
  [
    "solana-foundation/solana-developer-platform#1214",
    "what was read before the end does not let its request pass after it",
    async ({ another, state }) => {
      const isolate = another();
      const { promise, resolve } = Promise.withResolvers<void>();
      state.replies = promise;
      const early = isolate("/guarded", withKey());
      await until(() => state.held > 0, "Redis has replied to the early one");
      state.replies = Promise.resolve();
      await isolate("/edge/keys/lookup", lookup(true));
      resolve();
      expect((await early).status).toBe(401);
      expect(await status(isolate)).toBe(401);
    },
  ],
  [
    "majiayu000/litellm-rs#959",
    "an end that did not reach the store is no success, and reaches it later",
    async ({ here, there, state, platform }) => {
      state.down = true;
      expect((await here("/edge/keys/lookup", lookup(true))).status).toBe(202);
      state.down = false;
      for (let each = 0; each < 5; each += 1) {
        platform.advance(10_000);
        await here("/elsewhere");
      }
      expect(await status(there)).toBe(401);
    },
  ],
  [
    "wso2/product-apim#9641",
    "a revoked key stays revoked after a restart",
    async ({ here, another }) => {
      await here("/edge/keys/lookup", lookup(true));
      expect(await status(another())).toBe(401);
    },
  ],
  [
    "open-mercato/open-mercato#4034",
    "ending it by its id is as good as by the key",
    async ({ here, another }) => {
      const { key } = JSON.parse((await here("/edge/keys/lookup", lookup(false))).text) as { key: string };
      expect((await here(`/edge/keys/${key}`, { method: "DELETE", headers: admin })).status).toBe(200);
      for (const isolate of [here, another()]) expect(await status(isolate)).toBe(401);
    },
  ],
])("%s: %s", async (_report, _right, does) => {
  await does(await verifiedInBoth());
});

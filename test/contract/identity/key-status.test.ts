import { expect, inject, it } from "vitest";
import {
  type KeyStatus,
  keyStatusArguments,
  keyStatusScript,
  mergedStatus,
  parseKeyStatus,
} from "../../../src/identity/key-status.ts";
import { textIn } from "../../../src/store/replies.ts";
import { dice } from "../../support/dice.ts";
import { freshPrefix } from "../../support/limits.ts";
import { storeOfOwner, storeOnRedis } from "../../support/store.ts";

const USERS = ["ada", "Zoë 🌍", 'quote " and \\', "a b  c", "a\u2028b\u2029c\n", null];

function redis() {
  const { store } = storeOnRedis(inject("upstashUrl"), inject("upstashToken"));
  const key = `{${freshPrefix()}}:v:key`;
  /** Runs the script, and returns its reply and what is stored then. */
  async function merge(status: KeyStatus, always = true) {
    const batch = store.batch();
    const reply = batch.run(keyStatusScript, [key], keyStatusArguments(status, always));
    await batch.send();
    const { stored, seconds } = await read();
    return { reply: textIn(await reply), stored, seconds };
  }
  // The Worker itself needs no TTL, and may not ask for it.
  const owner = storeOfOwner().store;
  async function read() {
    const batch = owner.batch();
    const stored = batch.read(key);
    const seconds = batch.queue((pipeline) => pipeline.ttl(key));
    await batch.send();
    return { stored: await stored, seconds: await seconds };
  }
  async function expire(seconds: number) {
    const batch = owner.batch();
    void batch.queue((pipeline) => pipeline.expire(key, seconds));
    await batch.send();
  }
  return { merge, expire };
}

const end = (endedAt: number): KeyStatus => ({ endedAt, accepted: null });
const accepted = (askedAt: number): KeyStatus => ({
  endedAt: 0,
  accepted: { userId: "ada", tier: null, askedAt },
});

it("the script says what the function says, word by word", async () => {
  const { upTo, pick } = dice(13);
  for (let run = 0; run < 8; run += 1) {
    const { merge } = redis();
    let status: KeyStatus = { endedAt: 0, accepted: null };
    for (let step = 0; step < 8; step += 1) {
      const at = 1_768_478_400_000 + upTo(6);
      const word =
        upTo(2) === 0 ? end(at) : { endedAt: 0, accepted: { userId: pick(USERS), tier: "t", askedAt: at } };
      status = mergedStatus(status, word);
      const { reply, stored } = await merge(word);
      expect(parseKeyStatus(reply)).toEqual(status);
      expect(stored).toBe(reply);
    }
  }
});

it("keeps an end of a key that Redis does not know only where it is told to", async () => {
  const { merge } = redis();
  expect(await merge(end(5), false)).toMatchObject({ reply: "", stored: null });
  expect(await merge(accepted(6), true)).toMatchObject({ stored: '0 6 {"userId":"ada","tier":null}' });
  expect(await merge(end(7), false)).toMatchObject({ stored: "7 0 ", seconds: 300 });
  expect(await redis().merge(end(5), true)).toMatchObject({ stored: "5 0 ", seconds: 300 });
});

it.each<[what: string, word: KeyStatus]>([
  ["a late answer", accepted(4)],
  ["an older end", end(3)],
  ["the same end again", end(5)],
])("%s lets an end live no longer", async (_what, word) => {
  const { merge, expire } = redis();
  await merge(end(5));
  await expire(60);
  expect(await merge(word)).toEqual({ reply: "5 0 ", stored: "5 0 ", seconds: 60 });
  expect(await merge(accepted(6)), "a new answer does").toMatchObject({ seconds: 300 });
});

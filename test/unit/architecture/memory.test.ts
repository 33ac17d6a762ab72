import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { CredentialNames } from "../../../src/http/credential-fields.ts";
import { InFlightFetches } from "../../../src/response-cache/in-flight.ts";
import { Invalidations } from "../../../src/response-cache/invalidations.ts";
import { MemoryEntryStore } from "../../../src/response-cache/memory-entry-store.ts";
import { remembered } from "../../../src/runtime/remembered.ts";
import { testPlatform } from "../../support/platform.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of the heap that are held after `work`. */
async function heldBy(work: () => unknown): Promise<number> {
  collect();
  const before = process.memoryUsage().heapUsed;
  const held = await work();
  collect();
  const after = process.memoryUsage().heapUsed;
  // Alive until here.
  expect(held).toBeDefined();
  return after - before;
}

/** Requests of 16 KB, each with a name that nobody else has. */
const urls = function* () {
  for (let n = 0; n < 900; n += 1)
    yield new URL(`https://edge.example/?a-name-of-request-${n}=1&b=${"x".repeat(16_000)}`);
};

it.each<[what: string, ask: () => unknown]>([
  [
    "a name in a query",
    () => {
      const lengthOf = remembered((text) => text.length);
      for (const { search } of urls()) lengthOf(search.slice(1).split("=", 1)[0] ?? "");
      return lengthOf;
    },
  ],
  [
    "a name that may be a credential's",
    () => {
      const names = new CredentialNames();
      for (const url of urls()) names.hasUnread(new Headers(), url);
      return names;
    },
  ],
])("%s is remembered without the text that it is a part of", async (_, ask) => {
  expect(await heldBy(ask)).toBeLessThan(6_000_000);
});

/** What requests select by that send 512 characters in each of some fields that answers vary by. */
const variants = function* () {
  for (let n = 0; n < 4000; n += 1) yield Buffer.alloc(8000, `variant ${n} `).toString("latin1");
};
const platform = testPlatform();
const withdrawalOf = (variant: string) => ({ variant, vary: ["accept"], id: "1-a", requestTime: 1 });

it.each<[what: string, ask: () => unknown]>([
  [
    "a fetch that goes on",
    () => {
      const fetches = new InFlightFetches(platform);
      for (const variant of variants()) fetches.take(variant);
      return fetches;
    },
  ],
  [
    "an answer that cannot be stored",
    () => {
      const fetches = new InFlightFetches(platform);
      for (const variant of variants()) fetches.uncacheable(variant);
      return fetches;
    },
  ],
  [
    "an answer that was withdrawn",
    () => {
      const memory = new MemoryEntryStore({ platform, bytes: 1000 });
      for (const variant of variants()) memory.withdraw({ key: "k" }, withdrawalOf(variant));
      return memory;
    },
  ],
  [
    "a withdrawal that the store is yet to be told of",
    async () => {
      const memory = new MemoryEntryStore({ platform, bytes: 1000 });
      const shared = { withdraw: () => Promise.reject(new Error("lost")) } as never;
      const invalidations = new Invalidations({ platform, memory, shared });
      const address = { url: "edge.example/", urlHash: "u", key: "k", sharedKey: "k" };
      for (const variant of variants())
        await invalidations.write({} as never, { address, withdrawal: withdrawalOf(variant) }, 1);
      return invalidations;
    },
  ],
])(
  "%s is remembered by no more bytes than it has room for, however much a request selects by",
  async (_, ask) => {
    expect(await heldBy(ask)).toBeLessThan(6_000_000);
  },
);

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { CredentialNames } from "../../../src/http/credential-fields.ts";
import { remembered } from "../../../src/runtime/remembered.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of the heap that are held after `work`. */
function heldBy(work: () => unknown): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const held = work();
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
])("%s is remembered without the text that it is a part of", (_, ask) => {
  expect(heldBy(ask)).toBeLessThan(6_000_000);
});

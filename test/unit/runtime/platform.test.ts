import { describe, expect, it } from "vitest";
import { hex } from "../../../src/runtime/hex.ts";
import { workerPlatform } from "../../../src/runtime/platform.ts";

const { randomBytes } = workerPlatform;

describe("random bytes", () => {
  it.each([0, 1, 16, 1000, 1024, 1025, 5000])("are %i, as many as were asked for", (length) => {
    for (let n = 0; n < 5; n += 1) expect(randomBytes(length)).toHaveLength(length);
  });

  it("are handed out once, whatever lengths are asked for by turns", () => {
    const lengths = [8, 12, 16, 24, 32, 600, 2000];
    const drawn = Array.from({ length: 7000 }, (_, n) => hex(randomBytes(lengths[n % lengths.length] ?? 8)));
    // Eight bytes that are the same twice within so many would come once in some 10⁹ runs.
    const pieces = drawn.flatMap((text) => text.match(/.{16}/g) ?? []);
    expect(new Set(pieces).size).toBe(pieces.length);
  });

  it("are their owner's own: to change them changes no others", () => {
    const first = randomBytes(16);
    const before = hex(first);
    const next = randomBytes(16);
    next.fill(0);
    expect(hex(first)).toBe(before);
    expect(next.buffer.byteLength, "and they keep no more in memory than they are").toBe(16);
  });
});

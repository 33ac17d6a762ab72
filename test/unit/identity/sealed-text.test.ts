import { describe, expect, it } from "vitest";
import { NONCE_BYTES, seal, sealedLength, unseal } from "../../../src/identity/sealed-text.ts";

const SECRET = "session-secret-of-this-test-only-0123";
const mine = { secret: SECRET, context: "es1.payload" };
const nonce = (fill = 7) => new Uint8Array(NONCE_BYTES).fill(fill);

describe("a sealed text", () => {
  it.each(["", "{}", "null", '{"email":"ada@example.org"}', "日本\ud83d\ude00", "\ufeffx", "x".repeat(4000)])(
    "opens to what it was: %.40j",
    async (text) => {
      const sealed = await seal(text, nonce(), mine);
      expect(sealed.length).toBe(sealedLength(new TextEncoder().encode(text).length));
      expect(await unseal(sealed, mine)).toBe(text);
    },
  );

  it("begins with the nonce that was handed in, and shows nothing of the text", async () => {
    const sealed = await seal("ada@example.org", nonce(9), mine);
    expect([...sealed.slice(0, NONCE_BYTES)]).toEqual([...nonce(9)]);
    expect(new TextDecoder("latin1").decode(sealed)).not.toContain("ada");
    expect(await seal("ada@example.org", nonce(8), mine), "two nonces, two texts").not.toEqual(sealed);
  });

  it("does not open under another secret, nor for another context", async () => {
    const sealed = await seal("text", nonce(), mine);
    expect(await unseal(sealed, { ...mine, secret: `${SECRET}x` })).toBeNull();
    expect(await unseal(sealed, { ...mine, context: "es1.other" })).toBeNull();
  });

  it("does not open when any one bit is changed, or a byte is missing or added", async () => {
    const sealed = await seal("text", nonce(), mine);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = sealed.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await unseal(changed, mine), `bit ${bit}`).toBeNull();
    }
    expect(await unseal(sealed.slice(0, -1), mine)).toBeNull();
    expect(await unseal(new Uint8Array([...sealed, 0]), mine)).toBeNull();
    expect(await unseal(new Uint8Array(), mine)).toBeNull();
    expect(await unseal(new Uint8Array(NONCE_BYTES), mine)).toBeNull();
  });

  it("is not made with a nonce of another length", async () => {
    await expect(seal("text", new Uint8Array(11), mine)).rejects.toThrow(RangeError);
  });
});

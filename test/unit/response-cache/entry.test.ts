import { expect, it } from "vitest";
import { bodyOf } from "../../../src/response-cache/body.ts";
import { decodeEntry, type Entry, encodeEntry } from "../../../src/response-cache/entry.ts";

/** No value that the checking batch reads has more bytes (law 9). */
const MAX_BYTES = 128 * 1024;
const BODY = new Uint8Array(60_000);

function entry(padding: string, id = "1790000000000-0123456789abcdef01234567"): Entry {
  const headers: [string, string][] = [
    ["content-type", "image/png"],
    ["x-padding", padding],
  ];
  return {
    id,
    variant: "",
    meta: { status: 200, headers, requestTime: 1, responseTime: 1, vary: [], credentials: false },
    shareable: false,
    tags: [],
    keepUntil: 2,
    body: bodyOf(BODY),
  };
}

/** The length of the value at the URL's address. */
const lengthOf = ({ id }: Entry, text: string) => new TextEncoder().encode(`${id}\n${text}`).length;

async function roomLeft(): Promise<number> {
  const bare = entry("");
  const encoded = await encodeEntry(bare);
  return MAX_BYTES - lengthOf(bare, encoded?.text ?? "");
}

it.each<[what: string, padding: (room: number) => string, inOne: boolean]>([
  ["far below", () => "", true],
  ["a byte below", (room) => "a".repeat(room - 1), true],
  ["exactly as long", (room) => "a".repeat(room), true],
  ["a byte above", (room) => "a".repeat(room + 1), false],
  ["above by what stands before the text", (room) => "a".repeat(room + 39), false],
  ["far above", (room) => "a".repeat(room + 1000), false],
  ["exactly as long, of characters that are escaped", (room) => '"'.repeat(Math.floor(room / 2)), true],
  ["above, of characters that are escaped", (room) => '"'.repeat(Math.floor(room / 2) + 1), false],
  ["exactly as long, of characters of two bytes", (room) => "é".repeat(Math.floor(room / 2)), true],
  ["above, of characters of two bytes", (room) => "é".repeat(Math.floor(room / 2) + 1), false],
])(
  "a value of at most 128 KB holds id, fields and body; else the body is apart: %s",
  async (_, padding, inOne) => {
    const each = entry(padding(await roomLeft()));
    const encoded = await encodeEntry(each);
    expect(lengthOf(each, encoded?.text ?? "")).toBeLessThanOrEqual(MAX_BYTES);
    expect(encoded?.body === null).toBe(inOne);
    expect(decodeEntry(encoded?.text ?? "")?.body.bytes ?? null).toEqual(inOne ? BODY : null);
  },
);

it("what is too long by its fields alone is not stored", async () => {
  expect(await encodeEntry(entry("a".repeat(MAX_BYTES)))).toBeNull();
});

import { brotliCompressSync, crc32, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { inflated, isDecodable } from "../../../src/response-cache/body.ts";
import { decodeEntry } from "../../../src/response-cache/entry.ts";

const bytesOf = (length: number) => new Uint8Array(gzipSync(new Uint8Array(length).fill(120)));
const lying = bytesOf(5_000_000);
// The last four bytes of gzip say how long it is (RFC 1952 §2.3.1): these lie.
new DataView(lying.buffer).setUint32(lying.length - 4, 5000, true);

const VALUES: [what: string, gzip: Uint8Array<ArrayBuffer>, size: number, whole: boolean][] = [
  ["what it says", bytesOf(5000), 5000, true],
  ["nothing, and says so", bytesOf(0), 0, true],
  ["one byte more", bytesOf(5001), 5000, false],
  ["one byte less", bytesOf(4999), 5000, false],
  ["a thousand times as much", bytesOf(5_000_000), 5000, false],
  ["much, with a trailer that lies", lying, 5000, false],
  ["something, and says nothing", bytesOf(1), 0, false],
  ["more than any body has", bytesOf(11_000_000), 11_000_000, false],
  ["half of it", bytesOf(5000).slice(0, 15), 5000, false],
  ["no gzip", new Uint8Array(20), 5000, false],
  ["a broken size", bytesOf(5000), Number.NaN, false],
];

describe("a stored value that inflates to", () => {
  it.each(VALUES)("%s", (_, gzip, size, whole) => {
    expect(inflated(gzip, size) !== null).toBe(whole);
    expect(decodeEntry(text(gzip, size)) !== null).toBe(whole);
  });
});

const plain = new Uint8Array(5000).fill(120);
const brotli = new Uint8Array(brotliCompressSync(plain));
const both = new Uint8Array([...bytesOf(2000), ...bytesOf(3000)]);

describe("a body to be stored, in", () => {
  it.each<[what: string, coding: string | null, bytes: Uint8Array<ArrayBuffer>, decodable: boolean]>([
    ["gzip", "gzip", bytesOf(5000), true],
    ["GZIP", "GZIP", bytesOf(5000), true],
    ["x-gzip", "x-gzip", bytesOf(5000), true],
    ["gzip, twice in a row", "gzip", both, true],
    ["gzip that is none", "gzip", plain, false],
    ["gzip, cut short", "gzip", bytesOf(5000).slice(0, -9), false],
    ["gzip that becomes too long", "gzip", bytesOf(5001), false],
    ["gzip of nothing", "gzip", bytesOf(0), true],
    ["gzip, and without content", "gzip", new Uint8Array(), true],
    ["brotli", "br", brotli, true],
    ["brotli that is none", "br", plain, false],
    ["brotli, cut short", "br", brotli.slice(0, -1), false],
    ["another coding", "x-own", plain, true],
    ["none", null, plain, true],
    ["identity", "identity", plain, true],
  ])("%s", (_, coding, bytes, decodable) => {
    const headers = new Headers(coding === null ? {} : { "content-encoding": coding });
    expect(isDecodable(bytes, headers, 5000)).toBe(decodable);
  });
});

function text(gzip: Uint8Array<ArrayBuffer>, size: number): string {
  const meta = { status: 200, headers: [], requestTime: 1, responseTime: 1, vary: [], credentials: false };
  const head = { v: 4, id: "a", variant: "", meta, shareable: false, tags: [], keepUntil: 2 };
  const line = { ...head, gzip: true, size, sum: crc32(gzip) };
  return `${JSON.stringify(line)}\n${btoa(String.fromCharCode(...gzip))}`;
}

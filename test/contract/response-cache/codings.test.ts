import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Asked, Origin, openCache } from "../../support/cache.ts";

const TEXT = JSON.stringify(Array.from({ length: 300 }, (_, n) => ({ n, name: `row ${n}` })));
const PLAIN = new TextEncoder().encode(TEXT);

/** What the origin sends, by its `Content-Encoding`; null: none. */
const CODINGS: [coding: string | null, bytes: Uint8Array][] = [
  [null, PLAIN],
  ["identity", PLAIN],
  ["gzip", new Uint8Array(gzipSync(PLAIN))],
  ["GZIP", new Uint8Array(gzipSync(PLAIN))],
  ["br", new Uint8Array(brotliCompressSync(PLAIN))],
  ["x-own", Uint8Array.from({ length: 1500 }, (_, n) => (n * 7) & 255)],
];
const CLIENTS = [null, "identity", "gzip", "br, gzip", "gzip;q=0", "*"];
const VALIDATORS: Record<string, string>[] = [
  { etag: '"strong"' },
  { etag: 'W/"weak"' },
  { "last-modified": "Tue, 07 Apr 2020 12:00:00 GMT" },
  {},
];
const LIFETIME = "max-age=60, stale-if-error=600";

/** Of one answer, what a client goes by. */
const NAMES = ["content-encoding", "content-type", "content-length", "etag", "last-modified", "vary"];
const shown = ({ status, headers }: Asked) => ({
  status,
  ...Object.fromEntries([...NAMES, "accept-ranges"].map((name) => [name, headers.get(name)])),
});

type Isolate = ReturnType<typeof openCache>;
/** How an answer comes out of the cache after its miss: what it says of itself, and who gives it. */
const TIERS: [word: string, tier: string, next: (first: Isolate) => Isolate][] = [
  ["HIT", "the isolate", (first) => first],
  ["HIT", "Redis", (first) => another(first)],
  [
    "REVALIDATED",
    "the isolate, after a 304",
    (first) => {
      first.platform.advance(61_000);
      return first;
    },
  ],
  [
    "REVALIDATED",
    "Redis, after a 304",
    (first) => {
      first.platform.advance(61_000);
      return another(first);
    },
  ],
  [
    "STALE",
    "the isolate, in place of an error",
    (first) => {
      first.platform.advance(61_000);
      first.origin.answer = () => "down";
      return first;
    },
  ],
];

const another = ({ origin, platform, prefix }: Isolate) => openCache({ origin, platform, prefix });

function speaks(coding: string | null, bytes: Uint8Array, fields: Record<string, string>) {
  const all = {
    "cache-control": LIFETIME,
    "content-type": "application/json",
    ...(coding !== null && { "content-encoding": coding }),
    ...fields,
  };
  return new Origin(({ headers }) => {
    const conditional = headers.has("if-none-match") || headers.has("if-modified-since");
    if (conditional) return new Response(null, { status: 304, headers: all });
    return new Response(bytes, { headers: all, encodeBody: "manual" });
  });
}

describe.each(TIERS)("%s by %s is what the miss was", (word, _, next) => {
  it.each(CODINGS)("in coding %j, whoever asks, whatever validates it", async (coding, bytes) => {
    for (const [at, client] of CLIENTS.entries()) {
      // Half of the origins say more.
      const more: Record<string, string> =
        at % 2 === 0 ? {} : { vary: "Accept-Encoding", "accept-ranges": "none" };
      const headers = client === null ? {} : { "accept-encoding": client };
      for (const validator of VALIDATORS) {
        const what = JSON.stringify([coding, client, validator, more]);
        const isValidated = Object.keys(validator).length > 0;
        const first = openCache({
          origin: speaks(coding, bytes, { ...validator, ...more, "content-length": String(bytes.length) }),
        });
        const miss = await first.ask("/v1/x", { headers });
        const again = await next(first).ask("/v1/x", { headers });
        const expected = word === "REVALIDATED" && !isValidated ? "MISS" : word;
        expect([miss.word, again.word], what).toEqual(["MISS", expected]);
        expect(shown(again), what).toEqual(shown(miss));
        expect(again.bytes, what).toEqual(miss.bytes);
        expect(miss.bytes, "and the miss is what the origin sent").toEqual(bytes);
      }
    }
  });
});

describe("a Range of what is stored", () => {
  const headers = { range: "bytes=10-19" };
  it.each<[coding: string | null, ranges: string | null, status: number]>([
    [null, null, 206],
    [null, "bytes", 206],
    [null, "none", 200],
    ["identity", null, 206],
    // A part of coded bytes is nothing that a proxy on the way, or a client, can decode.
    ["gzip", null, 200],
    ["br", "bytes", 200],
    ["x-own", null, 200],
  ])("in coding %j, where the origin says Accept-Ranges: %j: %i", async (coding, ranges, status) => {
    const bytes = CODINGS.find(([name]) => name === coding)?.[1] ?? PLAIN;
    const fields = { etag: '"strong"', ...(ranges !== null && { "accept-ranges": ranges }) };
    const first = openCache({ origin: speaks(coding, bytes, fields) });
    await first.ask("/v1/x");
    for (const isolate of [first, another(first)]) {
      const part = await isolate.ask("/v1/x", { headers });
      expect([part.word, part.status]).toEqual(["HIT", status]);
      expect(part.bytes).toEqual(status === 206 ? bytes.slice(10, 20) : bytes);
      expect(part.headers.get("accept-ranges")).toBe(ranges);
      expect(part.headers.get("etag"), "as strong as it was").toBe('"strong"');
    }
  });
});

it("a server whose tag is weak for what it compresses, and strong in its 304, is asked once for a validation", async () => {
  const bytes = new Uint8Array(gzipSync(PLAIN));
  const fields = { "cache-control": LIFETIME, "content-encoding": "gzip", etag: 'W/"a"' };
  const origin = new Origin(({ headers }) =>
    headers.get("if-none-match") === 'W/"a"'
      ? new Response(null, { status: 304, headers: { "cache-control": LIFETIME, etag: '"a"' } })
      : new Response(bytes, { headers: fields, encodeBody: "manual" }),
  );
  const first = openCache({ origin });
  await first.ask("/v1/x");
  for (const isolate of [first, another(first)]) {
    isolate.platform.advance(61_000);
    const asked = origin.count;
    const reply = await isolate.ask("/v1/x");
    expect([reply.word, reply.status, reply.headers.get("etag")]).toEqual(["REVALIDATED", 200, 'W/"a"']);
    expect(reply.bytes).toEqual(bytes);
    expect(origin.count - asked).toBe(1);
  }
});

it("a part has the digest of the whole representation, and not that of the content as it was stored (RFC 9530)", async () => {
  const digests = { "content-digest": "sha-256=:AA==:", "content-md5": "AA==" };
  const ofTheWhole = { "repr-digest": "sha-256=:AA==:", digest: "sha-256=AA==" };
  const first = openCache({ origin: speaks(null, PLAIN, { ...digests, ...ofTheWhole, etag: '"strong"' }) });
  await first.ask("/v1/x");
  for (const isolate of [first, another(first)]) {
    const part = await isolate.ask("/v1/x", { headers: { range: "bytes=10-19" } });
    expect(part.status).toBe(206);
    for (const name of Object.keys(digests)) expect(part.headers.get(name), name).toBeNull();
    for (const [name, value] of Object.entries(ofTheWhole)) expect(part.headers.get(name)).toBe(value);
    const whole = await isolate.ask("/v1/x");
    for (const [name, value] of Object.entries(digests)) expect(whole.headers.get(name)).toBe(value);
  }
});

it("a HEAD tells what the GET would be", async () => {
  for (const [coding, bytes] of CODINGS) {
    const first = openCache({ origin: speaks(coding, bytes, { etag: '"a"' }) });
    await first.ask("/v1/x");
    for (const isolate of [first, another(first)]) {
      const [get, head] = [await isolate.ask("/v1/x"), await isolate.ask("/v1/x", { method: "HEAD" })];
      expect(shown(head), String(coding)).toEqual(shown(get));
      expect(head.bytes.length).toBe(0);
    }
  }
});

it("a tag that something on the way has made weak is the client's own all the same", async () => {
  const first = openCache({ origin: speaks("gzip", CODINGS[2]?.[1] ?? PLAIN, { etag: '"a"' }) });
  await first.ask("/v1/x");
  for (const tag of ['"a"', 'W/"a"']) {
    const reply = await first.ask("/v1/x", { headers: { "if-none-match": tag } });
    expect([reply.status, reply.headers.get("etag")]).toEqual([304, '"a"']);
  }
});

it("what must not be transformed is stored as it came, coding and all (RFC 9110 §7.7)", async () => {
  for (const [coding, bytes] of CODINGS) {
    const fields = { "cache-control": "max-age=60, no-transform" };
    const first = openCache({ origin: speaks(coding, bytes, fields) });
    await first.ask("/v1/x");
    const hit = await another(first).ask("/v1/x");
    expect([hit.word, hit.bytes]).toEqual(["HIT", bytes]);
  }
});

describe("an origin that chooses a coding", () => {
  /** It names the coding's variants by one and the same tag, as many do. */
  const choosing = (vary: string | null) =>
    new Origin(({ headers }) => {
      const fields = { "cache-control": "max-age=60", etag: '"same"', ...(vary && { vary }) };
      if (headers.get("if-none-match")?.includes('"same"'))
        return new Response(null, { status: 304, headers: fields });
      const gzip = /gzip/.test(headers.get("accept-encoding") ?? "");
      if (!gzip) return new Response(PLAIN, { headers: fields });
      const coded = { ...fields, "content-encoding": "gzip" };
      return new Response(gzipSync(PLAIN), { headers: coded, encodeBody: "manual" });
    });

  it.each([["Accept-Encoding"], [null]])(
    "and says Vary: %j never has its gzip given to who cannot read it",
    async (vary) => {
      const first = openCache({ origin: choosing(vary) });
      await first.ask("/v1/x", { headers: { "accept-encoding": "gzip" } });
      for (const isolate of [first, another(first)]) {
        for (const headers of [{}, { "accept-encoding": "identity" }, { "accept-encoding": "br" }]) {
          const reply = await isolate.ask("/v1/x", { headers });
          expect([reply.text, reply.headers.get("content-encoding")]).toEqual([TEXT, null]);
        }
        // Where nothing is said of the choice, what is not coded is for everybody.
        const reply = await isolate.ask("/v1/x", { headers: { "accept-encoding": "gzip" } });
        expect([reply.word, reply.headers.get("content-encoding")]).toEqual(["HIT", vary && "gzip"]);
      }
    },
  );
});

it.each([
  ["gzip", "not gzip!"],
  ["br", "\u0001\u0002 nor brotli"],
])("what says %s and is none is passed on as it came, and not stored", async (coding, text) => {
  for (const length of [{ "content-length": String(text.length) }, {}]) {
    const bytes = new TextEncoder().encode(text);
    const { ask, cache } = openCache({ origin: speaks(coding, bytes, length as Record<string, string>) });
    for (let n = 0; n < 2; n += 1) expect(await ask("/v1/x")).toMatchObject({ word: "MISS", bytes });
    expect(cache.sizes.urls).toBe(0);
  }
});

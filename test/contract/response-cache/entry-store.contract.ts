import { beforeEach, describe, expect, it } from "vitest";
import { bodyOf } from "../../../src/response-cache/body.ts";
import type { Entry } from "../../../src/response-cache/entry.ts";
import type {
  EntryAddress,
  EntryQuery,
  EntryStore,
  Finding,
} from "../../../src/response-cache/entry-store.ts";
import { SelectingFields } from "../../../src/response-cache/selecting-fields.ts";
import type { Batch } from "../../../src/store/batch.ts";
import { hashOf } from "../../support/limits.ts";
import { type TestPlatform, testPlatform } from "../../support/platform.ts";

export interface OpenedEntryStore {
  entries: EntryStore;
  /** A batch of the store's network; one that is sent to nowhere where there is none. */
  batch(): Batch;
}

const URL_TEXT = "edge.example/v1/x";
const EVERYBODYS: EntryAddress = { url: URL_TEXT, urlHash: "u", key: "u", sharedKey: "u" };
const ANOTHER: EntryAddress = { url: "edge.example/v1/y", urlHash: "y", key: "y", sharedKey: "y" };
/** A caller's own entries of the same URL. */
const ADAS: EntryAddress = { ...EVERYBODYS, key: "ada" };

/** What every store of entries does, wherever it keeps them. */
export function entryStoreContract(name: string, open: (platform: TestPlatform) => OpenedEntryStore): void {
  describe(name, () => {
    let platform: TestPlatform;
    let opened: OpenedEntryStore;
    let count: number;
    beforeEach(() => {
      platform = testPlatform({ fetch: (input, init) => fetch(input, init) });
      opened = open(platform);
      count = 0;
    });

    async function selectingBy(fields: Record<string, string>): Promise<SelectingFields> {
      const selecting = new SelectingFields(new Headers(fields), async (kind, text) =>
        hashOf(`${kind}:${text}`),
      );
      await selecting.hide();
      return selecting;
    }

    /** An answer to a request with these fields, which varies by `vary`. */
    async function entry(
      fields: Record<string, string> = {},
      vary: string[] = [],
      over: Partial<Entry> & { etag?: string; credentials?: boolean } = {},
    ): Promise<Entry> {
      count += 1;
      const { etag, credentials = false, ...rest } = over;
      const selecting = await selectingBy(fields);
      const now = platform.now();
      return {
        variant: selecting.variant(vary),
        id: `id-${count}`,
        meta: {
          status: 200,
          headers: [["x-n", String(count)], ["date", new Date(now).toUTCString()], ...etagField(etag)],
          requestTime: now,
          responseTime: now,
          vary,
          credentials,
        },
        shareable: false,
        tags: ["one", "two"],
        keepUntil: now + 60_000,
        body: bodyOf(Uint8Array.from(new TextEncoder().encode(`body ${count}`))),
        ...rest,
      };
    }

    async function put(address: EntryAddress, each: Entry, isNew = false): Promise<Entry> {
      const batch = opened.batch();
      await opened.entries.put(address, each, isNew, batch);
      await batch.send();
      return each;
    }

    async function find(
      address: EntryAddress,
      fields: Record<string, string> = {},
      over: Partial<EntryQuery> = {},
    ): Promise<Finding> {
      const selecting = await selectingBy(fields);
      const query = { selecting, heldId: null, purgesSince: null, changesSince: "-inf", ...over };
      const batch = opened.batch();
      const finding = Promise.resolve(opened.entries.find(address, query, batch));
      await batch.send();
      return finding;
    }

    async function variant(address: EntryAddress, variantName: string): Promise<Entry | null> {
      const batch = opened.batch();
      const reading = Promise.resolve(opened.entries.variant(address, variantName, batch));
      await batch.send();
      return reading;
    }

    async function invalidate(address: EntryAddress, at: { hard: number; soft: number }): Promise<void> {
      const batch = opened.batch();
      const done = Promise.resolve(opened.entries.invalidate(address, at, batch));
      await batch.send();
      await done;
    }

    const idIn = (finding: Finding) => (finding.kind === "entry" ? finding.entry.id : finding.kind);

    it("finds nothing where nothing is", async () => {
      expect(await find(EVERYBODYS)).toEqual({
        kind: "nothing",
        others: [],
        invalidatedAt: { hard: 0, soft: 0 },
        purges: [],
      });
      expect(await variant(EVERYBODYS, "any")).toBeNull();
    });

    it.each([[true], [false]])("gives back what was put, whole (new: %j)", async (isNew) => {
      const bytes = Uint8Array.from({ length: 5000 }, (_, index) => (index * 31 + (index >> 8)) & 255);
      const { body: _, ...stored } = await put(
        EVERYBODYS,
        await entry({}, [], { body: bodyOf(bytes), shareable: true }),
        isNew,
      );
      const finding = await find(EVERYBODYS);
      if (finding.kind !== "entry") throw new Error(finding.kind);
      const { body, ...found } = finding.entry;
      expect(found).toEqual(stored);
      expect(body.bytes).toEqual(bytes);
      expect(finding.others).toEqual([]);
    });

    it("keeps addresses apart: other URLs, and a caller's own entries", async () => {
      const mine = await put(ADAS, await entry());
      expect(idIn(await find(ANOTHER))).toBe("nothing");
      expect(idIn(await find(EVERYBODYS))).toBe("nothing");
      expect(idIn(await find(ADAS))).toBe(mine.id);
    });

    it("replaces a variant by a newer one, and does not send what the caller holds", async () => {
      const old = await put(EVERYBODYS, await entry());
      const now = await put(EVERYBODYS, await entry());
      expect(idIn(await find(EVERYBODYS, {}, { heldId: old.id }))).toBe(now.id);
      expect(idIn(await find(EVERYBODYS, {}, { heldId: now.id }))).toBe("same");
    });

    it("selects by the fields of the request, however lists are written; a missing field is its own value", async () => {
      const by = ["accept-language", "x-a"];
      const german = await put(EVERYBODYS, await entry({ "accept-language": "de, en", "x-a": "1" }, by));
      const without = await put(EVERYBODYS, await entry({ "accept-language": "de, en" }, by));
      expect(idIn(await find(EVERYBODYS, { "accept-language": "DE,en", "x-a": "1" }))).toBe(german.id);
      expect(idIn(await find(EVERYBODYS, { "accept-language": "de, en" }))).toBe(without.id);
      expect(idIn(await find(EVERYBODYS, { "accept-language": "fr" }))).toBe("other-variants");
    });

    it("selects by secrets and long values, which it gets as their hashes", async () => {
      const long = "x".repeat(3000);
      const mine = await put(EVERYBODYS, await entry({ cookie: "sid=a" }, ["cookie"]));
      const another = await put(ANOTHER, await entry({ "x-long": long }, ["x-long"]));
      expect(idIn(await find(EVERYBODYS, { cookie: "sid=a" }))).toBe(mine.id);
      expect(idIn(await find(EVERYBODYS, { cookie: "sid=b" }))).toBe("other-variants");
      expect(idIn(await find(ANOTHER, { "x-long": long }))).toBe(another.id);
      expect(idIn(await find(ANOTHER, { "x-long": `${long}x` }))).toBe("other-variants");
    });

    it("finds variants of several sets of fields", async () => {
      const byA = await put(EVERYBODYS, await entry({ "x-a": "1" }, ["x-a"]));
      const byBoth = await put(EVERYBODYS, await entry({ "x-b": "1" }, ["x-a", "x-b"]));
      expect(idIn(await find(EVERYBODYS, { "x-a": "1", "x-b": "7" }))).toBe(byA.id);
      expect(idIn(await find(EVERYBODYS, { "x-b": "1" }))).toBe(byBoth.id);
    });

    it("keeps the 32 newest variants of an address", async () => {
      for (let n = 0; n < 34; n += 1) await put(EVERYBODYS, await entry({ "x-a": String(n) }, ["x-a"]));
      const kinds = await Promise.all(
        [1, 2, 33].map(async (n) => (await find(EVERYBODYS, { "x-a": String(n) })).kind),
      );
      expect(kinds).toEqual(["other-variants", "entry", "entry"]);
    });

    it("tells of other variants by strong tags, of nobody's credentials, and reads one by its name", async () => {
      const tagged = await entry({ accept: "1" }, ["accept"], { etag: '"one"' });
      await put(EVERYBODYS, tagged);
      await put(EVERYBODYS, await entry({ accept: "2" }, ["accept"], { etag: '"two"', shareable: true }));
      await put(EVERYBODYS, await entry({ accept: "3" }, ["accept"], { etag: 'W/"weak"' }));
      await put(EVERYBODYS, await entry({ accept: "4" }, ["accept"], { etag: '"hers"', credentials: true }));
      await put(EVERYBODYS, await entry({ accept: "5" }, ["accept"], { etag: `"${"x".repeat(200)}"` }));
      await put(EVERYBODYS, await entry({ accept: "6" }, ["accept"]));
      // Readers by a field of the API's own may share a tag.
      await put(EVERYBODYS, await entry({ "x-a": "7" }, ["x-a"], { etag: '"reader"' }));
      await put(EVERYBODYS, await entry({ "x-a": "7" }, ["accept", "x-a"], { etag: '"other-reader"' }));
      const { others } = await find(EVERYBODYS, { accept: "none" });
      const told = others.map(({ tag, shareable }) => `${tag} ${shareable}`);
      expect(told.sort()).toEqual(['"one" false', '"two" true']);
      const one = others.find(({ tag }) => tag === '"one"');
      expect((await variant(EVERYBODYS, one?.name ?? ""))?.id).toBe(tagged.id);
      const selected = await find(EVERYBODYS, { accept: "1" });
      expect(
        selected.others.map(({ tag }) => tag),
        "the selected one is no other",
      ).toEqual(['"two"']);
    });

    it("tells when a URL was invalidated, the later of two times, and leaves the entry to the caller", async () => {
      const each = await put(EVERYBODYS, await entry());
      await invalidate(EVERYBODYS, { hard: 2000, soft: 0 });
      await invalidate(EVERYBODYS, { hard: 1000, soft: 0 });
      await invalidate(EVERYBODYS, { hard: 0, soft: 3000 });
      const finding = await find(EVERYBODYS);
      expect(finding.invalidatedAt).toEqual({ hard: 2000, soft: 3000 });
      expect(idIn(finding)).toBe(each.id);
      expect((await find(ANOTHER)).invalidatedAt, "another URL").toEqual({ hard: 0, soft: 0 });
    });

    it("tells so of every audience's entries", async () => {
      await put(ADAS, await entry());
      await invalidate(EVERYBODYS, { hard: 2000, soft: 0 });
      expect(await find(ADAS)).toMatchObject({ kind: "entry", invalidatedAt: { hard: 2000 } });
    });

    it("tells so where nothing is stored yet, for a while", async () => {
      await invalidate(EVERYBODYS, { hard: platform.now(), soft: 0 });
      const { kind, invalidatedAt, purges } = await find(EVERYBODYS, {}, { purgesSince: "-inf" });
      expect(kind).toBe("nothing");
      expect(invalidatedAt.hard === platform.now() || purges.includes("hu")).toBe(true);
    });

    it("keeps the time of an invalidation when a newer entry is put", async () => {
      await put(EVERYBODYS, await entry());
      await invalidate(EVERYBODYS, { hard: 2000, soft: 0 });
      await put(EVERYBODYS, await entry());
      expect((await find(EVERYBODYS)).invalidatedAt.hard).toBe(2000);
    });
  });
}

function etagField(etag: string | undefined): [string, string][] {
  return etag === undefined ? [] : [["etag", etag]];
}

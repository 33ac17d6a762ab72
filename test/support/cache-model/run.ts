import type { OriginFetch, OriginReply } from "../../../src/request/origin-reply.ts";
import { ageRedis } from "../age-redis.ts";
import { type Asked, type AskOptions, type CacheIsolate, Origin, openCache } from "../cache.ts";
import { ISOLATES, type Language, type Operation, type Scheme } from "./operations.ts";

/** A client saw something that the model excludes. */
class Violation extends Error {
  override readonly name = "Violation";
}

/** What an answer of the origin says of itself. */
interface Told {
  n: number;
  /** When it was asked for, ms since the epoch. */
  at: number;
  varies: boolean;
  language: Language;
  scheme: Scheme;
}

/** Something ended what was asked for up to a time: all answers of the URL, or those of one variant. */
interface End {
  at: number;
  by: CacheIsolate;
  what: string;
  /** When Redis was told, ms since the epoch; not yet. */
  settledAt: number | null;
  reaches(told: Told): boolean;
}

const MAX_AGE_MS = 5000;
/** `Date` tells answers of one second not apart, where a request selects two. */
const DATE_MS = 1000;

/** Runs operations, and compares what clients get with what they may get. @throws Violation */
export async function runCacheModel(operations: readonly Operation[]): Promise<void> {
  const run = new CacheModelRun();
  for (const operation of operations) {
    // No two things in the same millisecond.
    run.platform.advance(1);
    await run.apply(operation);
  }
  await run.finish();
}

/** Answers with what was so when it was asked, however late the answer arrives. */
class TellingOrigin extends Origin {
  varies = false;
  gone = false;
  made = 0;
  gateOfNext: Promise<void> | null = null;
  readonly #now: () => number;

  constructor(now: () => number) {
    super(() => "down");
    this.#now = now;
  }

  override fetchFor(method: string, url: string): OriginFetch {
    return {
      repeatable: true,
      fetch: async (headers, { method: as = method } = {}): Promise<OriginReply> => {
        const response = this.#answer(as, url, headers);
        const gate = this.gateOfNext;
        this.gateOfNext = null;
        await gate;
        return { kind: "response", response };
      },
    };
  }

  #answer(method: string, url: string, headers: Headers): Response {
    if (method === "POST") return new Response("written");
    const language = headers.get("accept-language") as Language;
    if (this.gone) return new Response("gone", { status: 410, headers: { "cache-control": "no-store" } });
    this.made += 1;
    const { varies, made: n } = this;
    const told: Told = { n, at: this.#now(), varies, language, scheme: new URL(url).protocol as Scheme };
    const fields = {
      "cache-control": "max-age=300",
      "cache-tag": "page",
      date: new Date(this.#now()).toUTCString(),
      ...(varies && { vary: "accept-language" }),
    };
    if (method === "HEAD") return new Response(null, { headers: { ...fields, "content-length": "1" } });
    return new Response(JSON.stringify(told), { headers: fields });
  }
}

class CacheModelRun {
  readonly #origin = new TellingOrigin(() => this.platform.now());
  readonly #isolates: CacheIsolate[] = [];
  #ends: End[] = [];
  /** The newest answer that an isolate has stored and told Redis of, or served, for each scheme and language. */
  #seen = new Map<CacheIsolate | "Redis", Map<string, Told>>();
  readonly #slow: { arrive(): Promise<void> }[] = [];
  readonly #kept: (() => Promise<void>)[] = [];

  constructor() {
    const first = openCache({ origin: this.#origin });
    this.#isolates.push(first);
    while (this.#isolates.length < ISOLATES) this.#isolates.push(this.#open(first));
  }

  get platform() {
    return this.#first.platform;
  }

  get #first(): CacheIsolate {
    return this.#isolate(0);
  }

  #isolate(at: number): CacheIsolate {
    const isolate = this.#isolates[at % this.#isolates.length];
    if (!isolate) throw new Error("There is no isolate");
    return isolate;
  }

  #open({ platform, prefix }: CacheIsolate): CacheIsolate {
    return openCache({ origin: this.#origin, platform, prefix });
  }

  async apply(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case "get":
        return this.#get(operation);
      case "slow":
        return this.#startSlowly(operation);
      case "arrive":
        return this.#take(this.#slow, operation.which)?.arrive();
      case "finish":
        return this.#take(this.#kept, operation.which)?.();
      case "write":
        return this.#write(operation);
      case "purge":
        return this.#purge(operation);
      case "withdraw":
      case "head":
        return this.#disown(operation);
      case "vary":
        this.#origin.varies = operation.on;
        return;
      default:
        return this.#pass(operation.ms);
    }
  }

  /** All that is under way ends, and then everybody asks once more. */
  async finish(): Promise<void> {
    for (const { arrive } of this.#slow.splice(0).reverse()) await arrive();
    for (const finish of this.#kept.splice(0).reverse()) await finish();
    await this.#pass(5010);
    for (const language of ["de", "en"] as const) {
      for (const scheme of ["https:", "http:"] as const) {
        const asked = { kind: "get" as const, at: 0, language, scheme };
        await this.#get({ ...asked, how: "fresh" });
        for (let at = 0; at < ISOLATES; at += 1) await this.#get({ ...asked, at, how: "usual" });
      }
    }
  }

  async #pass(ms: number): Promise<void> {
    this.platform.advance(ms);
    await ageRedis(this.#first.prefix, ms);
  }

  #take<Item>(list: Item[], which: number): Item | undefined {
    return list.splice(which % Math.max(1, list.length), 1)[0];
  }

  #ask(isolate: CacheIsolate, { scheme, language }: Request, over: AskOptions = {}): Promise<Asked> {
    // Who accepts events waits for nobody's fetch.
    const headers = { accept: "text/event-stream", "accept-language": language, ...over.headers };
    return isolate.ask(`${scheme}//edge.example/p`, { ...over, headers });
  }

  async #get(operation: Extract<Operation, { kind: "get" }>): Promise<void> {
    const { how, at } = operation;
    const isolate = how === "fresh" ? this.#open(this.#first) : this.#isolate(at);
    const began = this.platform.now();
    const headers: Record<string, string> = how === "no-cache" ? { "cache-control": "no-cache" } : {};
    const answer = await this.#ask(isolate, operation, { headers, unsettled: how === "kept" });
    this.#check(isolate, operation, answer, began, how === "fresh");
    const stored = () => this.#note(isolate, operation, answer);
    if (how !== "kept") return stored();
    this.#kept.push(async () => {
      await answer.settle();
      stored();
    });
  }

  async #startSlowly(operation: Request & { at: number }): Promise<void> {
    const isolate = this.#isolate(operation.at);
    const { promise, resolve } = Promise.withResolvers<void>();
    const { made } = this.#origin;
    this.#origin.gateOfNext = promise;
    const asking = this.#ask(isolate, operation, { headers: { "cache-control": "no-cache" } });
    while (this.#origin.made === made) await new Promise((go) => setTimeout(go, 1));
    this.#slow.push({
      arrive: async () => {
        resolve();
        this.#note(isolate, operation, await asking);
      },
    });
  }

  async #write({ at, scheme, language, kept }: Request & { at: number; kept: boolean }): Promise<void> {
    const isolate = this.#isolate(at);
    const answer = await this.#ask(isolate, { scheme, language }, { method: "POST", unsettled: true });
    const end = this.#end(isolate, `a write by ${scheme}`, () => true);
    const settle = async () => {
      await answer.settle();
      end.settledAt = this.platform.now();
    };
    if (kept) this.#kept.push(settle);
    else await settle();
  }

  async #purge({ at, what, soft }: Extract<Operation, { kind: "purge" }>): Promise<void> {
    const isolate = this.#isolate(at);
    const files = ["https:", "http:"].map((scheme) => new URL(`${scheme}//edge.example/p`));
    await isolate.cache.purge({
      files: what === "url" ? files : [],
      prefixes: [],
      tags: what === "tag" ? ["page"] : [],
      everything: what === "everything",
      soft,
    });
    // What is stale by a soft one may not be served either: the origin allows it nowhere.
    this.#end(isolate, `a purge of ${what}`, () => true).settledAt = this.platform.now();
  }

  /** Only where something is stored for the request: nothing else can be withdrawn. */
  async #disown(operation: Request & { kind: "withdraw" | "head"; at: number }): Promise<void> {
    const isolate = this.#isolate(operation.at);
    const began = this.platform.now();
    const held = await this.#ask(isolate, operation);
    this.#check(isolate, operation, held, began, false);
    this.#note(isolate, operation, held);
    if (held.word !== "HIT") return;
    const told = JSON.parse(held.text) as Told;
    this.platform.advance(1);
    const isHead = operation.kind === "head";
    this.#origin.gone = !isHead;
    const headers = { "cache-control": "no-cache" };
    const asked = this.platform.now();
    await this.#ask(isolate, operation, { headers, ...(isHead && { method: "HEAD" }) });
    this.#origin.gone = false;
    const isSameVariant = (each: Told) =>
      each.scheme === told.scheme &&
      each.varies === told.varies &&
      (!told.varies || each.language === told.language);
    const end = this.#end(isolate, operation.kind, isHead ? () => true : isSameVariant);
    end.at = asked;
    end.settledAt = this.platform.now();
    // The variant beside the one that is gone may be older than it was.
    this.#seen = new Map();
  }

  #end(by: CacheIsolate, what: string, reaches: End["reaches"]): End {
    const end: End = { at: this.platform.now(), by, what, settledAt: null, reaches };
    this.#ends.push(end);
    return end;
  }

  /** What an isolate has now stored, and Redis. */
  #note(isolate: CacheIsolate, { language, scheme }: Request, { text, word }: Asked): void {
    if (word !== "HIT" && word !== "MISS") return;
    const told = JSON.parse(text) as Told;
    for (const where of [isolate, "Redis"] as const) {
      const seen = this.#seen.get(where) ?? new Map<string, Told>();
      this.#seen.set(where, seen);
      const name = `${scheme} ${language}`;
      if ((seen.get(name)?.at ?? 0) < told.at) seen.set(name, told);
    }
  }

  #check(
    isolate: CacheIsolate,
    { language, scheme }: Request,
    { text, word }: Asked,
    began: number,
    fresh: boolean,
  ): void {
    if (word !== "HIT") return;
    const told = JSON.parse(text) as Told;
    const fail = (why: string) => {
      throw new Violation(`${JSON.stringify(told)} at ${began}${fresh ? ", fresh" : ""}: ${why}`);
    };
    if (told.scheme !== scheme || (told.varies && told.language !== language))
      fail(`it is another's than ${scheme} ${language}`);
    for (const { at, by, what, settledAt, reaches } of this.#ends) {
      if (told.at > at || !reaches(told)) continue;
      const wait = by === isolate || fresh ? 0 : MAX_AGE_MS;
      const known = by === isolate ? at : settledAt;
      if (known !== null && began > known + wait)
        fail(`${what} at ${at}, known since ${known}, has ended it`);
    }
    const newer = this.#seen.get(fresh ? "Redis" : isolate)?.get(`${scheme} ${language}`);
    const margin = newer?.varies === told.varies ? 1 : DATE_MS;
    if (newer && newer.at - margin >= told.at && !this.#isEnded(newer))
      fail(`a newer one was stored: ${JSON.stringify(newer)}`);
  }

  /** What is ended may be followed by whatever else is stored. */
  #isEnded(told: Told): boolean {
    return this.#ends.some(({ at, reaches }) => told.at <= at && reaches(told));
  }
}

type Request = { language: Language; scheme: Scheme };

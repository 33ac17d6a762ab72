import type { Events } from "../events/events.ts";
import { prefixSpellings } from "../http/url-spelling.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { Changes } from "./changes.ts";
import type { Entry } from "./entry.ts";
import type { EntryAddress, EntryStore, Finding, InvalidatedAt } from "./entry-store.ts";
import { type Invalidation, Invalidations, type VariantWithdrawal } from "./invalidations.ts";
import type { MemoryEntryStore } from "./memory-entry-store.ts";
import { type LatestPurges, PurgeLog } from "./purge-log.ts";
import { EVERYTHING, MAX_AT_ONCE, type Purge, type PurgeStatus } from "./purge-times.ts";
import { contentTimeOf } from "./rules/stored.ts";
import { UserEnds } from "./user-ends.ts";

export interface PurgeRequest {
  files: URL[];
  /** `host/path/`. */
  prefixes: string[];
  /** Lower case. */
  tags: string[];
  /** Ids of users whose own entries end. Default none. */
  users?: readonly string[];
  everything: boolean;
  soft: boolean;
}

export type PurgeOutcome = "everywhere" | "isolate" | "too many";

export interface WithdrawalsOptions {
  store: Store;
  keys: Keys;
  platform: Pick<Platform, "now">;
  events: Events;
  memory: MemoryEntryStore;
  /** The store that all isolates share; null where entries stay in the isolate. */
  shared: EntryStore | null;
  /** Most ms since the purge log was last read for which the isolate may answer alone. */
  isolateMaxAgeMs: number;
  /** The addresses of everybody's entries of a URL, one for each spelling that it may be stored under. */
  addressesOf(url: URL): Promise<EntryAddress[]>;
  /** The hash that stands for a user. */
  userHash(id: string): Promise<string>;
  /** Those of the environment's other caches, of other middlewares: what takes effect here does there. Default none. */
  peers?: Set<Withdrawals>;
}

/** All that takes stored entries out of use: purges by an operator, invalidations by requests, the origin (law 13). */
export class Withdrawals {
  readonly #options: WithdrawalsOptions;
  readonly #purges = new PurgeLog();
  readonly #invalidations: Invalidations;
  readonly #userEnds: UserEnds;
  readonly #changes: Changes;
  #purgesReadAt = Number.NEGATIVE_INFINITY;

  constructor(options: WithdrawalsOptions) {
    const { store, keys, platform, shared } = options;
    this.#options = options;
    this.#changes = new Changes(store.longestCallMs);
    this.#invalidations = new Invalidations(options);
    this.#userEnds = new UserEnds({ ...options, forgotten: (at) => this.#purges.add([EVERYTHING], at) });
    options.peers?.add(this);
    if (!shared) return;
    store.onRecovery((batch) => this.#purges.rewrite(platform.now(), keys, batch));
    store.onRecovery((batch) => this.#invalidations.replay(batch));
    store.onRecovery((batch) => this.#userEnds.replay(batch));
  }

  /** Purges that the isolate knows of. */
  get purges(): number {
    return this.#purges.size;
  }

  /** The score from which purges are to be read with the next search; null where they were read lately. */
  get purgesSince(): string | null {
    if (!this.#options.shared) return null;
    const now = this.#options.platform.now();
    const sinceRead = now - this.#purgesReadAt;
    // A clock that went back must not make an old reading a new one.
    const current = sinceRead >= 0 && sinceRead <= this.#options.isolateMaxAgeMs;
    return current ? null : this.#purges.since(now);
  }

  /** The score from which changes are to be read with the purges. */
  get changesSince(): string {
    return this.#changes.since;
  }

  /** Takes in what a search in the shared store told. */
  learn(address: EntryAddress, { purges, purgesLost, invalidatedAt }: Finding, purgesRead: boolean): void {
    const { memory, platform, store } = this.#options;
    memory.invalidate(address, invalidatedAt);
    if (!purgesRead) return;
    const now = platform.now();
    if (this.#purges.learn(purges, now) || purgesLost) {
      // Written when the store is asked next, which begins the log anew.
      this.#purges.addPending([EVERYTHING], now);
      store.markDue();
    }
    this.#changes.learn(purges, now, memory);
    this.#purgesReadAt = now;
  }

  /**
   * Queues the read of when all of a user's entries ended, where it is due.
   *
   * @returns what settles once it is known, and rejects with a StoreError; null where the isolate knows.
   */
  readUserEnd({ user }: EntryAddress, batch: Batch): Promise<void> | null {
    return this.#options.shared && user ? this.#userEnds.read(user, batch) : null;
  }

  /** What purges and invalidations since its request left have made of an entry. */
  statusOf(address: EntryAddress, { tags, meta }: Entry): PurgeStatus {
    const { url, urlHash, spelledHash, user } = address;
    const { requestTime } = meta;
    const contentTime = contentTimeOf(meta);
    if (user && this.#userEnds.endedAt(user) >= contentTime) return { kind: "hard" };
    const purged = this.#purges.purgeStatus({ url, urlHash, spelledHash, tags, requestTime, contentTime });
    const invalidated = invalidationStatus(this.#options.memory.invalidatedAt(address), requestTime);
    if (purged.kind === "hard" || invalidated.kind === "none") return purged;
    if (invalidated.kind === "hard" || purged.kind === "none") return invalidated;
    return { kind: "soft", since: Math.min(purged.since, invalidated.since) };
  }

  /** Takes effect here before the response ends, so that the next request in this isolate sees it; elsewhere after it. */
  invalidate(
    invalidations: readonly (Invalidation | VariantWithdrawal)[],
    { after }: Pick<EdgeRequest, "after">,
  ): void {
    const { platform, shared } = this.#options;
    const at = platform.now();
    for (const cache of this.#everyCache()) {
      for (const each of invalidations) cache.#invalidations.add(each);
    }
    if (!shared || invalidations.length === 0) return;
    after((batch) => {
      for (const each of invalidations) {
        this.#invalidations.write(batch, each, at).then((kept) => {
          if (!kept) this.#purges.addPending([EVERYTHING], platform.now());
        });
      }
    });
  }

  /** Purges by a request: here before the response ends, elsewhere with what is written after it. */
  purgeByRequest(purges: readonly Purge[], { after }: Pick<EdgeRequest, "after">): void {
    const { platform, shared, keys } = this.#options;
    const now = platform.now();
    for (const cache of this.#everyCache()) cache.#purges.add(purges, now);
    if (!shared || purges.length === 0) return;
    after((batch) => {
      void this.#purges.write(purges, now, keys, batch);
    });
  }

  /** This isolate's: a write of one middleware is seen by the next request, whichever middleware stores its URL. */
  #everyCache(): Iterable<Withdrawals> {
    return this.#options.peers ?? [this];
  }

  /** What is heard by others is no longer to be heard here. */
  end(): void {
    this.#options.peers?.delete(this);
  }

  /** The latest purges, with one call. */
  async latestPurges(most: number): Promise<LatestPurges & { shared: boolean }> {
    const { store, keys, shared } = this.#options;
    const batch = shared && store.batch();
    const reading = this.#purges.readLatest(most, keys, batch);
    await batch?.send();
    return { ...(await reading), shared: shared !== null };
  }

  /**
   * @returns `everywhere`: every isolate sees it within its maximum age. `isolate`: so far only this one does, because the
   *   store is lost (then it is written when the store is back) or not used. `too many`: nothing is purged, because the log could not hold
   *   them one by one, and would purge everything.
   * @param batch What else is queued goes with the same call. Default a batch of its own.
   */
  async purge(
    { files, prefixes, tags, users = [], everything, soft }: PurgeRequest,
    requestId?: string,
    batch = this.#options.store.batch(),
  ): Promise<PurgeOutcome> {
    const { platform, events, keys, shared } = this.#options;
    const urls = (await Promise.all(files.map((file) => this.#options.addressesOf(file)))).flat();
    const ended = await Promise.all(users.map((user) => this.#options.userHash(user)));
    const named: Purge[] = [
      ...urls.map(({ urlHash }): Purge => ({ target: { kind: "url", value: urlHash }, soft })),
      ...prefixes
        .flatMap(prefixSpellings)
        .map((value): Purge => ({ target: { kind: "prefix", value }, soft })),
      ...tags.map((value): Purge => ({ target: { kind: "tag", value }, soft })),
      ...ended.map((value): Purge => ({ target: { kind: "user", value }, soft: false, wider: USERS })),
      ...(everything ? [{ target: { kind: "everything", value: "" }, soft } as Purge] : []),
    ];
    // What is named twice is one.
    const purges = [...new Map(named.map((each) => [Object.values(each.target).join(), each])).values()];
    if (purges.length > MAX_AT_ONCE) return "too many";
    const now = platform.now();
    for (const cache of this.#everyCache()) {
      cache.#purges.add(purges, now);
      cache.#userEnds.add(ended, now);
    }
    const counts = {
      files: files.length,
      prefixes: prefixes.length,
      tags: tags.length,
      users: users.length,
    };
    const user = ended.length === 1 ? ended[0] : undefined;
    events.emit("cache.purged", { request_id: requestId, ...counts, user, everything, soft });
    if (!shared) {
      await batch.send();
      return "isolate";
    }
    const written = this.#purges.write(purges, now, keys, batch);
    const usersWritten = this.#userEnds.write(ended, now, batch);
    await batch.send();
    const outcome = await usersWritten;
    if (outcome === "lost") this.#purges.addPending([EVERYTHING], now);
    return (await written) && outcome === "written" ? "everywhere" : "isolate";
  }
}

/** In place of single users, where the log has room for no more of them. */
const USERS = { kind: "user", value: "" } as const;

function invalidationStatus({ hard, soft }: InvalidatedAt, requestTime: number): PurgeStatus {
  if (hard >= requestTime) return { kind: "hard" };
  return soft >= requestTime ? { kind: "soft", since: soft } : { kind: "none" };
}

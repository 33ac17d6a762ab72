import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import type { Events } from "../events/events.ts";
import { type Platform, sleep } from "../runtime/platform.ts";

export interface KeySetOptions {
  url: string;
  platform: Platform;
  events: Events;
}

/** A key set is used this long without looking again, ms. It goes on being used while its address fails. */
const KEY_SET_MS = 600_000;
/** An unknown `kid`, or an address that failed, is asked for at most this often, ms. */
const REFETCH_MS = 60_000;
/** While there is no key set at all, ms. */
const RETRY_MS = 1000;
const FETCH_DEADLINE_MS = 2000;
const LOOK_EVERY_MS = 25;
const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 100;

/** What is known of a key: `unknown` while nothing could be loaded that would tell. */
export type FoundKeys = { kind: "keys"; keySet: JSONWebKeySet } | { kind: "unknown" };

/**
 * The keys at an address. They are plain data in the isolate: the request that finds them due fetches them for itself, and
 * whoever needs them meanwhile looks again until they are there (law 4).
 */
export function createKeySet({ url, platform, events }: KeySetOptions) {
  let keySet: JSONWebKeySet | undefined;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let failed = false;
  /** Until when somebody's fetch may be under way: an invocation that is ended never says that it is not. */
  let loadingUntil = Number.NEGATIVE_INFINITY;

  return async function keysFor(kid: unknown): Promise<FoundKeys> {
    if (!keySet && loading()) await done();
    if (sinceMs(loadedAt) > KEY_SET_MS && sinceMs(triedAt) > (keySet ? REFETCH_MS : RETRY_MS)) await load();
    if (keySet && !holds(kid)) {
      if (loading()) await done();
      if (!holds(kid) && sinceMs(triedAt) > REFETCH_MS) await load();
    }
    // A key that the address could not be asked for may be a new one: nobody has said that it is not (law 2).
    if (!keySet || (failed && !holds(kid))) return { kind: "unknown" };
    return { kind: "keys", keySet };
  };

  function holds(kid: unknown): boolean {
    return kid === undefined || (keySet?.keys.some((key) => key.kid === kid) ?? false);
  }

  /** A clock that went back must not keep anything from being loaded. */
  function sinceMs(at: number): number {
    return Math.abs(platform.now() - at);
  }

  /** Known at once: between a look and an await, somebody else would begin to load. */
  function loading(): boolean {
    const left = loadingUntil - platform.now();
    return left > 0 && left <= FETCH_DEADLINE_MS;
  }

  /** Waits for another request's fetch, and not for a third one's after that. */
  async function done(): Promise<void> {
    const until = platform.now() + FETCH_DEADLINE_MS;
    while (loading() && platform.now() < until) await sleep(platform, LOOK_EVERY_MS);
  }

  async function load(): Promise<void> {
    triedAt = platform.now();
    loadingUntil = triedAt + FETCH_DEADLINE_MS;
    const abort = new AbortController();
    const cancel = platform.timer(FETCH_DEADLINE_MS, () => abort.abort());
    try {
      const response = await platform.fetch(url, {
        signal: abort.signal,
        headers: { accept: "application/json" },
      });
      const body: unknown = JSON.parse(await boundedText(response));
      if (!response.ok || !isKeySet(body)) throw new TypeError("not a key set");
      // It throws where they are none that it could use.
      createLocalJWKSet(body);
      keySet = body;
      loadedAt = platform.now();
      failed = false;
    } catch {
      failed = true;
      events.emit("jwks.failed", { stale: keySet !== undefined });
    } finally {
      cancel();
      triedAt = platform.now();
      loadingUntil = Number.NEGATIVE_INFINITY;
    }
  }
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  if (typeof value !== "object" || value === null || !("keys" in value) || !Array.isArray(value.keys))
    return false;
  const { keys } = value as { keys: unknown[] };
  return (
    keys.length <= MAX_KEYS &&
    keys.every((key) => typeof key === "object" && key !== null && !Array.isArray(key))
  );
}

/** @throws RangeError where there is more than a key set may have. */
async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = "";
  let bytes = 0;
  for (;;) {
    const chunk = await reader?.read();
    if (!chunk || chunk.done) return text + decoder.decode();
    bytes += chunk.value.byteLength;
    if (bytes > MAX_BYTES) {
      await reader?.cancel();
      throw new RangeError("too large for a key set");
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
}

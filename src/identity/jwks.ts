import type { JSONWebKeySet, JWK } from "jose";
import type { Events } from "../events/events.ts";
import { boundedText } from "../http/bounded-text.ts";
import { type Platform, sleep } from "../runtime/platform.ts";

export interface KeySetOptions {
  url: string;
  platform: Platform;
  events: Events;
}

/** A key set is loaded again after this time, ms. While its address fails, the present one stays in use. */
const KEY_SET_MS = 600_000;
/** Minimum time between two fetches for a key that the set does not hold, or after a failed fetch, ms. */
const REFETCH_MS = 60_000;
/** Minimum time between two fetches while no key set is loaded, ms. */
const RETRY_MS = 1000;
/** Deadline of a fetch, body included, ms. */
const FETCH_DEADLINE_MS = 2000;
/** How often a request looks whether another request's fetch is done, ms. */
const LOOK_EVERY_MS = 25;
/**
 * Some issuers answer 406 where a key set's own type (RFC 7517 §8.5.2) is not accepted, and many firewalls 403 where no
 * `User-Agent` is said: the runtime adds none.
 */
const FIELDS = { accept: "application/json, application/jwk-set+json", "user-agent": "envoyou-edge" };
/** Larger key sets are refused: bytes, and keys. */
const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 100;

/** The keys for a token. `unknown`: the key set could not be loaded, so the token cannot be checked. */
export type FoundKeys = { kind: "keys"; keys: readonly JWK[] } | { kind: "unknown" };

/**
 * The key set at an address. Requests share it as plain data (law 4): the request that finds it due fetches it, and other
 * requests that need it meanwhile poll until the fetch is done.
 */
export function createKeySet({ url, platform, events }: KeySetOptions) {
  let keys: readonly JWK[] | undefined;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let failed = false;
  /** Until when another request's fetch may be in flight. An invocation that the runtime ends never resets it. */
  let loadingUntil = Number.NEGATIVE_INFINITY;

  return { load: loadIfDue, renew };

  /** The keys, fetched where that is due. */
  async function loadIfDue(): Promise<FoundKeys> {
    if (!keys && loading()) await done();
    if (sinceMs(loadedAt) > KEY_SET_MS && sinceMs(triedAt) > (keys ? REFETCH_MS : RETRY_MS)) await load();
    return keys ? { kind: "keys", keys } : { kind: "unknown" };
  }

  /**
   * The keys, for a token that none of `tried` has signed: fetched again, but at most once a minute, whoever asks.
   *
   * @returns `tried` itself where there are no newer ones, and `unknown` where the last fetch failed: there may be (law 2).
   */
  async function renew(tried: readonly JWK[]): Promise<FoundKeys> {
    if (keys === tried && loading()) await done();
    if (keys === tried && sinceMs(triedAt) > REFETCH_MS) await load();
    if (!keys || (failed && keys === tried)) return { kind: "unknown" };
    return { kind: "keys", keys };
  }

  /** Milliseconds since a moment. Absolute, so that a clock that was set back does not prevent a fetch. */
  function sinceMs(at: number): number {
    return Math.abs(platform.now() - at);
  }

  /** Whether a fetch is in flight. Synchronous: during an await another request could start one. */
  function loading(): boolean {
    const left = loadingUntil - platform.now();
    return left > 0 && left <= FETCH_DEADLINE_MS;
  }

  /** Waits for the fetch of another request, at most for the deadline of one fetch. */
  async function done(): Promise<void> {
    const until = platform.now() + FETCH_DEADLINE_MS;
    while (loading() && platform.now() < until) await sleep(platform, LOOK_EVERY_MS);
  }

  async function load(): Promise<void> {
    triedAt = platform.now();
    loadingUntil = triedAt + FETCH_DEADLINE_MS;
    const abort = new AbortController();
    const cancel = platform.timer(FETCH_DEADLINE_MS, () => abort.abort());
    let status: number | undefined;
    try {
      const response = await platform.fetch(url, {
        signal: abort.signal,
        headers: FIELDS,
      });
      status = response.status;
      const body: unknown = JSON.parse(await boundedText(response, MAX_BYTES));
      if (!response.ok || !isKeySet(body)) throw new TypeError("not a key set");
      keys = body.keys.filter(isObject).map(whatIsSaid);
      loadedAt = platform.now();
      failed = false;
    } catch {
      failed = true;
      events.emit("jwks.failed", { stale: keys !== undefined, status });
    } finally {
      cancel();
      triedAt = platform.now();
      loadingUntil = Number.NEGATIVE_INFINITY;
    }
  }
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  const keys = (value as { keys?: unknown } | null)?.keys;
  return Array.isArray(keys) && keys.length <= MAX_KEYS && keys.some(isObject) === keys.length > 0;
}

/** Anything else in a set is no key, and does not spoil those beside it (RFC 7517 §5). */
function isObject(key: unknown): boolean {
  return typeof key === "object" && key !== null && !Array.isArray(key);
}

/**
 * A key without the members that a serializer has written for want of a value (`"use": null`, `"alg": ""`, `"key_ops": []`):
 * they are optional (RFC 7517 §4), and to most verifiers they are not there.
 */
function whatIsSaid(key: object): JWK {
  const said = Object.entries(key).filter(([, value]) => (value ?? "").length !== 0);
  return Object.fromEntries(said);
}

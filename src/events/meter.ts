import type { EventName } from "./table.ts";

/** One window of a limit, as a request was checked against it. */
export interface MeteredWindow {
  readonly policy: { readonly name: string; readonly limit: number };
  /** The caller's hash. */
  readonly caller: string;
  /** Units that are left after the request. */
  readonly remaining: number;
  /** There was no room for the request. */
  readonly short: boolean;
  /** Whether the window may deny. */
  readonly enforced: boolean;
}

/**
 * Who counted a window: Redis, the isolate from units that Redis gave it (`lease`) or from a refusal of Redis that still holds
 * (`block`), or the isolate alone (`local`).
 */
export type MeteredSource = "redis" | "lease" | "block" | "local";

/**
 * Counts what happens, for `GET /edge/metrics`: each event, and what no event tells. It runs on the way of requests, so it adds up
 * numbers and does nothing else. It never throws.
 */
export interface Meter {
  event(name: EventName, fields: Readonly<Record<string, unknown>>): void;
  limits(route: string, windows: readonly MeteredWindow[], source: MeteredSource): void;
  /** An answer of the origin, or why there is none. @param result The status, or a word. */
  origin(route: string, result: number | string, ms: number): void;
  /** @param savedBytes Of the body that the origin did not have to send. */
  cache(route: string, word: string, reason: string, savedBytes: number): void;
  /** One HTTP call to the store. @param failure The code of its error; empty where there is none. */
  store(commands: number, ms: number, failure: string): void;
}

/**
 * Everything that talks to Upstash, and the only room that does.
 *
 * A request opens one {@link Trip}, everybody queues on it, it is sent once. A failure is a {@link StoreError}: the
 * capability then decides with its local twin, which keeps its state in a {@link BoundedMap}.
 */
export { BoundedMap, type BoundedMapOptions } from "./bounded-map.ts";
export { breakerDefaults } from "./breaker.ts";
export { StoreError, type StoreErrorCode } from "./errors.ts";
export { createKeys, type KeyPrefixes, type Keys } from "./keys.ts";
export { Outbox, type OutboxOptions } from "./outbox.ts";
export type { Replay, ReplayOutcome } from "./replays.ts";
export { defineScript, type Script } from "./script.ts";
export { Store, type StoreOptions, type StoreState } from "./store.ts";
export type { Trip } from "./trip.ts";

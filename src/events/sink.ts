import type { LogLevel } from "./level.ts";
import type { EventName } from "./table.ts";

/** What a line of the log holds beside `time`, `level` and `event`. Never an object: a line has one level. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** An event as a sink receives it. */
export interface EmittedEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly level: LogLevel;
  readonly event: EventName;
  /** Those of {@link eventTable}. One that does not fit its kind is `(withheld)`. */
  readonly fields: Readonly<LogFields>;
}

/**
 * Somebody who wants to know of events: a metric, a queue, an error tracker. It runs within the request, so it must not
 * take long; what it throws is dropped, a promise that it returns is not waited for.
 */
export interface Sink {
  receive(event: EmittedEvent): void;
}

import type { LogLevel } from "./level.ts";
import type { EventName } from "./table.ts";

/** What a line of the log holds beside `time`, `level` and `event`. Never an object: a line has one level. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** An event as a sink receives it. */
export interface EmittedEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** How much it matters. */
  readonly level: LogLevel;
  /** Its name: docs/architecture.md has a table of events and their fields. */
  readonly event: EventName;
  /** What the event's line in the log holds beside these. A value that does not fit its field's kind is `(withheld)`. */
  readonly fields: Readonly<LogFields>;
}

/**
 * Somebody who wants to know of events: a metric, a queue, an error tracker.
 *
 * @example
 * import { createEdge, type Sink } from "envoyou-edge";
 *
 * const counts = new Map<string, number>();
 * const counting: Sink = { receive: ({ event }) => void counts.set(event, (counts.get(event) ?? 0) + 1) };
 * const { rateLimit } = createEdge({ sinks: [counting] });
 */
export interface Sink {
  /**
   * Called with each event, of whatever level. It runs within the request, so it must not take long; what it throws is dropped, a promise
   * that it returns is not waited for.
   *
   * @example
   * import type { EmittedEvent, Sink } from "envoyou-edge";
   *
   * const slow: EmittedEvent[] = [];
   * const sink: Sink = {
   *   receive(emitted) {
   *     if (emitted.event === "request" && Number(emitted.fields.total_ms) > 1000) slow.push(emitted);
   *   },
   * };
   */
  receive(event: EmittedEvent): void;
}

import type { Platform } from "../runtime/platform.ts";
import type { Field } from "./fields.ts";
import { isLogged } from "./level.ts";
import { type LogSinkOptions, logSink } from "./log.ts";
import type { Meter } from "./meter.ts";
import type { EmittedEvent, LogFields, Sink } from "./sink.ts";
import { type EventFields, type EventName, eventTable, levelOf } from "./table.ts";

export interface Events {
  /** Tells all sinks of an event of the table. It never throws. */
  emit<Name extends EventName>(event: Name, fields: EventFields<Name>): void;
  /** Whether anybody is told of such an event: where nobody is, its fields need not be put together. */
  tells(event: EventName, fields: { status: number }): boolean;
  /** Counts what is no event. Undefined: nobody counts. */
  readonly meter?: Meter | undefined;
}

export interface EventsOptions extends LogSinkOptions {
  platform: Pick<Platform, "now">;
  /** Further sinks, after the log. They get every event, whatever the log's level. Default none. */
  sinks?: readonly Sink[];
  /** Counts every event, before any sink. Default nobody counts. */
  meter?: Meter | undefined;
}

const WITHHELD = "(withheld)";

/** Where events go: first to the log, then to `sinks`. */
export function createEvents({ platform, sinks = [], meter, ...log }: EventsOptions): Events {
  const all = [logSink(log), ...sinks];
  // Most requests' events are below `LOG_LEVEL=warn`.
  const reachesSinks = (event: EventName, given: object) =>
    sinks.length > 0 || !log.level || isLogged(levelOf(event, given), log.level);
  return {
    meter,
    tells: (event, given) => meter !== undefined || reachesSinks(event, given),
    emit(event, given) {
      meter?.event(event, given);
      // What nobody receives is not checked either.
      if (!reachesSinks(event, given)) return;
      const fields = checked(event, given);
      const emitted = { time: platform.now(), level: levelOf(event, fields), event, fields };
      for (const sink of all) tell(sink, emitted);
    },
  };
}

/** A sink that fails must not fail the request, nor keep the event from the sinks after it. */
function tell(sink: Sink, event: EmittedEvent): void {
  try {
    const returned: unknown = sink.receive(event);
    if (returned instanceof Promise) returned.catch(() => {});
  } catch {
    // There is nobody else to tell.
  }
}

/**
 * The fields of the table and no others, in its order. A text whose type is only `string` is held to its kind here: whatever
 * else it may be, it might be what the caller sent.
 */
function checked(event: EventName, given: Readonly<Record<string, unknown>>): LogFields {
  const fields: LogFields = {};
  const definitions: Readonly<Record<string, Field<unknown>>> = eventTable[event].fields;
  for (const name in definitions) {
    const value = given[name];
    if (value === undefined) continue;
    fields[name] = definitions[name]?.fits(value) ? (value as LogFields[string]) : WITHHELD;
  }
  return fields;
}

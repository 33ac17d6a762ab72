import { describe, expect, it } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { logLevels } from "../../../src/events/level.ts";
import { type EventDefinition, eventTable, levelOf } from "../../../src/events/table.ts";

const events: [string, EventDefinition][] = Object.entries(eventTable);
/** What somebody could send in a path, a field or a body. */
const SENT = [
  "Bearer es1.abc",
  "a@b.example",
  "/users/7?key=1",
  "two\nlines",
  '{"a":1}',
  "192.0.2.7, x",
  "é",
];
/** Filled by the configuration or by the edge's own sentences about it, never by a request. */
const FROM_CONFIGURATION = ["name", "sentence"];

describe("the table of events", () => {
  it.each(events)("%s has a level, one sentence, and fields that do not hide a line's own", (name, event) => {
    expect(name).toMatch(/^[a-z]+(\.[a-z0-9_]+)?$/);
    expect(logLevels).toContain(event.level);
    expect(event.description).toMatch(/^[A-Z].*\.$/);
    for (const field of Object.keys(event.fields)) {
      expect(field).toMatch(/^[a-z_]+$/);
      expect(["time", "level", "event"]).not.toContain(field);
    }
  });

  it.each(events)("%s has no field that could hold what a request brings", (name, { fields }) => {
    for (const [field, kind] of Object.entries(fields)) {
      if (FROM_CONFIGURATION.includes(kind.kind)) continue;
      for (const text of SENT) expect(kind.fits(text), `${name}.${field} ${text}`).toBe(false);
    }
  });

  it("says sentences of the configuration only", () => {
    const withSentence = events.filter(([, { fields }]) =>
      Object.values(fields).some(({ kind }) => kind === "sentence"),
    );
    expect(withSentence.map(([name]) => name)).toEqual([
      "context.absent",
      "session.secret_missing",
      "store.absent",
      "config.warning",
      "config.error",
    ]);
  });

  it("names the request in every event but those of the store, the key set and the isolate's start", () => {
    const without = events.filter(([, { fields }]) => !("request_id" in fields)).map(([name]) => name);
    expect(without).toEqual([
      "session.replayed",
      "session.database_lost",
      "session.database_found",
      "session.database_shared",
      "jwks.failed",
      "store.lost",
      "store.found",
      "store.far",
      "store.refused",
      "store.absent",
      "config.warning",
    ]);
  });

  it("shows an operator preflights, what becomes of the store, and refused sessions at the default level", () => {
    const names = [
      "cors.preflight",
      "store.lost",
      "store.found",
      "store.refused",
      "session.refused",
    ] as const;
    for (const name of names) expect(eventTable[name].level, name).not.toBe("debug");
  });

  it("raises the level of a request that ends with a 5xx, and of no other event", () => {
    expect(levelOf("request", { status: 499 })).toBe("info");
    expect(levelOf("request", { status: 500 })).toBe("warn");
    expect(levelOf("origin.failed", { status: 503 })).toBe("warn");
    expect(levelOf("cors.preflight", { status: 503 })).toBe("info");
  });

  it("is what compiles", () => {
    const { emit } = createEvents({ platform: { now: () => 0 }, write: () => {} });
    emit("store.lost", { reason: "timeout" });
    emit("store.lost", { reason: "server", status: 500 });
    emit("session.created", { session: "0a", durable: true });
    // @ts-expect-error: no event of the table
    expect(() => emit("store.gone", {})).toThrow();
    // @ts-expect-error: a field is missing
    emit("store.lost", {});
    // @ts-expect-error: a field too many
    emit("store.found", { message: "text" });
    // @ts-expect-error: of another type
    emit("session.created", { session: "0a", durable: "yes" });
    // @ts-expect-error: none of the words
    emit("session.refused", { request_id: "r1", route: "*", reason: "stolen" });
    // @ts-expect-error: only errorFacts makes a class and a place
    emit("request.failed", { request_id: "r1", class: "Error", place: "fn index.js:1:2" });
    // @ts-expect-error: happens in a request only
    emit("cache.corrupt", { route: "*" });
  });
});

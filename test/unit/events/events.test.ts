import { describe, expect, it } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { type LogLevel, logLevels } from "../../../src/events/level.ts";
import type { EmittedEvent, Sink } from "../../../src/events/sink.ts";

const platform = { now: () => Date.UTC(2026, 0, 15, 12) };

function recorder() {
  const received: EmittedEvent[] = [];
  return { received, sink: { receive: (event) => void received.push(event) } satisfies Sink };
}

function logOf(level?: LogLevel, sinks: Sink[] = []) {
  const lines: { level: LogLevel; line: string }[] = [];
  const write = (each: LogLevel, line: string) => void lines.push({ level: each, line });
  return { lines, ...createEvents({ platform, write, sinks, ...(level && { level }) }) };
}

/** One event of each level of the table but debug, which none has. */
function emitAll({ emit }: Pick<ReturnType<typeof createEvents>, "emit">): void {
  emit("store.found", {});
  emit("store.refused", { code: "OOM" });
  emit("store.lost", { reason: "server", status: 500 });
}

describe("the log", () => {
  it("writes one JSON line per event: time, level, event, then the fields", () => {
    const { lines, emit } = logOf();
    emit("store.lost", { reason: "server", status: 500 });
    expect(lines).toEqual([
      {
        level: "error",
        line: '{"time":"2026-01-15T12:00:00.000Z","level":"error","event":"store.lost","reason":"server","status":500}',
      },
    ]);
  });

  it("leaves out what is undefined, and says null", () => {
    const { lines, emit } = logOf();
    emit("limit.violated", {
      request_id: undefined,
      route: "*",
      policy: "p",
      caller: "0a",
      shadow: true,
      source: "redis",
    });
    emit("store.lost", { reason: "timeout", status: null });
    expect(JSON.parse(lines[0]?.line ?? "")).not.toHaveProperty("request_id");
    expect(JSON.parse(lines[1]?.line ?? "")).toHaveProperty("status", null);
  });

  it.each(logLevels)("of level %s writes that level and those above", (level) => {
    const log = logOf(level);
    emitAll(log);
    const from = Math.max(0, logLevels.indexOf(level) - 1);
    expect(log.lines.map((each) => each.level)).toEqual(["info", "warn", "error"].slice(from));
  });

  it("is of level info where nothing is said", () => {
    const log = logOf();
    emitAll(log);
    expect(log.lines).toHaveLength(3);
  });
});

describe("further sinks", () => {
  it("receive every event after the log, with its time, level and fields, whatever the log's level", () => {
    const { received, sink } = recorder();
    const log = logOf("error", [sink]);
    emitAll(log);
    expect(log.lines).toHaveLength(1);
    expect(received).toEqual([
      { time: platform.now(), level: "info", event: "store.found", fields: {} },
      { time: platform.now(), level: "warn", event: "store.refused", fields: { code: "OOM" } },
      {
        time: platform.now(),
        level: "error",
        event: "store.lost",
        fields: { reason: "server", status: 500 },
      },
    ]);
  });

  it("may fail: neither the emitter nor the sinks after them notice", async () => {
    const { received, sink } = recorder();
    const throwing: Sink = {
      receive() {
        throw new Error("a sink that throws");
      },
    };
    // TypeScript lets a function that returns a promise stand where void is wanted.
    const rejecting: Sink = { receive: () => Promise.reject(new Error("a sink that rejects")) };
    const { emit } = logOf("info", [throwing, rejecting, sink]);
    expect(() => emit("store.found", {})).not.toThrow();
    await Promise.resolve();
    expect(received).toHaveLength(1);
  });

  it("are told even where the log itself cannot be written", () => {
    const { received, sink } = recorder();
    const write = () => {
      throw new Error("no console");
    };
    const { emit } = createEvents({ platform, write, sinks: [sink] });
    expect(() => emit("store.found", {})).not.toThrow();
    expect(received).toHaveLength(1);
  });
});

describe("a field", () => {
  it("that holds what its kind does not allow is withheld", () => {
    const { received, sink } = recorder();
    const { emit } = logOf("info", [sink]);
    emit("store.refused", { code: "ERR unknown key 'user:7:secret'" });
    emit("session.revoked", { request_id: "r-1", session: "es1.a.b" });
    expect(received.map(({ fields }) => fields)).toEqual([
      { code: "(withheld)" },
      { request_id: "r-1", session: "(withheld)" },
    ]);
  });

  it("that is not in the table goes nowhere", () => {
    const { received, sink } = recorder();
    const { emit } = logOf("info", [sink]);
    // An object that is made elsewhere may have more than its type says.
    const wider = { code: "OOM", key: "user:7" };
    emit("store.refused", wider);
    expect(received[0]?.fields).toEqual({ code: "OOM" });
  });
});

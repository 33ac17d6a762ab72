import { describe, expect, it } from "vitest";
import { errorFacts } from "../../../src/events/error-place.ts";

/** An error whose stack is as V8 writes it. */
function errorWith(frames: string[], message = "text", name = "TypeError"): Error {
  const error = new TypeError(message);
  error.stack = `${name}: ${message}\n${frames.map((frame) => `    at ${frame}`).join("\n")}`;
  return error;
}

describe("of an unexpected error", () => {
  it("the class and a place in this very file are known, whatever runs it", () => {
    function fails() {
      throw new RangeError("the-text-of-somebody");
    }
    try {
      fails();
    } catch (error) {
      const facts = errorFacts(error);
      expect(facts.class).toBe("RangeError");
      expect(facts.place).toMatch(/^fails [\w.-]+:\d+:\d+$/);
      expect(JSON.stringify(facts)).not.toContain("somebody");
    }
  });

  it.each([
    ["a function", "checkAccess (index.js:120:15)", "checkAccess index.js:120:15"],
    ["an async one", "async Object.fetch (file:///srv/w/index.js:7:1)", "Object.fetch index.js:7:1"],
    ["a constructor", "new Store (index.js:1:2)", "Store index.js:1:2"],
    ["a renamed method", "Store.#call [as ask] (index.js:1:2)", "Store.#call index.js:1:2"],
    ["no function", "index.js:3:4", "anonymous index.js:3:4"],
    ["a query", "fn (C:\\w\\index.js?v=1:3:4)", "fn index.js:3:4"],
  ])("the place is its first frame: %s", (_, frame, place) => {
    expect(errorFacts(errorWith([frame])).place).toBe(place);
  });

  it("frames of the runtime and of packages are passed over", () => {
    const frames = [
      "JSON.parse (<anonymous>)",
      "Response.json (node:internal/deps/undici:1:2)",
      "x (cloudflare-internal:workers:1:2)",
      "y (file:///srv/node_modules/jose/index.js:1:2)",
      "ours (index.js:9:9)",
    ];
    expect(errorFacts(errorWith(frames)).place).toBe("ours index.js:9:9");
    expect(errorFacts(errorWith(frames.slice(0, 4))).place).toBe("unknown");
  });

  it("a message that looks like a frame is none", () => {
    const lure = "text\n    at secret (token.js:1:2)";
    expect(errorFacts(errorWith(["ours (index.js:9:9)"], lure)).place).toBe("ours index.js:9:9");
    const changed = errorWith(["ours (index.js:9:9)"], lure);
    changed.message = "changed later";
    expect(errorFacts(changed).place).toBe("unknown");
  });

  it("a name that is no identifier gives way to the constructor's", () => {
    const error = new RangeError("text");
    error.name = "Bearer es1.abc";
    expect(errorFacts(error).class).toBe("RangeError");
  });

  it.each([
    ["a text", "es1.secret", "string"],
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
    ["an object", { message: "m" }, "object"],
  ])("what is no error is named by its type: %s", (_, thrown, kind) => {
    expect(errorFacts(thrown)).toEqual({ class: kind, place: "unknown" });
  });

  it("an error whose stack cannot be read is no trouble", () => {
    const error = new Error("text");
    Object.defineProperty(error, "stack", {
      get() {
        throw new Error("no stack");
      },
    });
    expect(errorFacts(error)).toEqual({ class: "object", place: "unknown" });
    delete (error as { stack?: string }).stack;
    expect(errorFacts(Object.assign(new Error("t"), { stack: undefined })).place).toBe("unknown");
  });
});

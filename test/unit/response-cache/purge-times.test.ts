import { afterEach, describe, expect, it, test, vi } from "vitest";
import { type PurgeFacts, type PurgeStatus, PurgeTimes } from "../../../src/response-cache/purge-times.ts";

afterEach(() => vi.restoreAllMocks());

const entry = (tags: readonly string[]): PurgeFacts => ({
  urlHash: "hash",
  url: "api.example/v1/list",
  tags,
  requestTime: 10,
  contentTime: 10,
});

function withBeginnings(...beginnings: readonly string[]): PurgeTimes {
  const times = new PurgeTimes(2000);
  for (const value of beginnings) times.note({ target: { kind: "tags", value }, soft: false }, 20);
  return times;
}

/** So many that each beginning of a tag is looked up. */
const many = Array.from({ length: 300 }, (_, n) => `other-${n}-`);

describe("a purge of all tags with a beginning", () => {
  test.each<[name: string, beginnings: string[], tags: string[], kind: PurgeStatus["kind"]]>([
    ["reaches a tag that begins so", ["user-"], ["user-7"], "hard"],
    ["reaches the tag that is its beginning", ["user-7"], ["user-7"], "hard"],
    ["reaches any of the entry's tags", ["user-"], ["page", "list", "user-7"], "hard"],
    ["leaves another tag", ["user-"], ["page"], "none"],
    ["leaves a tag that has it in the middle", ["user-"], ["a-user-7"], "none"],
    ["leaves a tag that is shorter", ["user-7"], ["user-"], "none"],
    ["leaves an entry without tags", ["user-"], [], "none"],
    ["reaches every tag where it is empty", [""], ["page"], "hard"],
    ["of a single letter", ["u"], ["user-7"], "hard"],
    ["of a letter outside the BMP", ["\u{1f511}"], ["\u{1f511}-7"], "hard"],
  ])("%s", (_name, beginnings, tags, kind) => {
    expect(withBeginnings(...beginnings).status(entry(tags)).kind).toBe(kind);
    expect(withBeginnings(...many, ...beginnings).status(entry(tags)).kind).toBe(kind);
  });

  it("is looked up in as many steps among a thousand as among a hundred", () => {
    const steps = (count: number) => {
      const times = withBeginnings(...Array.from({ length: count }, (_, n) => `beginning-${n}-`));
      const compared = vi.spyOn(String.prototype, "startsWith");
      const looked = vi.spyOn(Map.prototype, "get");
      times.status(entry(["user-7", "page"]));
      const made = compared.mock.calls.length + looked.mock.calls.length;
      vi.restoreAllMocks();
      return made;
    };
    expect(steps(1000)).toBe(steps(100));
    expect(steps(1000)).toBeGreaterThan(0);
  });
});

describe("a purge of a prefix or of a path, however deep the address", () => {
  const reachedBy = (kind: "prefix" | "path", value: string, url: string): PurgeStatus["kind"] => {
    const times = new PurgeTimes(2000);
    times.note({ target: { kind, value }, soft: false }, 20);
    // A longer one of the other kind, which reaches nothing.
    times.note(
      { target: { kind: kind === "path" ? "prefix" : "path", value: `/${"z".repeat(99)}` }, soft: false },
      20,
    );
    return times.status({ ...entry([]), url }).kind;
  };
  const deep = "/a".repeat(8000);

  it.each<[kind: "prefix" | "path", value: string, url: string, reached: PurgeStatus["kind"]]>([
    ["prefix", "api.example/", `api.example${deep}`, "hard"],
    ["prefix", "api.example/a/a/", `api.example${deep}`, "hard"],
    ["prefix", `api.example${deep}/`, `api.example${deep}/b?q`, "hard"],
    ["prefix", `api.example${deep}/`, `api.example${deep}`, "none"],
    ["prefix", "other.example/", `api.example${deep}`, "none"],
    ["prefix", "api.example/%41/", `api.example/A/b`, "none"],
    ["prefix", "api.example/A/", `api.example/%41/b`, "hard"],
    ["path", "", `api.example${deep}`, "hard"],
    ["path", "/a", `api.example${deep}`, "hard"],
    ["path", "/a/a", "api.example/a/a?q", "hard"],
    ["path", "/a/a", "api.example/a/ab", "none"],
    ["path", deep, `api.example${deep}`, "hard"],
    ["path", deep, `api.example${deep}/b`, "hard"],
    ["path", `${deep}/b`, `api.example${deep}`, "none"],
  ])("%#: of a %s", (kind, value, url, reached) => {
    expect(reachedBy(kind, value, url)).toBe(reached);
  });

  it.each([
    ["one letter between two slashes", "/a"],
    ["nothing between two slashes", "/"],
    ["another spelling of each", "/%61"],
  ])(
    "is looked for among beginnings that a purge may have, and not by the square of the length: %s",
    (_, segment) => {
      const times = new PurgeTimes(2000);
      times.note({ target: { kind: "prefix", value: "api.example/v1/things/" }, soft: false }, 20);
      times.note({ target: { kind: "path", value: `/${"p".repeat(255)}` }, soft: true }, 20);
      const url = `api.example${segment.repeat(16_000 / segment.length)}`;
      const looked = vi.spyOn(Map.prototype, "get");
      times.status({ ...entry([]), url });
      const characters = looked.mock.calls.reduce((sum, [key]) => sum + String(key).length, 0);
      vi.restoreAllMocks();
      // Each beginning has to be hashed from its first character.
      expect(characters).toBeLessThan(20 * 16_000);
    },
  );
});

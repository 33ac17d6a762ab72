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

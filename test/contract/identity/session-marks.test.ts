import { describe, expect, it } from "vitest";
import {
  endingsOf,
  luaMarks,
  markedAt,
  NO_MARK,
  parseMark,
  withEnding,
} from "../../../src/identity/session-marks.ts";
import { listIn } from "../../../src/store/replies.ts";
import { defineScript } from "../../../src/store/script.ts";
import { dice } from "../../support/dice.ts";
import { openSessions } from "../../support/sessions.ts";

type Ending = readonly [at: number, except: string | null];

/** What endings mean, without a mark: a session is over by each of them that does not except it. */
const overUntil = (endings: readonly Ending[], id: string) =>
  Math.max(
    0,
    ...endings
      .filter(([, except]) => except === null || (except !== id && except !== id.split("~")[0]))
      .map(([at]) => at),
  );
const markOf = (endings: readonly Ending[]) =>
  endings.reduce((mark, [at, except]) => withEnding(mark, at, except), NO_MARK);
const IDS = ["A", "A~1", "A~2", "B", "B~1", "C"];

describe("a mark says of every session what its endings say", () => {
  it.each<[what: string, endings: Ending[]]>([
    ["no ending", []],
    ["one of all", [[5, null]]],
    ["one of all others", [[5, "A"]]],
    [
      "the same twice",
      [
        [5, "A"],
        [5, "A"],
      ],
    ],
    [
      "an older one, written late",
      [
        [9, "A"],
        [5, "A"],
      ],
    ],
    [
      "an older one of all, written late",
      [
        [9, "A"],
        [5, null],
      ],
    ],
    [
      "an older one by another session, written late",
      [
        [9, "A"],
        [5, "B"],
      ],
    ],
    [
      "two of the same moment by two sessions",
      [
        [5, "A"],
        [5, "B"],
      ],
    ],
    [
      "one by a session that an earlier one ended",
      [
        [5, "A"],
        [7, "B"],
      ],
    ],
    [
      "one of all, then of all others",
      [
        [5, null],
        [7, "A"],
      ],
    ],
    [
      "three in any order",
      [
        [7, "B"],
        [5, "A"],
        [9, null],
      ],
    ],
  ])("%s", (_, endings) => {
    for (const id of IDS) expect(markedAt(markOf(endings), id), id).toBe(overUntil(endings, id));
  });

  it("whatever their order and number, and after a mark was split into endings again", () => {
    const chance = dice(13);
    for (let round = 0; round < 300; round += 1) {
      const endings = Array.from(
        { length: 1 + chance.upTo(5) },
        (): Ending => [1 + chance.upTo(6), chance.pick(["A", "B", "C", null])],
      );
      const again = markOf([...endingsOf(markOf(endings)), ...chance.shuffled(endings)]);
      for (const id of IDS)
        for (const mark of [markOf(endings), markOf(chance.shuffled(endings)), again])
          expect(markedAt(mark, id), `${JSON.stringify(endings)} ${id}`).toBe(overUntil(endings, id));
    }
  });
});

describe("the rules of marks in Lua are those in TypeScript", () => {
  const script = defineScript(`#!lua flags=allow-key-locking
${luaMarks}
return { with_ending(ARGV[1], tonumber(ARGV[2]), ARGV[3]), string.format("%.0f", marked_at(ARGV[1], ARGV[4])) }`);

  it.each([
    "",
    "x",
    "1700000000000",
    "1700000000000 ",
    "1700000000000 A",
    "1700000000000 A 0",
    "1700000000000 A 1600000000000",
    "1700000000000  1600000000000",
    "1700000000000 A~1 7",
    "-5 A 3",
    "1700000000000 A x",
  ])("of %j", async (text) => {
    const { store } = openSessions();
    for (const at of [1, 1_600_000_000_000, 1_700_000_000_000, 1_800_000_000_000])
      for (const except of ["A", "B", null])
        for (const id of ["A", "A~1", "B"]) {
          const batch = store.batch();
          const reply = batch.run(script, [], [text, at, except ?? "", id]);
          await batch.send();
          const [ended, marked] = listIn(await reply);
          expect(parseMark(String(ended)), `${at} ${except}`).toEqual(
            withEnding(parseMark(text), at, except),
          );
          expect(Number(marked), id).toBe(markedAt(parseMark(text), id));
        }
  });
});

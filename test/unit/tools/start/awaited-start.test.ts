import { expect, it } from "vitest";
import { AwaitedStart } from "../../../../src/tools/start/awaited-start.ts";

/** What happens, each at a second. */
type Happens = [second: number, what: "wait" | "builds" | "ends" | "stop"][];

/** The seconds at which the server is asked, until minutes have passed. */
function asked(happens: Happens): number[] {
  let now = 0;
  let timer: { at: number; run: () => void } | null = null;
  const seconds: number[] = [];
  const start = new AwaitedStart({
    ask: () => seconds.push(now),
    after(ms, run) {
      const own = { at: now + ms / 1000, run };
      timer = own;
      return () => {
        if (timer === own) timer = null;
      };
    },
  });
  const due = (until: number) => {
    while (timer && timer.at <= until) {
      const { at, run } = timer;
      now = at;
      timer = null;
      run();
    }
    now = until;
  };
  for (const [second, what] of happens) {
    due(second);
    start[what]();
  }
  due(600);
  return seconds;
}

it.each<[what: string, happens: Happens, seconds: number[]]>([
  ["nothing is waited for", [], []],
  ["a build that nobody waits for", [[1, "builds"]], []],
  [
    "the server sees the change, and starts",
    [
      [0, "wait"],
      [2, "builds"],
      [4, "ends"],
    ],
    [],
  ],
  [
    "the server sees no change: it is asked, and starts",
    [
      [0, "wait"],
      [5, "builds"],
      [7, "ends"],
    ],
    [4],
  ],
  [
    "a build was on its way, and takes long",
    [
      [0, "builds"],
      [1, "wait"],
      [25, "ends"],
    ],
    [],
  ],
  [
    "a build begins at the last moment, and takes long",
    [
      [0, "wait"],
      [3.9, "builds"],
      [33, "ends"],
    ],
    [],
  ],
  [
    "a build never says how it ended",
    [
      [0, "wait"],
      [1, "builds"],
      [32, "builds"],
      [34, "ends"],
    ],
    [31],
  ],
  [
    "the Worker cannot be built: the next change is waited for",
    [
      [0, "wait"],
      [1, "builds"],
      [2, "ends"],
    ],
    [],
  ],
  ["the server does not do what it is asked for", [[0, "wait"]], [4, 8, 12]],
  [
    "it begins, and does not end, each time",
    [
      [0, "wait"],
      [5, "builds"],
      [36, "builds"],
      [67, "builds"],
    ],
    [4, 35, 66],
  ],
  [
    "two changes, one after the other",
    [
      [0, "wait"],
      [3, "wait"],
      [6, "builds"],
      [8, "ends"],
    ],
    [],
  ],
  [
    "a later change is asked for anew",
    [
      [0, "wait"],
      [20, "wait"],
    ],
    [4, 8, 12, 24, 28, 32],
  ],
  [
    "it ends",
    [
      [0, "wait"],
      [1, "stop"],
    ],
    [],
  ],
  [
    "it ends after it was asked",
    [
      [0, "wait"],
      [5, "stop"],
    ],
    [4],
  ],
])("%s", (_, happens, seconds) => {
  expect(asked(happens)).toEqual(seconds);
});

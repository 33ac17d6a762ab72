/** `npm run bench -- --quick`: the exact counts alone. Fails where a request of the edge costs another number of them. */

import { countOne, openHarness } from "./harness.ts";
import { DOLLARS_PER_COMMAND, MIX } from "./report.ts";
import { rows } from "./rows.ts";

const ROUNDS = 6;
/** Dollars for a million requests of {@link MIX}. */
const MAX_DOLLARS = 2.9;
const WHATS = ["critical", "calls", "commands"] as const;
type What = (typeof WHATS)[number];

export async function quick(): Promise<boolean> {
  const harness = await openHarness(["edge", "tuned"]);
  const wrong: string[] = [];
  let commandsOfMix = 0;
  console.log(
    "| request | Worker | calls before the answer | calls in all | commands |\n|---|---|---|---|---|",
  );
  try {
    for (const row of rows) {
      for (const name of ["edge", "tuned"] as const) {
        const contestant = harness.contestants.get(name);
        if (!contestant || !row.contestants.includes(name)) continue;
        const measure = () => countOne(harness, row, contestant, ROUNDS);
        let counts = await measure();
        const words = (what: What) => [...new Set(counts.map((each) => each[what]))].join(" or ");
        // A limit's window that begins in between sets one lifetime more. It does not begin twice within a minute.
        if (WHATS.some((what) => words(what).includes(" or "))) counts = await measure();
        console.log(
          `| ${row.name} | ${name} | ${words("critical")} | ${words("calls")} | ${words("commands")} |`,
        );
        if (name !== "edge") continue;
        commandsOfMix += (MIX[row.name] ?? 0) * Math.max(...counts.map(({ commands }) => commands));
        for (const what of WHATS) {
          if (words(what) !== String(row.edge[what]))
            wrong.push(`${row.name}: ${what} ${words(what)}, not ${row.edge[what]}`);
        }
      }
    }
  } finally {
    await harness.stop();
  }
  const dollars = (commandsOfMix * DOLLARS_PER_COMMAND * 1e6).toFixed(2);
  console.log(
    `\nA million requests of the mix: edge $${dollars}, ${commandsOfMix.toFixed(2)} commands a request.`,
  );
  if (Number(dollars) > MAX_DOLLARS) wrong.push(`the mix: $${dollars}, over $${MAX_DOLLARS}`);
  for (const each of wrong) console.error(each);
  return wrong.length === 0;
}

/** `npm run bench -- --quick`: the exact counts alone. Fails where a request of the edge costs another number of them. */

import { countOne, openHarness } from "./harness.ts";
import { rows } from "./rows.ts";

const ROUNDS = 6;

export async function quick(): Promise<boolean> {
  const harness = await openHarness(["edge", "tuned"]);
  const wrong: string[] = [];
  console.log(
    "| request | Worker | calls before the answer | calls in all | commands |\n|---|---|---|---|---|",
  );
  try {
    for (const row of rows) {
      for (const name of ["edge", "tuned"] as const) {
        const contestant = harness.contestants.get(name);
        if (!contestant) continue;
        const counts = await countOne(harness, row, contestant, ROUNDS);
        const words = (what: "critical" | "calls" | "commands") =>
          [...new Set(counts.map((each) => each[what]))].join(" or ");
        console.log(
          `| ${row.name} | ${name} | ${words("critical")} | ${words("calls")} | ${words("commands")} |`,
        );
        if (name !== "edge") continue;
        for (const what of ["critical", "calls", "commands"] as const) {
          if (words(what) !== String(row.edge[what]))
            wrong.push(`${row.name}: ${what} ${words(what)}, not ${row.edge[what]}`);
        }
      }
    }
  } finally {
    await harness.stop();
  }
  for (const each of wrong) console.error(each);
  return wrong.length === 0;
}

/**
 * `npm run bench -- --quick`: the exact counts alone, and the table of targets with those that they decide. Fails where a
 * request of the edge costs another number of them, and where such a target is missed.
 */
import { countOne, openHarness } from "./harness.ts";
import { noResults } from "./results.ts";
import { rows } from "./rows.ts";
import { targetsOf, targetsTable } from "./targets.ts";

const NAMES = ["edge", "edge-operators", "tuned"] as const;
const ROUNDS = 6;
/** So often a row is counted again whose rounds differ. */
const MAX_AGAIN = 3;
const WHATS = ["critical", "calls", "commands"] as const;
type What = (typeof WHATS)[number];

export async function quick(): Promise<boolean> {
  const harness = await openHarness(NAMES);
  const wrong: string[] = [];
  const results = noResults();
  console.log(
    "| request | Worker | calls before the answer | calls in all | commands |\n|---|---|---|---|---|",
  );
  try {
    for (const row of rows) {
      for (const name of NAMES) {
        const contestant = harness.contestants.get(name);
        const takesPart = row.contestants.includes(name === "edge-operators" ? "edge" : name);
        if (!contestant || !takesPart) continue;
        const measure = () => countOne(harness, row, contestant, ROUNDS);
        let counts = await measure();
        const words = (what: What) => [...new Set(counts.map((each) => each[what]))].join(" or ");
        // A limit's window that begins in between sets one lifetime more, and on a busy machine what one request writes may come
        // while the next one is counted. Neither does so in every round.
        for (
          let again = 0;
          again < MAX_AGAIN && WHATS.some((what) => words(what).includes(" or "));
          again += 1
        )
          counts = await measure();
        console.log(
          `| ${row.name} | ${name} | ${words("critical")} | ${words("calls")} | ${words("commands")} |`,
        );
        // It writes what it has counted beside some request, every ten seconds; before the answer it must call no more.
        if (name === "edge-operators" && words("critical") !== String(row.edge.critical))
          wrong.push(`${row.name}, ${name}: critical ${words("critical")}, not ${row.edge.critical}`);
        if (name === "edge-operators") continue;
        results.counts.push({ row: row.name, name, counts });
        if (name !== "edge") continue;
        for (const what of WHATS) {
          if (words(what) !== String(row.edge[what]))
            wrong.push(`${row.name}: ${what} ${words(what)}, not ${row.edge[what]}`);
        }
      }
    }
  } finally {
    await harness.stop();
  }
  console.log(["", ...targetsTable(results)].join("\n"));
  for (const { what, measured, verdict } of targetsOf(results))
    if (verdict === "missed") wrong.push(`${what}: ${measured}`);
  for (const each of wrong) console.error(each);
  return wrong.length === 0;
}

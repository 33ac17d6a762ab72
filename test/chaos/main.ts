/**
 * `npm run chaos`: the edge under faults of the store, of Redis, of origins and of clients; writes RESULTS.md.
 * `npm run chaos -- soak`: ten minutes of new callers; writes SOAK.md. `-- database`: sessions with a database and without, and
 * their section of RESULTS.md; `--sessions N` made before an outage and as many during it, default 500. `-- quick`: a few of
 * each. `-- --only NAME,NAME`: these faults of the store. `-- --rate N`: requests of each capability a second, default 40; fewer
 * on a busy machine.
 */
import { readFile, writeFile } from "node:fs/promises";
import { notUnderstood, onlyOptions } from "../../src/tools/only-options.ts";
import { faults as storeFaults } from "./faults.ts";
import { hostileReport, runHostile } from "./hostile.ts";
import { quickFaults, runMatrix } from "./matrix.ts";
import { originReport, runOriginFaults } from "./origin-faults.ts";
import { matrixReport } from "./report.ts";
import { outages } from "./session-database/outages.ts";
import { databaseReport, withDatabaseSection } from "./session-database/report.ts";
import { runDatabase } from "./session-database/run.ts";
import { runSoak, soakReport } from "./soak.ts";

const USAGE =
  "Usage: npm run chaos [-- full | quick | soak | database] [--only NAME,NAME] [--rate N] [--sessions N] [--seconds N] [--seed N]";

const options = given();
const { form, seed } = options;
const rate = options.rate === undefined ? {} : { rate: options.rate };
const say = (line: string) => console.log(line);

const results = `${import.meta.dirname}/RESULTS.md`;

/** The arguments. What cannot be understood ends the program before it takes minutes, tries nothing, or writes over RESULTS.md. */
function given() {
  const text = { type: "string" } as const;
  const { positionals, values } = onlyOptions(
    USAGE,
    { seed: text, only: text, rate: text, sessions: text, seconds: text },
    true,
  );
  const [form = "full", ...more] = positionals;
  if (!["full", "quick", "soak", "database"].includes(form) || more.length > 0)
    notUnderstood(USAGE, `Not understood: ${positionals.join(" ")}`);
  const only = values.only?.split(",");
  const names = form === "soak" ? [] : (form === "database" ? outages : storeFaults).map(({ name }) => name);
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    notUnderstood(USAGE, `${form} has no fault ${unknown}. It has: ${names.join(", ") || "none"}`);
  const number = (name: "seed" | "rate" | "sessions" | "seconds") => {
    const value = values[name];
    if (value === undefined || /^[1-9]\d*$/.test(value))
      return value === undefined ? undefined : Number(value);
    return notUnderstood(USAGE, `--${name} is a whole number above 0, not ${value || "nothing"}`);
  };
  return {
    form,
    only,
    seed: number("seed") ?? 1,
    rate: number("rate"),
    sessions: number("sessions"),
    seconds: number("seconds") ?? 600,
  };
}

if (form === "soak") await soak();
else if (form === "database") await database();
else await faults();

async function database(): Promise<void> {
  const { only } = options;
  const sessions = options.sessions === undefined ? {} : { sessions: options.sessions };
  const rows = await runDatabase({ ...(only && { only }), ...sessions, progress: say });
  const report = databaseReport(rows);
  if (only || options.sessions) say(report);
  else await writeFile(results, withDatabaseSection(await readFile(results, "utf8"), report));
  verdict(rows.flatMap(({ misses }) => misses));
}

async function faults(): Promise<void> {
  const only = options.only ?? (form === "quick" ? quickFaults : undefined);
  let matrix = await runMatrix({ seed, ...rate, progress: say, ...(only && { only }) });
  const missed = matrix.filter(({ misses }) => misses.length > 0).map(({ fault }) => fault.name);
  if (form === "quick" && missed.length > 0) {
    // A busy machine can miss a deadline without a fault. A real violation shows in a second run too.
    say(`Once more: ${missed.join(", ")}`);
    matrix = await runMatrix({ seed: seed + 1, ...rate, progress: say, only: missed });
  }
  if (options.only) return verdict(matrix.flatMap(({ misses }) => misses));
  const origin = await runOriginFaults(say);
  const hostile = await runHostile({ seed, requests: form === "quick" ? 5000 : 100_000, progress: say });
  const sessions = form === "full" ? await runDatabase({ progress: say }) : [];
  if (form === "full") {
    const report = [matrixReport(matrix, seed), originReport(origin), hostileReport(hostile)].join("\n");
    await writeFile(results, withDatabaseSection(report, databaseReport(sessions)));
  }
  verdict([...[...matrix, ...origin, ...sessions].flatMap(({ misses }) => misses), ...hostile.misses]);
}

async function soak(): Promise<void> {
  const { seconds } = options;
  const result = await runSoak({ seed, seconds, progress: say });
  const report = soakReport(result);
  if (seconds >= 600) await writeFile(`${import.meta.dirname}/SOAK.md`, `${report}\n`);
  say(report);
  verdict(result.misses);
}

function verdict(misses: readonly string[]): void {
  for (const miss of misses) say(`MISSED: ${miss}`);
  say(misses.length === 0 ? "Nothing was missed." : `${misses.length} missed.`);
  process.exitCode = misses.length === 0 ? 0 : 1;
}

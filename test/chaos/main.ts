/** `npm run chaos`: what faults do to the edge. `quick` runs a few of them, `soak` looks at what fills up. */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { type MatrixOptions, quickFaults, runMatrix } from "./matrix.ts";
import { matrixReport } from "./report.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: "1" }, only: { type: "string" } },
});
const [form = "full"] = positionals;
const seed = Number(values.seed);
const say = (line: string) => console.log(line);

const options: MatrixOptions = { seed, progress: say };
if (values.only) options.only = values.only.split(",");
if (form === "quick") options.only = quickFaults;
const results = await runMatrix(options);
const missed = results.filter(({ misses }) => misses.length > 0);
if (form === "full" && !values.only)
  await writeFile(`${import.meta.dirname}/RESULTS.md`, matrixReport(results, seed));
say(
  missed.length === 0
    ? "Nothing was missed."
    : `${missed.length} of ${results.length} faults missed something.`,
);
process.exitCode = missed.length === 0 ? 0 : 1;

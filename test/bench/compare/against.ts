/**
 * `npm run bench -- --against REVISION`: this Worker beside the Worker of another git revision. Prints the ratio after /
 * before of requests a second with its 95 % interval, calls and commands of both, and the sizes of both bundles.
 */
import { measureBlock, medianOf, ratioOfSamples, type Sample } from "./blocks.ts";
import type { ContestantName } from "./contestants.ts";
import { countOne, type Harness, openHarness } from "./harness.ts";
import { ratioText } from "./interval.ts";
import { median } from "./percentile.ts";
import { buildRevision } from "./revision.ts";
import { type Row, rows } from "./rows.ts";

/** Blocks stop at whichever comes first. The seconds count from the start: a run takes less than five minutes. */
const MAX_BLOCKS = 16;
const MAX_SECONDS = 265;
const COUNTED = 6;
/** So many that the runtime has compiled what is called often: otherwise the run compares how long two sources are. */
const WARM_UP_REQUESTS = 1500;
/** The least that the lower end of the interval of requests a second may be. */
const MIN_LOW = 0.93;
const MEASURED = ["warm GET", "cold GET"];
/** The Worker of the working tree is the contestant "edge". */
const names = ["before", "edge"] as const satisfies ContestantName[];
const heading = { before: "before", edge: "after" };

/** @returns whether the counts are equal and both lower ends reach the minimum. */
export async function against(revision: string): Promise<boolean> {
  const since = performance.now();
  const say = (line: string) => console.error(`${Math.round((performance.now() - since) / 1000)} s: ${line}`);
  const harness = await openHarness(names, { bundles: { before: await buildRevision(revision) } });
  say(`before (${revision}) and after (the working tree) are built`);
  try {
    const complaints = [...(await counts(harness)), ...(await rates(harness, since, say))];
    console.log(
      `\nBundle, gzipped: ${names.map((name) => `${heading[name]} ${size(harness, name)}`).join(", ")}.`,
    );
    for (const complaint of complaints) console.log(`missed: ${complaint}`);
    if (complaints.length === 0) console.log("Counts are equal, and both lower ends reach the minimum.");
    return complaints.length === 0;
  } finally {
    await harness.stop();
  }
}

const size = ({ contestants }: Harness, name: ContestantName) =>
  `${((contestants.get(name)?.gzipped ?? Number.NaN) / 1000).toFixed(1)} KB`;

/** Prints calls and commands of each kind of request. */
async function counts(harness: Harness): Promise<string[]> {
  const complaints: string[] = [];
  console.log("| request | | calls before the answer | calls in all | commands |\n|---|---|---|---|---|");
  for (const row of rows) {
    const found: string[] = [];
    for (const name of names) {
      const { all, usual } = await countWords(harness, row, name);
      console.log(`| ${row.name} | ${heading[name]} | ${all} |`);
      found.push(usual);
    }
    if (found[0] !== found[1]) complaints.push(`${row.name}: calls and commands differ`);
  }
  return complaints;
}

/** `usual` is the median: on a slow machine a lease or the purge log may fall due between two counted requests. */
async function countWords(
  harness: Harness,
  row: Row,
  name: ContestantName,
): Promise<{ all: string; usual: string }> {
  const contestant = harness.contestants.get(name);
  if (!contestant) throw new Error(`There is no ${name}`);
  const found = await countOne(harness, row, contestant, COUNTED);
  const counted = (["critical", "calls", "commands"] as const).map((what) => found.map((each) => each[what]));
  return {
    all: counted.map((each) => [...new Set(each)].join(" or ")).join(" | "),
    usual: counted.map(median).join(" | "),
  };
}

/** Prints requests a second and CPU of warm and cold requests. */
async function rates(harness: Harness, since: number, say: (line: string) => void): Promise<string[]> {
  const measured = rows.filter(({ name }) => MEASURED.includes(name));
  const blocks: Sample[][] = [];
  while (blocks.length < MAX_BLOCKS && performance.now() - since < MAX_SECONDS * 1000) {
    // Whoever is restarted and asked first changes from block to block.
    const ordered = blocks.length % 2 === 0 ? names : names.toReversed();
    const options = { rows: measured, names: ordered, clients: 8, roundTripMs: 0 };
    blocks.push(await measureBlock(harness, { ...options, warmUpRequests: WARM_UP_REQUESTS }));
    say(`block ${blocks.length} of ${MAX_BLOCKS}`);
  }
  const complaints: string[] = [];
  const perSecond = (sample: Sample) => sample.perSecond;
  const cpuMs = (sample: Sample) => [sample.cpuMs];
  console.log(
    `\n${blocks.length} blocks, 8 clients, 0 ms to the store, after ${WARM_UP_REQUESTS} requests. Medians; after / before with its 95 % interval.\n`,
  );
  console.log("| request | | before | after | after / before |\n|---|---|---|---|---|");
  for (const { name: row } of measured) {
    for (const [what, read, digits] of [
      ["requests/s", perSecond, 0],
      ["CPU ms", cpuMs, 3],
    ] as const) {
      const medians = names.map((name) => medianOf(blocks, row, name, read).toFixed(digits));
      const ratio = ratioOfSamples(blocks, row, ["edge", "before"], read);
      console.log(`| ${row} | ${what} | ${medians.join(" | ")} | ${ratioText(ratio)} |`);
      if (read === perSecond && ratio.low < MIN_LOW)
        complaints.push(`${row}: the lower end is ${ratio.low.toFixed(3)}, the minimum ${MIN_LOW}`);
    }
  }
  return complaints;
}

import type { Contestant, ContestantName } from "./contestants.ts";
import { type Harness, idle, prepare } from "./harness.ts";
import { medianRatio, type Ratio, ratioOf } from "./interval.ts";
import { load } from "./load.ts";
import { median, percentile } from "./percentile.ts";
import type { Row } from "./rows.ts";

/** What one block found of one Worker and one kind of request. */
export interface Sample {
  row: string;
  name: ContestantName;
  /** Requests a second of each slice. */
  perSecond: number[];
  /** ms. */
  p50: number;
  /** ms of CPU of the Worker's runtime for each request. */
  cpuMs: number;
}

export interface BlockOptions {
  rows: readonly Row[];
  names: readonly ContestantName[];
  clients: number;
  roundTripMs: number;
  /** Requests before the first slice. Default: as many as {@link WARM_UP_MS} take. */
  warmUpRequests?: number;
}

/** Before the first slice. The fewer requests, the more a figure says of code that the runtime has not compiled yet. */
const WARM_UP_MS = 700;
const SLICES = 10;
const SLICE_MS = 200;

/**
 * Restarts every contestant, then measures them in short alternating slices: A B, B A, A B. Slices are short so that what
 * else the machine does meets all of them alike; restarts make blocks independent, because a runtime keeps the luck of its
 * start (memory layout, compiled code) for as long as it lives.
 */
export async function measureBlock(harness: Harness, options: BlockOptions): Promise<Sample[]> {
  const contestants = options.names.map((name) => {
    const contestant = harness.contestants.get(name);
    if (!contestant) throw new Error(`There is no ${name}`);
    return contestant;
  });
  for (const contestant of contestants) await contestant.restart();
  const samples: Sample[] = [];
  for (const row of options.rows) samples.push(...(await measureRow(harness, row, contestants, options)));
  return samples;
}

async function measureRow(
  harness: Harness,
  row: Row,
  contestants: readonly Contestant[],
  { clients, roundTripMs, warmUpRequests }: BlockOptions,
): Promise<Sample[]> {
  const ask = (contestant: Contestant, until: { ms: number } | { requests: number }) =>
    load({ port: contestant.port, clients, ...until, request: (n) => row.request(contestant, n) });
  const totals = contestants.map((contestant) => ({
    contestant,
    times: [] as number[],
    perSecond: [] as number[],
    cpuMs: 0,
  }));
  for (const contestant of contestants) {
    await prepare(harness, row, contestant, 0);
    await ask(contestant, warmUpRequests ? { requests: warmUpRequests } : { ms: WARM_UP_MS });
  }
  harness.wire.roundTripMs = roundTripMs;
  await idle(harness);
  for (let slice = 0; slice < SLICES; slice += 1) {
    for (const total of slice % 2 === 0 ? totals : totals.toReversed()) {
      const cpuBefore = await total.contestant.cpuMs();
      const { times, seconds, statuses } = await ask(total.contestant, { ms: SLICE_MS });
      await idle(harness);
      total.cpuMs += (await total.contestant.cpuMs()) - cpuBefore;
      total.perSecond.push(times.length / seconds);
      total.times.push(...times);
      if (statuses.size !== 1 || !statuses.has(row.status))
        throw new Error(`${total.contestant.name}, ${row.name}: answered ${[...statuses.keys()].join(", ")}`);
    }
  }
  harness.wire.roundTripMs = 0;
  return totals.map(({ contestant, times, perSecond, cpuMs }) => ({
    row: row.name,
    name: contestant.name,
    perSecond,
    p50: percentile(times, 0.5),
    cpuMs: cpuMs / times.length,
  }));
}

/**
 * One Worker's figure over another's. A block's ratio is the median of its slices' ratios, each of two slices that follow
 * each other: a burst of other work on the machine spoils one of them, not the block.
 */
export function ratioOfSamples(
  blocks: readonly (readonly Sample[])[],
  row: string,
  [mine, theirs]: readonly [ContestantName, ContestantName],
  read: (sample: Sample) => readonly number[],
): Ratio {
  const figures = (samples: readonly Sample[], name: ContestantName) =>
    samples.filter((each) => each.row === row && each.name === name).flatMap(read);
  return ratioOf(
    blocks.map((samples) => {
      const others = figures(samples, theirs);
      return medianRatio(
        figures(samples, mine).map((figure, slice) => figure / (others[slice] ?? Number.NaN)),
      );
    }),
  );
}

/** The median of one Worker's figures over all blocks. */
export function medianOf(
  blocks: readonly (readonly Sample[])[],
  row: string,
  name: ContestantName,
  read: (sample: Sample) => readonly number[],
): number {
  return median(blocks.flat().flatMap((each) => (each.row === row && each.name === name ? read(each) : [])));
}

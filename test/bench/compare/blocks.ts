import { type Contestant, type ContestantName, isEdge } from "./contestants.ts";
import { askFor, type Harness, idle, MAX_AT_ONCE, prepare } from "./harness.ts";
import { medianRatio, type Ratio, ratioOf } from "./interval.ts";
import { median, percentile } from "./percentile.ts";
import { HELD_URLS, type Row } from "./rows.ts";

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
  /** Of one slice of a row whose requests need no entry in Redis. Default {@link SLICE_MS}. */
  sliceMs?: number;
}

type Until = { ms: number } | { requests: number };

/** Before the first slice. The fewer requests, the more a figure says of code that the runtime has not compiled yet. */
const WARM_UP_MS = 700;
const SLICES = 10;
const SLICE_MS = 200;
/** A slice of a row whose requests each need an entry in Redis. */
const FILLED_REQUESTS = 120;
/** Requests before the first slice of such a row, where they are not said. */
const FILLED_WARM_UP = 150;
/** The least part of the requests to a filled row that must be hits, and of all that must have the row's status. */
const MIN_HITS = 0.99;
const MIN_RIGHT = 0.99;

/** Something else has been measured than the row says: a busy machine has made a Worker give up its store, say. */
export class SpoiltBlock extends Error {}

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
  { clients, roundTripMs, warmUpRequests, sliceMs = SLICE_MS }: BlockOptions,
): Promise<Sample[]> {
  const isFilled = row.before === "fill and restart";
  const ask = async (total: { contestant: Contestant; asked: number }, until: Until) => {
    const { contestant, asked } = total;
    const { found, again } = await askFor(row, contestant, { clients, from: asked, ...until });
    total.asked += found.times.length;
    // Hits leave nothing to be stored.
    return { ...found, again: isFilled ? async () => {} : again };
  };
  const warmUp = warmUpRequests ?? FILLED_WARM_UP;
  const slice: Until = isFilled ? { requests: FILLED_REQUESTS } : { ms: sliceMs };
  const totals = contestants.map((contestant) => ({
    contestant,
    asked: 0,
    hits: 0,
    right: 0,
    times: [] as number[],
    perSecond: [] as number[],
    cpuMs: 0,
  }));
  for (const total of totals) {
    // Twice: at the second request an entry is written to Redis too. A Worker that holds nothing needs none.
    const held = isEdge(total.contestant.name) ? 2 * HELD_URLS : 1;
    await prepare(harness, row, total.contestant, isFilled ? warmUp + SLICES * FILLED_REQUESTS : held);
    if (!isFilled && !warmUpRequests) await (await ask(total, { ms: WARM_UP_MS })).again();
    else
      for (let left = warmUp; left > 0; left -= MAX_AT_ONCE)
        await (await ask(total, { requests: Math.min(left, MAX_AT_ONCE) })).again();
  }
  harness.wire.roundTripMs = roundTripMs;
  await idle(harness);
  for (let round = 0; round < SLICES; round += 1) {
    for (const total of round % 2 === 0 ? totals : totals.toReversed()) {
      const cpuBefore = await total.contestant.cpuMs();
      const { times, seconds, statuses, words, again } = await ask(total, slice);
      await idle(harness);
      total.cpuMs += (await total.contestant.cpuMs()) - cpuBefore;
      await again();
      await idle(harness);
      total.perSecond.push(times.length / seconds);
      total.times.push(...times);
      total.hits += words.get("hit") ?? 0;
      total.right += statuses.get(row.status) ?? 0;
    }
  }
  harness.wire.roundTripMs = 0;
  for (const total of totals) expectRow(row, total);
  return totals.map(({ contestant, times, perSecond, cpuMs }) => ({
    row: row.name,
    name: contestant.name,
    perSecond,
    p50: percentile(times, 0.5),
    cpuMs: cpuMs / times.length,
  }));
}

interface Answered {
  contestant: Contestant;
  times: readonly number[];
  hits: number;
  right: number;
}

/** @throws SpoiltBlock where the answers are not what the row measures. */
function expectRow(row: Row, { contestant, times, hits, right }: Answered): void {
  const what = `of ${times.length} requests of ${contestant.name}, ${row.name}`;
  if (right < MIN_RIGHT * times.length) throw new SpoiltBlock(`${right} ${what}, had status ${row.status}`);
  if (row.before.startsWith("fill") && isEdge(contestant.name) && hits < MIN_HITS * times.length)
    throw new SpoiltBlock(`${hits} ${what}, were hits`);
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

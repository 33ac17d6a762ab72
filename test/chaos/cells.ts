export const capabilities = ["limits", "sessions", "cache", "gateway"] as const;
export type CapabilityName = (typeof capabilities)[number];
export const phases = ["before", "during", "after"] as const;
export type Phase = (typeof phases)[number];

/** One request as its client saw it. */
export interface Sample {
  /** ms since the epoch. */
  startedAt: number;
  ms: number;
  status: number;
  /** By which its line in the log is found. */
  requestId: string | null;
  /** On a route that prefers to be closed: a 503 is what was asked for. */
  closed: boolean;
}

/** What a cell counts beside statuses and times. */
export interface Tally {
  /** Admitted above what the exact limiter admits. */
  over: number;
  /** Sessions that should have been honoured and were not. */
  lost: number;
  /** Bodies that are not the one this request should get, ended sessions that were honoured. */
  wrong: number;
  /** Units charged, sessions made, or requests forwarded more often than the client asked for it. */
  double: number;
}

export interface Cell {
  samples: Sample[];
  tally: Tally;
  /** What was wrong, in words, a few of each. */
  notes: string[];
}

export type Cells = Record<CapabilityName, Record<Phase, Cell>>;

export function emptyCells(): Cells {
  const cell = (): Cell => ({ samples: [], tally: { over: 0, lost: 0, wrong: 0, double: 0 }, notes: [] });
  const row = () => ({ before: cell(), during: cell(), after: cell() });
  return { limits: row(), sessions: row(), cache: row(), gateway: row() };
}

/** Counts something that must not be, and says a few examples of it. */
export function mark(cell: Cell, what: keyof Tally, note: string, times = 1): void {
  if (times <= 0) return;
  cell.tally[what] += times;
  const said = `${what}: ${note}`;
  const ofThis = cell.notes.filter((each) => each.startsWith(`${what}:`));
  if (ofThis.length < 3 && !cell.notes.includes(said)) cell.notes.push(said);
}

/** The value below which this part of all values lies, in ms; null where there are none. */
export function percentile(values: readonly number[], part: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? null;
}

/** `200 × 96, 429 × 12` */
export function statusWords(samples: readonly Sample[]): string {
  const counts = new Map<string, number>();
  for (const { status, closed } of samples) {
    const word = closed ? `${status} (closed)` : String(status);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([word, count]) => `${word} × ${count}`)
    .join(", ");
}

/** Answers of 5xx that nobody asked for. The origin is well: the store is to blame. */
export function serverErrors(samples: readonly Sample[]): number {
  return samples.filter(({ status, closed }) => status >= 500 && !(closed && status === 503)).length;
}

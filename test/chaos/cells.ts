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
  /** The request id, which finds its line in the log. */
  requestId: string | null;
  /** The route has `onStoreFailure: "closed"`, so that a 503 is correct. */
  closed: boolean;
}

/** What a cell counts beside statuses and times. */
export interface Tally {
  /** Admitted above what the exact limiter admits. */
  over: number;
  /** Valid sessions that were refused. */
  lost: number;
  /** Bodies of another request, and ended sessions that were accepted. */
  wrong: number;
  /** Units charged, sessions made, or requests forwarded more often than the client asked for it. */
  double: number;
}

export interface Cell {
  samples: Sample[];
  tally: Tally;
  /** Descriptions of what was wrong, a few of each kind. */
  notes: string[];
}

export type Cells = Record<CapabilityName, Record<Phase, Cell>>;

export function emptyCells(): Cells {
  const cell = (): Cell => ({ samples: [], tally: { over: 0, lost: 0, wrong: 0, double: 0 }, notes: [] });
  const row = () => ({ before: cell(), during: cell(), after: cell() });
  return { limits: row(), sessions: row(), cache: row(), gateway: row() };
}

/** Counts a violation, and keeps a few examples. */
export function mark(cell: Cell, what: keyof Tally, note: string, times = 1): void {
  if (times <= 0) return;
  cell.tally[what] += times;
  const said = `${what}: ${note}`;
  const ofThis = cell.notes.filter((each) => each.startsWith(`${what}:`));
  if (ofThis.length < 3 && !cell.notes.includes(said)) cell.notes.push(said);
}

/** The percentile of the values (`part` in 0 to 1), ms; null where there are none. */
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

/** Unexpected 5xx answers. The origin works in these runs, so the store is the cause. */
export function serverErrors(samples: readonly Sample[]): number {
  return samples.filter(({ status, closed }) => status >= 500 && !(closed && status === 503)).length;
}

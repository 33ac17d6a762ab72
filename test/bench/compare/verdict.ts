import type { Estimate } from "./percentile.ts";

/** `not resolved`: the interval reaches to both sides of the bound, so the measurement does not tell. */
export type Verdict = "reached" | "missed" | "not resolved" | "not measured";

/** Whether a figure is at most the bound, as far as the interval tells. */
export function atMost({ low, high }: Omit<Estimate, "value">, bound: number): Verdict {
  if (!Number.isFinite(bound) || Number.isNaN(low) || Number.isNaN(high)) return "not measured";
  if (high <= bound) return "reached";
  return low > bound ? "missed" : "not resolved";
}

/** Whether a figure is at least the bound, as far as the interval tells. */
export function atLeast({ low, high }: Omit<Estimate, "value">, bound: number): Verdict {
  return atMost({ low: -high, high: -low }, -bound);
}

/** Whether a figure is at most another and so much more. The difference is as uncertain as both. */
export function atMostBeside(one: Estimate, other: Estimate, { times = 1, more = 0 } = {}): Verdict {
  return atMost({ low: one.low - times * other.high, high: one.high - times * other.low }, more);
}

/** Whether a figure that has no interval, because it is counted, is right. */
export function exactly(isRight: boolean): Verdict {
  return isRight ? "reached" : "missed";
}

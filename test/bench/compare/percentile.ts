/** The percentile of the values (`part` in 0 to 1); NaN where there are none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** A figure and its 95 % interval. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}

/**
 * A percentile and its 95 % interval, whatever the distribution: the number of values below the true percentile is binomial,
 * so the interval's ends are values a few places before and after it. NaN where there are no values.
 */
export function estimate(values: readonly number[], part: number): Estimate {
  const sorted = [...values].sort((one, other) => one - other);
  const count = sorted.length;
  const at = (place: number) => sorted[Math.min(count - 1, Math.max(0, place))] ?? Number.NaN;
  const places = 1.96 * Math.sqrt(count * part * (1 - part));
  return {
    value: percentile(values, part),
    low: at(Math.floor(part * count - places) - 1),
    high: at(Math.ceil(part * count + places)),
  };
}

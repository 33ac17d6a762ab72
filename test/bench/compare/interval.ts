/** A ratio and its 95 % confidence interval. */
export interface Ratio {
  value: number;
  low: number;
  high: number;
}

/** Student's t, two-sided 95 %, for 1 to 30 degrees of freedom. */
const T_95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/**
 * The mean of ratios that were measured in several blocks. Blocks are independent of each other
 * because every Worker is restarted between them, so one block is one observation, however many requests it holds. The
 * logarithms of the ratios are averaged: then a / b and b / a give the same interval, inverted.
 *
 * @param ratios One for each block, above 0. With fewer than two, the interval is unbounded.
 */
export function ratioOf(ratios: readonly number[]): Ratio {
  const logs = ratios.map(Math.log);
  const count = logs.length;
  const mean = logs.reduce((sum, log) => sum + log, 0) / count;
  if (count < 2) return { value: Math.exp(mean), low: 0, high: Number.POSITIVE_INFINITY };
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (count - 1);
  const margin = (T_95[count - 2] ?? 1.96) * Math.sqrt(variance / count);
  return { value: Math.exp(mean), low: Math.exp(mean - margin), high: Math.exp(mean + margin) };
}

/**
 * The median; of an even number of ratios the geometric mean of the two in the middle. Taking the lower of the two would
 * favour one side.
 */
export function medianRatio(ratios: readonly number[]): number {
  const sorted = [...ratios].sort((one, other) => one - other);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return Math.sqrt((low ?? Number.NaN) * (high ?? Number.NaN));
}

/** Like `0.98 × [0.95, 1.01]`. */
export function ratioText({ value, low, high }: Ratio): string {
  return `${value.toFixed(2)} × [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

/**
 * How many letters must be changed, added, removed or swapped with their neighbour to make one text of the other
 * (optimal string alignment).
 */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length] ?? 0;
}

/** The most letters that may be wrong: one in a short name, more in a long one. */
function tolerated(name: string): number {
  if (name.length < 8) return 1;
  return name.length < 16 ? 2 : 3;
}

/**
 * The names that somebody may have meant, nearest first; none where nothing is near enough.
 *
 * @example nearest("rotues", ["routes", "rules"]) // ["routes"]
 */
export function nearest(name: string, known: readonly string[]): string[] {
  return known
    .map((each) => ({ each, distance: editDistance(name, each) }))
    .filter(({ each, distance }) => distance <= tolerated(each))
    .sort((one, other) => one.distance - other.distance)
    .filter(({ distance }, _index, [best]) => distance === best?.distance)
    .map(({ each }) => each);
}

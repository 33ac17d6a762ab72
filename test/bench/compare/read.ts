import type { ContestantName } from "./contestants.ts";
import type { Cell, Results } from "./results.ts";

export function cellOf(
  { latency }: Results,
  row: string,
  name: ContestantName,
  clients: number,
  roundTripMs: number,
): Cell | undefined {
  return latency.find(
    (cell) =>
      cell.row === row && cell.name === name && cell.clients === clients && cell.roundTripMs === roundTripMs,
  );
}

/** The different counts that a row's requests had, ascending. */
export function counted(
  { counts }: Results,
  row: string,
  name: ContestantName,
  what: "critical" | "calls" | "commands",
): number[] {
  const found = counts.find((each) => each.row === row && each.name === name);
  return [...new Set(found?.counts.map((each) => each[what]) ?? [])].sort((one, other) => one - other);
}

export const ms = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

import { afterEach, beforeEach, vi } from "vitest";

const LEVELS = ["log", "info", "warn", "error"] as const;

/**
 * Keeps what the tests of this file print on the console from the run's output. Called at the top of a file or of a `describe`.
 *
 * @returns the lines of the current test, in their order.
 */
export function printedLines(): string[] {
  const lines: string[] = [];
  beforeEach(() => {
    lines.length = 0;
    for (const level of LEVELS)
      vi.spyOn(console, level).mockImplementation((line) => void lines.push(String(line)));
  });
  afterEach(() => void vi.restoreAllMocks());
  return lines;
}

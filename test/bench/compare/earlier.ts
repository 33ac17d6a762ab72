/** A report that has what was measured now, and what an earlier one has of the rest. */
export interface Joined {
  text: string;
  /** Headings of the sections that are the earlier report's. */
  kept: string[];
}

/**
 * Puts what an earlier report has into one in which parts were not measured: whole sections, and the rows of targets. So one part can be
 * measured again on another machine, where the figures of the others are not at hand.
 *
 * @param order Headings of all sections, in their order.
 */
export function withEarlier(text: string, earlier: string, order: readonly string[]): Joined {
  const [now, before] = [sectionsOf(text), sectionsOf(earlier)];
  const kept = order.filter((heading) => !now.has(heading) && before.has(heading));
  const rows = new Map(rowsOf(before.get(TARGETS) ?? "").map((row) => [whatOf(row), row]));
  const targets = (now.get(TARGETS) ?? "")
    .split("\n")
    .map((line) => (line.endsWith("| not measured |") ? (rows.get(whatOf(line)) ?? line) : line))
    .join("\n");
  const head = text.slice(0, text.indexOf(`## ${TARGETS}\n`));
  const all = order.flatMap((heading) => {
    const body = heading === TARGETS ? targets : (now.get(heading) ?? before.get(heading));
    return body === undefined ? [] : [`## ${heading}\n${body.trimEnd()}\n`];
  });
  return { text: head + all.join("\n"), kept };
}

export const TARGETS = "Targets";

/** By heading, each without it. */
function sectionsOf(text: string): Map<string, string> {
  const [, ...sections] = text.split(/^## /m);
  return new Map(
    sections.map((section) => {
      const end = section.indexOf("\n");
      return [section.slice(0, end), section.slice(end + 1)];
    }),
  );
}

const rowsOf = (text: string) => text.split("\n").filter((line) => line.startsWith("| "));

/** What a row of the table of targets is about, whether it is in bold or not. */
const whatOf = (row: string) => (row.split(" | ")[0] ?? "").replace(/^\| (\*\*)?|\*\*$/g, "");

/** What one look found. */
export interface Finding {
  /** `note`: worth a line, and nothing is wrong. */
  state: "well" | "wrong" | "note";
  says: string;
  /** The command, or the sentence, that fixes it. */
  fix?: string;
}

export const well = (says: string): Finding => ({ state: "well", says });
export const note = (says: string): Finding => ({ state: "note", says });
export const wrong = (says: string, fix?: string): Finding => ({
  state: "wrong",
  says,
  ...(fix !== undefined && { fix }),
});

const SIGNS = { well: "✅", wrong: "❌", note: "➖" } as const;

/** The lines of a finding. */
export function shown({ state, says, fix }: Finding): string[] {
  return [`${SIGNS[state]} ${says}`, ...(fix === undefined ? [] : [`   fix: ${fix}`])];
}

/** The result, or a `wrong` line where the look takes longer. Nothing that hangs holds up the lines after it. */
export async function withinDeadline(
  what: string,
  deadlineMs: number,
  look: () => Promise<Finding[]>,
): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(() => resolve([wrong(`${what}: gave up after ${deadlineMs / 1000} s`)]), deadlineMs);
  });
  try {
    return await Promise.race([late, look()]);
  } catch (error) {
    return [wrong(`${what}: ${error instanceof Error ? error.message : "failed"}`)];
  } finally {
    clearTimeout(timer);
  }
}

/** A text in which each secret is replaced by its variable's name. */
export type Redact = (text: string) => string;

/**
 * @param secrets Values that must not be shown, by the name of their variable. Those below four characters are no secrets, and
 *   would tear apart other words.
 */
export function createRedact(secrets: Iterable<readonly [name: string, value: string]>): Redact {
  const forms = [...secrets]
    .filter(([, value]) => value.length >= 4)
    .flatMap(([name, value]) =>
      [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), btoaOf(value)].map(
        (form) => [name, form] as const,
      ),
    )
    // Longest first: one value may begin another.
    .sort(([, a], [, b]) => b.length - a.length);
  return (text) => forms.reduce((shorter, [name, form]) => shorter.replaceAll(form, `[${name}]`), text);
}

function btoaOf(value: string): string {
  return Buffer.from(value, "utf8").toString("base64");
}

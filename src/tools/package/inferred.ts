import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CREDENTIAL_KINDS } from "../../config/access.ts";
import { choicesOf } from "../../config/limit-algorithms.ts";
import { logLevels } from "../../events/level.ts";
import { eventTable } from "../../events/table.ts";
import { PROBLEM_CODES } from "../../http/problem-codes.ts";
import { algorithms } from "../../ratelimit/algorithms/algorithms.ts";

interface Inferred {
  /** The file of declarations. */
  file: string;
  /** The type that is inferred from a table there, or from what another module adds to it. */
  type: string;
  /** What it names. */
  names: readonly string[];
}

/**
 * Types that the source infers from a table. An app gets their names: it is told of no table, and the one of the algorithms is
 * declared in a module that no declaration of the package leads to.
 */
export const INFERRED: readonly Inferred[] = [
  { file: "config/limit-algorithms.d.ts", type: "Algorithm", names: Object.keys(algorithms) },
  { file: "config/limit-algorithms.d.ts", type: "Refilling", names: choicesOf(algorithms).buckets },
  { file: "config/access.d.ts", type: "CredentialKind", names: CREDENTIAL_KINDS },
  { file: "events/level.d.ts", type: "LogLevel", names: logLevels },
  { file: "events/table.d.ts", type: "EventName", names: Object.keys(eventTable) },
  { file: "http/problem-codes.d.ts", type: "ProblemCode", names: PROBLEM_CODES },
];

/**
 * A declaration with names in place of what they are inferred from.
 *
 * @param text The file of declarations.
 * @throws Error where it has no such type.
 */
export function withNames(text: string, { file, type, names }: Inferred): string {
  // It ends with the first semicolon at the end of a line that is not indented.
  const declared = new RegExp(`(\\nexport type ${type} = )(?:.*;|[\\s\\S]*?\\n\\S.*;)(?=\\n|$)`);
  if (!declared.test(text)) throw new Error(`${file} declares no type ${type}`);
  return text.replace(
    declared,
    (_, begin: string) => `${begin}${names.map((name) => JSON.stringify(name)).join(" | ")};`,
  );
}

/** Writes the names into the declarations of a folder. */
export async function nameInferred(folder: string): Promise<void> {
  for (const inferred of INFERRED) {
    const path = join(folder, inferred.file);
    await writeFile(path, withNames(await readFile(path, "utf8"), inferred));
  }
}

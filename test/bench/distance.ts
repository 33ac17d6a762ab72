/**
 * `npm run bench -- distance [SECTION]`: what the distance to the store and to the origin costs, written to DISTANCE.md.
 * With a section's name only that one is measured, and the others stay as they were. It fails where a section misses a target.
 */
import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";

/** What a section's measurement has found. */
export interface Section {
  /** Begins with its heading, `## …`. */
  text: string;
  /** Targets that were missed, as sentences. */
  failures: string[];
}

/** In the order of the file. Each is measured by a file of its own. */
const sections: Record<string, () => Promise<Section>> = {
  deadline: async () => (await import("./distance-deadline.ts")).measureDeadline(),
  eager: async () => (await import("./distance-eager.ts")).eagerSection(),
  bodies: async () => (await import("./distance-bodies.ts")).bodiesSection(),
};

const FILE = "test/bench/DISTANCE.md";
const HEAD = `# Distance

Written by \`npm run bench -- distance\`. Delays are added on loopback, before a real Redis and in an origin; the Worker runs in
workerd. Times depend on the machine (${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}); counts do not.
`;

const [, , , only] = process.argv;
if (only !== undefined && !Object.hasOwn(sections, only))
  throw new Error(`There is no section ${only}: ${Object.keys(sections).join(", ")}`);
const written = await sectionsOf(FILE);
const failures: string[] = [];
for (const [name, measure] of Object.entries(sections)) {
  if (only !== undefined && name !== only) continue;
  const section = await measure();
  written.set(name, section.text.trim());
  failures.push(...section.failures);
}
const texts = Object.keys(sections).flatMap((name) => {
  const text = written.get(name);
  return text === undefined ? [] : [`<!-- ${name} -->\n\n${text}`];
});
await writeFile(FILE, `${[HEAD.trim(), ...texts].join("\n\n")}\n`);
for (const failure of failures) console.error(`Missed: ${failure}`);
if (failures.length > 0) process.exitCode = 1;

/** The sections that the file has, by name. */
async function sectionsOf(file: string): Promise<Map<string, string>> {
  const text = await readFile(file, "utf8").catch(() => "");
  const [, ...parts] = text.split(/^<!-- ([a-z-]+) -->$/m);
  const found = new Map<string, string>();
  for (let at = 0; at + 1 < parts.length; at += 2) found.set(parts[at] ?? "", (parts[at + 1] ?? "").trim());
  return found;
}

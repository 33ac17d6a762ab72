import { readdirSync, readFileSync } from "node:fs";
import { blocksOf, markdownFiles } from "./markdown.ts";

/** A command that a page tells people to type. */
export interface Command {
  file: string;
  text: string;
}

/** The pages that tell people what to type today. The changelog tells of the past, those below test/ of measurements. */
export const pages = markdownFiles().filter((file) => file !== "CHANGELOG.md" && !file.startsWith("test/"));

/** `test/docs/migrating.test.ts` runs all blocks of this page in one shell. */
const RUN_AS_A_WHOLE = "docs/migrating.md";

/** Programs that a code span may begin with to be a command: all of this project, and those that such pages name. */
const PROGRAMS = new Set([
  ...readdirSync("node_modules/.bin").filter((name) => !name.includes(".")),
  ...[
    "npm",
    "npx",
    "git",
    "curl",
    "wget",
    "openssl",
    "docker",
    "redis-server",
    "redis-cli",
    "python",
    "python3",
    "pip",
  ],
  ...[
    "uvicorn",
    "fastapi",
    "bash",
    "sh",
    "for",
    "(set",
    "export",
    "source",
    "cd",
    "cp",
    "mv",
    "rm",
    "mkdir",
    "echo",
    "kill",
  ],
  ...["brew", "apt", "apt-get", "sudo", "yarn", "pnpm", "bun", "bunx", "deno", "gh", "psql", "sqlite3"],
]);

/** `NAME=value` before the program. */
export const ASSIGNMENTS = /^(?:[A-Z][A-Z0-9_]*=\S* +)+/;

function isCommand(span: string): boolean {
  const [program = "", ...words] = span.replace(ASSIGNMENTS, "").split(/\s+/);
  // `source exists` is a filter of Workers Logs.
  return words.length > 0 && words[0] !== "exists" && PROGRAMS.has(program);
}

/**
 * The commands of a page: each line of its `sh` blocks, and each code span, in a sentence, a table or another block's comment, that
 * begins with a program. A span that begins with `-- ` goes on with the command before it on its line.
 *
 * @throws Error at such a span without a command before it.
 */
export function commandsOf(file: string): Command[] {
  const commands = new Set(file === RUN_AS_A_WHOLE ? [] : blocksOf(file).flatMap(linesOfShell));
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (/^\s*```/.test(line)) continue;
    let last: string | undefined;
    for (const [, span = ""] of line.matchAll(/`([^`]+)`/g)) {
      if (span.startsWith("-- ")) {
        if (last === undefined) throw new Error(`${file}: no command before \`${span}\` on its line`);
        commands.add(`${last} ${span}`);
      } else if (isCommand(span)) {
        commands.add(span);
        last = span.replace(/ -- .*/, "");
      }
    }
  }
  return [...commands].map((text) => ({ file, text }));
}

function linesOfShell({ language, text }: { language: string; text: string }): string[] {
  if (language !== "sh") return [];
  return text
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.replace(/(?:^|\s+)# .*$/, "").trim())
    .filter((line) => line !== "");
}

/** Options that a page names on their own: `--cached PATH`. */
export function optionsOf(file: string): string[] {
  const spans = readFileSync(file, "utf8").matchAll(/`(--[a-z][^`\n]*)`/g);
  return [...spans].flatMap(([, span = ""]) => span.match(/--[a-z][a-z-]*/g) ?? []);
}

/** What a page shows a command to print. */
export interface Shown {
  command: string;
  lines: string[];
}

/** The commands of the page's `console` blocks, each with the lines that are shown below it. */
export function shownBy(file: string): Shown[] {
  const shown: Shown[] = [];
  for (const { text } of blocksOf(file).filter(({ language }) => language === "console")) {
    for (const line of text.split("\n").map((each) => each.trim())) {
      if (line.startsWith("$ ")) shown.push({ command: line.slice(2).replace(/\s+# .*$/, ""), lines: [] });
      else if (line !== "") {
        if (shown.length === 0) shown.push({ command: "", lines: [] });
        shown.at(-1)?.lines.push(line);
      }
    }
  }
  return shown;
}

/** A line without what differs from run to run: numbers, and ids in hex. */
export function stable(line: string): string {
  return line
    .trim()
    .replace(/\b[0-9a-f]{32}\b/g, "ID")
    .replace(/(?<![\w/.])\d+/g, "N")
    .toLowerCase();
}

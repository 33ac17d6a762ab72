import { blocksOf, withoutBlocks } from "./markdown.ts";

/** A command that a page tells people to type. */
export interface Command {
  file: string;
  text: string;
}

const STARTS = /^(npm|npx|openssl|for|\(set|[A-Z_]+=\S* (npm|npx))\b/;

/** The commands of a page: lines of its `sh` blocks, and code within sentences and tables that begins like one. */
export function commandsOf(file: string): Command[] {
  const inBlocks = blocksOf(file)
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.split("\n"));
  const inProse = [...withoutBlocks(file).matchAll(/`([^`\n]+)`/g)]
    .map(([, text = ""]) => text)
    .filter((text) => STARTS.test(text));
  const lines = [...inBlocks, ...inProse].map((line) => line.replace(/\s+# .*$/, "").trim());
  return [...new Set(lines)].filter((line) => line !== "").map((text) => ({ file, text }));
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

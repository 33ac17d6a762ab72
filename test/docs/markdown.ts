import { readdirSync, readFileSync } from "node:fs";

/** A fenced block of a Markdown file: its language, its text and the line it begins at. */
export interface Block {
  language: string;
  text: string;
  line: number;
}

/** @throws Error at a fence that this reader does not know, so that no block is passed over. */
export function blocksOf(file: string): Block[] {
  return blocksIn(readFileSync(file, "utf8"), file);
}

/** @param file The text's name in errors. */
export function blocksIn(markdown: string, file: string): Block[] {
  const lines = markdown.split("\n");
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | null = null;
  for (const [index, line] of lines.entries()) {
    const fence = /^ {0,3}```([\w-]*)\s*$/.exec(line);
    if (!fence && LIKE_A_FENCE.test(line))
      throw new Error(
        `${file}:${index + 1}: a block begins with three backticks, at most three spaces before them`,
      );
    if (!fence) open?.lines.push(line);
    else if (open) {
      blocks.push({ language: open.language, text: open.lines.join("\n"), line: open.line });
      open = null;
    } else open = { language: fence[1] ?? "", line: index + 1, lines: [] };
  }
  if (open) throw new Error(`${file}:${open.line}: the block does not end`);
  return blocks;
}

/** A fence in a list, in a quotation, of tildes, of four backticks or with words after the language; a tag that holds code. */
const LIKE_A_FENCE = /^[\s>*+\d.-]*(?:```|~~~)|<(?:pre|code)[\s>]/;

/** The text of a Markdown file without its fenced blocks. */
export function withoutBlocks(file: string): string {
  return readFileSync(file, "utf8").replace(/^ {0,3}```[\s\S]*?^ {0,3}```\s*$/gm, "");
}

/** The text without code spans either: a link in one of those is no link. */
function proseOf(file: string): string {
  return withoutBlocks(file).replace(/`[^`\n]*`/g, (span) => " ".repeat(span.length));
}

/** Targets of inline links and images that lead to a file or a heading of this repository. */
export function relativeLinks(file: string): string[] {
  return [...proseOf(file).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)]
    .map((match) => match[1] ?? "")
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

/** The anchors of a file's headings, as GitHub makes them. */
export function anchorsOf(file: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutBlocks(file).matchAll(/^#{1,6} +(.+?)\s*$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const base = plain.replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    let anchor = base;
    for (let i = 1; anchors.has(anchor); i += 1) anchor = `${base}-${i}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Every Markdown file of the repository. */
export function markdownFiles(): string[] {
  return [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    ...below(".github"),
    ...below("docs"),
    ...below("test"),
  ];
}

function below(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
    .map((file) => `${folder}/${file}`);
}

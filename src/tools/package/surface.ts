import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The declarations of the package's entries, by the name of the entry. */
export const SURFACES = {
  index: "library.d.ts",
  client: "client/index.d.ts",
  local: "tools/upstash-local/index.d.ts",
} as const;

/** The file of an entry's report. */
export function surfaceFile(entry: string): string {
  return `docs/api/${entry}.txt`;
}

/** What a file of declarations has. */
interface Declared {
  /** Top-level declarations without their comments, by name. */
  own: ReadonlyMap<string, string>;
  /** Files that other names come from, with the name there. */
  from: ReadonlyMap<string, { file: string; name: string }>;
  /** The names that it exports, its own and others'. */
  exported: readonly string[];
}

/**
 * What an entry of the package lets an app see: each name that it exports, and each declaration that these rest on, without comments.
 * Whatever changes it changes the public surface.
 *
 * @param folder The built declarations.
 * @param entry The entry's file in it.
 * @returns Declarations, in the order of files and names.
 */
export async function surfaceReport(folder: string, entry: string): Promise<string> {
  const files = new Map<string, Declared>();
  const read = async (file: string) => {
    const known = files.get(file) ?? declaredIn(await readFile(join(folder, file), "utf8"), file);
    files.set(file, known);
    return known;
  };
  const { exported } = await read(entry);
  const found = new Map<string, string>();
  const open = exported.map((name) => ({ file: entry, name }));
  for (let next = open.pop(); next; next = open.pop()) {
    const { own, from } = await read(next.file);
    const text = own.get(next.name);
    const elsewhere = from.get(next.name);
    if (text === undefined) {
      if (elsewhere) open.push(elsewhere);
      continue;
    }
    const place = `${next.file} ${next.name}`;
    if (found.has(place)) continue;
    found.set(place, text);
    for (const name of new Set(text.match(/[A-Za-z_$][\w$]*/g)))
      if (name !== next.name && (own.has(name) || from.has(name))) open.push({ file: next.file, name });
  }
  const texts = [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, text]) => text);
  return [
    "// Written by `npm run package`: what an app sees of this entry.",
    `// Exports: ${[...exported].sort().join(", ")}`,
    ...texts,
    "",
  ].join("\n");
}

const NAME = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|function|const|enum) ([\w$]+)/;

function declaredIn(source: string, file: string): Declared {
  const text = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const own = new Map<string, string>();
  const from = new Map<string, { file: string; name: string }>();
  const exported: string[] = [];
  const lists = /^(import|export) (?:type )?\{([^}]*)\} from "(\.[^"]+)";$/gm;
  for (const [, kind, names = "", target = ""] of text.matchAll(lists)) {
    const path = join(dirname(file), target.replace(/\.js$/, ".d.ts"));
    for (const each of names.split(",")) {
      const [, name, as] = /^\s*(?:type )?([\w$]+)(?: as ([\w$]+))?\s*$/.exec(each) ?? [];
      if (!name) continue;
      from.set(as ?? name, { file: path, name });
      if (kind === "export") exported.push(as ?? name);
    }
  }
  for (const part of text.replace(lists, "").split(/\n(?=export |declare |interface |type |import )/)) {
    const [, name] = NAME.exec(part.trim()) ?? [];
    if (!name) continue;
    const compact = part.trim().replace(/\n\s*\n/g, "\n");
    own.set(name, own.has(name) ? `${own.get(name)}\n${compact}` : compact);
    if (/^\s*export /.test(part)) exported.push(name);
  }
  return { own, from, exported };
}

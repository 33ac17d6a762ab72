import { readdir, readFile, rm, writeFile } from "node:fs/promises";
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

/** What an entry's names rest on. */
interface Surface {
  /** The names that it exports. */
  exported: readonly string[];
  /** Declarations without comments, by file and name. */
  declared: ReadonlyMap<string, string>;
  /** Every name by its file, also of files that only hand it on. */
  names: ReadonlyMap<string, ReadonlySet<string>>;
}

async function surfaceOf(folder: string, entry: string): Promise<Surface> {
  const files = new Map<string, Declared>();
  const read = async (file: string) => {
    const known = files.get(file) ?? declaredIn(await readFile(join(folder, file), "utf8"), file);
    files.set(file, known);
    return known;
  };
  const { exported } = await read(entry);
  const declared = new Map<string, string>();
  const names = new Map<string, Set<string>>();
  const open = exported.map((name) => ({ file: entry, name }));
  for (let next = open.pop(); next; next = open.pop()) {
    const { file, name } = next;
    const { own, from } = await read(file);
    const there = names.get(file) ?? new Set();
    if (there.has(name)) continue;
    names.set(file, there.add(name));
    const text = own.get(name);
    const elsewhere = from.get(name);
    if (elsewhere && text === undefined) open.push(elsewhere);
    if (text === undefined) continue;
    declared.set(`${file} ${name}`, text);
    for (const each of new Set(text.match(/[A-Za-z_$][\w$]*/g)))
      if (own.has(each) || from.has(each)) open.push({ file, name: each });
  }
  return { exported, declared, names };
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
  const { exported, declared } = await surfaceOf(folder, entry);
  const texts = [...declared].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, text]) => text);
  return [
    "// Written by `npm run package`: what an app sees of this entry.",
    `// Exports: ${[...exported].sort().join(", ")}`,
    ...texts,
    "",
  ].join("\n");
}

/** Takes from a folder of declarations what no entry leads to. */
export async function keepSurface(folder: string): Promise<void> {
  const kept = new Map<string, Set<string>>();
  for (const entry of Object.values(SURFACES))
    for (const [file, names] of (await surfaceOf(folder, entry)).names)
      kept.set(file, new Set([...(kept.get(file) ?? []), ...names]));
  for (const file of await readdir(folder, { recursive: true })) {
    const names = kept.get(file);
    if (!file.endsWith(".d.ts")) continue;
    const path = join(folder, file);
    if (names) await writeFile(path, onlyNames(await readFile(path, "utf8"), names));
    else await rm(path);
  }
}

/** A file of declarations with these names alone: their declarations and comments, and the imports that they need. */
export function onlyNames(text: string, names: ReadonlySet<string>): string {
  const parts = text.split(/\n(?=\/\*\*|(?:export|declare|interface|type|import|class|abstract) )/);
  const statements: string[] = [];
  // A comment belongs to what follows it.
  for (const part of parts) {
    const before = statements.at(-1);
    if (before !== undefined && /^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.test(before))
      statements[statements.length - 1] = `${before}\n${part}`;
    else statements.push(part);
  }
  const declared = statements.filter((statement) => names.has(NAME.exec(bare(statement))?.[1] ?? ""));
  const used = new Set(
    declared
      .map(bare)
      .join("\n")
      .match(/[A-Za-z_$][\w$]*/g),
  );
  const lists = statements.flatMap((statement) => {
    const [, comment = "", kind = "", list = "", from = ""] =
      /^(\/\*\*[\s\S]*?\*\/\s*)?((?:import|export) (?:type )?)\{([^}]*)\} from ([^;]+;)/.exec(statement) ??
      [];
    const whole = /^import (?:type )?(?:\* as )?([\w$]+) from /.exec(statement)?.[1];
    if (whole !== undefined) return used.has(whole) ? [statement] : [];
    const wanted = kind.startsWith("import") ? used : names;
    const left = list.split(",").filter((each) => wanted.has(each.trim().split(" ").at(-1) ?? ""));
    return left.length > 0
      ? [`${comment}${kind}{ ${left.map((each) => each.trim()).join(", ")} } from ${from}`]
      : [];
  });
  return [...lists, ...declared].map((statement) => `${statement.trimEnd()}\n`).join("");
}

/** A text without its comments. */
const bare = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").trim();

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

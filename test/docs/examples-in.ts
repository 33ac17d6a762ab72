import { SURFACES } from "../../src/tools/package/surface.ts";

/** What TypeDoc's JSON says of a declaration, as far as it is read here. */
export interface Reflection {
  name: string;
  kind: number;
  comment?: Comment;
  children?: Reflection[];
  signatures?: Reflection[];
  type?: { type: string; declaration?: Reflection };
  inheritedFrom?: unknown;
}

interface Comment {
  blockTags?: { tag: string; content: { text: string }[] }[];
}

/** An example of the reference, as a module. */
export interface Example {
  /** What it stands at: `library.EdgeOptions.key`. */
  of: string;
  text: string;
}

/** `ReflectionKind` of TypeDoc. */
const KIND = { module: 2, function: 64, class: 128, method: 2048, typeAlias: 2_097_152 };

interface Place {
  /** The entry of the package: `envoyou-edge/client`. */
  entry: string;
  path: readonly Reflection[];
}

/** The modules of TypeDoc's project are the entries, which it names by their files. */
function entryOf(module: string): string {
  const [name = "index"] =
    Object.entries(SURFACES).find(([, file]) => file.replace(/(\/index)?\.d\.ts$/, "") === module) ?? [];
  return name === "index" ? "envoyou-edge" : `envoyou-edge/${name}`;
}

/** Every declaration with those that it stands in. */
function places(project: Reflection): Place[] {
  return (project.children ?? []).flatMap((module) => {
    const entry = entryOf(module.name);
    const below = (path: readonly Reflection[]): Place[] => {
      const children = path.at(-1)?.children ?? [];
      return children.flatMap((child) => {
        const here = [...path, child];
        return [{ entry, path: here }, ...below(here)];
      });
    };
    return below([module]);
  });
}

/** TypeDoc has the comment of a function, and of a property with a function in it, at the function's signature. */
function commentsOf({ comment, signatures = [], type }: Reflection): Comment[] {
  const own = [...signatures, ...(type?.declaration?.signatures ?? [])].map((signature) => signature.comment);
  return [comment, ...own].filter((each) => each !== undefined);
}

function textsOf(reflection: Reflection): string[] {
  const tags = commentsOf(reflection).flatMap(({ blockTags = [] }) => blockTags);
  return tags
    .filter(({ tag }) => tag === "@example")
    .map(({ content }) => content.map(({ text }) => text).join(""))
    .map((text) => text.replace(/^```ts\n|\n```$/g, ""));
}

const nameOf = ({ path }: Place) => path.map(({ name }) => name).join(".");

/**
 * The examples, each as a module that can be checked: one that begins with an import is one as it stands. Any other is a value of the
 * type, or of the property, that it stands at.
 */
export function examplesIn(project: Reflection): Example[] {
  return places(project).flatMap((place) => {
    const [, top, ...properties] = place.path;
    const reflection = place.path.at(-1);
    if (!top || !reflection) return [];
    const type = properties.reduce((of, { name }) => `NonNullable<${of}["${name}"]>`, top.name);
    const isCallable = reflection.kind === KIND.function || reflection.kind === KIND.method;
    return textsOf(reflection).map((text) => ({
      of: nameOf(place),
      text:
        text.startsWith("import ") || isCallable
          ? text
          : `import type { ${top.name} } from "${place.entry}";\nexport const value: ${type} =\n${text};\n`,
    }));
  });
}

/** The functions, methods and classes that have no example. One of an interface that an app itself implements shows its methods too. */
export function withoutExample(project: Reflection): string[] {
  const wanted = [KIND.function, KIND.method, KIND.class];
  return places(project)
    .filter(({ path }) => wanted.includes(path.at(-1)?.kind ?? 0))
    .filter(({ path }) => path.slice(-2).every((reflection) => textsOf(reflection).length === 0))
    .map(nameOf);
}

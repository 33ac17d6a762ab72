import { expect, it } from "vitest";

const MAX_LINES = 60;

/** Functions that are longer today, and how long: none is. */
const LONGER: Readonly<Record<string, number>> = {};

const sources = import.meta.glob<string>(["../../../src/**/*.ts", "!../../../src/routes.ts"], {
  query: "?raw",
  eager: true,
  import: "default",
});

/** What opens a block that is no function. */
const NO_FUNCTION =
  /^\s*(\}? ?(if|for|while|switch|catch|else|try|finally|do|return \{|case)\b|(export )?(abstract )?(class|interface|namespace)\b)/;
/** The last line of a function's head: a parameter list, perhaps a type, and the block; or an arrow. */
const HEAD = /(\)(: .*)?|=>) \{$/;
const NAME = /(?:function\*?|get|set|async|static|const|let)?\s*\*?\s*(#?[\w$]+)\s*(?:<.*>)?\s*[(:=]/;

interface Block {
  name: string;
  first: number;
  last: number;
}

/** The functions of a formatted file, each with its own lines: those of the functions in it are theirs. */
function functionsOf(text: string): { name: string; lines: number }[] {
  const blocks = blocksOf(text);
  const isWithin = (inner: Block, outer: Block) =>
    inner !== outer && inner.first >= outer.first && inner.last <= outer.last;
  return blocks.map((block) => {
    const within = blocks.filter((each) => isWithin(each, block));
    const direct = within.filter((each) => !within.some((other) => isWithin(each, other)));
    const theirs = direct.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    return { name: block.name, lines: block.last - block.first + 1 - theirs };
  });
}

/** A block ends where a line with the indentation of its head begins with a brace. */
function blocksOf(text: string): Block[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    if (!HEAD.test(line) || NO_FUNCTION.test(line)) return [];
    const indentation = /^ */.exec(line)?.[0] ?? "";
    const startsHere = !/^\s*\)/.test(line);
    const first = startsHere
      ? index
      : lines.findLastIndex(
          (each, at) =>
            at < index && each.startsWith(`${indentation}`) && /^\S/.test(each.slice(indentation.length)),
        );
    const last = lines.findIndex((each, at) => at > index && each.startsWith(`${indentation}}`));
    if (first < 0 || last < 0 || NO_FUNCTION.test(lines[first] ?? "")) return [];
    const name =
      NAME.exec(
        (lines[first] ?? "").replace(
          /^\s*(export |async |private |protected |public |static |override )*/,
          "",
        ),
      )?.[1] ?? "(arrow)";
    return [{ name, first, last }];
  });
}

it("finds functions, methods and arrows, and no other blocks", () => {
  const text = [
    "export async function one(",
    "  text: string,",
    "): Promise<void> {",
    "  if (text) {",
    "    run(() => {",
    "      stop();",
    "    });",
    "  }",
    "}",
    "",
    "class Two {",
    "  #three<Value>(value: Value): Value {",
    "    return value;",
    "  }",
    "}",
    "const four = (text: string) => {",
    "  return text;",
    "};",
  ].join("\n");
  expect(functionsOf(text).map(({ name, lines }) => `${name} ${lines}`)).toEqual([
    "one 6",
    "run 3",
    "#three 3",
    "four 3",
  ]);
});

it(`no function of src has more than ${MAX_LINES} lines, but those that are listed`, () => {
  const long = Object.entries(sources).flatMap(([path, text]) =>
    functionsOf(text)
      .filter(({ lines }) => lines > MAX_LINES)
      .map(({ name, lines }) => [`${path.replace("../../../src/", "")} ${name}`, lines] as const),
  );
  const longer = long.filter(([name, lines]) => lines > (LONGER[name] ?? 0));
  expect(Object.fromEntries(longer)).toEqual({});
  const gone = Object.keys(LONGER).filter((name) => !long.some(([each]) => each === name));
  expect(gone, "is short now: take its line away").toEqual([]);
});

/** Where wrangler's reader stopped, and why. */
export interface TomlError {
  /** The reader's own words. */
  text: string;
  /** From 1. */
  line: number;
  lineText: string;
  /** The whole file. */
  fileText: string;
}

interface Reading extends TomlError {
  /** The name before the `=`; empty where there is none. */
  key: string;
  value: string;
}

/** What is wrong with a line, and what to write. No value is shown: it may be a secret. */
interface Explanation {
  found: string;
  fix: string;
}

type Rule = (reading: Reading) => Explanation | null;

const when =
  (
    applies: (reading: Reading) => boolean,
    found: string | ((reading: Reading) => string),
    fix: string,
  ): Rule =>
  (reading) =>
    applies(reading) ? { found: typeof found === "string" ? found : found(reading), fix } : null;

const header = /^\s*\[+\s*([^\]#]*?)\s*\]*\s*(#.*)?$/;
const value = (test: RegExp) => (reading: Reading) =>
  /invalid value/.test(reading.text) && test.test(reading.value);
const said = (test: RegExp) => (reading: Reading) => test.test(reading.text);

/** The line of a name that stands for the second time, as it stands the first time. */
function firstLineOf({ fileText, line, lineText, key }: Reading): string {
  const name = (text: string) => header.exec(text)?.[1] ?? text.split("=")[0]?.trim();
  const sought = header.test(lineText) ? name(lineText) : key;
  const index = fileText.split("\n").findIndex((each) => name(each) === sought);
  return index >= 0 && index + 1 < line ? `line ${index + 1}` : "above";
}

function twice(reading: Reading): Explanation | null {
  if (!/redefine/.test(reading.text)) return null;
  const first = firstLineOf(reading);
  const table = header.exec(reading.lineText)?.[1];
  return table === undefined
    ? { found: `${reading.key} for the second time`, fix: `It stands in ${first} too: remove one of them.` }
    : {
        found: `the table [${table}] for the second time`,
        fix: `It begins in ${first}: put all its lines there.`,
      };
}

/** The first that applies is told. */
const RULES: readonly Rule[] = [
  when(({ lineText }) => /[“”„‘’«»]/.test(lineText), "a typographic quote", `Write straight quotes: " or '.`),
  when(
    ({ lineText }) => /^\s*(\/\/|\/\*|;|--)/.test(lineText),
    "a comment of another language",
    "Begin it with #.",
  ),
  when(
    ({ fileText }) => /^\s*\{/.test(fileText),
    "JSON",
    "Write TOML (name = value), or name the file wrangler.jsonc.",
  ),
  when(
    ({ lineText }) => /^\s*(export|set)\s+[\w.-]+\s*=/.test(lineText),
    "a line of a shell",
    "Remove its first word, and put the value in quotes.",
  ),
  when(
    ({ lineText }) => /^\s*["']?[\w.-]+["']?\s*:/.test(lineText),
    "a : after a name",
    'Write NAME = "value".',
  ),
  when(
    ({ lineText, key }) => /^\s*\[+[^\]=]*$/.test(lineText) && key === "",
    "a table's name that is not closed",
    "Close it: [vars].",
  ),
  twice,
  when(value(/^(True|TRUE|False|FALSE)\b/), ({ key }) => `${key} with a capital`, "Write true or false."),
  when(
    value(/^(yes|no|on|off)\b/i),
    ({ key }) => `${key} with a word without quotes`,
    "Write true or false.",
  ),
  when(
    value(/^(null|none|nil|undefined)\b/i),
    ({ key }) => `${key} without a value: TOML has no null`,
    "Remove the line.",
  ),
  when(
    value(/^(#.*)?$/),
    ({ key }) => `${key} without a value`,
    'Write one, or "" for an empty one, or remove the line.',
  ),
  when(
    said(/invalid value|leading zero|numeric literal|invalid number|invalid date/),
    ({ key }) => `${key || "a value"} without quotes`,
    'Put the text in quotes: NAME = "value".',
  ),
  when(
    said(/unfinished|newlines? are not allowed|control character/),
    ({ key }) => `${key || "a text"}, whose text does not end in its line`,
    `Close the quote; a text of several lines stands between ''' and '''.`,
  ),
  when(
    (reading) => said(/escape/)(reading),
    ({ key }) => `${key || "a text"} with a backslash`,
    "Put the text in single quotes, or write \\\\ for each backslash.",
  ),
  when(
    (reading) => said(/end-of-line/)(reading) && /,\s*(#.*)?$/.test(reading.value),
    ({ key }) => `a comma after ${key}`,
    "Remove it: a line ends a setting.",
  ),
  when(
    (reading) => said(/end-of-line/)(reading) && /^'/.test(reading.value),
    ({ key }) => `${key}, whose text ends before its line does`,
    `Put a text with ' in it in double quotes. Each setting has a line of its own.`,
  ),
  when(
    (reading) => said(/end-of-line/)(reading) && /^"/.test(reading.value),
    ({ key }) => `${key}, whose text ends before its line does`,
    `Put a text with " in it in single quotes: '[{"path": "/a"}]'. Each setting has a line of its own.`,
  ),
  when(
    ({ lineText }) => /^\s*\[.*\]/.test(lineText),
    "brackets of a table's name that do not match",
    "Write [vars], or [[services]] for one of several.",
  ),
  when(said(/end-of-line/), "more than one setting in a line", "Give each a line of its own."),
  when(
    said(/comma|end of structure|unclosed|unfinished table|unfinished array/),
    ({ key }) => `${key || "a list"} that is not closed, or lacks a comma`,
    "Close every [ and {, and put a comma between the parts.",
  ),
  when(
    said(/key/),
    "a name that TOML cannot read",
    "Write NAME = value: a name has letters, digits, _ and -, and each line has an =.",
  ),
];

/**
 * A TOML error as `file:line: found …. fix`.
 *
 * @example explainTomlError("wrangler.toml", error)
 * // "wrangler.toml:12: found ORIGIN_URL without quotes. Put the text in quotes: NAME = \"value\"."
 */
export function explainTomlError(file: string, error: TomlError): string {
  const [, key = "", rest = ""] = /^\s*([^=[{]*?)\s*=\s*(.*)$/.exec(error.lineText) ?? [];
  const reading: Reading = { ...error, key, value: rest };
  for (const rule of RULES) {
    const told = rule(reading);
    if (told !== null) return `${file}:${error.line}: found ${told.found}. ${told.fix}`;
  }
  return `${file}:${error.line}: ${error.text}. https://toml.io has the grammar.`;
}

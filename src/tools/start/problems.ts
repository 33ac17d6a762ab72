import { relative } from "node:path";

/** A place in a file, as esbuild and wrangler's TOML parser give it. */
interface Place {
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  lineText?: string | undefined;
}

interface Message {
  text?: unknown;
  location?: Place | null;
}

/**
 * What is wrong with the Worker's code or with wrangler.toml, as one message.
 *
 * @param error What wrangler's development server hands out: an esbuild failure, a TOML error, a runtime that did not start.
 * @param logged What the runtime has logged meanwhile: the exception of code that throws while it is loaded.
 */
export function problemText(error: unknown, logged: readonly string[] = []): string {
  for (const each of causesOf(error)) {
    const messages = (each as { errors?: unknown }).errors;
    if (Array.isArray(messages) && messages.length > 0) return messages.map(messageText).join("\n");
    if (isMessage(each) && each.location) return messageText(each);
  }
  const thrown = logged.map(uncaught).findLast((text) => text !== null);
  if (thrown) return `The Worker cannot be loaded: ${thrown}`;
  const deepest = causesOf(error).findLast((each) => each instanceof Error && each.message !== "");
  return plain(deepest instanceof Error ? deepest.message : String(error)).replace(/\n\s*\n/g, "\n");
}

/**
 * Whether a problem is of files that wrangler makes for each build: it removes them when the configuration is read anew, while the
 * build of before may still want them. The next build follows.
 */
export function isOfRemovedBuild(text: string): boolean {
  return /^Could not resolve "[^"]*[\\/]\.wrangler[\\/]+tmp[\\/][^"]*"$/.test(text);
}

/** The error, its cause, the cause's cause. */
function causesOf(error: unknown): object[] {
  const found: object[] = [];
  for (let each = error; typeof each === "object" && each !== null && found.length < 8; ) {
    found.push(each);
    each = (each as { cause?: unknown }).cause;
  }
  return found;
}

function isMessage(value: object): value is Message {
  return typeof (value as Message).text === "string";
}

function messageText(message: Message): string {
  const text = plain(String(message.text));
  const { file, line, column, lineText } = message.location ?? {};
  if (!file || line === undefined) return text;
  const shown = lineText?.trim() ? `\n    ${lineText.trim()}` : "";
  return `${relative(process.cwd(), file)}:${line}${column === undefined ? "" : `:${column + 1}`}: ${text}${shown}`;
}

/** `service core:user:NAME: Uncaught Error: at load` is what workerd logs of code that throws at module scope. */
function uncaught(line: string): string | null {
  return /Uncaught (.+)/.exec(plain(line))?.[1] ?? null;
}

/** Without colours. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal's colours are made of.
  return text.replace(/\u001B\[[0-9;]*m/g, "").trim();
}

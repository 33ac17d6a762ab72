declare const brand: unique symbol;

/** The class of an error: an identifier, never a text of its message. */
export type ErrorClass = string & { readonly [brand]: "class" };
/** Where in the edge's code an error was made: `checkAccess index.js:120:15`, or `unknown`. */
export type Place = string & { readonly [brand]: "place" };

/** All that an event may say of an error nobody expected. Its message is left out: it may quote what the caller sent. */
export interface ErrorFacts {
  class: ErrorClass;
  place: Place;
}

const IDENTIFIER = /^[A-Za-z_$][\w$]{0,63}$/;
/** `    at fn (file:line:column)` or `    at file:line:column`, as V8 writes a frame. */
const FRAME = /^\s+at (?:(.*?) \()?([^()\s]+):(\d+):(\d+)\)?$/;
/** Code of the runtime, and of packages where they are not bundled. */
const FOREIGN = /^(?:node|cloudflare[\w-]*|internal|native):|<anonymous>|\/node_modules\//;

/** The class and the place of whatever was thrown; it does not throw, whatever that is. */
export function errorFacts(error: unknown): ErrorFacts {
  try {
    if (error instanceof Error) return { class: classOf(error), place: placeOf(error) };
  } catch {
    // An error may have getters that throw.
  }
  return { class: (error === null ? "null" : typeof error) as ErrorClass, place: "unknown" as Place };
}

function classOf(error: Error): ErrorClass {
  const names = [error.name, error.constructor?.name, "Error"];
  return names.find((name) => typeof name === "string" && IDENTIFIER.test(name)) as ErrorClass;
}

/** The first frame of ours, as function and position; the path before the file's name tells nothing and is left out. */
function placeOf({ stack, message }: Error): Place {
  // A message can hold lines that look like frames. Frames begin after it; where it cannot be found none is believed.
  const at = typeof stack === "string" ? stack.indexOf(message) : -1;
  if (typeof stack !== "string" || at < 0) return "unknown" as Place;
  for (const line of stack.slice(at + message.length).split("\n")) {
    const [, name = "", file = "", row, column] = FRAME.exec(line) ?? [];
    if (file === "" || FOREIGN.test(file)) continue;
    const base = (file.split(/[/\\]/).at(-1) ?? "").replace(/\?.*$/, "").replace(/[^\w.-]/g, "_");
    return `${functionName(name)} ${base.slice(0, 100)}:${row}:${column}` as Place;
  }
  return "unknown" as Place;
}

/** `async Object.fetch [as handler]` is `Object.fetch`. */
function functionName(name: string): string {
  const bare = name.replace(/^(?:async|new) /, "").replace(/ \[as .*\]$/, "");
  return /^[\w$.#<>]{1,100}$/.test(bare) ? bare : "anonymous";
}

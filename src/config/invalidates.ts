import { isUnsafeMethod } from "../http/methods.ts";
import { type ConfigIssue, shown } from "./config-error.ts";
import { parameterNames, placesIn } from "./path-parameters.ts";
import type { Invalidates, InvalidatesInput, RouteInput } from "./route.ts";

/** Finds places for parameters that the route's path has not, and a route that no unsafe method reaches. */
export function checkInvalidates(
  { path, invalidates }: RouteInput,
  methods: readonly string[],
  place: string,
  issues: ConfigIssue[],
): void {
  if (!invalidates) return;
  if (methods.length > 0 && !methods.some(isUnsafeMethod)) {
    issues.push({
      place,
      found: `invalidates on ${methods.join(", ")}`,
      fix: "Only a method that changes something invalidates: add POST, PUT, PATCH or DELETE to methods, or put it on their route.",
    });
  }
  const names = parameterNames(path);
  for (const kind of ["tags", "prefixes"] as const) {
    for (const [index, text] of (invalidates[kind] ?? []).entries()) {
      const fix = issueOf(text, kind, names);
      if (fix) issues.push({ place: `${place}.${kind}[${index}]`, found: shown(text), fix });
    }
  }
}

/** Finds parameters in the tags that all answers of a route have: the braces would be letters, and no write would withdraw the tag. */
export function checkTags({ path, cache }: RouteInput, place: string, issues: ConfigIssue[]): void {
  const names = parameterNames(path);
  for (const [index, text] of (cache?.tags ?? []).entries()) {
    if (!placesIn(text).some((name) => names.includes(name))) continue;
    const fix = "All answers of the route have this tag, without parameters: let your API send Cache-Tag.";
    issues.push({ place: `${place}.cache.tags[${index}]`, found: shown(text), fix });
  }
}

function issueOf(text: string, kind: "tags" | "prefixes", names: readonly string[]): string | null {
  const known = names.length > 0 ? names.map((name) => `{${name}}`).join(", ") : "none";
  const unknown = placesIn(text).find((name) => !names.includes(name));
  if (unknown !== undefined) return `{${unknown}} is no parameter of the path; it has ${known}.`;
  if (/[{}]/.test(text.replace(/\{[^{}]*\}/g, ""))) return "Write a parameter as {name}.";
  if (kind === "tags") {
    return text.endsWith("*")
      ? "Write a whole tag, or a prefix that reaches all that is below a path."
      : null;
  }
  const named = /\/:([^/]+)/.exec(text)?.[1];
  if (named !== undefined && names.includes(named)) return `Write the parameter as {${named}}.`;
  return /[*?#\\]/.test(text) ? "Write a path without *, ? and #: it reaches all that is below it." : null;
}

/** The compiled form. One that names nothing says that its writes end what others have stored of their own URLs. */
export function invalidatesOf(input: InvalidatesInput | undefined): Invalidates | null {
  if (!input) return null;
  const { tags = [], prefixes = [] } = input;
  return { tags: tags.map(lowerText), prefixes };
}

/** Lower case, but for the names of parameters. */
function lowerText(template: string): string {
  return template.replace(/[^{}]+(?![^{}]*\})/g, (text) => text.toLowerCase());
}

import { described } from "./config-error.ts";
import type { Report } from "./report.ts";

export const CONTROL = /\p{Cc}/u;

/** Characters of a secret that travels in a header field: visible ASCII (RFC 9110 §5.5 forbids the rest or warns of it). */
const TOKEN = /^[!-~]+$/;

/** A secret that travels in a header field. Errors describe it and never show it. */
export function readSecret(value: unknown, report: Report): string | null {
  const text = secretText(value, report);
  if (text === null) return null;
  reportCharacters(text, "token", report);
  return text;
}

/** Comma separated secrets, newest first, each at least `min` characters. */
export function readSecrets(
  value: unknown,
  { use, min }: { use: "token" | "key"; min: number },
  report: Report,
): string[] {
  const text = secretText(value, report);
  if (text === null) return [];
  const list = text.split(",").map((each) => each.trim());
  list.forEach((each, index) => {
    const which = list.length > 1 ? ` (number ${index + 1})` : "";
    if (each === "") report(`nothing${which}`, "Remove the comma that has nothing beside it.");
    else if (!reportCharacters(each, use, report, which) && each.length < min) {
      report(
        `${described(each)}${which}`,
        `Use at least ${min}: \`openssl rand -base64 32\` makes a good one.`,
      );
    }
  });
  return list;
}

/** @returns whether something was reported. */
export function reportCharacters(text: string, use: "token" | "key", report: Report, which = ""): boolean {
  const found = described(text) + which;
  if (CONTROL.test(text)) {
    report(
      `${found} with a control character in it`,
      "Remove it: often it is a line break that was pasted along.",
    );
  } else if (use === "token" && !TOKEN.test(text)) {
    report(
      `${found} with a blank or a character beyond ASCII in it`,
      "Use visible ASCII without blanks: no header field carries the rest unchanged.",
    );
  } else if (use === "token" && /^(["']).*\1$/.test(text)) {
    report(`${found} in quotes`, "Remove the quotes.");
  } else return false;
  return true;
}

function secretText(value: unknown, report: Report): string | null {
  if (value === undefined) return null;
  if (typeof value === "string") return value.trim() || null;
  report(described(value), "Must be a text.");
  return null;
}

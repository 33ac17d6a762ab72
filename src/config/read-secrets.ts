import { described } from "./config-error.ts";
import type { Report } from "./report.ts";

const CONTROL = /\p{Cc}/u;

/** Characters of a secret that travels in a header field: visible ASCII (RFC 9110 §5.5 forbids the rest or warns of it). */
const TOKEN = /^[!-~]+$/;

/** What no keyboard has and nobody sees: zero-width characters come along with what is copied from a page. */
const INVISIBLE = /\p{Cf}/u;
const UNSEEN_ENDS = /^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu;

/** Pairs of quotes, those of word processors included. */
const QUOTED = /^(?:"([^"]*)"|'([^']*)'|\u201c([^\u201c\u201d]*)\u201d|\u2018([^\u2018\u2019]*)\u2019)$/;

/** Blanks inside a text, beyond ASCII too. The ends have none: {@link pasted} has trimmed them. */
const BLANK = /\s/;

/**
 * A text as it was meant, of one that was pasted or piped: without a byte order mark, line ends, blanks and invisible
 * characters around it, and without the pair of quotes that a shell, a `.env` file or a word processor had around it.
 */
export function pasted(text: string): string {
  const trimmed = withoutUnseenEnds(text);
  const inside = QUOTED.exec(trimmed)
    ?.slice(1)
    .find((each) => each !== undefined);
  return inside === undefined ? trimmed : withoutUnseenEnds(inside);
}

export function withoutUnseenEnds(text: string): string {
  return text.replace(UNSEEN_ENDS, "");
}

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
  const list = text.split(",").map(pasted);
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

/** @returns whether something was reported. @param use A `text` may have blanks in it, and letters beyond ASCII as a `key` may. */
export function reportCharacters(
  text: string,
  use: "token" | "key" | "text",
  report: Report,
  which = "",
): boolean {
  const found = described(text) + which;
  if (CONTROL.test(text)) {
    report(
      `${found} with a control character in it`,
      "Remove it: often it is a line break that was pasted along.",
    );
  } else if (use !== "text" && BLANK.test(text)) {
    report(`${found} with a blank in it`, "Remove it: often two values were pasted as one.");
  } else if (INVISIBLE.test(text)) {
    report(`${found} with an invisible character in it`, "Remove it, or type the text anew.");
  } else if (use === "token" && !TOKEN.test(text)) {
    report(
      `${found} with a character beyond ASCII in it`,
      "Use visible ASCII: no header field carries the rest unchanged.",
    );
  } else return false;
  return true;
}

/** A text that no issue shows. */
export function secretText(value: unknown, report: Report): string | null {
  if (value === undefined) return null;
  if (typeof value === "string") return pasted(value) || null;
  report(described(value), "Must be a text.");
  return null;
}

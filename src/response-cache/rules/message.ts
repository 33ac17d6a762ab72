import { asciiLowerCase, withoutBlanks } from "../../http/blanks.ts";
import { isFieldName } from "../../http/field-name.ts";

/** What the rules read of a message. `Request` and `Response` fit, and so do plain objects. */

export interface RequestFacts {
  readonly method: string;
  /** Absolute, as the client knows it. */
  readonly url: string;
  readonly headers: Headers;
}

export interface ResponseFacts {
  readonly status: number;
  readonly headers: Headers;
}

/** A field name in lower case, or null where the text could not be one (RFC 9110 §5.1). */
export function fieldName(text: string): string | null {
  const name = asciiLowerCase(withoutBlanks(text));
  return isFieldName(name) ? name : null;
}

/** Members of a comma separated list of tokens, without the empty ones (RFC 9110 §5.6.1.2). */
export function listMembers(value: string | null): string[] {
  return (value ?? "").split(",").map(withoutBlanks).filter(Boolean);
}

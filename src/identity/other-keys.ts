import { withoutBlanks } from "../http/blanks.ts";
import { API_KEY_FIELD, API_KEY_PARAMETER } from "../http/credential-fields.ts";
import { laxName } from "../http/field-name.ts";
import type { Credentials } from "./caller.ts";
import { MAX_CREDENTIAL_LENGTH } from "./credentials.ts";

/** Of many values an origin reads the first or the last. Each is hashed. */
const FROM_EACH_END = 4;

const FIELD = laxName(API_KEY_FIELD);
const PARAMETER = laxName(API_KEY_PARAMETER);

/**
 * What an origin may take for the API key, and the edge does not: under other spellings of the names (`X_API_Key`, `?API_KEY=`), behind a `;`,
 * and in `Authorization` the second word or the last, whatever stands around it.
 */
export function otherKeys(headers: Headers, url: URL, { apiKey, jwt, sessionToken }: Credentials): string[] {
  const words = headers.get("authorization")?.split(/[\s,]+/) ?? [];
  const texts = new Set([
    words[1] ?? "",
    words.at(-1) ?? "",
    ...ends(inFields(headers)),
    ...ends(inQuery(url)),
  ]);
  for (const known of ["", apiKey, jwt, sessionToken?.raw]) texts.delete(known ?? "");
  return [...texts].filter((text) => text.length <= MAX_CREDENTIAL_LENGTH);
}

function inFields(headers: Headers): string[] {
  return [...headers].flatMap(([name, value]) => (laxName(name) === FIELD ? [withoutBlanks(value)] : []));
}

function inQuery({ search }: URL): string[] {
  const parts = search.slice(1).split(/[&;]/);
  const mayBeIts = parts.filter((part) => /key|%/i.test(part));
  const pairs = mayBeIts.flatMap((part) => [...new URLSearchParams(`&${part}`)]);
  return pairs.flatMap(([name, value]) => (laxName(name) === PARAMETER ? [value] : []));
}

function ends(texts: readonly string[]): string[] {
  if (texts.length <= 2 * FROM_EACH_END) return [...texts];
  return [...texts.slice(0, FROM_EACH_END), ...texts.slice(-FROM_EACH_END)];
}

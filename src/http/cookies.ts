import { parse } from "hono/utils/cookie";

/** One pair of a `Cookie` field (RFC 6265 §4.2.1). */
export interface CookiePair {
  name: string;
  /** The pair as it was sent, without the blanks around it. */
  text: string;
}

/** Space and tab, and nothing else, may stand around a pair: to `trim` a no-break space is blank, to an origin it is not. */
const BLANKS_AROUND = /^[ \t]+|[ \t]+$/g;

/** The pairs of a `Cookie` field in their order, repeated names included. */
export function cookiePairs(header: string | null): CookiePair[] {
  if (header === null) return [];
  const texts = header.split(";").map(withoutBlanks).filter(Boolean);
  return texts.map((text) => ({ name: withoutBlanks(text.split("=", 1)[0] ?? ""), text }));
}

/** The value of a pair: unquoted and decoded, or as it was sent where it holds what no cookie may (RFC 6265 §4.1.1). */
export function cookieValue({ name, text }: CookiePair): string {
  return parse(text, name)[name] ?? withoutBlanks(text.slice(text.indexOf("=") + 1)).replace(/^"|"$/g, "");
}

/** The name that a `Set-Cookie` field sets. */
export function setCookieName(setCookie: string): string {
  return withoutBlanks(setCookie.split(/[=;]/, 1)[0] ?? "");
}

/**
 * A `Set-Cookie` field without its `Domain` where that is one to drop: the cookie is then for the host that sets it (RFC
 * 6265 §5.2.3).
 *
 * @param drops is asked with the domain in lower case, without the leading dot.
 */
export function withoutDomain(setCookie: string, drops: (domain: string) => boolean): string {
  const kept = setCookie.split(";").filter((part, index) => {
    const domain = /^\s*domain\s*=\s*\.?(.*?)\s*$/i.exec(part)?.[1]?.toLowerCase();
    return index === 0 || domain === undefined || !drops(domain);
  });
  return kept.join(";");
}

function withoutBlanks(text: string): string {
  return text.replace(BLANKS_AROUND, "");
}

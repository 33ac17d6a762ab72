import { parse } from "hono/utils/cookie";
import { withoutBlanks } from "./blanks.ts";

/** One pair of a `Cookie` field (RFC 6265 §4.2.1). */
export interface CookiePair {
  name: string;
  /** The pair as it was sent, without the blanks around it. */
  text: string;
}

/** The pairs of a `Cookie` field in their order, repeated names included. */
export function cookiePairs(header: string | null): CookiePair[] {
  if (header === null) return [];
  const texts = header.split(";").map(withoutBlanks).filter(Boolean);
  return texts.map((text) => ({ name: withoutBlanks(text.split("=", 1)[0] ?? ""), text }));
}

/** The value of a pair: unquoted and decoded, or as it was sent where it holds what no cookie may (RFC 6265 §4.1.1). */
export function cookieValue({ name, text }: CookiePair): string {
  const value = withoutBlanks(text.slice(text.indexOf("=") + 1));
  // `parse` trims whatever is blank to JavaScript; a value that begins with a no-break space is another value.
  const parsed = value === value.trim() ? parse(text, name)[name] : undefined;
  return parsed ?? value.replace(/^"|"$/g, "");
}

/**
 * A `Set-Cookie` field without its `Domain` where the host that passes it on does not domain-match that: a browser would
 * refuse it, and without a `Domain` the cookie is for this host (RFC 6265 §5.3). An address has no other hosts below it:
 * its `Domain` says nothing and goes too.
 *
 * @param host as `URL.hostname` gives it.
 */
export function withoutForeignDomain(setCookie: string, host: string): string {
  const [pair = "", ...attributes] = setCookie.split(";");
  const isDomain = (attribute: string) => attributeName(attribute) === "domain";
  // Of several the last counts (§5.3).
  const domain = attributes.filter(isDomain).map(attributeValue).findLast(Boolean);
  if (domain === undefined || domainMatches(host, domain)) return setCookie;
  return [pair, ...attributes.filter((attribute) => !isDomain(attribute))].join(";");
}

/** RFC 6265 §5.1.3, after §5.2.3 and §5.1.2: one leading dot, case and other scripts count for nothing. */
function domainMatches(host: string, domain: string): boolean {
  const address = `http://${domain.replace(/^\./, "")}`;
  // What has a port or a path is no domain.
  if (/[/\\:?#@]/.test(domain.replace(/^\[.*\]$/, "")) || !URL.canParse(address)) return false;
  const canonical = new URL(address).hostname;
  return !isAddress(host) && (host === canonical || host.endsWith(`.${canonical}`));
}

function isAddress(host: string): boolean {
  return host.startsWith("[") || /^[\d.]+$/.test(host);
}

/** A `Set-Cookie` field with another value of its `Path` attributes. */
export function withPath(setCookie: string, change: (path: string) => string): string {
  const [pair = "", ...attributes] = setCookie.split(";");
  const changed = attributes.map((attribute) => {
    if (attributeName(attribute) !== "path") return attribute;
    const path = attributeValue(attribute);
    const other = change(path);
    return other === path ? attribute : ` Path=${other}`;
  });
  return [pair, ...changed].join(";");
}

function attributeName(attribute: string): string {
  return withoutBlanks(attribute.split("=", 1)[0] ?? "").toLowerCase();
}

function attributeValue(attribute: string): string {
  const equals = attribute.indexOf("=");
  return equals < 0 ? "" : withoutBlanks(attribute.slice(equals + 1));
}

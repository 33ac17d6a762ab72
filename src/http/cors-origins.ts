import { isOrigin } from "./cross-site.ts";
import { isPublicSuffix } from "./public-suffix.ts";

/** `https://*.example.app`: any one label in the place of the star. */
const PATTERN = /^https:\/\/\*\.(.+)$/;
/** What a web view or an extension sends: `capacitor://localhost`, `chrome-extension://abc`. */
const APP = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]*(:\d{1,5})?$/;
/** Schemes of which no page has an origin of its own, or that name no page (HTML §7.1.1). */
const NO_ORIGIN = /^(about|blob|data|file|filesystem|ftp|javascript|mailto|wss?):/;

/** The origins whose pages may read answers. */
export interface CorsOrigins {
  /** Whether a page of this origin, as its browser names it, may read. */
  allows(origin: string): boolean;
}

export function corsOrigins(entries: readonly string[]): CorsOrigins {
  const exact = new Set(entries);
  const below = new Set(entries.flatMap((entry) => PATTERN.exec(entry)?.[1] ?? []));
  return {
    allows(origin) {
      // A star is a sign that a host may have: no page may name itself as a pattern.
      if (origin.includes("*")) return false;
      if (exact.has(origin)) return true;
      const [, parent] = /^https:\/\/[^./:@]+\.(.+)$/.exec(origin) ?? [];
      return parent !== undefined && below.has(parent);
    },
  };
}

/**
 * Those of the origins whose pages may also change things with a visitor's cookie: the exact ones of the web. Somebody may get
 * a name below a domain, and every app on a phone may call itself `capacitor://localhost`.
 */
export function trustedOrigins(entries: readonly string[]): string[] {
  return entries.filter((entry) => /^https?:/.test(entry) && !entry.includes("*"));
}

/** What is wrong with an entry of `CORS_ALLOWED_ORIGINS`, as the fix; null where nothing is. */
export function originFix(entry: string): string | null {
  if (entry === "*") return "Name each origin: with credentials a browser refuses a wildcard.";
  if (entry === "null") return "Remove it: sandboxed frames and files of anybody have this origin.";
  const parent = PATTERN.exec(entry)?.[1];
  if (parent !== undefined) return patternFix(parent);
  if (entry.includes("*")) {
    return "A star may stand for one whole label only, after https://, as in https://*.example.app.";
  }
  if (/^https?:/i.test(entry)) return isOrigin(entry) ? null : WEB_FIX;
  if (APP.test(entry) && !NO_ORIGIN.test(entry)) return null;
  return WEB_FIX;
}

const WEB_FIX =
  "Write scheme, host and port only, as browsers send it: https://app.example.com, https://*.example.app, capacitor://localhost.";

function patternFix(parent: string): string | null {
  // The name as browsers write it: lower case, IDNs in Punycode, no default port, no address.
  if (!/^[a-z0-9.:-]+$/.test(parent) || parent.includes("..") || !isOrigin(`https://a.${parent}`))
    return WEB_FIX;
  const host = parent.replace(/:\d+$/, "");
  if (host.endsWith(".")) return WEB_FIX;
  if (!isPublicSuffix(host)) return null;
  return `Write a domain of your own after the star: anybody can have a name below ${host}.`;
}

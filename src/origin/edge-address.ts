/** Where the origin and the edge are, for one request. */
export interface Addresses {
  /** The address the origin was asked at. */
  originUrl: Pick<URL, "href" | "host">;
  /** The edge's own address of it, with the scheme and host that the client used. */
  edgeUrl: URL;
  /** The base path of `ORIGIN_URL` without a slash at its end, which the client does not know; often "". */
  basePath: string;
}

/**
 * What the origin refers to, as a client of the edge must ask for it: on the edge's host where it is on the origin's, and
 * without the base path. Anything else stays as it is, and so does what means the right thing already.
 *
 * @param reference a URI reference (RFC 3986 §4.1), read as browsers read it.
 */
export function edgeAddress(reference: string, addresses: Addresses): string {
  const { originUrl, edgeUrl, basePath } = addresses;
  if (!URL.canParse(reference, originUrl.href)) return reference;
  const meant = new URL(reference, originUrl.href);
  const onOrigin = meant.host === originUrl.host;
  if (!/^https?:$/.test(meant.protocol) || !(onOrigin || meant.host === edgeUrl.host)) return reference;

  const path = withoutBase(meant.pathname, basePath);
  const rest = `${path ?? meant.pathname}${meant.search}${meant.hash}`;
  const base = onOrigin || !hasScheme(reference) ? edgeUrl.origin : meant.origin;
  const wanted = base + rest;
  if (URL.canParse(reference, edgeUrl.href) && new URL(reference, edgeUrl).href === wanted) return reference;
  // A path that begins with two slashes would be another host (RFC 3986 §4.2).
  return hasScheme(reference) || namesHost(reference) || rest.startsWith("//") ? wanted : rest;
}

/**
 * The targets, the anchors and the other quoted texts of a `Link` field. What is never closed takes the rest of the field (RFC 8288
 * Appendix B.2, B.4): else each further `<` or `"` would be followed to the end, in vain.
 */
const LINK_PARTS = /<([^>]*)(>|$)|(\banchor\s*=\s*)"([^"\\]*)"|"(?:[^"\\]|\\.)*(?:"|\\?$)/gis;

/**
 * The targets and anchors of a `Link` field (RFC 8288 §3) as {@link edgeAddress} gives them. Other quoted texts may hold
 * anything, `<` and `>` included, and stay as they are.
 */
export function edgeLinks(link: string, addresses: Addresses): string {
  return link.replace(
    LINK_PARTS,
    (text: string, target?: string, end?: string, name?: string, anchor?: string) => {
      if (target !== undefined && end !== "") return `<${edgeAddress(target.trim(), addresses)}>`;
      if (name !== undefined && anchor !== undefined) return `${name}"${edgeAddress(anchor, addresses)}"`;
      return text;
    },
  );
}

/**
 * The addresses in a challenge, and the other quoted texts, which may hold anything: where the API is described (RFC 9728 §5.1), and an
 * address in the place of a bearer's realm, where clients of container registries get their token (Distribution, token authentication).
 * The realm of Basic is a name, and of Digest it goes into the password's hash (RFC 7616 §3.4.2). See {@link LINK_PARTS}.
 */
const CHALLENGE_PARTS =
  /(\bresource_metadata\s*=\s*|\bbearer\s+realm\s*=\s*(?="https?:))"([^"\\]*)"|"(?:[^"\\]|\\.)*(?:"|\\?$)/gis;

/** Where a `WWW-Authenticate` field sends clients to sign in, as {@link edgeAddress} gives it. */
export function edgeChallenge(challenge: string, addresses: Addresses): string {
  return challenge.replace(CHALLENGE_PARTS, (text: string, name?: string, address?: string) =>
    name === undefined || address === undefined ? text : `${name}"${edgeAddress(address, addresses)}"`,
  );
}

/** A String (RFC 9651 §3.3.3) that may be an address, and any other, which stays. See {@link LINK_PARTS}. */
const STRINGS = /"([^"\\]*)"|"(?:[^"\\]|\\.)*(?:"|\\?$)/gs;

/** The addresses in a field whose Strings are such: `Reporting-Endpoints`, `Speculation-Rules`, or JSON. */
export function edgeStrings(field: string, addresses: Addresses): string {
  return field.replace(STRINGS, (text: string, address?: string) =>
    address === undefined ? text : `"${edgeAddress(address, addresses)}"`,
  );
}

/** What stands before the address in a `Refresh` field. */
const BEFORE_URL = /^\s*[\d.]*(?:\s+[;,]?|[;,])\s*(?:url\s*=\s*)?/i;

/**
 * The address in a `Refresh` field (HTML §4.2.5.3, `3; url=/next`) as {@link edgeAddress} gives it. A quote at its beginning ends it
 * where it stands again, as it does for browsers.
 */
export function edgeRefresh(refresh: string, addresses: Addresses): string {
  const [before = ""] = BEFORE_URL.exec(refresh) ?? [];
  if (before === "") return refresh;
  const rest = refresh.slice(before.length);
  const [quote = ""] = /^["']/.exec(rest) ?? [];
  const [url = ""] = quote === "" ? [rest.trimEnd()] : rest.slice(1).split(quote, 1);
  const after = rest.slice(quote.length + url.length);
  return url === "" ? refresh : `${before}${quote}${edgeAddress(url, addresses)}${after}`;
}

/** A cookie's `Path` at the edge. Browsers compare it as it is written (RFC 6265 §5.1.4), so nothing is decoded. */
export function edgeCookiePath(path: string, { basePath }: Addresses): string {
  if (basePath === "" || (path !== basePath && !path.startsWith(`${basePath}/`))) return path;
  return path.slice(basePath.length) || "/";
}

/** A path of the origin's without the base path, however that is percent-encoded; null where the path is not below it. */
function withoutBase(path: string, basePath: string): string | null {
  if (basePath === "") return null;
  const base = basePath.split("/");
  const segments = path.split("/");
  if (!base.every((segment, index) => decoded(segments[index] ?? "") === decoded(segment))) return null;
  return `/${segments.slice(base.length).join("/")}`;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const hasScheme = (reference: string) => /^[a-z][a-z0-9+.-]*:/i.test(asBrowsersRead(reference));
const namesHost = (reference: string) => asBrowsersRead(reference).startsWith("//");

/** Browsers drop blanks, and `\` is a slash to them (WHATWG URL §4.4). */
function asBrowsersRead(reference: string): string {
  return reference
    .trimStart()
    .replace(/[\t\n\r]/g, "")
    .replaceAll("\\", "/");
}

/** Fields that belong to one connection (RFC 9110 §7.6.1), whatever `Connection` says. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/**
 * Removes them and the fields that `Connection` names: workerd does neither.
 *
 * @param endToEnd names that `Connection` cannot take away: it must not name a field meant for everybody (§7.6.1).
 */
export function dropHopByHop(headers: Headers, endToEnd: ReadonlySet<string> = new Set()): void {
  const named = (headers.get("connection") ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !endToEnd.has(name));
  for (const name of [...named, ...HOP_BY_HOP]) if (isFieldName(name)) headers.delete(name);
}

/** RFC 9110 §5.1: a token. `Headers.delete` throws for anything else. */
function isFieldName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name);
}

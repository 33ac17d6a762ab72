import type { Arrival } from "./origin.ts";

/** Requests of one address that the limited route of the run admits. */
export const HOSTILE_LIMIT = 20;

/** The routes of the run: which requests must not reach the origin. */
const RULES: readonly { path: RegExp; admits(arrival: Arrival): boolean }[] = [
  { path: /^\/(user(\/|$)|admin\/[^/]+$)/, admits: ({ user }) => user !== null },
  // A verified key has a tier and no user.
  { path: /^\/mine(\/|$)/, admits: ({ user, tier }) => user !== null || tier !== null },
];
const LIMITED = /^\/limited\/log\/*$/;

/**
 * Requests that reached the origin and should not have, under every way in which an origin may read the path.
 *
 * @param uncounted How many requests were decided without the store. They may be above the limit.
 */
export function evasions(seen: readonly Arrival[], uncounted: number): string[] {
  const admitted = new Map<string, number>();
  const evaded: string[] = [];
  for (const arrival of seen) {
    const { method, url, address } = arrival;
    const paths = readings(url);
    const broken = RULES.some(
      ({ path, admits }) => paths.some((each) => path.test(each)) && !admits(arrival),
    );
    if (broken)
      evaded.push(`evaded: ${method} ${JSON.stringify(url.slice(0, 200))} reached the origin for nobody`);
    if (paths.some((each) => LIMITED.test(each))) admitted.set(address, (admitted.get(address) ?? 0) + 1);
  }
  for (const [address, count] of admitted) {
    if (count > HOSTILE_LIMIT + uncounted)
      evaded.push(`evaded: ${count} requests of "${address}" reached a route that admits ${HOSTILE_LIMIT}`);
  }
  return evaded;
}

/** The ways in which origins read a path: decoded, backslashes as slashes, dots resolved, parameters cut, lower case. */
function readings(url: string): string[] {
  const raw = url.replace(/[?#].*$/s, "");
  let decoded = raw;
  try {
    decoded = decodeURIComponent(raw);
  } catch {
    // It cannot be decoded: the origin reads it as it is.
  }
  const cut = (path: string) => path.split("\0")[0] ?? "";
  const straight = (path: string) => path.replace(/\\/g, "/").replace(/\/{2,}/g, "/");
  const bare = (path: string) => path.replace(/;[^/]*/g, "");
  // A pattern's `$` matches before a last newline; Windows drops dots and spaces at a name's end.
  const trimmed = (path: string) => path.replace(/[\s\p{Cc}.]+(?=\/|$)/gu, "");
  const resolved = (path: string) =>
    new URL(`http://x${path.startsWith("/") ? "" : "/"}${path.replace(/[?#]/g, "")}`).pathname;
  return [raw, decoded].flatMap((path) => {
    const forms = [path, straight(path), bare(path), bare(straight(cut(path))), trimmed(path)];
    return [...forms, ...forms.map(resolved)].map((each) => each.toLowerCase());
  });
}

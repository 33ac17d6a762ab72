import type { Arrival } from "./origin.ts";

/** Requests of one address that the limited route of the run admits. */
export const HOSTILE_LIMIT = 20;

/** The rules of the run: what must not reach the origin for whom. */
const RULES: readonly { path: RegExp; admits(arrival: Arrival): boolean }[] = [
  { path: /^\/(user(\/|$)|admin\/[^/]+$)/, admits: ({ user }) => user !== null },
  // A key that the edge knows has a tier of the run's, and no user.
  { path: /^\/mine(\/|$)/, admits: ({ user, tier }) => user !== null || tier !== null },
];
const LIMITED = /^\/limited\/log\/*$/;

/**
 * What reached the origin and should not have, by any way in which an origin reads its path.
 *
 * @param uncounted Requests that were decided without the store, for whatever reason: they may be above the limit.
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

/** The ways in which origins read a path: escapes undone, backslashes turned, dots resolved, parameters cut, no case. */
function readings(url: string): string[] {
  const raw = url.replace(/[?#].*$/s, "");
  let decoded = raw;
  try {
    decoded = decodeURIComponent(raw);
  } catch {
    // An origin reads it as it is.
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

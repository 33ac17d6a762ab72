/**
 * The value of a claim by its name. A name with dots is the claim of that very name (`https://example.com/tier`), else a path
 * through objects (`app_metadata.tier`); each step of the path may itself have dots in its name.
 *
 * @returns undefined where there is no such claim. Inherited properties are no claims.
 */
export function claimAt(claims: unknown, name: string): unknown {
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) return undefined;
  if (Object.hasOwn(claims, name)) return (claims as Record<string, unknown>)[name];
  for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {
    const step = name.slice(0, dot);
    if (!Object.hasOwn(claims, step)) continue;
    const found = claimAt((claims as Record<string, unknown>)[step], name.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

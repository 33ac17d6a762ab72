/** Whether a name is one of those listed. `utm_*` is every name that starts with `utm_`. */
export function isNamedBy(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

import { type ConfigIssue, shown } from "./config-error.ts";
import type { RouteInput } from "./route.ts";

/** Finds what contradicts `originFetch: "eager"`: no request of such a route is ever fetched eagerly. */
export function checkEager(
  { originFetch, access = "public", onStoreFailure, cache }: RouteInput,
  methods: readonly string[],
  place: string,
  issues: ConfigIssue[],
): void {
  if (originFetch === undefined) return;
  const isRead = methods.length === 0 || methods.includes("GET") || methods.includes("HEAD");
  const contradictions = [
    access !== "public" && `access = ${shown(access)}`,
    onStoreFailure === "closed" && 'onStoreFailure = "closed"',
    cache?.scope === "caller" && 'cache.scope = "caller"',
    !isRead && `methods = ${methods.join(", ")}`,
  ];
  for (const found of contradictions.filter((each) => each !== false)) {
    issues.push({
      place,
      found: `"eager" with ${found}`,
      fix: "Only a GET or HEAD without a credential that may pass while the store is lost is fetched eagerly: change that, or remove originFetch.",
    });
  }
}

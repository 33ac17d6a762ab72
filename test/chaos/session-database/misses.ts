import type { DatabaseResult } from "./run.ts";

/** What of an outage must not have happened. @param uncaught Rejections that nobody handled. */
export function missesOf(facts: Omit<DatabaseResult, "misses">, uncaught: number): string[] {
  const {
    withDatabase,
    outage,
    lost,
    honoured: revived,
    doubled,
    recoveredMs,
    untold,
    unanswered,
    errors,
  } = facts;
  const misses: string[] = [];
  const miss = (count: number, what: string) => void (count > 0 && misses.push(`${count} ${what}`));
  miss(doubled, "users with a session twice");
  miss(uncaught, "unhandled rejections");
  miss(recoveredMs === null ? 1 : 0, "isolate that did not find Redis");
  for (const [what, count] of Object.entries(errors)) miss(count, `× ${what}`);
  if (!withDatabase) return misses;
  miss(lost.told, "sessions lost that the database had");
  miss(revived.told, "sessions honoured whose end the database had");
  miss(untold, "ends that were answered with 200, and that the database has not");
  // A late reply of the database may cost an end its 200.
  if (!outage.during) miss(unanswered, "ends that were not answered with 200");
  return misses;
}

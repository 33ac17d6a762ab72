import type { OriginConfig } from "./config.ts";
import { type VariableValues, variables } from "./variables-table.ts";

/** As many as the edge's own tokens have at least. */
const MIN_TOKEN_LENGTH = variables.SERVICE_TOKEN.min;

/** What works and may surprise. */
export function warnOfSwitches(
  values: VariableValues,
  origin: OriginConfig | null,
  warnings: string[],
): void {
  if (!values.USE_REDIS_RATE_LIMIT)
    warnings.push(
      "USE_REDIS_RATE_LIMIT is false: each isolate counts for itself, so callers may get several times their limit.",
    );
  if (!values.USE_REDIS_SESSIONS && values.SESSION_DB === undefined)
    warnings.push(
      "USE_REDIS_SESSIONS is false: sessions are honoured from their signature and revoked only in the isolate that was asked.",
    );
  if (!values.USE_REDIS_CACHE)
    warnings.push(
      "USE_REDIS_CACHE is false: each isolate caches for itself, and a purge reaches only the isolate that was asked.",
    );
  if (values.CONSOLE_HOST !== null && values.ADMIN_TOKEN.length === 0)
    warnings.push("CONSOLE_HOST is set and ADMIN_TOKEN is not: no token opens what the console asks for.");
  if (!values.ORIGIN_TOKEN && origin?.kind === "url")
    warnings.push(
      "ORIGIN_TOKEN is not set: the origin gets no X-User-Id and X-User-Tier, because it could not tell them from forged ones.",
    );
  if (values.ORIGIN_TOKEN && values.ORIGIN_TOKEN.length < MIN_TOKEN_LENGTH)
    warnings.push(
      `ORIGIN_TOKEN has fewer than ${MIN_TOKEN_LENGTH} characters: who reaches the origin could guess it, and be any user there.`,
    );
  const hashed = [...values.DENY_LIST, ...values.ALLOW_LIST].some((entry) => entry.startsWith("key:"));
  if (hashed && values.IDENTITY_SECRET.length === 0)
    warnings.push(
      "IDENTITY_SECRET is not set: the hashes of key:<hash> in DENY_LIST and ALLOW_LIST follow from UPSTASH_REDIS_REST_TOKEN, so that with another token, or none, they are nobody's.",
    );
}

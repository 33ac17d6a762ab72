import * as z from "zod";

const count = z.int();
const counts = <Name extends string>(...names: Name[]) =>
  z.strictObject(Object.fromEntries(names.map((name) => [name, count])) as Record<Name, typeof count>);
const ms = z.nullable(z.number());
const column = z.array(count);

const totals = z.strictObject({
  requests: count,
  by_status: z.record(z.string(), count).describe("By the status' first digit: `2xx`."),
  limits: counts("allowed", "near", "denied", "shadow").describe(
    "By limit: a request with two limits is in it twice.",
  ),
  cache: counts("hit", "stale", "revalidated", "miss", "bypass", "bytes_saved"),
  sessions: counts("created", "rotated", "ended", "ended_user", "ended_everyone", "refused"),
  store: counts("calls", "commands", "failures", "lost"),
});

/** What the console asks for, by the names in the document. @param health The facts of `GET /health`. */
export function consoleAnswers<
  Store extends z.ZodType,
  Database extends z.ZodType,
  Services extends z.ZodType,
>(health: { store: Store; database: Database; services: Services }) {
  return {
    Overview: z.strictObject({
      now: z.number().describe("Milliseconds since the epoch."),
      version: z.string(),
      deployed: z.nullable(z.string()).describe("The beginning of the deployed version's id."),
      mode: z.enum(["enforce", "observe", "bypass"]),
      api_host: z.nullable(z.string()).describe("`API_HOST`."),
      health: z.strictObject({
        status: z.enum(["healthy", "degraded"]),
        services: health.services,
        store: health.store,
        database: z.optional(health.database),
      }),
      metrics: z.enum(["on", "off"]).describe("`off`: neither METRICS_TOKEN nor CONSOLE_HOST is set."),
      complete: z.boolean().describe("False: one isolate's counts, because the store did not answer."),
      isolates: z.nullable(count),
      since: z
        .nullable(z.number())
        .describe("From when the counts are, ms since the epoch; null: from the first."),
      minutes: count.describe("Those that were asked for."),
      totals: z.nullable(totals),
      routes: z.array(
        z.strictObject({
          route: z.string(),
          requests: count,
          errors: count,
          denied: count,
          hit: count,
          origin_p50_ms: ms,
          origin_p95_ms: ms,
        }),
      ),
      policies: z.array(
        z.strictObject({
          route: z.string(),
          policy: z.string(),
          ...counts("allowed", "near", "denied", "shadow").shape,
          source: counts("redis", "lease", "block", "local"),
        }),
      ),
      denied_callers: z.array(
        z.strictObject({
          caller: z.string().regex(/^hash:[0-9a-f]{32}$/),
          denied: count,
          approximate: z.literal(true),
        }),
      ),
      series: z.nullable(
        z.strictObject({
          minute: z.array(z.number()),
          requests: column,
          denied: column,
          errors: column,
          hit: column,
        }),
      ),
    }),
  };
}

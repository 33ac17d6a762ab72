import * as z from "zod";
import { routeLookup } from "../../endpoints/admin/route-lookup.ts";

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

const routeLookupAnswer = z.strictObject({
  method: z.string(),
  path: z.string().describe("As the origin reads it."),
  route: z.nullable(z.string()).describe("Null: no route, or a path that the edge answers itself."),
  pattern: z.nullable(z.string()),
  methods: z.array(z.string()).describe("Of the route; empty: every method."),
  params: z.record(z.string(), z.string()),
  because: z.string(),
  not: z
    .array(z.strictObject({ route: z.string(), pattern: z.string(), reason: z.string() }))
    .describe("Routes before it, and later ones with the same path: 100 at most."),
  access: z.string(),
  limits: z.array(
    z.strictObject({
      name: z.string(),
      limit: count,
      window: z.string(),
      algorithm: z.string(),
      by: z.enum(["caller", "address"]),
      tier: z.nullable(z.string()),
      shared: z.boolean(),
      shadow: z.boolean(),
    }),
  ),
  cache: z.nullable(
    z.strictObject({
      scope: z.enum(["public", "shared", "caller"]),
      ttl: z.nullable(z.number()).describe("Seconds; null: as the response says."),
      stale_while_revalidate: z.number(),
      stale_if_error: z.number(),
      tags: z.array(z.string()),
    }),
  ),
  on_store_failure: z.nullable(z.enum(["local", "open", "closed"])),
  owned: z.boolean().describe("The edge answers it itself."),
  refused: z.nullable(z.string()).describe("Why the edge refuses such a path, under EDGE_MODE=enforce."),
});

const purges = z.strictObject({
  complete: z.boolean().describe("False: those that one isolate knows."),
  purges: z.array(
    z.strictObject({
      at: z.number().describe("Milliseconds since the epoch."),
      kind: z
        .enum(["file", "prefix", "path", "tag", "tags", "user", "everything"])
        .describe("`path`: one on every host, with all below it; `tags`: all that begin so."),
      what: z
        .nullable(z.string())
        .describe(
          "Null for a file, of which a hash is kept, and for several users; of one the caller's hash.",
        ),
      soft: z.boolean(),
      reach: z.enum(["everywhere", "this isolate"]),
    }),
  ),
});

const routes = z.array(
  z.strictObject({
    route: z.string(),
    requests: count,
    errors: count,
    denied: count,
    hit: count,
    origin_p50_ms: ms,
    origin_p95_ms: ms,
  }),
);
const policies = z.array(
  z.strictObject({
    route: z.string(),
    policy: z.string(),
    ...counts("allowed", "near", "denied", "shadow").shape,
    source: counts("redis", "lease", "block", "local"),
  }),
);
const deniedCallers = z.array(
  z.strictObject({
    caller: z.string().regex(/^hash:[0-9a-f]{32}$/),
    denied: count,
    approximate: z.literal(true),
  }),
);
const series = z.nullable(
  z.strictObject({
    minute: z.array(z.number()),
    requests: column,
    denied: column,
    errors: column,
    hit: column,
  }),
);

/** What the console asks for, by the names in the document. @param health The facts of `GET /health`. */
export function consoleAnswers<
  Store extends z.ZodType,
  Database extends z.ZodType,
  Services extends z.ZodType,
>(health: { store: Store; database: Database; services: Services }) {
  return {
    RouteLookup: routeLookup,
    FoundRoute: routeLookupAnswer,
    Purges: purges,
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
      routes,
      policies,
      denied_callers: deniedCallers,
      series,
    }),
  };
}

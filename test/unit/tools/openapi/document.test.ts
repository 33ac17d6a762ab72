import { readFile } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { type AdminRoutesOptions, adminRoutes } from "../../../../src/endpoints/admin/routes.ts";
import { consoleRoutes } from "../../../../src/endpoints/console.ts";
import { type HealthRoutesOptions, healthRoutes } from "../../../../src/endpoints/health.ts";
import { type MetricsRouteOptions, metricsRoute } from "../../../../src/endpoints/metrics.ts";
import { openapiRoutes } from "../../../../src/endpoints/openapi.ts";
import { type SessionRoutesOptions, sessionRoutes } from "../../../../src/endpoints/sessions.ts";
import { PROBLEM_CODES } from "../../../../src/http/problem-codes.ts";
import { version } from "../../../../src/runtime/version.ts";
import { OPENAPI_FILE, openapiDocument, openapiText } from "../../../../src/tools/openapi/document.ts";
import { operations } from "../../../../src/tools/openapi/operations.ts";

/** `GET /edge/limits/{caller}`, as the apps have it. */
function registered(): string[] {
  const none = {} as never;
  const admin = adminRoutes({
    routes: [],
    warm: none,
    overview: none,
    lookup: none,
    platform: none,
    users: { sessions: {} },
  } as unknown as AdminRoutesOptions);
  const sessions = sessionRoutes({ sessions: {}, identified: () => none } as unknown as SessionRoutesOptions);
  const health = healthRoutes({} as HealthRoutesOptions);
  const metrics = metricsRoute({ gate: (_, next) => next() } as MetricsRouteOptions);
  // It takes each method itself, and refuses all but this one.
  const allowed = metrics.routes.map((route) => ({ ...route, method: "GET" }));
  const page = consoleRoutes({ assets: null }).routes.flatMap((route) => [
    { ...route, method: "GET", path: "/console" },
    { ...route, method: "GET", path: "/console/:file" },
  ]);
  const openapi = openapiRoutes({ assets: null, authBasePath: "", healthPath: "" });
  return [
    ...[...admin.routes, ...openapi.routes, ...allowed, ...page].map((route) => ["/edge", route] as const),
    ...sessions.routes.map((route) => ["/auth", route] as const),
    ...health.routes.map((route) => ["/health", route] as const),
  ]
    .filter(([, { method }]) => method !== "ALL")
    .map(([base, { method, path }]) => `${method} ${base}${path.replace(/\/$/, "")}`)
    .map((text) => text.replace(/:(\w+)/g, "{$1}"));
}

const NO_PATHS_OF_THE_EDGE: readonly string[] = [
  // Of the API behind it.
  ...["TOO_MANY_PREFLIGHTS", "ORIGIN_NOT_CONFIGURED", "ORIGIN_UNREACHABLE", "ORIGIN_TIMEOUT"],
  ...["LOOP_DETECTED", "ONLY_IF_CACHED"],
];

describe("the OpenAPI document", () => {
  it("is what `npm run docs` writes", async () => {
    expect(await readFile(OPENAPI_FILE, "utf8"), "run `npm run docs`").toBe(openapiText());
  });

  it("is valid OpenAPI 3.1, by a validator that finds what is wrong", async () => {
    const validator = new Validator();
    expect(await validator.validate(openapiDocument())).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
    const wrong = { ...openapiDocument(), paths: { "no-slash": {} } };
    expect((await new Validator().validate(wrong)).valid).toBe(false);
  });

  it("has every operation that the edge answers, and no other", () => {
    const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect([...new Set(registered())].sort()).toEqual(described.sort());
  });

  it("has the package's version, and a name of its own for each operation", () => {
    expect(openapiDocument().info).toMatchObject({ version });
    const ids = operations.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("says of every problem where it occurs, but for those of the API's paths", () => {
    const described = new Set<string>(operations.flatMap(({ problems }) => problems));
    const everywhere = ["CONFIG_ERROR", "INTERNAL_ERROR"];
    const missing = PROBLEM_CODES.filter((code) => !described.has(code) && !everywhere.includes(code));
    expect(missing.sort()).toEqual([...NO_PATHS_OF_THE_EDGE].sort());
  });

  it("refers to nothing that it does not have", () => {
    const text = openapiText();
    const document = openapiDocument();
    const refs = [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, ref = ""]) => ref.split("/"));
    expect(refs.length).toBeGreaterThan(50);
    for (const steps of refs) {
      const found = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)?.[step], document);
      expect(found, steps.join("/")).toBeDefined();
    }
  });
});

/** Health that says what runs on Redis and what on memory. */
export { createHealth, type Health, type HealthFacts, type HealthOptions } from "./health.ts";
export { type HealthRoutesOptions, healthRoutes } from "./routes.ts";

import { ConfigError, type ConfigIssue } from "../../src/config/config-error.ts";
import type { RouteInput } from "../../src/config/route.ts";
import { loadConfig } from "../../src/edge/load-config.ts";

/** The issues of a configuration; none when it loads. */
export function configIssues(env: Record<string, unknown>, routes: unknown = []): readonly ConfigIssue[] {
  try {
    loadConfig(env, routes as RouteInput[]);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}

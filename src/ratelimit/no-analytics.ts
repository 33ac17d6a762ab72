/**
 * Stands in the bundle for @upstash/core-analytics (`wrangler.toml`, `[alias]`), which @upstash/ratelimit imports and of
 * which the Worker would never call anything: its analytics are a command more with every request.
 */
export class Analytics {
  constructor() {
    throw new Error("The Worker is built without analytics");
  }
}

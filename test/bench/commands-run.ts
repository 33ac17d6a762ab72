import type { UpstashLocal } from "../../src/tools/upstash-local/index.ts";

/** Commands that Redis has run, those inside scripts included, this INFO excluded: what Upstash would bill. */
export async function commandsRun(upstash: UpstashLocal): Promise<number> {
  const stats = String(await upstash.redis.command("INFO", "commandstats"));
  return [...stats.matchAll(/cmdstat_([a-z|-]+):calls=(\d+)/g)]
    .filter(([, name = ""]) => !/^(info|ping|hello|client|select|script|config)/.test(name))
    .reduce((sum, [, , calls]) => sum + Number(calls), 0);
}

import type { UpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { LIMITED_USER } from "../../src/tools/upstash-local/redis-server.ts";
import { RespError, type RespReply } from "../../src/tools/upstash-local/resp.ts";

/**
 * Redis has refused nothing to the Worker's user: what the Worker sends is what `src/store/commands.ts` lists.
 *
 * @throws Error with the commands and keys that were refused.
 */
export async function expectNothingRefused({ redis }: Pick<UpstashLocal, "redis">): Promise<void> {
  if (redis.kind !== "redis-server" || redis.pid === undefined) return;
  const entries = await redis.command("ACL", "LOG", "128");
  if (entries instanceof RespError || !Array.isArray(entries)) throw new Error("Redis shows no ACL LOG");
  const refused = entries.flatMap((entry) => refusalsOf(entry));
  if (refused.length === 0) return;
  throw new Error(
    `Redis refused the Worker's user ${refused.length} commands or keys; a command that the Worker needs belongs into ` +
      `src/store/commands.ts:\n${[...new Set(refused)].join("\n")}`,
  );
}

/** What an entry of the log says of the Worker's user: a test may take a command from another on purpose. */
function refusalsOf(entry: RespReply): string[] {
  const fields = Array.isArray(entry) ? entry.map(String) : [];
  const field = (name: string) => fields[fields.indexOf(name) + 1] ?? "";
  return field("username") === LIMITED_USER
    ? [`${field("reason")} ${field("context")}: ${field("object")}`]
    : [];
}

import { type Command, RespError } from "./resp.ts";

/** Commands that change, block or end the connection they run on. */
const ABOUT_THE_CONNECTION = new Set(
  `AUTH CLIENT HELLO MONITOR QUIT READONLY READWRITE RESET SELECT
  DISCARD EXEC MULTI UNWATCH WATCH
  PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE UNSUBSCRIBE
  BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN WAIT WAITAOF
  FAILOVER PSYNC REPLCONF REPLICAOF SHUTDOWN SLAVEOF SYNC`.split(/\s+/),
);

/**
 * All HTTP requests share one connection, and a transaction is `/multi-exec`. A command that would change the connection
 * for other requests is refused here and never sent. An EXEC inside a transaction would end it early.
 */
export function refusal(args: Command): RespError | undefined {
  const name = String(args[0] ?? "").toUpperCase();
  const blocks =
    (name === "XREAD" || name === "XREADGROUP") && args.some((arg) => String(arg).toUpperCase() === "BLOCK");
  if (!blocks && !ABOUT_THE_CONNECTION.has(name)) return undefined;
  return new RespError(`ERR Command is not available over HTTP: '${name}'`);
}

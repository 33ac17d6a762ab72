/**
 * Every command of Redis that the Worker sends, or that one of its scripts runs: all that the store's token must be allowed
 * (ACL). `npm run doctor` prints the rules made of this list, and the contract and end-to-end tests run as a user with
 * exactly these. Its test compares it with the sources.
 *
 * A handler's own commands (`c.var.redis`) are not here. Nothing of the Worker imports this file.
 */
export const storeCommands = [
  "del",
  "eval",
  "evalsha",
  "exists",
  "get",
  "hdel",
  "hexists",
  "hget",
  "hgetall",
  "hlen",
  "hmget",
  "hset",
  "incrby",
  "mget",
  "pexpire",
  "ping",
  "pttl",
  "set",
  "zadd",
  "zcard",
  "zcount",
  "zrange",
  "zrem",
  "zremrangebyrank",
  "zremrangebyscore",
  "zscore",
] as const;

export type StoreCommand = (typeof storeCommands)[number];

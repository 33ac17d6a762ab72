import { storeOfOwner } from "./store.ts";

const AGE = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, left - ARGV[2]) end
end`;

/**
 * Redis, whose clock is the real one, is made older by some ms: the keys that begin so. Those without an end stay. What is to be read
 * afterwards must have a minute left by then: the test's own time passes too, and a busy machine needs many seconds.
 */
export async function ageRedis(prefix: string, ms: number): Promise<void> {
  const batch = storeOfOwner().store.batch();
  const aged = batch.queue((pipeline) => pipeline.eval(AGE, [], [`${prefix}*`, ms]));
  await batch.send();
  await aged;
}

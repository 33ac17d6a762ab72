import { storeOfOwner } from "./store.ts";

const AGE = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[2])
end`;

/** Redis, whose clock is the real one, is made older by some ms: the keys that begin so. */
export async function ageRedis(prefix: string, ms: number): Promise<void> {
  const batch = storeOfOwner().store.batch();
  const aged = batch.queue((pipeline) => pipeline.eval(AGE, [], [`${prefix}*`, ms]));
  await batch.send();
  await aged;
}

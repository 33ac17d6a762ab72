import type { RedisAddress } from "./connection.ts";
import { commandOn, type LocalRedis, RedisChoiceError } from "./redis.ts";
import type { Command } from "./resp.ts";

const LOOPBACK = new Map([
  ["127.0.0.1", "127.0.0.1"],
  ["localhost", "127.0.0.1"],
  ["[::1]", "::1"],
]);

/**
 * A Redis that already runs on this machine: `redis://[[user]:password@]127.0.0.1[:6379][/database]`. It is used
 * and never stopped.
 *
 * @throws RedisChoiceError when the address is not on loopback, or no Redis answers there. Its password is in no message.
 */
export async function externalRedis(url: string): Promise<LocalRedis> {
  const address = addressOf(url);
  const command = commandOn(address);
  const reply = await command("PING").catch((error: Error) => error);
  if (reply instanceof Error) {
    throw new RedisChoiceError(
      `No Redis answers at LOCAL_REDIS_URL (port ${address.port}): ${reply.message}`,
    );
  }
  const notOurs = () =>
    Promise.reject(new RedisChoiceError("The Redis at LOCAL_REDIS_URL is not ours to stop or start"));
  return {
    kind: "external",
    port: address.port,
    address,
    stop: notOurs,
    start: notOurs,
    kill: notOurs,
    command,
    dispose: async () => {},
  };
}

function addressOf(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const host = LOOPBACK.get(url?.hostname ?? "");
  if (url?.protocol !== "redis:" || host === undefined) {
    throw new RedisChoiceError(
      "LOCAL_REDIS_URL must be a Redis on this machine, such as redis://127.0.0.1:6379",
    );
  }
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const database = url.pathname.slice(1);
  const greeting: Command[] = [];
  if (password) greeting.push(user ? ["AUTH", user, password] : ["AUTH", password]);
  if (database) greeting.push(["SELECT", database]);
  return { host, port: Number(url.port || 6379), greeting };
}

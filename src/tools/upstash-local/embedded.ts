import { onFreePort } from "../ports.ts";
import { onLoopback } from "./loopback.ts";
import { commandOn, type LocalRedis } from "./redis.ts";

/** A Redis in JavaScript, for machines without a redis-server. It listens on loopback. */
export async function embeddedRedis(onGone: () => void): Promise<LocalRedis> {
  const { createRedisMock } = await import("js-redis-server");
  const open = (port: number) => onLoopback(() => createRedisMock({ port }));
  const first = await onFreePort(open);
  const { port } = first.result;
  let server: typeof first | null = first;
  const close = async () => {
    const closing = server;
    server = null;
    if (!closing) return;
    const closed = closing.result.close();
    for (const socket of closing.connections) socket.destroy();
    await closed;
    onGone();
  };
  return {
    kind: "embedded",
    port,
    address: { port },
    stop: close,
    kill: close,
    async start() {
      server ??= await open(port);
    },
    command: commandOn({ port }),
    dispose: close,
  };
}

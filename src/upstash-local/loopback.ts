import { Server } from "node:net";

/**
 * Runs `start` so that a server it opens with a bare port listens on 127.0.0.1 instead of on every interface: the
 * embedded Redis has no option for its host, and no password either.
 */
export async function onLoopback<Result>(start: () => Promise<Result>): Promise<Result> {
  const listen = Server.prototype.listen;
  Server.prototype.listen = function listenOnLoopback(this: Server, ...args: unknown[]) {
    const [port, ...rest] = args;
    if (typeof port !== "number" || typeof rest[0] === "string") return Reflect.apply(listen, this, args);
    return Reflect.apply(listen, this, [port, "127.0.0.1", ...rest]);
  } as typeof listen;
  try {
    return await start();
  } finally {
    Server.prototype.listen = listen;
  }
}

import { Server, type Socket } from "node:net";

export interface OnLoopback<Result> {
  result: Result;
  /** The open connections, so that they can be closed. */
  connections: ReadonlySet<Socket>;
}

/**
 * Runs `start` so that a server it opens with a bare port listens on 127.0.0.1 instead of on every interface, and so
 * that its connections are known: the embedded Redis has no option for its host, no password either, and it waits for
 * its clients to leave before it closes.
 */
export async function onLoopback<Result>(start: () => Promise<Result>): Promise<OnLoopback<Result>> {
  const connections = new Set<Socket>();
  const listen = Server.prototype.listen;
  Server.prototype.listen = function listenOnLoopback(this: Server, ...args: unknown[]) {
    const [port, ...rest] = args;
    if (typeof port !== "number" || typeof rest[0] === "string") return Reflect.apply(listen, this, args);
    this.prependListener("connection", (socket: Socket) => {
      onlyRedisClients(socket);
      connections.add(socket);
      socket.once("close", () => connections.delete(socket));
    });
    return Reflect.apply(listen, this, [port, "127.0.0.1", ...rest]);
  } as typeof listen;
  try {
    return { result: await start(), connections };
  } finally {
    Server.prototype.listen = listen;
  }
}

/** The first byte of a command that a Redis client sends: an array (RESP2). */
const ARRAY = 0x2a;

/**
 * Closes a connection that begins like no Redis client's. A page in a browser can POST to any port of loopback, and a Redis that
 * reads commands written as lines runs those in its body; an HTTP request never begins with a `*`.
 */
function onlyRedisClients(socket: Socket): void {
  const { push } = socket;
  socket.push = function pushAfterFirst(this: Socket, chunk: unknown, encoding?: BufferEncoding) {
    socket.push = push;
    if (chunk instanceof Uint8Array && chunk[0] !== ARRAY) {
      socket.destroy();
      return false;
    }
    return Reflect.apply(push, this, [chunk, encoding]) as boolean;
  };
}

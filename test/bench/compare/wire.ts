import { createConnection, createServer, type Socket } from "node:net";
import { onFreePort } from "../../../src/tools/ports.ts";
import { exactly, prepareDelays } from "./delay.ts";

/** A TCP proxy between the Workers and the store that adds delay, refuses connections or stops answering. */
export interface Wire {
  url: string;
  /** Added delay, ms: half before the store, half after it. */
  roundTripMs: number;
  /** Whether the delay is exact, for one client at a time. */
  exact: boolean;
  /** `hanging` accepts everything and never answers. */
  state: "well" | "refused" | "hanging";
  /** Answers that were forwarded. */
  readonly answered: number;
  /** How long the store itself took for each, ms, where the delay is exact. */
  readonly ownMs: number[];
  set(state: Wire["state"]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Connects a client of a proxy with the target: neither waits for more bytes, and both end when one breaks.
 *
 * @param sockets What the proxy has open: both are in it until they close.
 */
export function connected(near: Socket, target: string, sockets: Set<Socket>): Socket {
  const far = createConnection(Number(new URL(target).port), "127.0.0.1");
  for (const socket of [near, far]) {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {
      near.destroy();
      far.destroy();
    });
  }
  return far;
}

export async function startWire(target: string): Promise<Wire> {
  await prepareDelays();
  const sockets = new Set<Socket>();
  let answered = 0;
  let port = 0;
  const server = createServer((near) => {
    const far = connected(near, target, sockets);
    let askedAt = 0;
    join(near, far, {
      passing() {
        askedAt = performance.now();
      },
    });
    // The endpoint sends an answer in one or two writes. Only the first begins like this.
    const begins = (chunk: Buffer) => chunk.subarray(0, 9).toString("latin1") === "HTTP/1.1 ";
    join(far, near, {
      arriving(chunk) {
        if (wire.exact && begins(chunk)) wire.ownMs.push(performance.now() - askedAt);
      },
      passing(chunk) {
        if (begins(chunk)) answered += 1;
      },
    });
  });
  interface Hearing {
    /** Before the delay. */
    arriving?(chunk: Buffer): void;
    /** After it. */
    passing(chunk: Buffer): void;
  }
  function join(from: Socket, to: Socket, hearing: Hearing): void {
    from.on("data", (chunk) => {
      if (wire.state === "hanging") return;
      hearing.arriving?.(chunk);
      const pass = () => {
        hearing.passing(chunk);
        if (to.writable) to.write(chunk);
      };
      if (wire.roundTripMs === 0) pass();
      else if (wire.exact) exactly(wire.roundTripMs / 2, pass);
      else setTimeout(pass, wire.roundTripMs / 2);
    });
    from.on("end", () => to.end());
  }
  const listen = async (at: number) => {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, "127.0.0.1", resolve);
    });
    return at;
  };
  const close = async () => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const wire: Wire = {
    url: "",
    roundTripMs: 0,
    exact: false,
    ownMs: [],
    state: "well",
    get answered() {
      return answered;
    },
    async set(state) {
      wire.state = state;
      if (state === "refused") return close();
      for (const socket of sockets) if (state === "well") socket.destroy();
      if (!server.listening) await listen(port);
    },
    stop: close,
  };
  port = await onFreePort(listen);
  wire.url = `http://127.0.0.1:${port}`;
  return wire;
}

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a server on 127.0.0.1 that can be made to accept everything and to answer nothing. */
export interface HangingProxy {
  readonly url: string;
  /** Where what comes goes to. Before it is set nothing is answered. */
  target: string | null;
  hang(): void;
  /** Answers again, on new connections: what was sent meanwhile is lost. */
  lift(): void;
  stop(): Promise<void>;
}

export async function startHangingProxy(): Promise<HangingProxy> {
  const sockets = new Set<Socket>();
  let hanging = false;
  const server = createServer((client) => {
    sockets.add(client);
    client.on("close", () => sockets.delete(client));
    client.on("error", () => {});
    if (hanging || proxy.target === null) return void client.resume();
    const upstream = connect(Number(new URL(proxy.target).port), "127.0.0.1");
    client.on("close", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    upstream.on("close", () => client.destroy());
    client.on("data", (bytes) => hanging || upstream.write(bytes));
    upstream.on("data", (bytes) => hanging || client.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: HangingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target: null,
    hang() {
      hanging = true;
    },
    lift() {
      hanging = false;
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

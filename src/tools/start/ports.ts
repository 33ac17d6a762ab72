import { createServer } from "node:net";

/** `localhost` is either of the two, whichever answers first. */
const LOOPBACK = ["127.0.0.1", "::1"] as const;

/** Whether a program listens on this port, at any address that `localhost` may be. */
export async function isPortTaken(port: number): Promise<boolean> {
  for (const host of LOOPBACK) if ((await listenOn(port, host)) === "taken") return true;
  return false;
}

/** Ports that no system hands out to connections of its own (Linux: from 32,768 on; others: from 49,152 on). */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/**
 * A free port. It may be used seconds later: it is none that a connection may get meanwhile.
 *
 * @param random From 0 to 1. Default `Math.random`.
 */
export async function freePort(random: () => number = Math.random): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(random() * (LAST_PORT - FIRST_PORT));
    if (!(await isPortTaken(port))) return port;
  }
}

/** The port it listened on for a moment; `taken`, or null where the machine has no such address. */
function listenOn(port: number, host: string): Promise<number | "taken" | null> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "EADDRINUSE") resolve("taken");
      else if (code === "EACCES")
        reject(new Error(`Port ${port} needs rights that this user does not have.`));
      else resolve(null);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : null));
    });
  });
}
